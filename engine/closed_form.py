"""The exact answers of KL-regularized reward maximization, against which training is held.

The problem, for each prompt x (Rafailov et al. 2023, eq. 3):
maximize J(π) = Σ_y π(y|x) r(x, y) − β KL(π‖π_ref), with β > 0 in units of reward per nat.

Policies and references are tables of log-probabilities (prompts, responses), rewards are tables
of finite numbers of the same shape. A response which the reference rules out (−inf) stays ruled
out. Every function is differentiable in the reward.
"""

import torch
from torch import Tensor

from engine import distributions, guards


def optimal_policy(
    reward: Tensor,  # (prompts, responses), finite
    reference: Tensor,  # (prompts, responses), log-probabilities
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (prompts, responses), log-probabilities
    """The maximizer π* = π_ref exp(r/β) / Z (Rafailov et al. 2023, eq. 4).

    Raises:
        RangeError: β is not above zero, a reward is not finite, a reference row does not sum to 1.
        ShapeError: the tables are not (prompts, responses) or their shapes disagree.
    """
    tilted, _ = _tilt(reward, reference, beta)
    return torch.log_softmax(tilted, dim=-1)


def log_partition(
    reward: Tensor,  # (prompts, responses), finite
    reference: Tensor,  # (prompts, responses), log-probabilities
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (prompts,), nats
    """The normalizer's logarithm, log Z = log Σ π_ref exp(r/β) (Rafailov et al. 2023, eq. 4).

    Raises:
        RangeError: β is not above zero, a reward is not finite, a reference row does not sum to 1.
        ShapeError: the tables are not (prompts, responses) or their shapes disagree.
    """
    tilted, best = _tilt(reward, reference, beta)
    return best.squeeze(-1) / beta + torch.logsumexp(tilted, dim=-1)


def optimal_value(
    reward: Tensor,  # (prompts, responses), finite
    reference: Tensor,  # (prompts, responses), log-probabilities
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (prompts,), units of reward
    """The best reachable objective, max J = J(π*) = β log Z; finite for every β above zero.

    Follows from Rafailov et al. 2023, appendix A.1: J(π) = β log Z − β KL(π‖π*).

    Raises:
        RangeError: β is not above zero, a reward is not finite, a reference row does not sum to 1.
        ShapeError: the tables are not (prompts, responses) or their shapes disagree.
    """
    tilted, best = _tilt(reward, reference, beta)
    return best.squeeze(-1) + beta * torch.logsumexp(tilted, dim=-1)


def objective(
    policy: Tensor,  # (prompts, responses), log-probabilities
    reward: Tensor,  # (prompts, responses), finite
    reference: Tensor,  # (prompts, responses), log-probabilities
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (prompts,), units of reward; −inf where the policy leaves the reference's support
    """The quantity to maximize, J(π) = Σ π r − β KL(π‖π_ref) (Rafailov et al. 2023, eq. 3).

    Raises:
        RangeError: β is not above zero, a reward is not finite, a policy row does not sum to 1.
        ShapeError: the tables are not (prompts, responses) or their shapes disagree.
    """
    guards.beta(beta)
    guards.table(reward=reward, policy=policy, reference=reference)
    guards.finite("reward", reward)
    divergence = distributions.kl(policy, reference)
    return (policy.exp() * reward).sum(dim=-1) - beta * divergence


def implicit_reward(
    policy: Tensor,  # (prompts, responses), log-probabilities
    reference: Tensor,  # (prompts, responses), log-probabilities
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (prompts, responses), units of reward
    """The reward that a policy acts on, β log(π/π_ref) (Rafailov et al. 2023, section 4).

    It is the true reward minus β log Z when the policy is optimal (their eq. 5), so only
    differences within a prompt carry meaning. NaN marks a response that both tables rule out:
    nothing is known about its reward.

    Raises:
        RangeError: β is not above zero, a row does not sum to one.
        ShapeError: the tables are not (prompts, responses) or their shapes disagree.
    """
    guards.beta(beta)
    guards.table(policy=policy, reference=reference)
    guards.log_probabilities("policy", policy)
    guards.log_probabilities("reference", reference)
    return beta * (policy - reference)


def _tilt(reward: Tensor, reference: Tensor, beta: float) -> tuple[Tensor, Tensor]:
    """The sum log π_ref + (r − r_best)/β, and r_best (prompts, 1), the best reward within reach.

    Subtracting before dividing keeps every exponent at or below zero: β may be as small as the
    numbers go and nothing overflows.
    """
    _check(reward, reference, beta)
    possible = ~torch.isneginf(reference)
    best = reward.detach().masked_fill(~possible, -torch.inf).amax(dim=-1, keepdim=True)
    advantage = torch.where(possible, reward - best, 0.0)
    return reference + advantage / beta, best


def _check(reward: Tensor, reference: Tensor, beta: float) -> None:
    guards.beta(beta)
    guards.table(reward=reward, reference=reference)
    guards.finite("reward", reward)
    guards.log_probabilities("reference", reference)
