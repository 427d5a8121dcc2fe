"""A small student of a large teacher in front of the learner: targets, temperature, direction."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from engine import distillation, optimizers
from engine.errors import DivergenceError, RangeError
from engine.experiments import settings as common

GRADES = 5
DECAY = 1e-4  # what keeps weights finite, nats per squared unit of weight over temperature
_FRESH = 500  # memos that nobody is fitted to
_SETTLING = 400  # L-BFGS steps to the optimum of reverse KL, which has no closed form
_LOST = 1e4  # nats; a student that is this wrong has run away
_TEMPERATURES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0)


@dataclass(frozen=True)
class Settings(common.Settings):
    """What a learner can set; everything else follows from it."""

    targets: Literal["soft", "sampled", "likeliest"] = "soft"
    direction: Literal["forward", "reverse"] = "forward"
    scale: Literal["squared", "none"] = "squared"
    optimizer: Literal["gradient", "lbfgs"] = "gradient"
    temperature: float = 2.0
    capacity: int = 4
    memos: int = 200
    learning_rate: float = 1.0
    steps: int = 200
    seed: int = 0

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "temperature": (0.5, 20.0),
        "capacity": (1, 5),
        "memos": (10, 1_000),
        "learning_rate": (0.01, 100.0),
        "steps": (1, 400),
        "seed": common.SEED,
    }


@dataclass(frozen=True)
class Result:
    """How near a student comes to the teacher, on memos that it was not fitted to."""

    forward_nats: float  # mean KL(teacher‖student) at temperature 1
    reverse_nats: float  # mean KL(student‖teacher) at temperature 1
    agreement: float  # share of memos with the same first choice


@dataclass(frozen=True, eq=False)
class Step:
    """One moment of training. Lengths are of gradients in a memo's logits, on average."""

    index: int  # 0 at the start, then one more per update
    loss_nats: float  # what is descended, scale and decay included
    result: Result  # on fresh memos
    gradient_length: float  # of the divergence at the temperature, nats per unit of logit
    scaled_length: float  # the same times T²
    limit_length: float  # of (z − v)/N, where the scaled gradient goes as T grows
    weights: Tensor = field(repr=False)  # (capacity, grades)


class Limit(NamedTuple):
    """The gradient at one temperature beside what T² times it tends to; mean lengths."""

    temperature: float
    gradient_length: float  # falls like 1/T²
    scaled_length: float  # T² times that
    limit_length: float  # of (z − v)/N
    gap: float  # between the scaled gradient and (z − v)/N


@dataclass(frozen=True, eq=False)
class Experiment:
    """Memos with a teacher's logits, and targets made of them."""

    settings: Settings
    features: Tensor  # (memos, capacity)
    teacher: Tensor  # (memos, grades), logits
    targets: Tensor  # (memos, grades), probabilities at the temperature, soft or hard
    fresh_features: Tensor  # (fresh memos, capacity)
    fresh_teacher: Tensor  # (fresh memos, grades), logits

    @property
    def length(self) -> int:
        """The records of a whole run: the start and one per step."""
        return self.settings.steps + 1

    @property
    def temperature(self) -> float:
        """What both sides are softened by; hard labels have no temperature, so 1 for them."""
        return self.settings.temperature if self.settings.targets == "soft" else 1.0

    def run(self) -> Iterator[Step]:
        """Train from a student that favors no grade: the start, then a record per step.

        Raises:
            DivergenceError: on the way, if the weights run away.
        """
        start = torch.zeros(self.features.shape[1], GRADES, dtype=torch.float64)
        rate = self.settings.learning_rate
        descent = partial(optimizers.gradient_descent, learning_rate=rate)
        optimize = descent if self.settings.optimizer == "gradient" else optimizers.lbfgs
        points = optimize(self._surface, start, self.settings.steps)
        return map(self._step, range(self.length), points)

    @cached_property
    def optimal_weights(self) -> Tensor:
        """The weights of least loss, (capacity, grades).

        Forward KL is convex in them: Newton's method, `distillation.fit`. Reverse KL is not; there
        it is where L-BFGS comes to rest from the same start.
        """
        if self.settings.direction == "forward":
            fitted = distillation.fit(self.features, self.targets, decay=DECAY)
            return self.temperature * fitted
        start = torch.zeros(self.features.shape[1], GRADES, dtype=torch.float64)
        *_way, end = optimizers.lbfgs(self._surface, start, _SETTLING)
        return end.parameters

    @cached_property
    def optimum(self) -> Result:
        """How near the student of least loss comes."""
        return self._result(self.optimal_weights)

    @cached_property
    def optimal_loss_nats(self) -> float:
        """The least loss, which the run's `loss_nats` approaches."""
        return self._surface(self.optimal_weights).loss

    def probabilities(self, step: Step, *, memo: int = 0) -> dict[str, list[float]]:
        """Teacher, student and optimum of one fresh memo at temperature 1, (grades,) each."""
        features = self.fresh_features[memo]
        logits = {
            "teacher": self.fresh_teacher[memo],
            "student": features @ step.weights,
            "optimum": features @ self.optimal_weights,
        }
        return {name: torch.softmax(each, dim=-1).tolist() for name, each in logits.items()}

    def limits(self, step: Step) -> list[Limit]:
        """T² times the gradient at growing temperatures beside (z − v)/N, for this student."""
        student = self.features @ step.weights
        away = distillation.limit(student, self.teacher)
        rows = []
        for temperature in _TEMPERATURES:
            plain = distillation.gradient(student, self.teacher, temperature=temperature)
            scaled = temperature**2 * plain
            lengths = map(_mean_length, (plain, scaled, away, scaled - away))
            rows.append(Limit(temperature, *lengths))
        return rows

    @cached_property
    def _problem(self) -> "_Problem":
        factor = self.temperature**2 if self.settings.scale == "squared" else 1.0
        certainty = torch.xlogy(self.targets, self.targets).sum(dim=-1)
        logs = self.targets.log()
        return _Problem(self.features, self.targets, logs, certainty, self.temperature, factor)

    def _surface(self, weights: Tensor) -> "_Place":
        return _Place(weights, self._problem, backwards=self.settings.direction == "reverse")

    def _step(self, index: int, point: optimizers.Point) -> Step:
        loss = point.loss
        if not loss < _LOST:  # false for NaN, too; all weights are part of the loss
            raise DivergenceError(
                f"Expected a loss below {_LOST:g} nats, got {loss:g} at step {index}. Step "
                f"{index - 1} was the last good one. Take smaller steps."
            )
        student = self.features @ point.parameters
        q = torch.softmax(student / self.temperature, dim=-1)
        away = student - self.teacher
        away = away - away.mean(dim=-1, keepdim=True)
        plain = _mean_length(q - self._softened) / self.temperature
        return Step(
            index=index,
            loss_nats=loss,
            result=self._result(point.parameters),
            gradient_length=plain,
            scaled_length=self.temperature**2 * plain,
            limit_length=_mean_length(away) / GRADES,
            weights=point.parameters,
        )

    @cached_property
    def _softened(self) -> Tensor:
        """The teacher's probabilities at the temperature, (memos, grades)."""
        return distillation.soften(self.teacher, temperature=self.temperature).exp()

    @cached_property
    def _truth(self) -> tuple[Tensor, Tensor, Tensor]:
        """Of each fresh memo: log-probabilities, probabilities, and the first choice."""
        log_p = torch.log_softmax(self.fresh_teacher, dim=-1)
        return log_p, log_p.exp(), log_p.argmax(dim=-1)

    def _result(self, weights: Tensor) -> Result:
        said = torch.log_softmax(self.fresh_features @ weights, dim=-1)
        log_p, p, first = self._truth
        gap, memos = log_p - said, len(said)
        forward = torch.dot(p.flatten(), gap.flatten()).item() / memos
        reverse = -torch.dot(said.exp().flatten(), gap.flatten()).item() / memos
        same = int((said.argmax(dim=-1) == first).sum())
        return Result(max(forward, 0.0), max(reverse, 0.0), same / memos)


def build(settings: Settings) -> Experiment:
    """Build what the settings describe.

    Raises:
        RangeError: reverse KL with hard labels, which is infinite for every student.
    """
    if settings.direction == "reverse" and settings.targets != "soft":
        raise RangeError.expected(
            "soft targets for the reverse direction",
            got=f"{settings.targets} labels, from which every student is infinitely far",
            advice="Choose soft targets, or the forward direction.",
        )
    generator = torch.Generator().manual_seed(settings.seed)
    memos, fresh = (
        distillation.memos(number, generator=generator) for number in (settings.memos, _FRESH)
    )
    return Experiment(
        settings,
        _features(memos, settings.capacity),
        memos.teacher,
        _targets(settings, memos.teacher, generator),
        _features(fresh, settings.capacity),
        fresh.teacher,
    )


class _Problem(NamedTuple):
    features: Tensor  # (memos, capacity)
    targets: Tensor  # (memos, grades), probabilities
    log_targets: Tensor  # (memos, grades), their logarithms
    certainty: Tensor  # (memos,), minus their entropies in nats
    temperature: float
    factor: float  # of the whole loss, T² or 1


@dataclass(frozen=True, eq=False)
class _Place:
    """The loss at one choice of weights: factor · (KL + decay/2 · squared weights over T)."""

    parameters: Tensor  # (capacity, grades)
    problem: _Problem
    backwards: bool  # KL(student‖teacher) instead of KL(teacher‖student)

    @cached_property
    def loss(self) -> float:
        squared = self.parameters.square().sum().item() / self.problem.temperature**2
        return self.problem.factor * (self._divergences.mean().item() + DECAY / 2 * squared)

    @cached_property
    def gradient(self) -> Tensor:
        features, targets, log_targets, _certainty, temperature, factor = self.problem
        q = self._log_q.exp()
        pull = q - targets
        if self.backwards:
            pull = q * (self._log_q - log_targets - self._divergences.unsqueeze(1))
        misfit = features.T @ pull / (len(features) * temperature)
        return factor * (misfit + DECAY * self.parameters / temperature**2)

    def newton_direction(self) -> Tensor:
        """Not worked out here: both optimizers on offer go by the gradient."""
        return -self.gradient

    @cached_property
    def _log_q(self) -> Tensor:
        return torch.log_softmax(
            self.problem.features @ self.parameters / self.problem.temperature, dim=-1
        )

    @cached_property
    def _divergences(self) -> Tensor:
        """Of each memo, in nats, (memos,); unchecked, since training calls this often."""
        if self.backwards:
            return (self._log_q.exp() * (self._log_q - self.problem.log_targets)).sum(dim=-1)
        crossed = (self.problem.targets * self._log_q).sum(dim=-1)
        return self.problem.certainty - crossed


def _features(memos: distillation.Memos, capacity: int) -> Tensor:
    """The first of: 1, three features, and the product which the teacher uses as well."""
    product = memos.features[:, 1] * memos.features[:, 2]
    return torch.cat([memos.features, product.unsqueeze(1)], dim=1)[:, :capacity]


def _targets(settings: Settings, teacher: Tensor, generator: torch.Generator) -> Tensor:
    if settings.targets == "soft":
        return distillation.soften(teacher, temperature=settings.temperature).exp()
    log_p = torch.log_softmax(teacher, dim=-1)
    if settings.targets == "sampled":
        return distillation.sampled_labels(log_p, generator=generator)
    return distillation.top_labels(log_p)


def _mean_length(gradients: Tensor) -> float:
    """The mean Euclidean length of the rows."""
    return gradients.square().sum(dim=-1).sqrt().mean().item()
