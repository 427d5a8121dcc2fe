"""The estimators' lab in bare NumPy: samples counted and three policies trained at every step."""

from collections.abc import Callable

import numpy as np

from engine.experiments import estimators
from tests.bench.labs.arrays import (
    Array,
    Fed,
    Own,
    Race,
    Source,
    gathered,
    in_logits,
    log_softmax,
)

ESTIMATES: tuple[Callable[[Array], Array], ...] = (
    lambda ratio: ratio,
    lambda ratio: ratio**2 / 2,
    lambda ratio: np.expm1(-ratio) + ratio,
)
SLOPES: tuple[Callable[[Array], Array], ...] = (
    np.ones_like,
    lambda ratio: ratio,
    lambda ratio: -np.expm1(-ratio),
)


def race() -> Race:
    """The lab's first world."""
    built = estimators.build(estimators.Settings())
    return Race(
        lambda: _ours(built),
        lambda: _peer(built, [Own(each) for each in range(4)]),
        lambda: _peer(built, [Fed(each) for each in range(4)]),
    )


def _ours(built: estimators.Experiment) -> Array:
    rows = []
    for step in built.run():
        threes = (step.mean, step.reverse_nats, step.forward_nats)
        rows.append([number for each in threes for number in (each.k1, each.k2, each.k3)])
    return np.array(rows)


def _peer(built: estimators.Experiment, sources: list[Source]) -> Array:
    settings, reference, start = built.settings, built.reference.numpy(), built.start.numpy()
    start_share, at_reference, apart = np.exp(start), np.exp(reference), start - reference
    logits, sums, rows = np.repeat(start, 3, axis=0), np.zeros(3), []
    for index in range(built.length):
        tables = log_softmax(logits)
        shares, log_ratio = np.exp(tables), tables - reference
        if not tables.min() > -1e6:
            raise RuntimeError("expected finite numbers at every step")
        reverse = np.maximum((shares * log_ratio).sum(axis=1), 0.0)
        forward = np.maximum(-(at_reference * log_ratio).sum(axis=1), 0.0)
        mean = sums / max(index * settings.samples, 1)
        rows.append([*mean.tolist(), *reverse.tolist(), *forward.tolist()])
        if index < settings.steps:
            drawn = sources[0].draw(start_share, settings.samples)
            ratio = apart[0, drawn]
            sums = sums + [each(ratio).sum() for each in ESTIMATES]
            logits = _moved(logits, tables, shares, (built, sources[1:]))
    return np.array(rows)


def _moved(
    logits: Array, tables: Array, shares: Array, how: tuple[estimators.Experiment, list[Source]]
) -> Array:
    """Three logits after an update each, every one from draws of its own."""
    (built, sources), draws = how, how[0].settings.draws
    drawn = np.concatenate(
        [each.draw(share[None], draws) for each, share in zip(sources, shares, strict=True)]
    )
    ratio = np.take_along_axis(tables - built.reference.numpy(), drawn, axis=1)
    weight = -np.stack([slope(row) for slope, row in zip(SLOPES, ratio, strict=True)])
    slope = gathered(drawn, weight, logits.shape[1])
    found: Array = logits + built.settings.rate * in_logits(shares, slope)
    return found
