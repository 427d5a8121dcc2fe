"""The price of leaving the reference, as training takes it from samples: in the reward or the loss.

Either way a drawn response's slope of log π gets a weight that depends on its log-ratio
log π − log π_ref alone. In the reward the weight is the estimate of the divergence, since the
score function multiplies it; in the loss it is the estimate's derivative, since it is
differentiated.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from engine import estimators, guards, on_policy
from engine.errors import EngineError
from engine.estimators import Estimator

Penalty = Callable[[Tensor], Tensor]  # log-ratios, nats -> weights of ∇ log π, per unit of β

_HALVINGS = 200  # each halves an interval: more than a double has digits, wherever the root is


def in_reward(estimator: Estimator) -> Penalty:
    """Taken off the reward. With k1 the mean slope is that of −KL(π‖π_ref) (Stiennon et al. 2020).

    With k2 or k3 it is the slope of another quantity (Tang and Munos 2025).
    """
    return lambda log_ratio: -estimator(log_ratio)


def in_loss(estimator: Estimator) -> Penalty:
    """Added to the loss. The mean slope depends on the estimator (Tang and Munos 2025).

    k1 has none, k2 gives that of −KL(π‖π_ref), k3 that of −KL(π_ref‖π).

    Raises:
        EngineError: the estimator is not one of k1, k2 and k3.
    """
    if estimator not in _SLOPES:
        raise EngineError.expected(
            "one of the estimators k1, k2 and k3",
            got=estimator,
            advice="Take one from engine.estimators.",
        )
    slope = _SLOPES[estimator]
    return lambda log_ratio: -slope(log_ratio)


def none(log_ratio: Tensor) -> Tensor:
    """No price."""
    return torch.zeros_like(log_ratio)


def expected_gradient(
    penalty: Penalty,
    policy: Tensor,  # (prompts, responses), log-probabilities, none −inf
    reference: Tensor,  # (prompts, responses), log-probabilities, none −inf
) -> Tensor:  # (prompts, responses), per unit of logit and of β, uphill
    """What a penalty does on average to the logits, over all responses of the policy itself.

    Raises:
        ShapeError: the tables disagree in shape.
        RangeError: a row does not sum to one.
    """
    guards.table(policy=policy, reference=reference)
    guards.log_probabilities("policy", policy)
    guards.log_probabilities("reference", reference)
    return on_policy.in_logits(policy, policy.exp() * penalty(policy - reference))


def forward_optimum(
    reward: Tensor,  # (prompts, responses), finite
    reference: Tensor,  # (prompts, responses), log-probabilities, none −inf
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (prompts, responses), log-probabilities
    """The maximizer of Σ π r − β KL(π_ref‖π), at which k3 in the loss comes to rest.

    It is β π_ref/(λ − r) with the λ above every reward that makes it sum to one, so the odds of a
    better response grow with the reward like 1/(λ − r) and not exponentially.

    Raises:
        RangeError: β is not above zero, a reward is not finite, a reference row does not sum to 1.
        ShapeError: the tables are not (prompts, responses) or their shapes disagree.
    """
    guards.beta(beta)
    guards.table(reward=reward, reference=reference)
    guards.finite("reward", reward)
    guards.log_probabilities("reference", reference)
    behind = reward.amax(dim=-1, keepdim=True) - reward
    low, high = torch.zeros_like(behind[:, :1]), torch.full_like(behind[:, :1], beta)
    for _ in range(_HALVINGS):  # the sum falls in λ, and at λ = max r + β it is at most one
        middle = (low + high) / 2
        above = (beta * reference.exp() / (behind + middle)).sum(dim=-1, keepdim=True) > 1
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    return torch.log_softmax(reference - (behind + high).log(), dim=-1)


_SLOPES: dict[Estimator, Estimator] = {
    estimators.k1: torch.ones_like,
    estimators.k2: lambda log_ratio: log_ratio,
    estimators.k3: lambda log_ratio: -torch.expm1(-log_ratio),
}
