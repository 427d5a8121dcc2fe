"""The climb of `engine.rlhf` for any policy, not only for tables, with the record of sampled ones.

Nothing is sampled here, so of a plan only β, the rate and the steps are read.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from engine import on_policy
from engine.on_policy import Plan, State, Step
from engine.policies import Curvature, Policy, Tabular
from engine.preferences import World

# From a policy, its probabilities and what each response earns, whatever constant is added to a
# prompt, (prompts, responses), to its parameters.
Direction = Callable[[Policy, Tensor, Tensor], Tensor]


def gradient(policy: Policy, share: Tensor, earned: Tensor) -> Tensor:
    """The slope of J in the parameters, prompts added up: in the logits, `rlhf.gradient`."""
    # π times (earned minus its mean under π), in one call.
    slope = torch._softmax_backward_data(earned, share, -1, share.dtype)
    return policy.pull_back(slope)


def natural_gradient(policy: Policy, share: Tensor, earned: Tensor) -> Tensor:
    """The gradient divided by the Fisher matrix of the parameters.

    In the logits that matrix is diag(π) − ππᵀ, the Laplacian of a graph with weights π_i π_j. It
    turns what is earned into the gradient; a constant added to a prompt's logits is no change.
    """
    if isinstance(policy, Tabular):
        return earned
    weight = share.unsqueeze(2) * share.unsqueeze(1)
    weight.diagonal(dim1=1, dim2=2).zero_()
    everywhere = torch.full_like(weight, 1 / share.shape[1])
    fisher = Curvature(weight, weight.sum(dim=2), everywhere)
    return policy.newton_direction(-gradient(policy, share, earned), fisher)


def ascend(world: World, policy: Policy, plan: Plan, *, direction: Direction) -> Iterator[Step]:
    """Climb J by exact steps in a direction, `gradient` or `natural_gradient`.

    Raises:
        ShapeError: the policy does not belong to this world.
        DivergenceError: while iterating, when numbers leave what makes sense.
    """
    at_reference = world.reward + plan.beta * world.reference
    at_reference -= at_reference.amax(dim=-1, keepdim=True)  # so that natural steps stay small

    def update(state: State, table: Tensor, share: Tensor) -> State:
        earned = torch.sub(at_reference, table, alpha=plan.beta)
        step = direction(policy, share, earned)
        return State(torch.add(state.parameters, step, alpha=plan.rate), state.value)

    return on_policy.train(world, policy, plan, update)
