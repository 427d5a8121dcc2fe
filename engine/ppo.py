"""PPO: several updates from one batch of responses, held back by clipping the ratio.

A response is one action, as in a bandit: its return is its reward less the price of leaving the
reference, and the value function is a table with one number per prompt.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine import grpo, guards, kl_penalty, on_policy, reinforce
from engine.errors import RangeError
from engine.estimators import k1
from engine.on_policy import Plan, State, Step
from engine.policies import Policy
from engine.preferences import World


@dataclass(frozen=True)
class Clipping:
    """How each batch is used.

    Raises:
        RangeError: a number is out of its range.
    """

    epochs: int = 4  # updates from each batch
    low: float = 0.2  # how far the ratio may fall below 1 before its slope is dropped; inf: never
    high: float = 0.2  # how far it may rise above 1
    value_rate: float = reinforce.VALUE_RATE  # what the value's slope is multiplied by

    def __post_init__(self) -> None:
        guards.count("epochs", self.epochs, least=1)
        guards.positive("value_rate", self.value_rate, advice="Choose for example 0.2.")
        for name in ("low", "high"):
            _check_bound(name, getattr(self, name))


def ceiling(advantage: Tensor, clipping: Clipping) -> Tensor:
    """What ratio times advantage may come to: above it the clipped objective is flat."""
    return advantage * torch.where(advantage > 0, 1 + clipping.high, 1 - clipping.low)


def slope(
    ratio: Tensor,  # (prompts, draws), probability now over probability when drawn
    advantage: Tensor,  # (prompts, draws), in units of reward
    clipping: Clipping,
) -> Tensor:  # (prompts, draws), in units of reward per nat
    """The derivative of `grpo.clipped` in log π: ratio times advantage, or nothing.

    Raises:
        ShapeError: ratio and advantage disagree in shape.
    """
    guards.same_shape(ratio=ratio, advantage=advantage)
    pushed = ratio * advantage
    return pushed.masked_fill(pushed > ceiling(advantage, clipping), 0.0)


def objective(ratio: Tensor, advantage: Tensor, clipping: Clipping) -> Tensor:
    """The clipped objective per draw, to be maximized (Schulman et al. 2017, eq. 7)."""
    return grpo.clipped(ratio, advantage, low=clipping.low, high=clipping.high)


def value_loss(
    value: Tensor,  # (prompts,)
    returns: Tensor,  # (prompts, draws)
) -> Tensor:  # (prompts,), in units of reward squared
    """The mean squared error of the value, halved; in Schulman et al. 2017, eq. 9, it is whole.

    Raises:
        ShapeError: there is not one value for each row of returns.
    """
    guards.same_shape(value=value, returns=returns[:, 0])
    return ((returns - value.unsqueeze(1)) ** 2).mean(dim=1) / 2


def clipped_value_loss(
    value: Tensor,  # (prompts,)
    old: Tensor,  # (prompts,), the value when the batch was drawn
    returns: Tensor,  # (prompts, draws)
    *,
    bound: float,  # how far the value may profit from moving, in units of reward
) -> Tensor:  # (prompts,), in units of reward squared
    """The larger of the loss and the loss of a value held within a bound of the old one.

    No part of the paper; common in implementations (Engstrom et al. 2020, section 3).

    Raises:
        ShapeError: the tensors disagree.
        RangeError: the bound is not above zero.
    """
    guards.positive("the bound", bound, advice="Choose for example 0.2.")
    guards.same_shape(value=value, old=old, returns=returns[:, 0])
    held = (old + (value - old).clamp(-bound, bound)).unsqueeze(1)
    free = value.unsqueeze(1)
    return torch.maximum((returns - free) ** 2, (returns - held) ** 2).mean(dim=1) / 2


def ascend(
    world: World, policy: Policy, plan: Plan, *, clipping: Clipping | None = None
) -> Iterator[Step]:
    """Climb with PPO; β log(π/π_ref) is taken off the reward when a batch is drawn.

    Args:
        world: reward and reference.
        policy: what is trained, from its own start.
        plan: how, and how long.
        clipping: how each batch is used; four epochs and 0.2 when left out.

    Raises:
        ShapeError: the policy does not belong to this world.
        DivergenceError: while iterating, when numbers leave what makes sense.
    """
    used = clipping or Clipping()

    def update(state: State, table: Tensor, share: Tensor) -> State:
        responses = on_policy.draw_from(share, plan.draws, plan.generator)
        earned = reinforce.signal(world, table, kl_penalty.in_reward(k1), plan.beta)
        returns = earned.gather(1, responses)
        advantage = returns - state.value.unsqueeze(1)
        batch = Batch(table, responses, advantage)
        moved, clipped = reuse(policy, batch, state.parameters, Reuse(plan.rate, used))
        return State(moved, _fitted(state.value, returns, used), clipped)

    return on_policy.train(world, policy, plan, update)


@dataclass(frozen=True, eq=False)
class Batch:
    """Responses with what they are worth, and the policy that drew them."""

    policy: Tensor  # (prompts, responses), log-probabilities
    responses: Tensor  # (prompts, draws), whole numbers
    advantage: Tensor  # (prompts, draws), fixed for all epochs


@dataclass(frozen=True)
class Reuse:
    """How several updates come out of one batch."""

    rate: float
    clipping: Clipping
    price: Callable[[Tensor], Tensor] | None = None  # policy table -> further weights of ∇ log π


def reuse(
    policy: Policy, batch: Batch, parameters: Tensor, how: Reuse
) -> tuple[Tensor, float]:  # the parameters after all epochs, the share of slopes clipped to zero
    """Climb the clipped objective of one batch, less its price; the draws stay as they are."""
    count, most = 0, ceiling(batch.advantage, how.clipping)
    for epoch in range(how.clipping.epochs):
        table, weight = batch.policy, batch.advantage  # in the first epoch every ratio is 1
        if epoch:
            table = on_policy.log_policy(policy, parameters)
            ratio = (table - batch.policy).gather(1, batch.responses).exp()
            pushed = ratio * batch.advantage
            flat = pushed > most
            weight = pushed.masked_fill_(flat, 0.0)
            count += int(flat.count_nonzero())
        if how.price:
            weight = weight + how.price(table).gather(1, batch.responses)
        climb = on_policy.in_logits(table, on_policy.gathered(batch.responses, weight, table))
        parameters = torch.add(parameters, policy.pull_back(climb), alpha=how.rate)
    return parameters, count / (how.clipping.epochs * batch.responses.numel())


def _fitted(value: Tensor, returns: Tensor, clipping: Clipping) -> Tensor:
    """Gradient descent on `value_loss`, one step per epoch, in closed form."""
    kept = (1 - clipping.value_rate) ** clipping.epochs
    return torch.lerp(returns.mean(dim=1), value, kept)


def _check_bound(name: str, bound: float) -> None:
    if not bound > 0:
        raise RangeError.expected(f"{name} above 0", got=bound, advice="Choose for example 0.2.")
