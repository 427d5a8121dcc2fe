"""Two cases of the lab that breaks in bare NumPy: a policy on rewards, and a policy on pairs."""

from dataclasses import replace

import numpy as np

from engine.experiments import break_it
from tests.bench.labs.arrays import Array, Race, in_logits, log_softmax
from tests.bench.labs.descents import Place, lbfgs


def rewarded_race() -> Race:
    """The case of too small a β: three replies, climbed by natural gradients."""
    built = break_it.build(break_it.preset("small-beta"))
    return Race(lambda: _ours(built), lambda: _rewarded(built))


def preferred_race() -> Race:
    """The case of a teacher who never errs, mended by soft labels: every couple, L-BFGS.

    Unmended, the margin grows without end, and with it what rounding makes of two equal runs.
    """
    built = break_it.build(replace(break_it.preset("deterministic"), labels="soft"))
    return Race(lambda: _ours(built), lambda: _preferred(built))


def _ours(built: break_it.Experiment) -> Array:
    return np.array([list(step.readings.values()) for step in built.run()])


def _rewarded(built: break_it.Experiment) -> Array:
    scene, settings = built.scene, built.settings
    assert isinstance(scene, break_it.Rewarded)
    reward, logits = scene.world.reward.numpy(), scene.world.reference.numpy()
    reference, rate = logits, break_it.NATURAL_SHARE / settings.beta
    tables = np.stack([scene.proxy.numpy(), scene.gold.numpy(), reference]).reshape(3, -1)
    rows = []
    for index in range(settings.steps + 1):
        table = log_softmax(logits)
        share = np.exp(table)
        if not table.min() > -1e6:
            raise RuntimeError("expected finite numbers at every step")
        proxy, gold, to_reference = (tables @ share.ravel() / len(share)).tolist()
        negative = np.dot(share.ravel(), table.ravel()).item() / len(share)
        rows.append((proxy, gold, max(negative - to_reference, 0.0), -negative))
        if index < settings.steps:
            earned = reward - settings.beta * (table - reference)
            logits = logits + rate * (earned - (share * earned).sum(axis=1, keepdims=True))
    return np.array(rows)


def _preferred(built: break_it.Experiment) -> Array:
    scene = built.scene
    assert isinstance(scene, break_it.Preferred)
    start, surface = scene.starts[0].numpy(), _Pairs(scene, built.settings.beta)
    rows = []
    for place in lbfgs(surface.at, start.ravel(), built.settings.steps):
        table = log_softmax(place.parameters.reshape(start.shape))
        if not table.min() > -1e6:
            raise RuntimeError("expected finite numbers at every step")
        rows.append(surface.readings(table))
    return np.array(rows)


class _Pairs:
    """The mean DPO loss of pairs as a function of a table of logits."""

    def __init__(self, scene: break_it.Preferred, beta: float) -> None:
        pairs = scene.objective.pairs
        prompt, size = pairs.prompt.numpy(), scene.objective.reference.shape[1]
        self.beta, self.shape = beta, scene.objective.reference.shape
        self.chosen = prompt * size + pairs.chosen.numpy()
        self.rejected = prompt * size + pairs.rejected.numpy()
        self.share = pairs.weight.numpy() / pairs.weight.numpy().sum()
        self.reference = scene.objective.reference.numpy()
        self.positions = np.arange(1.0, size + 1)

    def at(self, logits: Array) -> Place:
        table = log_softmax(logits.reshape(self.shape))
        margin = self.beta * self.margin(table)
        pull = -self.beta * self.share / (1 + np.exp(margin))
        slope = np.bincount(self.chosen, pull, minlength=table.size).astype(np.float64)
        slope -= np.bincount(self.rejected, pull, minlength=table.size)
        gradient = in_logits(np.exp(table), slope.reshape(self.shape)).ravel()
        return Place(logits, gradient, lambda: self._loss(margin))

    def margin(self, table: Array) -> Array:
        log_ratio = (table - self.reference).ravel()
        found: Array = log_ratio[self.chosen] - log_ratio[self.rejected]
        return found

    def readings(self, table: Array) -> tuple[float, ...]:
        """What a record says; there is one start, so nothing is apart."""
        margin, share = self.margin(table), np.exp(table)
        loss = self._loss(self.beta * margin)
        chosen = self.share.dot(share.ravel()[self.chosen]).item()
        length = (share @ self.positions).mean().item()
        return loss, loss, self.share.dot(margin).item(), chosen, 0.0, length

    def _loss(self, margin: Array) -> float:
        found = np.maximum(-margin, 0.0) + np.log1p(np.exp(-np.abs(margin)))
        return float(self.share.dot(found))
