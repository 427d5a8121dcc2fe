"""Training on preference pairs with any loss of two log-ratios, its slope by differentiation.

`engine.train` is faster and knows DPO by heart; this is for losses that it does not know.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from torch import Tensor

from engine import guards, on_policy, optimizers
from engine.errors import DivergenceError, EngineError
from engine.optimizers import Optimizer
from engine.policies import Policy
from engine.preferences import Pairs

PairLoss = Callable[[Tensor, Tensor], Tensor]  # log-ratios chosen, rejected (pairs,) -> (pairs,)

# Small enough for the losses and features that are trained here.
GRADIENT_RATE = 0.4
ADAM_RATE = 0.3


@dataclass(frozen=True, eq=False)
class Objective:
    """A loss on pairs, and how much of the chosen responses' own likelihood is added to it.

    Raises:
        EngineError: the anchor is negative.
    """

    policy: Policy
    reference: Tensor  # (prompts, responses), log-probabilities
    pairs: Pairs
    loss: PairLoss
    anchor: float = 0.0  # weight of −log π(chosen), in units of loss per nat

    def __post_init__(self) -> None:
        guards.table(reference=self.reference)
        if not self.anchor >= 0:
            raise EngineError.expected(
                "an anchor of at least 0", got=self.anchor, advice="Use 0 for none."
            )

    def at(self, parameters: Tensor) -> "Place":
        """The surface that optimizers walk on."""
        return Place(self, parameters)

    def value(self, table: Tensor) -> Tensor:
        """The loss of a table of log-probabilities: a mean over pairs, by weight."""
        return self.value_of(self.log_ratios(table))

    def value_of(self, log_ratios: Tensor) -> Tensor:
        """The same of log-ratios, (2, pairs), which are all that it depends on."""
        chosen, rejected = log_ratios
        each = self.loss(chosen, rejected)
        if self.anchor:
            each = each - self.anchor * (chosen + torch.take(self.reference, self.places[0]))
        return torch.dot(self._share, each)

    def margin(self, table: Tensor) -> float:
        """The mean of log-ratio chosen − rejected over pairs, by weight, nats."""
        chosen, rejected = self.log_ratios(table)
        return torch.dot(self._share, chosen - rejected).item()

    def log_ratios(self, table: Tensor) -> Tensor:
        """Of the chosen and of the rejected response of each pair, (2, pairs), nats."""
        return torch.take(table - self.reference, self.places)

    @cached_property
    def places(self) -> Tensor:
        """Where the chosen and the rejected responses stand in a flattened table, (2, pairs)."""
        rows = self.pairs.prompt * self.reference.shape[1]
        return rows + torch.stack([self.pairs.chosen, self.pairs.rejected])

    @cached_property
    def _share(self) -> Tensor:
        return self.pairs.weight / self.pairs.weight.sum()


@dataclass(frozen=True, eq=False)
class Place:
    """The loss at one choice of parameters."""

    objective: Objective
    parameters: Tensor

    @cached_property
    def table(self) -> Tensor:
        """The policy there, (prompts, responses), log-probabilities."""
        return on_policy.log_policy(self.objective.policy, self.parameters)

    @property
    def loss(self) -> float:
        """In the units of the loss."""
        return float(self._slope[0])

    @property
    def gradient(self) -> Tensor:
        """Of the loss; shaped as the parameters."""
        return self._slope[1]

    @cached_property
    def _slope(self) -> tuple[float, Tensor]:
        # Differentiated is the loss alone; how log-ratios follow the parameters is known.
        objective = self.objective
        moving = objective.log_ratios(self.table).requires_grad_()
        value = objective.value_of(moving)
        (pull,) = torch.autograd.grad(value, moving)
        slope = torch.zeros_like(self.table).put_(objective.places, pull, accumulate=True)
        gradient = objective.policy.pull_back(on_policy.in_logits(self.table, slope))
        return value.item(), gradient

    def newton_direction(self) -> Tensor:
        """Refuse: an arbitrary loss brings no Hessian.

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


def descend(
    objective: Objective, start: Tensor, steps: int, *, optimizer: Optimizer
) -> Iterator[Place]:
    """The places on the way down: the start, then one per step.

    Raises:
        DivergenceError: while iterating, when a log-probability leaves what makes sense.
    """
    last: int | None = None
    for index, point in enumerate(optimizer(objective.at, start, steps)):
        place = objective.at(point.parameters) if not isinstance(point, Place) else point
        if not place.table.amin().item() > -on_policy.RUNAWAY_NATS:
            good = "No step was good" if last is None else f"Step {last} was the last good one"
            raise DivergenceError(
                f"Expected every log-probability to stay above −{on_policy.RUNAWAY_NATS:g}, got "
                f"less at step {index}. {good}. Take smaller steps.",
                last=last,
            )
        last = index
        yield place
