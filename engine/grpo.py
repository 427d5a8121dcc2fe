"""GRPO: what a group of scored answers to one prompt does to the policy.

Rewards are tables (groups, responses): one row for each group of answers sampled for one prompt.
The policy is known here by one number only, the logarithm of its odds of answering right, which
is enough to see how strongly a prompt pulls. Everything is enumerated; nothing is sampled.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Binomial

from engine import guards
from engine.errors import RangeError

Advantages = Callable[[Tensor], Tensor]  # rewards (groups, responses) -> the same shape


def centered(
    rewards: Tensor,  # (groups, responses), finite
) -> Tensor:  # (groups, responses), units of reward; each row sums to zero
    """Reward minus the mean of its group: the advantages of Dr. GRPO (Liu et al. 2025, 3.2).

    Raises:
        ShapeError: the rewards are no table of floating-point numbers.
        RangeError: a reward is not finite.
    """
    guards.table(rewards=rewards)
    guards.finite("rewards", rewards)
    return rewards - rewards.mean(dim=-1, keepdim=True)


def advantages(
    rewards: Tensor,  # (groups, responses), finite
    *,
    correction: int = 0,  # 0: population deviation, divided by G; 1: sample deviation, by G − 1
) -> Tensor:  # (groups, responses), in deviations of the group; zero where all rewards agree
    """Group-normalized advantages, (r − mean) / std (Shao et al. 2024, section 4.1.2).

    Raises:
        ShapeError: the rewards are no table of floating-point numbers.
        RangeError: a reward is not finite, or a group has no more than `correction` responses.
    """
    guards.table(rewards=rewards)
    guards.finite("rewards", rewards)
    guards.count("responses in a group", rewards.shape[-1], least=correction + 1)
    return normalized(rewards, correction=correction)


def normalized(rewards: Tensor, *, correction: int = 0) -> Tensor:
    """The `advantages` of rewards checked before: training needs them at every step."""
    deviation, mean = torch.std_mean(rewards, dim=-1, correction=correction, keepdim=True)
    least, most = torch.aminmax(rewards, dim=-1, keepdim=True)
    return ((rewards - mean) / deviation).masked_fill(least == most, 0.0)


def groups(
    rate: float,  # the policy's chance of answering right, from 0 to 1
    size: int,  # answers in a group, at least 1
) -> tuple[Tensor, Tensor]:  # rewards (size + 1, size) of 0 and 1; their probabilities (size + 1,)
    """Every group that can come up, by its number of right answers, and how likely each is.

    Raises:
        RangeError: the rate lies outside 0 to 1, or the size is below 1.
    """
    _check_rate(rate)
    guards.count("size of a group", size, least=1)
    right = torch.arange(size + 1, dtype=torch.float64)
    rewards = (torch.arange(size) < right.unsqueeze(1)).double()
    return rewards, Binomial(size, torch.tensor(rate, dtype=torch.float64)).log_prob(right).exp()


def pull(
    advantage: Tensor,  # (groups, responses)
    rewards: Tensor,  # (groups, responses), 1 for a right answer, 0 for a wrong one
    *,
    rate: float,  # the policy's chance of answering right, from 0 to 1
) -> Tensor:  # (groups,), in units of advantage
    """The gradient that one group puts on the log-odds z of answering right, (1/G) Σ A d ln π/dz.

    A right answer has probability σ(z), a wrong one σ(−z); their slopes are 1 − rate and −rate.

    Raises:
        ShapeError: the tables disagree in shape.
        RangeError: the rate lies outside 0 to 1.
    """
    _check_rate(rate)
    guards.table(advantage=advantage, rewards=rewards)
    return (advantage * (rewards - rate)).mean(dim=-1)


def expected_pull(rate: float, size: int, advantages_of: Advantages) -> Tensor:
    """The mean of `pull` over all groups of a size, a scalar.

    Without division by the deviation it is (1 − 1/G) · rate · (1 − rate): the slope of the success
    rate itself, short by a factor that is the same for every prompt.

    Raises:
        RangeError: the rate lies outside 0 to 1, or the size is below 1.
    """
    rewards, chances = groups(rate, size)
    return (chances * pull(advantages_of(rewards), rewards, rate=rate)).sum()


def clipped(
    ratio: Tensor,  # (answers,), probability now over probability when sampled
    advantage: Tensor,  # (answers,)
    *,
    low: float,  # how far the ratio may fall below 1
    high: float,  # how far it may rise above 1
) -> Tensor:  # (answers,), units of advantage, to be maximized
    """The clipped objective with a bound for each side (Yu et al. 2025, eq. 10).

    One bound for both, low = high, is the objective of PPO and of GRPO.

    Raises:
        ShapeError: ratio and advantage disagree in shape.
        RangeError: a bound is not above zero.
    """
    guards.same_shape(ratio=ratio, advantage=advantage)
    for name, bound in (("low", low), ("high", high)):
        guards.positive(name, bound, advice="Choose a bound above 0, for example 0.2.")
    return torch.minimum(ratio * advantage, ratio.clamp(1 - low, 1 + high) * advantage)


def token_weights(
    advantage: Tensor,  # (groups, responses)
    lengths: Tensor,  # (groups, responses), tokens, at least 1
) -> Tensor:  # (groups, responses), units of advantage per token
    """What multiplies each token's gradient in GRPO, A / (G · length) (Shao et al. 2024, eq. 3).

    Raises:
        ShapeError: the tables disagree in shape.
        RangeError: a length is below one token.
    """
    guards.table(advantage=advantage, lengths=lengths)
    guards.count("shortest length", int(lengths.min().item()), least=1)
    return advantage / (lengths * advantage.shape[-1])


def _check_rate(rate: float) -> None:
    if not 0 <= rate <= 1:
        raise RangeError.expected(
            "a success rate from 0 to 1", got=rate, advice="Give it as a fraction, 0.05 for 5%."
        )
