"""What all training from a policy's own responses shares: drawing, slopes in logits, the record.

The problem is that of `engine.closed_form`, J(π) = Σ π r − β KL(π‖π_ref) per prompt. Every method
here weighs the slope of log π of each drawn response, so a method is a table of weights.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor

from engine import closed_form, distributions, guards
from engine.errors import DivergenceError, RangeError, ShapeError
from engine.policies import Policy
from engine.preferences import World

# Below this a response is lost for good. Training that works stays at thousands.
RUNAWAY_NATS = 1e6

# Records that are worked out at a time. On small tables calls are the cost, and this saves most of
# those that only read. It is fixed, so that how a run is watched does not change its last digits.
BLOCK = 16


T = TypeVar("T")


@torch.inference_mode()
def blocks(moments: Iterator[T]) -> Iterator[list[T]]:
    """As many moments at a time as are read together, worked out without a graph of gradients.

    Raises:
        DivergenceError: while iterating, what ended the moments, after the last good ones.
    """
    taken: list[T] = []
    try:
        for moment in moments:
            taken.append(moment)
            if len(taken) == BLOCK:
                yield taken
                taken = []
    except DivergenceError:
        if taken:
            yield taken
        raise
    if taken:
        yield taken


@dataclass(frozen=True, eq=False)
class Step:
    """One moment of training. Numbers are exact means over prompts; nothing here is sampled.

    Training itself needs none of them, so they are worked out when the first is asked for. Tensors
    are read-only outside of `torch.inference_mode`: clone one to change it.
    """

    index: int  # 0 at the start, then one more per batch of responses
    clip_fraction: float  # of this step's slopes, the share that clipping set to zero
    policy: Tensor  # (prompts, responses), log-probabilities
    share: Tensor = field(repr=False)  # (prompts, responses), probabilities
    block: "Block" = field(repr=False)
    place: int = field(repr=False)  # in the block

    @property
    def reward(self) -> float:
        """The mean reward Σ π r, in units of reward."""
        return self._means[1]

    @property
    def kl_to_reference_nats(self) -> float:
        """The price paid, KL(π‖π_ref)."""
        return max(self._means[0] - self._means[2], 0.0)

    @property
    def objective(self) -> float:
        """What is climbed, J(π), in units of reward."""
        return self.reward - self.block.reading.beta * self.kl_to_reference_nats

    @property
    def kl_to_optimum_nats(self) -> float:
        """The way to go, KL(π‖π*): β times it is what J lacks; +inf if β is 0."""
        strict = self.block.reading.strict
        if strict is None:
            return max(self._means[0] - self._means[3], 0.0)
        if (self.policy - strict).amax().item() == math.inf:
            return math.inf  # also where a probability is too small for a number
        return distributions.kl(self.policy, strict).mean().item()

    @property
    def entropy_nats(self) -> float:
        """The entropy H(π)."""
        return max(-self._means[0], 0.0)

    @property
    def further(self) -> list[float]:
        """The means of the plan's further tables."""
        return self._means[4:]

    @cached_property
    def _means(self) -> list[float]:
        """Of log π itself, which is minus the entropy, and of all that is read."""
        return self.block.means[self.place]


@dataclass(frozen=True, eq=False)
class Plan:
    """How to train on a policy's own responses.

    Raises:
        RangeError: a number is out of its range.
    """

    beta: float  # ≥ 0, in units of reward per nat
    rate: float  # what the gradient is multiplied by, above 0
    steps: int  # batches of responses
    draws: int  # responses to each prompt in a batch
    generator: torch.Generator  # the only source of randomness
    further: Sequence[Tensor] = ()  # tables (prompts, responses) whose means records have, too

    def __post_init__(self) -> None:
        guards.positive("the rate", self.rate, advice="Try 1.")
        guards.count("steps", self.steps, least=0)
        guards.count("draws", self.draws, least=1)
        if not 0 <= self.beta < math.inf:
            raise RangeError.expected(
                "β to be a finite number, at least 0", got=self.beta, advice="Use 0 for no leash."
            )


@dataclass(frozen=True, eq=False)
class State:
    """What one batch hands to the next."""

    parameters: Tensor  # of the policy
    value: Tensor  # (prompts,), what is expected of each prompt, in units of reward
    clip_fraction: float = 0.0


# Index, share of slopes clipped, log-probabilities and probabilities, (prompts, responses) both.
Visit = tuple[int, float, Tensor, Tensor]
# From a state, its log-probabilities and its probabilities, (prompts, responses) both.
Update = Callable[[State, Tensor, Tensor], State]


def draw(
    policy: Tensor,  # (prompts, responses), log-probabilities
    count: int,  # responses to each prompt
    generator: torch.Generator,
) -> Tensor:  # (prompts, count), whole numbers
    """Independent responses to each prompt."""
    return draw_from(policy.exp(), count, generator)


def draw_from(
    share: Tensor,  # (prompts, responses), probabilities
    count: int,  # responses to each prompt
    generator: torch.Generator,
) -> Tensor:  # (prompts, count), whole numbers
    """The same, where the probabilities are known already."""
    return torch.multinomial(share, count, replacement=True, generator=generator)


def in_logits(
    policy: Tensor,  # (prompts, responses), log-probabilities
    slope: Tensor,  # (prompts, responses), in the log-probabilities
) -> Tensor:  # (prompts, responses), in the logits
    """Turn a slope in log π into one in the logits: ∂ log π(y)/∂ logit(k) = 1[y = k] − π(k)."""
    # The slope minus π times its sum over a row, in one call: on small tables calls are the cost.
    return torch._log_softmax_backward_data(slope, policy, -1, policy.dtype)


def gathered(
    responses: Tensor,  # (prompts, draws), whole numbers
    weight: Tensor,  # (prompts, draws), of the slope of log π of each drawn response
    like: Tensor,  # a table (prompts, responses)
) -> Tensor:  # (prompts, responses), in the log-probabilities
    """The mean over draws of the weights, each at its response."""
    return torch.zeros_like(like).scatter_add_(1, responses, weight / responses.shape[1])


def log_policy(policy: Policy, parameters: Tensor) -> Tensor:
    """The table of log-probabilities, (prompts, responses)."""
    return torch.log_softmax(policy.logits(parameters), dim=-1)


def start(policy: Policy, world: World) -> State:
    """The policy's own start, with nothing expected of any prompt.

    Raises:
        ShapeError: the policy does not belong to this world.
    """
    shape = tuple(policy.logits(policy.start).shape)
    if shape != tuple(world.reward.shape):
        raise ShapeError.expected(
            f"a policy over {world.prompts} prompts and {world.responses} responses",
            got=shape,
            advice="Build the policy from the world it is trained in.",
        )
    return State(policy.start, world.reward.new_zeros(world.prompts))


def train(
    world: World, policy: Policy, plan: Plan, update: Update, first: State | None = None
) -> Iterator[Step]:
    """Apply an update `plan.steps` times and read every state: the start, then one record each.

    Raises:
        ShapeError: the policy does not belong to this world.
        DivergenceError: while iterating, when a response is lost to rounding or not a number.
    """
    state = start(policy, world)
    return _records(world, policy, plan, update, first or state)


def _records(
    world: World, policy: Policy, plan: Plan, update: Update, state: State
) -> Iterator[Step]:
    reading, last = Reading.of(world, plan.beta, plan.further), None
    for taken in blocks(_visits(policy, plan, update, state)):
        for last in reading.steps(taken):
            yield last
    index = 0 if last is None else last.index + 1
    if index <= plan.steps:
        raise runaway(index, last)


def _visits(policy: Policy, plan: Plan, update: Update, state: State) -> Iterator[Visit]:
    """Every state on the way; the last one where the next would no longer make sense."""
    for index in range(plan.steps + 1):
        table = log_policy(policy, state.parameters)
        share = table.exp()
        if not table.min().item() > -RUNAWAY_NATS:  # also if not a number
            return
        yield index, state.clip_fraction, table, share
        if index < plan.steps:
            state = update(state, table, share)


def best(world: World, beta: float) -> Tensor:
    """The optimum of J; with β = 0 its limit, the reference among each prompt's best responses."""
    if beta > 0:
        return closed_form.optimal_policy(world.reward, world.reference, beta=beta)
    beaten = world.reward < world.reward.amax(dim=-1, keepdim=True)
    return torch.log_softmax(world.reference.masked_fill(beaten, -torch.inf), dim=-1)


def read(world: World, policy: Tensor, *, beta: float, index: int = 0) -> Step:
    """The record of a table of log-probabilities (prompts, responses).

    Raises:
        ShapeError: the table has another shape than the world's.
        RangeError: a row of the table does not sum to one.
    """
    guards.table(reward=world.reward, policy=policy)
    guards.log_probabilities("policy", policy)
    (step,) = Reading.of(world, beta).steps([(index, 0.0, policy, policy.exp())])
    return step


def runaway(index: int, last: Step | None) -> DivergenceError:
    """The error of a run whose numbers left what makes sense."""
    good = "No step was good" if last is None else f"Step {last.index} was the last good one"
    return DivergenceError(
        f"Expected every log-probability to stay above −{RUNAWAY_NATS:g}, got less at step "
        f"{index}. {good}. Take smaller steps, or a smaller β at this rate.",
        last=last,
    )


@dataclass(frozen=True, eq=False)
class Reading:
    """What records are read by; all but the entropy is linear in π, so one product gives it.

    A divergence from an optimum that rules responses out is worked out apart.
    """

    beta: float
    tables: Tensor  # (prompts * responses, 3 or more): reward, log π_ref, log π* and further ones,
    # divided by the prompts
    prompts: int
    strict: Tensor | None  # log π* where it rules responses out

    @classmethod
    def of(cls, world: World, beta: float, further: Sequence[Tensor] = ()) -> "Reading":
        """Of a world at a price, and further tables (prompts, responses) to take means of."""
        optimum = best(world, beta)
        tables = torch.stack([world.reward, world.reference, optimum, *further], dim=-1)
        strict = optimum if bool(torch.isneginf(optimum).any()) else None
        return cls(beta, tables.flatten(0, 1) / world.prompts, world.prompts, strict)

    def steps(self, visits: Sequence[Visit]) -> list[Step]:
        """The records of visits that are read together."""
        block = Block(self, [table for *_, table, _ in visits], [share for *_, share in visits])
        return [Step(*visit, block, place) for place, visit in enumerate(visits)]


@dataclass(frozen=True, eq=False)
class Block:
    """Moments that are read together, by one product."""

    reading: Reading
    policies: list[Tensor]  # (prompts, responses) each, log-probabilities
    shares: list[Tensor]  # (prompts, responses) each, probabilities

    @cached_property
    @torch.inference_mode()
    def means(self) -> list[list[float]]:
        """Of log π and of all that is read, for each moment."""
        policy, share = (torch.stack(each).flatten(1) for each in (self.policies, self.shares))
        own = torch.linalg.vecdot(share, policy) / self.reading.prompts
        return torch.column_stack([own, share @ self.reading.tables]).tolist()
