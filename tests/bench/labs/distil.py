"""Distillation in bare NumPy: the same steps, and what each record reads off."""

import numpy as np

from engine.experiments import distil
from tests.bench.labs.arrays import Array, Race, log_softmax


def race() -> Race:
    """The lab's own teacher and questions."""
    built = distil.build(distil.Settings())
    return Race(lambda: _ours(built), lambda: _peer(built))


def _ours(built: distil.Experiment) -> Array:
    rows = []
    for step in built.run():
        lengths = (step.gradient_length, step.scaled_length, step.limit_length)
        read = (step.result.forward_nats, step.result.reverse_nats, step.result.agreement)
        rows.append((step.loss_nats, *lengths, *read))
    return np.array(rows)


def _peer(built: distil.Experiment) -> Array:
    """The weights' way by plain descent, forward divergence, with all that a record reads."""
    features, targets = built.features.numpy(), built.targets.numpy()
    fresh, teacher = built.fresh_features.numpy(), built.fresh_teacher.numpy()
    temperature, truth = built.temperature, log_softmax(teacher)
    logits, certain = built.teacher.numpy(), np.log(targets)
    weights, rows = np.zeros((features.shape[1], targets.shape[1])), []
    for _ in range(built.length):
        student = features @ weights
        log_q = log_softmax(student / temperature)
        surplus = np.exp(log_q) - targets
        loss = (targets * (certain - log_q)).sum(axis=1).mean()
        loss = temperature**2 * (loss + distil.DECAY / 2 * (weights**2).sum() / temperature**2)
        length = np.linalg.norm(surplus / temperature, axis=1).mean()
        gap = student - logits
        limit = np.linalg.norm(gap - gap.mean(axis=1, keepdims=True), axis=1).mean() / distil.GRADES
        said = log_softmax(fresh @ weights)
        forward = (np.exp(truth) * (truth - said)).sum(axis=1).mean()
        reverse = (np.exp(said) * (said - truth)).sum(axis=1).mean()
        agreement = (said.argmax(axis=1) == truth.argmax(axis=1)).mean()
        row = (loss, length, temperature**2 * length, limit, forward, reverse, agreement)
        if not np.isfinite(row).all():
            raise RuntimeError("expected finite numbers at every step")
        rows.append(row)
        slope = temperature * features.T @ surplus / len(features) + distil.DECAY * weights
        weights = weights - built.settings.learning_rate * slope
    return np.array(rows)
