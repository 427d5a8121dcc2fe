"""Best-of-n, exactly: draw n responses from the reference, keep the one with the highest reward.

Tables are (prompts, responses). Draws are independent; where several of the best draws tie, one
of them is kept at random.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from engine import distributions, guards


class _Level(NamedTuple):
    """For each response, the reference's probability of drawing something worse, or no better."""

    worse: Tensor  # (prompts, responses)
    no_better: Tensor  # (prompts, responses)


def policy(
    reward: Tensor,  # (prompts, responses), finite
    reference: Tensor,  # (prompts, responses), log-probabilities
    *,
    draws: int,  # n, at least 1
) -> Tensor:  # (prompts, responses), log-probabilities
    """The distribution of the response that is kept (Beirami et al. 2024, section 2).

    With distinct rewards it is F(y)ⁿ − F⁻(y)ⁿ, where F is the probability of a draw no better than
    y and F⁻ that of a worse one. Equal rewards share that difference as the reference shares them.

    Raises:
        RangeError: no draw is made, a reward is not finite, a reference row does not sum to one.
        ShapeError: the tables are not (prompts, responses) or their shapes disagree.
    """
    _check(reward, reference, draws)
    worse, no_better = _level(reward, reference)
    share = reference - (no_better - worse).log()
    kept = draws * no_better.log() + torch.log(-torch.expm1(draws * (worse / no_better).log()))
    return torch.where(no_better > worse, share + kept, -torch.inf)


def divergence(
    reward: Tensor,  # (prompts, responses), finite
    reference: Tensor,  # (prompts, responses), log-probabilities
    *,
    draws: int,  # n, at least 1
) -> Tensor:  # (prompts,), nats, at most `bound(draws)`
    """KL(π_n‖π_ref) of the response that is kept.

    Raises:
        RangeError: no draw is made, a reward is not finite, a reference row does not sum to one.
        ShapeError: the tables are not (prompts, responses) or their shapes disagree.
    """
    return distributions.kl(policy(reward, reference, draws=draws), reference)


def bound(draws: int) -> float:
    """The most that divergence can be, log n − (n−1)/n in nats (Beirami et al. 2024, theorem 3.1).

    It is the divergence of the largest of n uniform numbers, where no two draws tie. Finitely many
    responses merge those numbers into intervals, which lowers it.

    Raises:
        RangeError: no draw is made.
    """
    guards.count("the number of draws", draws, least=1)
    return math.log(draws) - (draws - 1) / draws


def _level(reward: Tensor, reference: Tensor) -> _Level:
    ordered, order = reward.sort(dim=-1)
    sums = reference.exp().gather(-1, order).cumsum(dim=-1)
    sums = torch.nn.functional.pad(sums / sums[:, -1:], (1, 0))
    reward = reward.contiguous()
    first = torch.searchsorted(ordered, reward)
    last = torch.searchsorted(ordered, reward, right=True)
    return _Level(sums.gather(-1, first), sums.gather(-1, last))


def _check(reward: Tensor, reference: Tensor, draws: int) -> None:
    guards.count("the number of draws", draws, least=1)
    guards.table(reward=reward, reference=reference)
    guards.finite("reward", reward)
    guards.log_probabilities("reference", reference)
