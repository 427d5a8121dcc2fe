"""Runs of the labs against the same mathematics in bare NumPy: names with (ours, the peer's)."""

from collections.abc import Callable, Mapping
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray

from engine.experiments import distil
from tests.bench.measure import Seconds, interleaved

Array = NDArray[np.float64]
Run = Callable[[], object]


def engine_distillation(built: distil.Experiment) -> distil.Step:
    """Return the last record of a whole run, by the public path."""
    *_before, last = built.run()
    return last


def numpy_distillation(built: distil.Experiment) -> Array:
    """Return the weights after the same steps, with what each record reads off."""
    features, targets = built.features.numpy(), built.targets.numpy()
    fresh, teacher = built.fresh_features.numpy(), built.fresh_teacher.numpy()
    temperature, truth = built.temperature, _log_softmax(teacher)
    logits, certain = built.teacher.numpy(), np.log(targets)
    weights = np.zeros((features.shape[1], targets.shape[1]))
    for step in range(built.length):
        student = features @ weights
        log_q = _log_softmax(student / temperature)
        surplus = np.exp(log_q) - targets
        loss = (targets * (certain - log_q)).sum(axis=1).mean()
        loss = temperature**2 * (loss + distil.DECAY / 2 * (weights**2).sum() / temperature**2)
        length = np.linalg.norm(surplus / temperature, axis=1).mean()
        gap = student - logits
        limit = np.linalg.norm(gap - gap.mean(axis=1, keepdims=True), axis=1).mean()
        said = _log_softmax(fresh @ weights)
        forward = (np.exp(truth) * (truth - said)).sum(axis=1).mean()
        reverse = (np.exp(said) * (said - truth)).sum(axis=1).mean()
        agreement = (said.argmax(axis=1) == truth.argmax(axis=1)).mean()
        if not np.isfinite([loss, length, limit, forward, reverse, agreement]).all():
            raise RuntimeError("expected finite numbers at every step")
        if step == built.settings.steps:
            break
        slope = temperature * features.T @ surplus / len(features) + distil.DECAY * weights
        weights = weights - built.settings.learning_rate * slope
    return weights


def ratio(name: str) -> Seconds:
    """Return (ours, the peer's) seconds for a whole run of one lab, one thread each."""
    ours, peer = LABS[name]()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return interleaved(lambda: _seconds(ours), lambda: _seconds(peer), rounds=7, warm_up=1)
    finally:
        torch.set_num_threads(threads)


def _distil() -> tuple[Run, Run]:
    built = distil.build(distil.Settings())
    return lambda: engine_distillation(built), lambda: numpy_distillation(built)


LABS: Mapping[str, Callable[[], tuple[Run, Run]]] = {"distil": _distil}


def _log_softmax(logits: Array) -> Array:
    shifted: Array = logits - logits.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def _seconds(run: Run) -> float:
    begin = perf_counter()
    run()
    return perf_counter() - begin
