"""Reinforcing a table of responses by its exact gradient, with or without a bonus for entropy.

The problem, for each prompt: maximize J(π) = Σ_y π(y) r(y) + τ H(π), τ ≥ 0 in reward per nat.
Policies are tables of log-probabilities (prompts, responses), rewards are tables of that shape.
Nothing is sampled: what happens here happens without noise.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from engine import distributions, guards
from engine.errors import RangeError


def objective(
    policy: Tensor,  # (prompts, responses), log-probabilities
    reward: Tensor,  # (prompts, responses), finite
    *,
    bonus: float,  # τ ≥ 0, in units of reward per nat
) -> Tensor:  # (prompts,), units of reward
    """Expected reward plus τ times entropy (as added in Mnih et al. 2016).

    Raises:
        RangeError: τ is negative, a reward is not finite, a policy row does not sum to one.
        ShapeError: the tables are not (prompts, responses) or their shapes disagree.
    """
    _check(reward, bonus)
    guards.table(reward=reward, policy=policy)
    return (policy.exp() * reward).sum(dim=-1) + bonus * distributions.entropy(policy)


def optimum(
    reward: Tensor,  # (prompts, responses), finite
    *,
    bonus: float,  # τ > 0, in units of reward per nat
) -> Tensor:  # (prompts, responses), log-probabilities
    """The maximizer, the softmax of r/τ (Jaynes 1957: the most entropy at its expected reward).

    Raises:
        RangeError: τ is not above zero, or a reward is not finite.
        ShapeError: `reward` is not a table of floating-point numbers.
    """
    guards.positive("τ", bonus, advice="Without a bonus every best response is optimal.")
    _check(reward, bonus)
    return torch.log_softmax(reward / bonus, dim=-1)


def ascend(
    start: Tensor,  # (prompts, responses), log-probabilities, finite
    reward: Tensor,  # (prompts, responses), finite
    *,
    bonus: float,  # τ ≥ 0, in units of reward per nat
    rate: float,  # what the gradient is multiplied by, above 0
    steps: int,  # updates after the first table
) -> Iterator[Tensor]:  # steps + 1 tables of log-probabilities
    """Gradient ascent on the logits of a table, first the start and then the table after each step.

    Raises:
        RangeError: a number is out of range, or a row of `start` does not sum to one.
        ShapeError: the tables are not (prompts, responses) or their shapes disagree.
    """
    guards.positive("the rate", rate, advice="Try 1.")
    guards.count("steps", steps, least=0)
    guards.finite("start", start)
    objective(start, reward, bonus=bonus)
    return _ascend(start, reward, (bonus, rate), steps)


def _ascend(
    start: Tensor, reward: Tensor, scales: tuple[float, float], steps: int
) -> Iterator[Tensor]:
    bonus, rate = scales
    policy = start
    yield policy
    for _ in range(steps):
        worth = reward - bonus * policy
        advantage = worth - (policy.exp() * worth).sum(dim=-1, keepdim=True)
        policy = torch.log_softmax(policy + rate * policy.exp() * advantage, dim=-1)
        yield policy


def _check(reward: Tensor, bonus: float) -> None:
    guards.table(reward=reward)
    guards.finite("reward", reward)
    if not bonus >= 0:
        raise RangeError.expected("τ to be at least 0", got=bonus, advice="Use 0 for no bonus.")
