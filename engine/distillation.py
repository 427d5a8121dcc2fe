"""Distillation: a student fitted to a teacher's probabilities, and what the teacher withholds.

Logits are tables (cases, outcomes) of finite numbers; temperatures have no unit; losses are in
nats. The teacher's logits are v and its softened probabilities p, the student's are z and q.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from engine import distributions, guards
from engine.errors import RangeError

_NEWTON_STEPS = 50
_HALVINGS = 40
# A step that promises less than this, in nats, is the last one.
_SETTLED = 1e-15


class Memos(NamedTuple):
    """Memos as a scorer sees them, and what a large scorer says of each."""

    features: Tensor  # (memos, features), the first is 1 throughout
    teacher: Tensor  # (memos, grades), logits


def soften(
    logits: Tensor,  # (cases, outcomes)
    *,
    temperature: float,  # above 0; 1 changes nothing
) -> Tensor:  # (cases, outcomes), log-probabilities
    """The softmax of logits divided by a temperature (Hinton et al. 2015, eq. 1).

    Raises:
        RangeError: the temperature is not above zero, or a logit is not finite.
        ShapeError: `logits` is not a table of floating-point numbers.
    """
    guards.table(logits=logits)
    guards.finite("logits", logits)
    guards.positive("temperature", temperature, advice="1 leaves the logits as they are.")
    return torch.log_softmax(logits / temperature, dim=-1)


def soft_cross_entropy(
    student: Tensor,  # (cases, outcomes), logits
    teacher: Tensor,  # (cases, outcomes), logits
    *,
    temperature: float,  # above 0, the same for both
) -> Tensor:  # (cases,) nats, at least the teacher's entropy
    """Cross-entropy with soft targets, H(p, q) = −Σ p log q (Hinton et al. 2015, section 2).

    Raises:
        RangeError: the temperature is not above zero, or a logit is not finite.
        ShapeError: a table is not of floating-point numbers, or the shapes disagree.
    """
    return distributions.cross_entropy(*_softened(student, teacher, temperature))


def divergence(
    student: Tensor,  # (cases, outcomes), logits
    teacher: Tensor,  # (cases, outcomes), logits
    *,
    temperature: float,  # above 0, the same for both
) -> Tensor:  # (cases,) nats, 0 where both soften to the same
    """Forward KL of softened distributions, KL(p‖q): soft cross-entropy less the entropy of p.

    Raises:
        RangeError: the temperature is not above zero, or a logit is not finite.
        ShapeError: a table is not of floating-point numbers, or the shapes disagree.
    """
    return distributions.kl(*_softened(student, teacher, temperature))


def gradient(
    student: Tensor,  # (cases, outcomes), logits
    teacher: Tensor,  # (cases, outcomes), logits
    *,
    temperature: float,  # above 0, the same for both
) -> Tensor:  # (cases, outcomes), nats per unit of logit
    """Gradient of either loss in the student's logits, (q − p)/T (Hinton et al. 2015, eq. 2).

    Raises:
        RangeError: the temperature is not above zero, or a logit is not finite.
        ShapeError: a table is not of floating-point numbers, or the shapes disagree.
    """
    log_p, log_q = _softened(student, teacher, temperature)
    return (log_q.exp() - log_p.exp()) / temperature


def scaled_gradient(
    student: Tensor,  # (cases, outcomes), logits
    teacher: Tensor,  # (cases, outcomes), logits
    *,
    temperature: float,  # above 0, the same for both
) -> Tensor:  # (cases, outcomes), nats per unit of logit
    """The same gradient times T²; it tends to `limit` as T grows (Hinton et al. 2015, section 2).

    Raises:
        RangeError: the temperature is not above zero, or a logit is not finite.
        ShapeError: a table is not of floating-point numbers, or the shapes disagree.
    """
    return temperature**2 * gradient(student, teacher, temperature=temperature)


def limit(
    student: Tensor,  # (cases, outcomes), logits
    teacher: Tensor,  # (cases, outcomes), logits
) -> Tensor:  # (cases, outcomes), nats per unit of logit
    """Where T² times the gradient goes as T grows, (z − v)/N with both means taken out.

    Hinton et al. 2015, eq. 4, there for logits of mean zero; N is the number of outcomes.

    Raises:
        ShapeError: a table is not of floating-point numbers, or the shapes disagree.
    """
    guards.table(student=student, teacher=teacher)
    gap = student - teacher
    return (gap - gap.mean(dim=-1, keepdim=True)) / gap.shape[-1]


def truncate(
    log_p: Tensor,  # (cases, outcomes), log-probabilities
    *,
    keep: int,  # from 1 to the number of outcomes
) -> Tensor:  # (cases, outcomes), log-probabilities, −inf for what was cut
    """The likeliest outcomes alone, scaled up to one: soft targets from a top-k list.

    Raises:
        RangeError: a row does not sum to one, or `keep` is not within the outcomes.
        ShapeError: `log_p` is not a table of floating-point numbers.
    """
    guards.table(log_p=log_p)
    guards.log_probabilities("log_p", log_p)
    outcomes = log_p.shape[-1]
    if not 1 <= keep <= outcomes:
        raise RangeError.expected(
            f"from 1 to {outcomes} outcomes to keep", got=keep, advice="Keep at least one."
        )
    kept = log_p.topk(keep, dim=-1)
    cut = torch.full_like(log_p, -torch.inf).scatter(-1, kept.indices, kept.values)
    return torch.log_softmax(cut, dim=-1)


def memos(number: int, *, generator: torch.Generator) -> Memos:
    """Memos with three random features, and a teacher that a linear student cannot quite match.

    The teacher has five grades. It weighs the features and a product of two of them into a score;
    the logit of a grade falls with the squared distance of the score from the grade's own place.
    """
    guards.count("memos", number, least=1)
    drawn = torch.randn(number, 3, generator=generator, dtype=torch.float64)
    features = torch.cat([torch.ones(number, 1, dtype=torch.float64), drawn], dim=1)
    quality = drawn @ torch.tensor([1.0, 0.6, -0.4], dtype=torch.float64)
    quality = quality + 0.5 * drawn[:, 0] * drawn[:, 1]
    places = torch.linspace(-2, 2, 5, dtype=torch.float64)
    return Memos(features, -((quality.unsqueeze(1) - places) ** 2) / 1.5)


def sampled_labels(
    log_p: Tensor,  # (cases, outcomes), log-probabilities
    *,
    generator: torch.Generator,
) -> Tensor:  # (cases, outcomes), one 1 in each row
    """One outcome drawn for each case, as a hard target: the expectation is the soft target.

    Raises:
        RangeError: a row does not sum to one.
        ShapeError: `log_p` is not a table of floating-point numbers.
    """
    guards.table(log_p=log_p)
    guards.log_probabilities("log_p", log_p)
    return _one_hot(torch.multinomial(log_p.exp(), 1, generator=generator), log_p)


def top_labels(
    log_p: Tensor,  # (cases, outcomes), log-probabilities
) -> Tensor:  # (cases, outcomes), one 1 in each row
    """The likeliest outcome of each case, as a hard target.

    Raises:
        RangeError: a row does not sum to one.
        ShapeError: `log_p` is not a table of floating-point numbers.
    """
    guards.table(log_p=log_p)
    guards.log_probabilities("log_p", log_p)
    return _one_hot(log_p.argmax(dim=-1, keepdim=True), log_p)


def fit(
    features: Tensor,  # (cases, features)
    targets: Tensor,  # (cases, outcomes), probabilities, hard or soft
    *,
    decay: float = 1e-3,  # above 0, nats per squared unit of weight
) -> Tensor:  # (features, outcomes), the student's weights
    """The linear student of least mean cross-entropy plus half the decay times its squared weights.

    Newton steps, halved where needed; the loss is convex. The decay keeps the weights finite when
    hard labels can be told apart without a miss.

    Raises:
        RangeError: the decay is not above zero.
        ShapeError: a table is not of floating-point numbers.
    """
    guards.table(features=features)
    guards.table(targets=targets)
    guards.positive("decay", decay, advice="A thousandth is little.")
    task = _Task(features, targets, decay)
    weights = torch.zeros(features.shape[1], targets.shape[1], dtype=features.dtype)
    for _ in range(_NEWTON_STEPS):
        slope, curvature = _derivatives(task, weights)
        step = -torch.linalg.solve(curvature, slope.flatten())
        promise = -(step @ slope.flatten()).item()
        if promise < _SETTLED:
            break
        weights = _descend(task, weights, step.view_as(weights), promise)
    return weights


class _Task(NamedTuple):
    features: Tensor  # (cases, features)
    targets: Tensor  # (cases, outcomes), probabilities
    decay: float

    def loss(self, weights: Tensor) -> float:
        """Mean cross-entropy plus half the decay times the squared weights, in nats."""
        fitted = torch.log_softmax(self.features @ weights, dim=-1)
        misfit = -(self.targets * fitted).sum(dim=-1).mean()
        return (misfit + self.decay / 2 * weights.square().sum()).item()


def _derivatives(task: _Task, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Slope (features, outcomes) and curvature (features · outcomes, squared) of the loss."""
    features, cases = task.features, len(task.features)
    shares = torch.softmax(features @ weights, dim=-1)
    slope = features.T @ (shares - task.targets) / cases + task.decay * weights
    spread = (features.unsqueeze(2) * shares.unsqueeze(1)).flatten(1)  # (cases, both)
    same = torch.diag_embed((features.T @ spread).unflatten(1, weights.shape)).transpose(1, 2)
    size = weights.numel()
    curvature = (same.reshape(size, size) - spread.T @ spread) / cases
    return slope, curvature + task.decay * torch.eye(size, dtype=weights.dtype)


def _descend(task: _Task, weights: Tensor, step: Tensor, promise: float) -> Tensor:
    """The weights after the step, halved until the loss falls by a tenth of what it promises."""
    here = task.loss(weights)
    for share in (0.5**halvings for halvings in range(_HALVINGS)):
        there = weights + share * step
        if task.loss(there) <= here - 0.1 * share * promise + _SETTLED:
            return there
    return weights


def _one_hot(outcomes: Tensor, like: Tensor) -> Tensor:
    return torch.zeros_like(like).scatter(-1, outcomes, 1.0)


def _softened(student: Tensor, teacher: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Softened log-probabilities of the teacher and of the student, in this order."""
    guards.same_shape(student=student, teacher=teacher)
    log_p = soften(teacher, temperature=temperature)
    return log_p, soften(student, temperature=temperature)
