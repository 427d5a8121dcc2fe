"""DPO for many β at once: the tabular training of `engine.train` with a leading dimension over β.

At the sizes of a lab a step costs what its calls cost, hardly what they compute, so 64 values of
β together take little longer than one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import NoReturn

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from engine import closed_form, guards, optimizers, preferences
from engine.errors import DivergenceError, EngineError, PairsError
from engine.optimizers import Optimizer, Point
from engine.preferences import Pairs, World
from engine.train import RUNAWAY_REWARD

# One step length for all would tie the runs together; these two search along the whole gradient.
_COUPLED = (optimizers.newton, optimizers.lbfgs)


@dataclass(frozen=True, eq=False)
class SweepStep:
    """One moment of all runs, as `train.Step` has it for one; entry b belongs to the b-th β."""

    index: int  # 0 at the start, then one more per update
    margin: Tensor  # (betas,) mean of log-ratio chosen − log-ratio rejected, nats
    log_ratio_chosen: Tensor  # (betas,) mean of log π − log π_ref of the chosen response
    log_ratio_rejected: Tensor  # (betas,) the same of the rejected response
    log_prob_chosen: Tensor  # (betas,) mean of log π of the chosen response
    log_prob_rejected: Tensor  # (betas,) the same of the rejected response
    kl_to_optimum: Tensor  # (betas,) mean over prompts of KL(π*‖π), each to the π* of its own β
    policy: Tensor  # (betas, prompts, responses), log-probabilities
    _surface: "_Losses" = field(repr=False)

    @cached_property
    def loss(self) -> Tensor:
        """Mean DPO losses (betas,), nats, worked out when first asked for."""
        return self._surface.values(self.policy.permute(2, 1, 0))


@torch.inference_mode()
def dpo(
    world: World,
    pairs: Pairs,
    *,
    betas: Sequence[float],  # > 0 each, in units of reward per nat
    steps: int,  # >= 0, updates after the first record
    optimizer: Optimizer = optimizers.gradient_descent,
) -> Iterator[SweepStep]:
    """Train a table from the reference by DPO, once for each β, all at the same time.

    Each run is the one that `train.dpo` makes alone. The input is checked at once; the training
    happens as the records are asked for.

    Args:
        world: the true reward, the reference, and with them the optimum for each β.
        pairs: the preferences, the same for every β.
        betas: the pulls towards the reference.
        steps: how many updates.
        optimizer: one that moves every parameter by itself, such as
            `functools.partial(adam, learning_rate=0.3)`.

    Raises:
        RangeError: a β is not above zero, or `steps` is negative.
        PairsError: there is no β, or a pair names what the world does not have.
        EngineError: the optimizer looks for one step length for all parameters.
        DivergenceError: while iterating, when a policy runs away.
    """
    _check(betas, steps, optimizer)
    won = preferences.wins(pairs, world)
    won /= won.sum()
    reference = world.reference.T.unsqueeze(2)
    surface = _Losses(reference, won, torch.tensor(betas, dtype=torch.float64))
    start = reference.expand(-1, -1, len(betas)).clone()
    return _records(optimizer(surface.at, start, steps), _Reading.of(world, surface))


@dataclass(frozen=True, eq=False)
class _Losses:
    """The mean DPO losses, one for each β, as a function of as many tables of logits.

    Tables are kept as (responses, prompts, betas): what is summed comes first and what is longest
    last, which is how loops over memory are quick.
    """

    reference: Tensor  # (responses, prompts, 1), log-probabilities
    wins: Tensor  # (prompts, responses, responses), sums to 1
    betas: Tensor  # (betas,)

    def at(self, logits: Tensor) -> "_Place":
        """The gradient β Σ (w_ji σ(β h_ij) − w_ij σ(−β h_ij)) (∂s_i − ∂s_j) over edges i < j.

        With 1 − σ in place of the second one, far margins would lose the digits that Adam scales.
        """
        reward = self._rewards(logits)
        pull = reward.neg().sigmoid_().mul_(self._won)
        left = reward.sigmoid_().mul_(self._lost).sub_(pull).flatten(1)
        slope = torch.mm(self._ends, left).view_as(logits)
        return _Place(logits, slope.mul_(self.betas))

    def values(self, logits: Tensor) -> Tensor:
        """The mean losses in nats, (betas,)."""
        reward = self._rewards(logits)
        said, unsaid = logsigmoid(reward), logsigmoid(-reward)
        return -(self._won * said + self._lost * unsaid).sum(dim=(0, 1))

    def _rewards(self, logits: Tensor) -> Tensor:
        """The reward margins β h_ij, (edges, prompts, betas)."""
        scores = (logits - self.reference).mul_(self.betas).flatten(1)
        return torch.mm(self._ends.T, scores).view(-1, *logits.shape[1:])

    @cached_property
    def _edges(self) -> Tensor:
        """The couples i < j that met at some prompt, (2, edges): fewer than half of all i, j."""
        return torch.triu((self.wins + self.wins.mT).sum(dim=0)).nonzero().T

    @cached_property
    def _ends(self) -> Tensor:
        """The incidence matrix (responses, edges): 1 where an edge begins, −1 where it ends."""
        first, second = self._edges
        along = torch.arange(len(first))
        ends = self.wins.new_zeros(self.wins.shape[1], len(first))
        ends[first, along], ends[second, along] = 1.0, -1.0
        return ends

    @cached_property
    def _lost(self) -> Tensor:
        """How often an edge's second end won, w_ji, (edges, prompts, 1)."""
        first, second = self._edges
        return self.wins[:, second, first].T.unsqueeze(2)

    @cached_property
    def _won(self) -> Tensor:
        """How often its first end won, w_ij, (edges, prompts, 1)."""
        first, second = self._edges
        return self.wins[:, first, second].T.unsqueeze(2)


@dataclass(frozen=True, eq=False)
class _Place:
    """All runs at one choice of parameters; the sum of their losses is never asked for."""

    parameters: Tensor  # (responses, prompts, betas), logits
    gradient: Tensor  # the same shape; each table's own

    @property
    def loss(self) -> float:
        _refuse()

    def newton_direction(self) -> Tensor:
        _refuse()


@dataclass(frozen=True, eq=False)
class _Reading:
    """What is read off at every step; all of it is linear in log π."""

    surface: _Losses
    sides: Tensor  # (2, responses * prompts): shares of chosen and of rejected
    reference: Tensor  # (2, 1) mean log π_ref of chosen and of rejected
    share: Tensor  # (responses, prompts, betas): π* over the number of prompts
    entropy: Tensor  # (betas,) mean over prompts of H(π*)

    @classmethod
    def of(cls, world: World, surface: _Losses) -> "_Reading":
        optima = [
            closed_form.optimal_policy(world.reward, world.reference, beta=beta).T
            for beta in surface.betas.tolist()
        ]
        optimum = torch.stack(optima, dim=2)
        share = optimum.exp() / world.prompts
        sides = torch.stack([surface.wins.sum(dim=2).T, surface.wins.sum(dim=1).T]).flatten(1)
        finite = optimum.clamp_min(torch.finfo(optimum.dtype).min)
        entropy = -(share * finite).sum(dim=(0, 1))
        return cls(surface, sides, sides @ surface.reference.flatten(0, 1), share, entropy)

    def step(self, index: int, place: Point) -> SweepStep:
        policy = torch.log_softmax(place.parameters, dim=0)
        prob = torch.mm(self.sides, policy.flatten(0, 1))
        ratio = prob - self.reference
        expected = (self.share * policy).sum(dim=(0, 1))
        return SweepStep(
            index=index,
            margin=ratio[0] - ratio[1],
            log_ratio_chosen=ratio[0],
            log_ratio_rejected=ratio[1],
            log_prob_chosen=prob[0],
            log_prob_rejected=prob[1],
            kl_to_optimum=expected.add_(self.entropy).neg_().clamp_min_(0.0),
            policy=policy.permute(2, 1, 0),
            _surface=self.surface,
        )


@torch.inference_mode()
def _records(places: Iterator[Point], reading: _Reading) -> Iterator[SweepStep]:
    """Number the places, and stop at the first where some policy is lost."""
    betas = reading.surface.betas
    for index, place in enumerate(places):
        step = reading.step(index, place)
        lost = ~(betas * step.kl_to_optimum < RUNAWAY_REWARD)  # also if not a number
        if bool(lost.any()):
            raise DivergenceError(
                f"Expected β · KL(π*‖π) to stay below {RUNAWAY_REWARD:g}, got more at step {index} "
                f"for β = {betas[lost][0].item():g}. Take smaller steps."
            )
        yield step


def _check(betas: Sequence[float], steps: int, optimizer: Optimizer) -> None:
    if not betas:
        raise PairsError.expected("at least one β", got="none", advice="Name the β to train with.")
    for beta in betas:
        guards.beta(beta)
    guards.count("steps", steps, least=0)
    plain = optimizer.func if isinstance(optimizer, partial) else optimizer
    if plain in _COUPLED:
        _refuse()


def _refuse() -> NoReturn:
    raise EngineError.expected(
        "an optimizer that moves every parameter by itself",
        got="one that looks for a step length for all of them",
        advice="Use gradient_descent or adam, or train one β at a time with train.dpo.",
    )
