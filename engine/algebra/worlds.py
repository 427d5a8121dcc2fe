"""The world a learner can hold in the head: one prompt, three responses, and both sides of a line.

Response 0 is the chosen one, response 1 the rejected one, response 2 stands for all others.
Rewards are in units of reward, divergences and logarithms in nats, β in reward per nat.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sympy import Integer
from sympy.core.relational import Relational

from engine.algebra.expressions import (
    BETA,
    COMPONENT,
    X1,
    X2,
    Divergence,
    Gradient,
    L,
    W,
    X,
    Y,
)
from engine.algebra.instances import Binding
from engine.algebra.layout import Stated, sign
from engine.algebra.numbers import Scene, Table
from engine.algebra.proof import agree
from engine.algebra.vocabulary import (
    ImplicitReward,
    Logit,
    Loss,
    ModelPreference,
    Objective,
    Optimum,
    Partition,
    Policy,
    Preference,
    Reference,
    Reward,
)
from engine.errors import RangeError, ShapeError

Triple = tuple[float, float, float]

HIGHEST_BETA = 20.0
LARGEST_EXPONENT = 300.0  # |r| / β: e to a larger power no longer fits a float with room to spare
SMALLEST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class World3:
    """Numbers for one prompt with three responses.

    Raises:
        ShapeError: not three numbers.
        RangeError: β ≤ 0, a number that is not finite, a probability of zero, probabilities that
            do not sum to one.
    """

    beta: float  # > 0, reward per nat
    rewards: Triple
    reference: Triple  # probabilities
    policy: Triple  # probabilities

    def __post_init__(self) -> None:
        _check_beta(self.beta)
        _check_rewards(self.rewards, self.beta)
        _check_distribution("the reference", self.reference)
        _check_distribution("the policy", self.policy)

    @classmethod
    def default(cls) -> "World3":
        """The reference likes the rejected response best; the policy has begun to move."""
        return cls(
            beta=0.5,
            rewards=(1.0, 0.2, -0.6),
            reference=(0.3, 0.5, 0.2),
            policy=(0.45, 0.4, 0.15),
        )

    @classmethod
    def weighed(cls, beta: float, rewards: Triple, reference: Triple, policy: Triple) -> "World3":
        """A world from positive weights, scaled to sum to one: what three sliders give."""
        return cls(
            beta, rewards, _scaled("the reference", reference), _scaled("the policy", policy)
        )

    def table(self) -> Table:
        """The unknowns of a line at this prompt; the tabular logits are the log-probabilities."""
        return {
            Policy: self.policy,
            Reference: self.reference,
            Reward: self.rewards,
            Logit: tuple(map(math.log, self.policy)),
        }

    def scene(self, second: "World3 | None" = None) -> Scene:
        """This world at prompts x and x₁, and `second` (or this one again) at x₂."""
        other = (second or self).table()
        return Scene(3, {BETA: self.beta}, {X: self.table(), X1: self.table(), X2: other})


@dataclass(frozen=True)
class Sides:
    """Both sides of a line in numbers."""

    left: float
    relation: str  # "=", "≥" or "≤"
    right: float
    holds: bool  # up to rounding; never where a side is undefined (NaN)
    difference: float  # left − right; 0 where both are the same infinity
    response: int | None = None  # which response stands for y; None if the line has no y


@dataclass(frozen=True)
class Quantities:
    """What the lines are made of, in one world."""

    partition: float  # Z(x)
    log_partition: float  # nats
    value: float  # β log Z, the largest objective there is
    optimum: Triple  # π*
    objective: float  # J(π)
    expected_reward: float
    kl_reference: float  # KL(π ‖ π_ref), nats
    kl_optimum: float  # KL(π ‖ π*), nats
    implicit_rewards: Triple  # β log π/π_ref
    reward_margin: float  # r(chosen) − r(rejected)
    implicit_margin: float  # the same of the implicit rewards
    preference: float  # p*(chosen ≻ rejected)
    model_preference: float  # what the policy implies
    loss: float  # nats
    gradient: Triple  # of the loss in the three tabular logits


def evaluate(line: Stated, world: World3, *, response: int = 0) -> Sides:
    """Both sides of a line in a world.

    Args:
        line: a line, or anything else with a `relation`.
        world: the numbers.
        response: which response stands for y, and which logit a gradient is taken in.

    Raises:
        RangeError: for a response other than 0, 1 or 2.
    """
    if response not in (0, 1, 2):
        raise RangeError.expected(
            "response 0, 1 or 2", got=response, advice="Number 0 is the chosen response."
        )
    return sides(line.relation, world.scene(), response=response)


def sides(relation: Relational, scene: Scene, *, response: int) -> Sides:
    """Both sides of a relation in any scene, with this response for y."""
    found = sides_at(relation, scene, numbered(response))
    return replace(found, response=response if is_open(relation) else None)


def sides_at(relation: Relational, scene: Scene, binding: Binding) -> Sides:
    """Both sides of a relation in any scene, its indices numbered by `binding`."""
    left, right = scene.value(relation.lhs, binding), scene.value(relation.rhs, binding)
    return Sides(
        left=left,
        relation=sign(relation),
        right=right,
        holds=agree(relation, left, right),
        difference=0.0 if left == right else left - right,
    )


def is_open(relation: Relational) -> bool:
    """Whether a relation speaks of any response y, or of a gradient's components."""
    return Y in relation.free_symbols or bool(relation.has(Gradient))


def numbered(response: int) -> Binding:
    """Chosen is 0, rejected is 1, y and the logit are `response`."""
    return {W: Integer(0), L: Integer(1), Y: Integer(response), COMPONENT: Integer(response)}


def quantities(world: World3) -> Quantities:
    """Everything worth showing beside a line, computed by the definitions the lines use."""
    scene = world.scene()
    margins = [ImplicitReward(X, i) for i in range(3)]
    policy, optimum = Policy(Y, X), Optimum(Y, X)
    implicit = _triple(scene.value(reward) for reward in margins)
    kl_reference = scene.value(Divergence(policy, Reference(Y, X), Y))
    objective = scene.value(Objective(policy, Y))
    return Quantities(
        partition=scene.value(Partition(X)),
        log_partition=math.log(scene.value(Partition(X))),
        value=world.beta * math.log(scene.value(Partition(X))),
        optimum=_triple(scene.value(Optimum(i, X)) for i in range(3)),
        objective=objective,
        expected_reward=objective + world.beta * kl_reference,
        kl_reference=kl_reference,
        kl_optimum=scene.value(Divergence(policy, optimum, Y)),
        implicit_rewards=implicit,
        reward_margin=world.rewards[0] - world.rewards[1],
        implicit_margin=implicit[0] - implicit[1],
        preference=scene.value(Preference(0, 1, X)),
        model_preference=scene.value(ModelPreference(0, 1, X)),
        loss=scene.value(Loss(0, 1, X)),
        gradient=_triple(scene.value(Gradient(Loss(W, L, X)), numbered(i)) for i in range(3)),
    )


def _triple(values: Iterable[float]) -> Triple:
    first, second, third = values
    return first, second, third


def _scaled(name: str, weights: Triple) -> Triple:
    total = sum(weights)
    if not (math.isfinite(total) and total > 0 and min(weights) > 0):
        raise RangeError.expected(
            f"positive weights for {name}",
            got=_told(weights),
            advice="Give every response some weight; what a zero does is shown under Break it.",
        )
    return _triple(weight / total for weight in weights)


def _check_beta(beta: float) -> None:
    if not (math.isfinite(beta) and 0 < beta <= HIGHEST_BETA):
        raise RangeError.expected(
            f"β above 0 and at most {HIGHEST_BETA:g}",
            got=beta,
            advice="β is the price of one nat of divergence: without a price there is no optimum.",
        )


def _check_rewards(rewards: Triple, beta: float) -> None:
    _check_length("three rewards", rewards)
    if not all(math.isfinite(r) for r in rewards):
        raise RangeError.expected(
            "finite rewards", got=_told(rewards), advice="Give every response a number."
        )
    if max(map(abs, rewards)) > LARGEST_EXPONENT * min(beta, 1.0):
        raise RangeError.expected(
            f"rewards of at most {LARGEST_EXPONENT * min(beta, 1.0):g} in size at β = {beta:g}",
            got=_told(rewards),
            advice="e to the power r/β would not fit; use smaller rewards or a larger β.",
        )


def _check_distribution(name: str, probabilities: Triple) -> None:
    _check_length(f"three probabilities for {name}", probabilities)
    if not all(SMALLEST_PROBABILITY <= p <= 1 for p in probabilities):
        raise RangeError.expected(
            f"probabilities of at least {SMALLEST_PROBABILITY:g} for {name}",
            got=_told(probabilities),
            advice="Give every response some probability; Break it shows what a zero does.",
        )
    if abs(sum(probabilities) - 1) > 1e-9:
        raise RangeError.expected(
            f"probabilities that sum to 1 for {name}",
            got=f"a sum of {sum(probabilities):.6g}",
            advice="Divide each by the sum.",
        )


def _check_length(what: str, values: tuple[float, ...]) -> None:
    if len(values) != 3:
        raise ShapeError.expected(
            what, got=len(values), advice="One each for chosen, rejected and other."
        )


def _told(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)
