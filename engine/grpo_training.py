"""GRPO and Dr. GRPO as training: groups of responses, clipped ratios, the leash in the loss.

`engine.grpo` has the pieces; here they move a policy. A group is all of a batch's responses to one
prompt. The price of leaving the reference enters the loss through k3, as in the paper of GRPO.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine import grpo, guards, kl_penalty, on_policy, ppo
from engine.estimators import k3
from engine.on_policy import Plan, State, Step
from engine.policies import Policy
from engine.ppo import Batch, Clipping, Reuse
from engine.preferences import World


@dataclass(frozen=True, eq=False)
class Grouped:
    """A world whose responses have lengths.

    Raises:
        ShapeError: lengths and rewards disagree in shape.
        RangeError: a length is below one token.
    """

    world: World
    lengths: Tensor  # (prompts, responses), tokens, at least 1

    def __post_init__(self) -> None:
        guards.table(reward=self.world.reward, lengths=self.lengths)
        guards.count("shortest length", int(self.lengths.min().item()), least=1)

    @classmethod
    def single_tokens(cls, world: World) -> "Grouped":
        """Every response is one token long: length plays no part."""
        return cls(world, torch.ones_like(world.reward))


def grpo_weights(
    rewards: Tensor,  # (prompts, draws)
    lengths: Tensor,  # (prompts, draws), tokens
) -> Tensor:  # (prompts, draws), of the slope of log π of the whole response
    """Group-normalized advantage (population deviation) over the response's own length.

    The mean over a response's tokens hides in that division (Shao et al. 2024, eq. 3).
    """
    return grpo.normalized(rewards) / lengths


def dr_grpo_weights(
    rewards: Tensor,  # (prompts, draws)
    lengths: Tensor,  # (prompts, draws), tokens; not used
) -> Tensor:  # (prompts, draws), of the slope of log π of the whole response
    """Centered rewards, whatever the deviation and the length (Liu et al. 2025, section 3.2)."""
    guards.same_shape(rewards=rewards, lengths=lengths)
    return grpo.centered(rewards)


Weights = Callable[[Tensor, Tensor], Tensor]


def ascend_grpo(
    grouped: Grouped, policy: Policy, plan: Plan, *, clipping: Clipping
) -> Iterator[Step]:
    """Train with GRPO: `plan.draws` is the size of a group, `plan.beta` prices KL by k3.

    Raises:
        ShapeError: the policy does not belong to this world.
        DivergenceError: while iterating, when numbers leave what makes sense.
    """
    return _ascend(grouped, policy, plan, (grpo_weights, clipping))


def ascend_dr_grpo(
    grouped: Grouped, policy: Policy, plan: Plan, *, clipping: Clipping
) -> Iterator[Step]:
    """Train with Dr. GRPO; arguments and errors are those of `ascend_grpo`."""
    return _ascend(grouped, policy, plan, (dr_grpo_weights, clipping))


def _ascend(
    grouped: Grouped, policy: Policy, plan: Plan, how: tuple[Weights, Clipping]
) -> Iterator[Step]:
    world, (weights, clipping), slope = grouped.world, how, kl_penalty.in_loss(k3)

    def price(table: Tensor) -> Tensor:
        return plan.beta * slope(table - world.reference)

    leash = Reuse(plan.rate, clipping, price if plan.beta else None)

    def update(state: State, table: Tensor, share: Tensor) -> State:
        responses = on_policy.draw_from(share, plan.draws, plan.generator)
        rewards = world.reward.gather(1, responses)
        advantage = weights(rewards, grouped.lengths.gather(1, responses))
        batch = Batch(table, responses, advantage)
        moved, clipped = ppo.reuse(policy, batch, state.parameters, leash)
        return State(moved, state.value, clipped)

    return on_policy.train(world, policy, plan, update)
