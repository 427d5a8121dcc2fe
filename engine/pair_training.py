"""Training on preference pairs with any loss of the margin, log-ratio chosen − log-ratio rejected.

`engine.train` is faster and knows DPO by heart; this takes pairs as they are, other losses, and an
anchor on the chosen responses.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Protocol, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from engine import guards, on_policy, optimizers
from engine.errors import DivergenceError, EngineError
from engine.optimizers import Optimizer, Point, Surface
from engine.policies import Policy
from engine.preferences import Pairs

# Small enough for the losses and features that are trained here.
GRADIENT_RATE = 0.4
ADAM_RATE = 0.3
# What raises a margin: the chosen response's log-ratio up, the rejected one's down.
_SIDES = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)


@dataclass(frozen=True)
class MarginLoss:
    """A loss that sees a pair through its margin alone, and its derivative by the margin.

    Both are written out, without the checks of `engine.losses`, which would be made at every step.
    """

    value: Callable[[Tensor], Tensor]  # margins (..., pairs), nats -> losses
    slope: Callable[[Tensor], Tensor]  # the same -> derivatives, in units of loss per nat

    @classmethod
    def dpo(cls, *, beta: float, lead: Tensor | float = 0.0) -> "MarginLoss":
        """DPO's −log σ(βh), and R-DPO's where a lead (pairs,) of α/β nats a token is added to h.

        Raises:
            RangeError: β is not above zero.
        """
        guards.beta(beta)
        ahead = torch.as_tensor(lead, dtype=torch.float64) * beta

        def value(margin: Tensor) -> Tensor:
            return logsigmoid(torch.add(ahead, margin, alpha=beta)).neg_()

        def slope(margin: Tensor) -> Tensor:
            return torch.add(ahead, margin, alpha=beta).neg_().sigmoid_().mul_(-beta)

        return cls(value, slope)

    @classmethod
    def ipo(cls, *, tau: float) -> "MarginLoss":
        """IPO's squared distance of the margin from 1/(2τ).

        Raises:
            RangeError: τ is not above zero.
        """
        guards.positive("τ", tau, advice="Choose τ above 0; the margin settles at 1/(2τ) nats.")

        def value(margin: Tensor) -> Tensor:
            return (margin - 1 / (2 * tau)).square_()

        def slope(margin: Tensor) -> Tensor:
            return (margin - 1 / (2 * tau)).mul_(2)

        return cls(value, slope)


@dataclass(frozen=True, eq=False)
class Objective:
    """A loss on pairs, and how much of the chosen responses' own likelihood is added to it.

    Raises:
        EngineError: the anchor is negative.
    """

    policy: Policy
    reference: Tensor  # (prompts, responses), log-probabilities
    pairs: Pairs
    loss: MarginLoss
    anchor: float = 0.0  # weight of −log π(chosen), in units of loss per nat

    def __post_init__(self) -> None:
        guards.table(reference=self.reference)
        if not self.anchor >= 0:
            raise EngineError.expected(
                "an anchor of at least 0", got=self.anchor, advice="Use 0 for none."
            )

    def at(self, parameters: Tensor) -> "Place":
        """The surface that optimizers walk on."""
        table = on_policy.log_policy(self.policy, parameters)
        log_ratios = torch.take(
            table - self.reference, self.places
        )  # `log_ratios` in half the time
        pull = self.slope(log_ratios)
        slope = torch.zeros_like(table).put_(self.places, pull, accumulate=True)
        gradient = self.policy.pull_back(on_policy.in_logits(table, slope))
        return Place(self, parameters, table, log_ratios, gradient)

    def value(self, log_ratios: Tensor) -> Tensor:
        """The loss at log-ratios (..., 2, pairs): a mean over pairs, by weight, (...)."""
        chosen, rejected = log_ratios.unbind(-2)
        each = self.loss.value(chosen - rejected)
        if self.anchor:
            each = each - self.anchor * (chosen + torch.take(self.reference, self.places[0]))
        return each @ self.pairs.share

    def values(self, places: Sequence["Place"]) -> list[float]:
        """The losses at places of this surface, worked out together."""
        found: list[float] = self.value(torch.stack([each.log_ratios for each in places])).tolist()
        return found

    def slope(self, log_ratios: Tensor) -> Tensor:
        """The derivative of the loss by the log-ratios; both (2, pairs)."""
        pull = self.pairs.share * self.loss.slope(log_ratios[0] - log_ratios[1])
        both = pull * _SIDES
        if self.anchor:
            both[0].sub_(self.pairs.share, alpha=self.anchor)
        return both

    def margin(self, log_ratios: Tensor) -> Tensor:
        """The mean margin over pairs, by weight, of log-ratios (..., 2, pairs), nats, (...)."""
        return (log_ratios[..., 0, :] - log_ratios[..., 1, :]) @ self.pairs.share

    def log_ratios(self, tables: Tensor) -> Tensor:
        """Of both responses of each pair, (..., 2, pairs), nats, in tables of log-probabilities."""
        return (tables - self.reference).flatten(-2)[..., self.places]

    @cached_property
    def places(self) -> Tensor:
        """Where the chosen and the rejected responses stand in a flattened table, (2, pairs)."""
        return self.pairs.places(self.reference.shape[1])


@dataclass(frozen=True, eq=False)
class Place:
    """The loss at one choice of parameters."""

    objective: Objective
    parameters: Tensor
    table: Tensor  # (prompts, responses), log-probabilities
    log_ratios: Tensor  # (2, pairs), nats, of the chosen and of the rejected responses
    gradient: Tensor  # of the loss; shaped as the parameters

    @cached_property
    def loss(self) -> float:
        """In the units of the loss."""
        return self.objective.value(self.log_ratios).item()

    def newton_direction(self) -> Tensor:
        """Refuse: a loss brings its slope, no Hessian.

        Raises:
            EngineError: always.
        """
        raise EngineError.expected(
            "an optimizer that needs slopes only", got="Newton", advice="Choose L-BFGS."
        )


OPTIMIZERS: dict[str, Optimizer] = {
    "gradient": partial(optimizers.gradient_descent, learning_rate=GRADIENT_RATE),
    "adam": partial(optimizers.adam, learning_rate=ADAM_RATE),
    "lbfgs": optimizers.lbfgs,
}


class Tabled(Point, Protocol):
    """A place that knows its policy."""

    @property
    def table(self) -> Tensor:
        """The policy there, (prompts, responses), log-probabilities."""
        ...


T = TypeVar("T", bound=Tabled)


def descend(surface: Surface[T], start: Tensor, steps: int, *, optimizer: Optimizer) -> Iterator[T]:
    """The places on the way down a surface such as `Objective.at`: the start, then one per step.

    Raises:
        DivergenceError: while iterating, when a log-probability leaves what makes sense.
    """
    last: int | None = None
    for index, place in enumerate(optimizer(surface, start, steps)):
        if not place.table.min().item() > -on_policy.RUNAWAY_NATS:
            good = "No step was good" if last is None else f"Step {last} was the last good one"
            raise DivergenceError(
                f"Expected every log-probability to stay above −{on_policy.RUNAWAY_NATS:g}, got "
                f"less at step {index}. {good}. Take smaller steps.",
                last=last,
            )
        last = index
        yield place
