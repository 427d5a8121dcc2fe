"""REINFORCE: the policy gradient from samples, and what a baseline does to it.

A signal is what each response of the policy earns, penalty included, in units of reward. Gradients
are in the logits of a table (prompts, responses).
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from engine import guards, kl_penalty, on_policy
from engine.errors import ShapeError
from engine.estimators import k1
from engine.kl_penalty import Penalty
from engine.on_policy import Plan, State, Step
from engine.policies import Policy
from engine.preferences import World

VALUE_RATE = 0.2  # how far each batch's mean return pulls the baseline


def signal(world: World, policy: Tensor, penalty: Penalty, beta: float) -> Tensor:
    """What each response is weighed by, r plus β times its penalty, (prompts, responses)."""
    return torch.add(world.reward, penalty(policy - world.reference), alpha=beta)


def sampled_gradient(
    policy: Tensor,  # (prompts, responses), log-probabilities
    responses: Tensor,  # (prompts, draws), drawn from the policy
    returns: Tensor,  # (prompts, draws), what they earned, in units of reward
    *,
    baseline: Tensor,  # (prompts,), known before the responses were drawn
) -> Tensor:  # (prompts, responses)
    """The mean over draws of (return − baseline) ∇ log π (Williams 1992, section 5).

    Raises:
        ShapeError: the baseline is not one number per prompt, or returns and responses disagree.
    """
    guards.same_shape(responses=responses, returns=returns)
    _check_baseline(baseline, policy)
    weight = returns - baseline.unsqueeze(1)
    return on_policy.in_logits(policy, on_policy.gathered(responses, weight, policy))


def expected_gradient(
    policy: Tensor,  # (prompts, responses), log-probabilities
    signal: Tensor,  # (prompts, responses), in units of reward
    *,
    baseline: Tensor,  # (prompts,)
) -> Tensor:  # (prompts, responses)
    """The mean of `sampled_gradient`, over all responses: the same for every baseline.

    Raises:
        ShapeError: the baseline is not one number per prompt, or the tables disagree.
        RangeError: a row of `policy` does not sum to one.
    """
    _check(policy, signal, baseline)
    return on_policy.in_logits(policy, policy.exp() * (signal - baseline.unsqueeze(1)))


def variance(
    policy: Tensor,  # (prompts, responses), log-probabilities
    signal: Tensor,  # (prompts, responses), in units of reward
    *,
    baseline: Tensor,  # (prompts,)
) -> Tensor:  # (prompts,), in units of reward squared
    """The variance of a single draw's gradient, summed over logits; of n draws, 1/n of it.

    Raises:
        ShapeError: the baseline is not one number per prompt, or the tables disagree.
        RangeError: a row of `policy` does not sum to one.
    """
    center = expected_gradient(policy, signal, baseline=baseline)
    square = _squared_score(policy) * (signal - baseline.unsqueeze(1)) ** 2
    return (policy.exp() * square).sum(dim=-1) - (center**2).sum(dim=-1)


def best_baseline(policy: Tensor, signal: Tensor) -> Tensor:
    """The baseline of least variance: the mean signal, weighed by the squared length of ∇ log π.

    Close to the plain mean, and not equal to it (Greensmith et al. 2004, theorem 8).
    """
    guards.table(policy=policy, signal=signal)
    weight = policy.exp() * _squared_score(policy)
    return (weight * signal).sum(dim=-1) / weight.sum(dim=-1)


def ascend(
    world: World, policy: Policy, plan: Plan, *, penalty: Penalty | None = None
) -> Iterator[Step]:
    """Climb by sampled gradients, each prompt's baseline following its earlier returns.

    Args:
        world: reward and reference.
        policy: what is trained, from its own start.
        plan: how, and how long.
        penalty: how the price β is taken; off the reward by k1 when left out.

    Raises:
        ShapeError: the policy does not belong to this world.
        DivergenceError: while iterating, when numbers leave what makes sense.
    """
    price = penalty or kl_penalty.in_reward(k1)

    def update(state: State, table: Tensor, share: Tensor) -> State:
        responses = on_policy.draw_from(share, plan.draws, plan.generator)
        returns = signal(world, table, price, plan.beta).gather(1, responses)
        weight = returns - state.value.unsqueeze(1)
        slope = on_policy.in_logits(table, on_policy.gathered(responses, weight, table))
        moved = torch.add(state.parameters, policy.pull_back(slope), alpha=plan.rate)
        return State(moved, torch.lerp(state.value, returns.mean(dim=1), VALUE_RATE))

    return on_policy.train(world, policy, plan, update)


def _squared_score(policy: Tensor) -> Tensor:
    """Σ_k (1[y = k] − π(k))², the squared length of ∇ log π(y), (prompts, responses)."""
    share = policy.exp()
    return 1 - 2 * share + (share**2).sum(dim=-1, keepdim=True)


def _check(policy: Tensor, signal: Tensor, baseline: Tensor) -> None:
    guards.table(policy=policy, signal=signal)
    guards.log_probabilities("policy", policy)
    _check_baseline(baseline, policy)


def _check_baseline(baseline: Tensor, policy: Tensor) -> None:
    if tuple(baseline.shape) != tuple(policy.shape[:1]):
        raise ShapeError.expected(
            f"one baseline per prompt, shape {tuple(policy.shape[:1])}",
            got=tuple(baseline.shape),
            advice="A baseline that depends on the response would change the mean gradient.",
        )
