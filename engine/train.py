"""Training as a generator of frozen records: the caller draws them, pauses, or stops asking.

DPO's loss and its derivatives are closed forms in the *wins*, how often each response was
preferred to each other one. With scores s = log π − log π_ref (up to a constant per prompt),
margins h_ij = s_i − s_j and weights w_ij that sum to one over all pairs:

    loss      Σ −w_ij log σ(β h_ij)                                  (Rafailov et al. 2023, eq. 7)
    gradient  −β Σ w_ij σ(−β h_ij) (∂s_i − ∂s_j)                     (section 4, same paper)
    Hessian   β² times the Laplacian of the graph with weights (w_ij + w_ji) σ(β h_ij) σ(−β h_ij)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Literal, NamedTuple, Required, TypedDict, Unpack

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from engine import closed_form, guards, optimizers, preferences
from engine.errors import DivergenceError, EngineError, ShapeError
from engine.optimizers import Optimizer, Point
from engine.policies import Curvature, Policy
from engine.preferences import Pairs, World

# Adam's first steps move each logit's implicit reward by this much, whatever β is.
ADAM_REWARD_PER_STEP = 0.2

# A policy whose implicit rewards are this far off is lost. Training that works, even on
# preferences without a finite optimum, stays at thousands.
RUNAWAY_REWARD = 1e6

# Lift of the Hessian's diagonal, relative to its largest entry: too small to slow Newton down,
# large enough to keep the system solvable when margins grow and some curvature vanishes.
_LIFT = 1e-12


class Run(TypedDict, total=False):
    """How to train, apart from what is trained on what."""

    optimizer: Literal["newton", "lbfgs", "adam"] | Optimizer  # "newton" when left out
    steps: Required[int]  # >= 0, updates after the first record


@dataclass(frozen=True, eq=False)
class Step:
    """One moment of a training run. Means are over pairs, by weight; all logarithms are nats.

    Training itself needs none of its numbers, so they are worked out when the first is asked for.
    """

    index: int  # 0 at the start, then one more per update
    policy: Tensor  # (prompts, responses), log-probabilities
    _surface: "_Loss" = field(repr=False)
    _reading: "Reading" = field(repr=False)

    @property
    def margin(self) -> float:
        """The mean of log-ratio chosen − log-ratio rejected; times β, the reward margin."""
        return self._means.margin

    @property
    def log_ratio_chosen(self) -> float:
        """The mean of log π − log π_ref of the chosen response."""
        return self._means.log_ratio_chosen

    @property
    def log_ratio_rejected(self) -> float:
        """The same of the rejected response."""
        return self._means.log_ratio_rejected

    @property
    def log_prob_chosen(self) -> float:
        """The mean of log π of the chosen response."""
        return self._means.log_prob_chosen

    @property
    def log_prob_rejected(self) -> float:
        """The same of the rejected response."""
        return self._means.log_prob_rejected

    @property
    def kl_to_optimum(self) -> float:
        """The mean over prompts of KL(π*‖π), never below 0."""
        return self._means.kl_to_optimum

    @cached_property
    def loss(self) -> float:
        """The mean DPO loss."""
        (found,) = losses([self])
        return found

    @cached_property
    @torch.inference_mode()
    def _means(self) -> "Means":
        return self._reading.means(self.policy)


def losses(steps: Sequence[Step]) -> list[float]:
    """The losses of moments of one run, worked out together."""
    found: list[float] = steps[0]._surface.values(torch.stack([s.policy for s in steps])).tolist()
    return found


@torch.inference_mode()
def dpo(
    world: World,
    pairs: Pairs,
    *,
    policy: Policy,
    beta: float,  # > 0, in units of reward per nat
    **run: Unpack[Run],
) -> Iterator[Step]:
    """Train a policy on preference pairs with DPO (Rafailov et al. 2023, eq. 7).

    The input is checked at once; the training happens as the records are asked for. The first
    record is the start, one more follows per update.

    Args:
        world: the true reward, the reference, and with them the optimum.
        pairs: the preferences, which may be soft, sampled or deterministic.
        policy: what is trained, for example `Tabular.at_reference(world)`.
        beta: the pull towards the reference.
        **run: `steps`, and `optimizer`: a name, or a function from `engine.optimizers` with
            settings of its own, such as `functools.partial(adam, learning_rate=0.3)`.

    Returns:
        An iterator over `steps` + 1 records. Their tensors are read-only outside of
        `torch.inference_mode`: clone one to change it.

    Raises:
        RangeError: β is not above zero, or `steps` is negative.
        ShapeError: the policy does not belong to this world.
        PairsError: a pair names a prompt or a response that the world does not have.
        EngineError: there is no optimizer of that name.
        DivergenceError: while iterating, when the policy runs away or leaves the finite numbers;
            its `last` is the last good record.
    """
    guards.beta(beta)
    optimize, steps = _plan(beta, **run)
    _check_policy(policy, world)
    won = preferences.wins(pairs, world)
    won /= won.sum()
    loss = _Loss(policy, world.reference, won, beta)
    return _records(optimize(loss.at, policy.start, steps), loss, Reading.of(world, won, beta))


def single_threaded() -> None:
    """Give each training run one thread, for the whole process.

    At these sizes threads cost more than they bring: two were nine times slower than one.
    """
    torch.set_num_threads(1)


@dataclass(frozen=True, eq=False)
class _Loss:
    """The mean DPO loss as a function of a policy's parameters."""

    policy: Policy
    reference: Tensor  # (prompts, responses), log-probabilities
    wins: Tensor  # (prompts, responses, responses), w_ij, sums to 1
    beta: float

    def at(self, parameters: Tensor) -> "_Place":
        wrong = self.shortfall(self.policy.logits(parameters)).sigmoid_()  # σ(−β h_ij)
        pull = self.wins * wrong  # what still draws i up and j down
        # Two sums, not one product: where they balance, their difference is 0 to the last digit.
        slope = (pull.sum(dim=1) - pull.sum(dim=2)).mul_(self.beta)
        return _Place(self, parameters, self.policy.pull_back(slope), wrong)

    def values(self, logits: Tensor) -> Tensor:
        """The mean losses in nats, (...), of tables (..., prompts, responses)."""
        said = logsigmoid(self.shortfall(logits).neg_())
        return -(said.flatten(-3) @ self.wins.flatten())

    def shortfall(self, logits: Tensor) -> Tensor:
        """All −β h_ij; the same for logits and for the log-probabilities they make."""
        count = logits.shape[-1]
        couples = torch.matmul(logits - self.reference, self._sides)
        return couples.view(*logits.shape, count)

    def curvature(self, wrong: Tensor) -> Curvature:
        """The Hessian in the logits, from σ(−β h_ij); note that σ(β h_ij) = σ(−β h_ji)."""
        weight = (wrong * wrong.mT).mul_(self._met)
        return Curvature(weight, weight.sum(dim=2), self._gauge)

    @cached_property
    def _sides(self) -> Tensor:
        """(responses, couples): −β at the first of a couple, β at the second.

        One product with it takes the place of four calls; on small tables calls are the cost.
        """
        one = torch.eye(self.wins.shape[-1], dtype=self.wins.dtype)
        return (one.unsqueeze(1) - one.unsqueeze(2)).mul_(self.beta).flatten(1)

    @cached_property
    def _met(self) -> Tensor:
        """How often two responses met, times β²."""
        return (self.wins + self.wins.mT).mul_(self.beta**2)

    @cached_property
    def _gauge(self) -> Tensor:
        """Projector on the shifts of whole islands of comparisons, lifted a little elsewhere."""
        reachable = preferences.reachable(self._met)
        if bool(reachable.all()):  # the same at every prompt: one serves all
            reachable = reachable[:1]
        island = reachable.double()
        island /= island.sum(dim=2, keepdim=True)
        island.diagonal(dim1=1, dim2=2).add_(_LIFT)
        return island


@dataclass(frozen=True, eq=False)
class _Place:
    """The loss at one choice of parameters."""

    surface: _Loss
    parameters: Tensor
    gradient: Tensor  # shaped as the parameters
    wrong: Tensor  # (prompts, responses, responses), σ(−β h_ij)

    @cached_property
    def loss(self) -> float:
        return self.surface.values(self.surface.policy.logits(self.parameters)).item()

    def newton_direction(self) -> Tensor:
        curvature = self.surface.curvature(self.wrong)
        return self.surface.policy.newton_direction(self.gradient, curvature)


class Means(NamedTuple):
    """What is read off at every step, as in `Step`."""

    margin: float
    log_ratio_chosen: float
    log_ratio_rejected: float
    log_prob_chosen: float
    log_prob_rejected: float
    kl_to_optimum: float


@dataclass(frozen=True, eq=False)
class Reading:
    """What is read off at every step; all of it is linear in log π, so one product gives it."""

    weights: Tensor  # (3, prompts * responses): shares of chosen, of rejected, and π*
    reference: tuple[float, float]  # mean log π_ref of chosen and of rejected
    entropy: float  # mean over prompts of H(π*)

    @classmethod
    def of(cls, world: World, wins: Tensor, beta: float) -> "Reading":
        """Of wins (prompts, responses, responses) that sum to 1, at a price."""
        optimum = closed_form.optimal_policy(world.reward, world.reference, beta=beta)
        weights = torch.stack(
            [wins.sum(dim=2), wins.sum(dim=1), optimum.exp() / world.prompts]
        ).flatten(1)
        chosen, rejected, _ = (weights @ world.reference.flatten()).tolist()
        entropy = -_inner(weights[2], optimum.clamp_min(torch.finfo(optimum.dtype).min))
        return cls(weights, (chosen, rejected), entropy)

    def means(self, policy: Tensor) -> Means:
        """Of log-probabilities (prompts, responses)."""
        return self._means(*(self.weights @ policy.flatten()).tolist())

    def all_means(self, policies: Sequence[Tensor]) -> list[Means]:
        """The same of several moments, by one product."""
        rows = torch.stack(tuple(policies)).flatten(1) @ self.weights.T
        return [self._means(*row) for row in rows.tolist()]

    def _means(self, chosen: float, rejected: float, expected: float) -> Means:
        ratio_chosen, ratio_rejected = chosen - self.reference[0], rejected - self.reference[1]
        return Means(
            margin=ratio_chosen - ratio_rejected,
            log_ratio_chosen=ratio_chosen,
            log_ratio_rejected=ratio_rejected,
            log_prob_chosen=chosen,
            log_prob_rejected=rejected,
            kl_to_optimum=_cut(-expected - self.entropy),
        )


def _cut(value: float) -> float:
    """Cut off what rounding left below zero; NaN stays, for the caller to see."""
    return 0.0 if value < 0 else value


def _inner(left: Tensor, right: Tensor) -> float:
    return float(torch.dot(left.view(-1), right.view(-1)))


@torch.inference_mode()
def _records(places: Iterator[Point], loss: _Loss, reading: Reading) -> Iterator[Step]:
    """Number the places, and stop at the first which is no longer a policy."""
    last: Step | None = None
    for index, place in enumerate(places):
        policy = torch.log_softmax(loss.policy.logits(place.parameters), dim=-1)
        least = loss.beta * policy.min().item()
        if not least > -RUNAWAY_REWARD:  # also if not a number
            raise DivergenceError(_diverged(index, least, last), last=last)
        last = Step(index, policy, loss, reading)
        yield last


def _diverged(index: int, least: float, last: Step | None) -> str:
    good = "No step was good" if last is None else f"Step {last.index} was the last good one"
    return (
        f"Expected β · log π to stay above −{RUNAWAY_REWARD:g} for every response, got {least:g} "
        f"at step {index}. {good}. Take smaller steps, or start closer to the reference."
    )


def _plan(
    beta: float,
    *,
    steps: int,
    optimizer: Literal["newton", "lbfgs", "adam"] | Optimizer = "newton",
) -> tuple[Optimizer, int]:
    """Look up the optimizer; the signature refuses options that do not exist."""
    guards.count("steps", steps, least=0)
    if callable(optimizer):
        return optimizer, steps
    known: dict[str, Optimizer] = {
        "newton": optimizers.newton,
        "lbfgs": optimizers.lbfgs,
        "adam": partial(optimizers.adam, learning_rate=ADAM_REWARD_PER_STEP / beta),
    }
    if optimizer not in known:
        raise EngineError.expected(
            f"an optimizer among {', '.join(known)}",
            got=repr(optimizer),
            advice="Pick one of these, or pass a function from engine.optimizers.",
        )
    return known[optimizer], steps


def _check_policy(policy: Policy, world: World) -> None:
    shape = tuple(policy.logits(policy.start).shape)
    if shape != tuple(world.reward.shape):
        raise ShapeError.expected(
            f"a policy over {world.prompts} prompts and {world.responses} responses",
            got=shape,
            advice="Build the policy from the world it is trained in.",
        )
