"""The RLHF objective climbed to its top with exact gradients: no samples, no network, no noise.

The objective is J(π) = Σ π r − β KL(π‖π_ref) of `engine.closed_form`, for tabular policies with one
free logit per response. Both climbs are generators of the points they visit: the start, then steps.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine import guards
from engine.preferences import World


@dataclass(frozen=True, eq=False)
class Point:
    """A policy on the way up."""

    policy: Tensor  # (prompts, responses), log-probabilities
    value: Tensor  # (prompts,), the objective J there, in units of reward
    advantage: Tensor  # (prompts, responses), r − β log(π/π_ref) − J(π), in units of reward


def point(
    world: World,
    policy: Tensor,  # (prompts, responses), log-probabilities, none −inf
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Point:
    """A policy with its objective and with what each response earns beyond that.

    The advantage has mean zero under the policy. It is zero everywhere at the optimum and nowhere
    else (Rafailov et al. 2023, eq. 5).

    Raises:
        RangeError: β is not above zero, a row of `policy` does not sum to one.
        ShapeError: `policy` has another shape than the world's tables.
    """
    guards.beta(beta)
    guards.table(reward=world.reward, policy=policy)
    guards.log_probabilities("policy", policy)
    return _point(world, policy, beta)


def gradient(at: Point) -> Tensor:  # (prompts, responses), units of reward per unit of logit
    """The slope of J in the logits: π times the advantage, so rare responses hardly move."""
    return at.policy.exp() * at.advantage


def natural_gradient(at: Point) -> Tensor:  # (prompts, responses), logits per step of length 1
    """The advantage: the Fisher matrix diag(π) − ππᵀ times it is the gradient."""
    return at.advantage


def gradient_ascent(
    world: World, start: Tensor, *, beta: float, rate: float, steps: int
) -> Iterator[Point]:
    """Plain gradient ascent on the logits.

    Args:
        world: reward and reference.
        start: the first policy (prompts, responses), log-probabilities, none −inf.
        beta: the price of leaving the reference, in units of reward per nat.
        rate: what the gradient is multiplied by.
        steps: how many steps to take.

    Raises:
        RangeError: β or the rate is not above zero, a row of `start` does not sum to one.
        ShapeError: `start` has another shape than the world's tables.
    """
    return _climb(world, point(world, start, beta=beta), gradient, (beta, rate), steps)


def natural_gradient_ascent(
    world: World, start: Tensor, *, beta: float, rate: float, steps: int
) -> Iterator[Point]:
    """Natural gradient ascent: each step multiplies the distance to the best logits by 1 − rate β.

    With a rate of 1/β the first step lands on the optimum, from any start: the logits become
    log π_ref + r/β. Arguments and errors are those of `gradient_ascent`.
    """
    return _climb(world, point(world, start, beta=beta), natural_gradient, (beta, rate), steps)


def _point(world: World, policy: Tensor, beta: float) -> Point:
    earned = world.reward - beta * (policy - world.reference)
    value = (policy.exp() * earned).sum(dim=-1)
    return Point(policy, value, earned - value.unsqueeze(1))


def _climb(
    world: World,
    at: Point,
    direction: Callable[[Point], Tensor],
    settings: tuple[float, float],  # beta, rate
    steps: int,
) -> Iterator[Point]:
    beta, rate = settings
    guards.positive("the rate", rate, advice="Choose a small one, such as 1.")
    yield at
    for _ in range(steps):
        at = _point(world, torch.log_softmax(at.policy + rate * direction(at), dim=-1), beta)
        yield at
