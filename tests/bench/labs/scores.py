"""Calibration and drift in bare NumPy: bins, proper scores, permutations, all at every step."""

import math
from dataclasses import replace

import numpy as np

from engine.calibration import Z_95
from engine.experiments import calibrate, drift
from tests.bench.labs.arrays import Array, Fed, Own, Race, Source, Whole, log_softmax
from tests.bench.labs.descents import Place, lbfgs


def calibrate_race() -> Race:
    """The lab's own model and questions."""
    built = calibrate.build(calibrate.Settings())
    return Race(lambda: _calibrate_ours(built), lambda: _calibrate_peer(built))


def drift_race() -> Race:
    """The lab's own scorers; nothing is kept from one run to the next."""
    built = drift.build(drift.Settings())

    def ours() -> Array:
        fresh = replace(built, comparison=replace(built.comparison))
        return np.array([_numbers(step) for step in fresh.run()])

    def peer(of: type[Own] | type[Fed]) -> Array:
        seeds = [built.settings.seed + drift._APART * (each + 1) for each in (0, 1, 3)]
        return _drift_peer(built, [of(seed) for seed in seeds])

    return Race(ours, lambda: peer(Own), lambda: peer(Fed))


def _calibrate_ours(built: calibrate.Experiment) -> Array:
    rows = [
        (
            *(step.temperature, step.loss_nats, step.slope_nats),
            *(step.test_loss_nats, step.ece, step.accuracy),
        )
        for step in built.run()
    ]
    return np.array(rows)


def _calibrate_peer(built: calibrate.Experiment) -> Array:
    logits, right = built.fitted.logits.numpy(), built.fitted.right.numpy()
    settings, fresh = built.settings, built.fresh.logits.numpy()
    answer, rows = built.fresh.right.numpy(), []
    true_logit = logits[np.arange(len(right)), right].mean()

    def surface(place: Array) -> Place:
        inverse = np.exp(-place)
        log_q = log_softmax(inverse * logits)
        expected = (np.exp(log_q) * logits).sum(axis=1).mean()
        gradient = -inverse * (expected - true_logit)
        return Place(place, gradient, lambda: float(-log_q[np.arange(len(right)), right].mean()))

    for place in lbfgs(surface, np.array([math.log(settings.start)]), settings.steps):
        temperature = math.exp(place.parameters.item())
        read = _fresh(fresh / temperature, answer, settings.bins)
        rows.append((temperature, place.loss, place.gradient.item(), *read))
    return np.array(rows)


def _fresh(logits: Array, answer: Whole, bins: int) -> tuple[float, ...]:
    """Loss, ECE in bins of equal mass, and accuracy."""
    log_q = log_softmax(logits)
    choice = log_q.argmax(axis=1)
    confidence = np.exp(log_q[np.arange(len(answer)), choice])
    hit = (choice == answer).astype(float)
    places = np.searchsorted(np.sort(confidence), confidence) * bins // len(answer)
    stated, hits = np.bincount(places, confidence), np.bincount(places, hit)
    ece = np.abs(hits - stated).sum() / len(answer)
    loss = -log_q[np.arange(len(answer)), answer].mean()
    return loss.item(), ece.item(), hit.mean().item()


def _numbers(step: drift.Step) -> tuple[float, ...]:
    said = step.verdict
    return (
        *(step.rounds, step.beyond, step.p_value, step.low, step.high, *step.histogram),
        *(said.low_nats, said.high_nats, said.divergence_nats, said.word == "drifted"),
    )


def _drift_peer(built: drift.Experiment, sources: list[Source]) -> Array:
    base, tuned = built.comparison.base.numpy(), built.comparison.tuned.numpy()
    settings, observed = built.settings, _apart(base.sum(axis=0), tuned.sum(axis=0)).item()
    ends = _interval(base, tuned, sources[1], (settings.rounds, observed))
    pilot = _swapped(base, tuned, sources[2], drift._PILOT)
    most = 1.15 * max(observed, pilot.max().item(), 1e-6)
    least = max(2 * 0.5 ** len(base), 1 / (settings.rounds + 1))
    null, rows = np.empty(0), []
    for _ in range(built.length):
        rounds, beyond = len(null), int((null >= observed - 1e-12).sum())
        p_value = (1 + beyond) / (1 + rounds)
        cells = (null / most * drift._CELLS).astype(np.int64).clip(0, drift._CELLS - 1)
        counted = np.bincount(cells, minlength=drift._CELLS).tolist()
        drifted = least <= settings.level and p_value <= settings.level
        drifted = drifted and observed >= settings.threshold
        wilson = _wilson(beyond, rounds)
        rows.append((rounds, beyond, p_value, *wilson, *counted, *ends, observed, drifted))
        more = min(built.batch, settings.rounds - rounds)
        null = np.concatenate([null, _swapped(base, tuned, sources[0], more)])
    return np.array(rows)


def _swapped(base: Array, tuned: Array, source: Source, rounds: int) -> Array:
    """Divergences when each item swaps its two answers by the toss of a coin."""
    coins = (source.uniform(rounds, len(base)) < 0.5).astype(float)
    moved = coins @ (tuned - base)
    return _apart(base.sum(axis=0) + moved, tuned.sum(axis=0) - moved)


def _interval(
    base: Array, tuned: Array, source: Source, of: tuple[int, float]
) -> tuple[float, float]:
    """The basic bootstrap interval, items drawn again with both their answers."""
    (rounds, observed), items = of, len(base)
    drawn = source.below(items, rounds) + items * np.arange(rounds)[:, None]
    times = np.bincount(drawn.ravel(), minlength=rounds * items).reshape(rounds, items)
    again = _apart(times.astype(float) @ base, times.astype(float) @ tuned)
    low, high = np.maximum(2 * observed - np.quantile(again, [0.975, 0.025]), 0.0).tolist()
    return low, high


def _apart(left: Array, right: Array) -> Array:
    """Jensen-Shannon divergence of counts, (..., outcomes), in nats."""
    p, q = (each / each.sum(axis=-1, keepdims=True) for each in (left, right))
    middle = np.log((p + q) / 2, where=p + q > 0, out=np.zeros_like(p))
    total = np.zeros(p.shape[:-1])
    for each in (p, q):
        total += (each * (np.log(each, where=each > 0, out=np.zeros_like(p)) - middle)).sum(axis=-1)
    found: Array = total / 2
    return found


def _wilson(hits: int, trials: int) -> tuple[float, float]:
    if not trials:
        return 0.0, 1.0
    rate, square = hits / trials, Z_95**2 / trials
    center = (rate + square / 2) / (1 + square)
    half = Z_95 * math.sqrt(rate * (1 - rate) / trials + square / trials / 4) / (1 + square)
    return max(center - half, 0.0), min(center + half, 1.0)
