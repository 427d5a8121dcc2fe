"""The climb of `engine.rlhf` for any policy, not only for tables, with the record of sampled ones.

Nothing is sampled here, so of a plan only β, the rate and the steps are read.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from engine import on_policy, rlhf
from engine.on_policy import Plan, State, Step
from engine.policies import Curvature, Policy, Tabular
from engine.preferences import World

Direction = Callable[[Policy, rlhf.Point], Tensor]


def gradient(policy: Policy, at: rlhf.Point) -> Tensor:
    """The slope of J in the parameters, prompts added up."""
    return policy.pull_back(rlhf.gradient(at))


def natural_gradient(policy: Policy, at: rlhf.Point) -> Tensor:
    """The gradient divided by the Fisher matrix of the parameters.

    In the logits that matrix is diag(π) − ππᵀ, the Laplacian of a graph with weights π_i π_j.
    """
    if isinstance(policy, Tabular):
        return rlhf.natural_gradient(at)
    share = at.policy.exp()
    weight = share.unsqueeze(2) * share.unsqueeze(1)
    weight.diagonal(dim1=1, dim2=2).zero_()
    everywhere = torch.full_like(weight, 1 / share.shape[1])
    fisher = Curvature(weight, weight.sum(dim=2), everywhere)
    return policy.newton_direction(-gradient(policy, at), fisher)


def ascend(world: World, policy: Policy, plan: Plan, *, direction: Direction) -> Iterator[Step]:
    """Climb J by exact steps in a direction, `gradient` or `natural_gradient`.

    Raises:
        ShapeError: the policy does not belong to this world.
        DivergenceError: while iterating, when numbers leave what makes sense.
    """

    def update(state: State) -> State:
        at = point(world, on_policy.log_policy(policy, state.parameters), plan.beta)
        return State(state.parameters + plan.rate * direction(policy, at), at.value)

    return on_policy.train(world, policy, plan, update)


def point(world: World, table: Tensor, beta: float) -> rlhf.Point:
    """As `rlhf.point`, without its checks, and for β = 0, too."""
    earned = world.reward - beta * (table - world.reference)
    value = (table.exp() * earned).sum(dim=-1)
    return rlhf.Point(table, value, earned - value.unsqueeze(1))
