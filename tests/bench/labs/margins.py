"""Preference losses in bare NumPy: all of them as curves, and two of them trained."""

import math
from dataclasses import replace

import numpy as np

from engine import margins
from engine.experiments import losses
from tests.bench.labs.arrays import Array, Race, log_softmax
from tests.bench.labs.slopes import LOSSES, Both, Loss


def race() -> Race:
    """The lab's own two losses, DPO and IPO, on labels that never err."""
    built = losses.build(losses.Settings())
    at = margins.Setting(beta=built.settings.beta, flip=built.settings.flip)
    at = replace(at, gamma=built.settings.lead)
    return Race(lambda: _ours(replace(built)), lambda: _peer(built, at))


def _ours(built: losses.Experiment) -> Array:
    """Every record, the curves, and where both runs end on them; nothing is kept between runs."""
    steps = list(built.run())
    rows = [(*_numbers(step.first), *_numbers(step.second)) for step in steps]
    curves = [number for each in built.curves for number in (*each.value, *each.slope)]
    ends = []
    for name, last in (("dpo", steps[-1].first), ("ipo", steps[-1].second)):
        spot, rest = built.spot(name, last), built.rest(name)
        ends.append((spot.margin, spot.value, spot.slope, math.nan if rest is None else rest))
    return np.concatenate([np.array(each).ravel() for each in (rows, curves, ends)])


def _numbers(step: margins.Step) -> tuple[float, ...]:
    return (
        *(step.index, step.loss, step.margin, step.log_ratio_chosen, step.log_ratio_rejected),
        *(step.log_prob_chosen, step.log_prob_rejected, step.kl_to_optimum),
    )


def _peer(built: losses.Experiment, at: margins.Setting) -> Array:
    grid = np.array(built.grid)
    curves = np.array([_scaled(LOSSES[name], grid, at) for name in margins.LOSSES])
    runs = [_trained(built, LOSSES[name], at) for name in ("dpo", "ipo")]
    rests = (math.inf, 1 / (2 * at.beta))  # of labels that all agree
    ends = []
    for name, run, rest in zip(("dpo", "ipo"), runs, rests, strict=True):
        last = run[-1, 2]
        value, slope = _scaled(LOSSES[name], np.array([last]), at)
        ends.append((last, value[0], slope[0], rest))
    return np.concatenate([np.array(each).ravel() for each in (np.hstack(runs), curves, ends)])


def _scaled(loss: Loss, grid: Array, at: margins.Setting) -> Both:
    """A loss less its value at 0, and its slope, both over the size of its slope at 0."""
    value, slope = loss(np.concatenate([[0.0], grid]), at)
    pull = abs(slope[0])
    return (value[1:] - value[0]) / pull, slope[1:] / pull


def _trained(built: losses.Experiment, loss: Loss, at: margins.Setting) -> Array:
    """Gradient descent on a table with one sure label per prompt, all records read."""
    reward, reference = built.world.reward.numpy(), built.world.reference.numpy()
    logits, optimum = reference, log_softmax(reference + reward / at.beta)
    best, prompts = np.exp(optimum), len(reward)
    rows, chosen = np.arange(prompts), reward.argmax(axis=1)
    pull = abs(loss(np.zeros(1), at)[1].item())
    rate, found = built.settings.rate * prompts / (2 * pull), []
    for index in range(built.length):
        table = log_softmax(logits)
        ratio = table - reference
        won, lost = ratio[rows, chosen], ratio[rows, 1 - chosen]
        value, slope = loss(won - lost, at)
        said, unsaid = table[rows, chosen].mean(), table[rows, 1 - chosen].mean()
        gap = max((best * (optimum - table)).sum().item() / prompts, 0.0)
        if not at.beta * gap < 1e6:
            raise RuntimeError("expected finite numbers at every step")
        both = won.mean(), lost.mean()
        found.append((index, value.mean(), both[0] - both[1], *both, said, unsaid, gap))
        moved = np.empty_like(logits)
        moved[rows, chosen], moved[rows, 1 - chosen] = slope, -slope
        logits = logits - rate / prompts * moved
    return np.array(found)
