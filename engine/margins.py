"""All preference losses side by side: as curves over the margin, and as training on the same data.

A curve moves both log-ratios apart from the reference, +h/2 for chosen and −h/2 for rejected, as
losses that judge each response by itself need to know both. Without a reference, the curve takes
log-probabilities that start at `Setting.log_reference`.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NoReturn

import torch
from torch import Tensor

from engine import guards, losses, on_policy, optimizers, pair_training, preferences
from engine.distributions import kl
from engine.errors import EngineError, PairsError
from engine.optimizers import Optimizer, Surface
from engine.pair_training import MarginLoss, Objective, T
from engine.policies import Tabular
from engine.preferences import Pairs, World
from engine.train import Reading


@dataclass(frozen=True)
class Setting:
    """What the losses are configured by; each loss looks at what it knows."""

    beta: float = 0.5  # > 0, in units of reward per nat; IPO's τ, in preference per nat
    flip: float = 0.1  # in (0, 1/2), the rate of flipped labels: cdpo, robust, exo
    gamma: float = 0.5  # >= 0, in units of reward, the lead asked for: simpo
    alpha: float = 0.05  # >= 0, in units of reward per token: r_dpo
    weight: float = 0.5  # >= 0, of the odds ratio: orpo
    length: int = 4  # >= 1, tokens of every response
    log_reference: float = -8.0  # <= 0, nats, log π_ref of both responses, for curves


@dataclass(frozen=True, eq=False)
class Scores:
    """What a loss may look at, one entry per pair."""

    log_ratio_chosen: Tensor  # (pairs,) log π − log π_ref, nats
    log_ratio_rejected: Tensor  # (pairs,) the same of the rejected response
    reference_chosen: Tensor  # (pairs,) log π_ref of the chosen response, nats
    reference_rejected: Tensor  # (pairs,) the same of the rejected response
    lengths: tuple[Tensor, Tensor]  # (pairs,) each, tokens
    baseline: Callable[[], float] = lambda: 0.0  # nats, KL(π‖π_ref) where it is known: kto

    @property
    def ratios(self) -> tuple[Tensor, Tensor]:
        """Both log-ratios."""
        return self.log_ratio_chosen, self.log_ratio_rejected

    @cached_property
    def log_probs(self) -> tuple[Tensor, Tensor]:
        """Both log-probabilities, log-ratio + log π_ref; rounding above 0 is cut off."""
        chosen = self.log_ratio_chosen + self.reference_chosen
        rejected = self.log_ratio_rejected + self.reference_rejected
        return chosen.clamp_max(0.0), rejected.clamp_max(0.0)

    @property
    def mean_log_ratio(self) -> float:
        """The mean over both sides, without a gradient: what BCO shifts by, over β."""
        return sum(side.detach().mean().item() for side in self.ratios) / 2


Loss = Callable[[Scores, Setting], Tensor]  # (pairs,)

LOSSES: dict[str, Loss] = {
    "dpo": lambda s, at: losses.dpo(*s.ratios, beta=at.beta),
    "cdpo": lambda s, at: losses.cdpo(*s.ratios, beta=at.beta, flip=at.flip),
    "robust": lambda s, at: losses.robust(*s.ratios, beta=at.beta, flip=at.flip),
    "exo": lambda s, at: losses.exo(*s.ratios, beta=at.beta, flip=at.flip),
    "ipo": lambda s, at: losses.ipo(*s.ratios, tau=at.beta),
    "hinge": lambda s, at: losses.hinge(*s.ratios, beta=at.beta),
    "discopop": lambda s, at: losses.discopop(*s.ratios, beta=at.beta),
    "r_dpo": lambda s, at: losses.r_dpo(*s.ratios, beta=at.beta, alpha=at.alpha, lengths=s.lengths),
    "kto": lambda s, at: losses.kto(*s.ratios, beta=at.beta, baseline=s.baseline()),
    "bco": lambda s, at: losses.bco(*s.ratios, beta=at.beta, shift=at.beta * s.mean_log_ratio),
    "nca": lambda s, at: losses.nca(*s.ratios, beta=at.beta),
    "sppo": lambda s, at: losses.sppo(*s.ratios, beta=at.beta),
    "apo_zero": lambda s, at: losses.apo_zero(*s.ratios, beta=at.beta),
    "apo_down": lambda s, at: losses.apo_down(*s.ratios, beta=at.beta),
    "sft": lambda s, at: losses.sft(s.log_probs[0], lengths=s.lengths[0]),
    "slic": lambda s, at: losses.slic(*s.log_probs, delta=1 / at.beta),
    "simpo": lambda s, at: losses.simpo(
        *s.log_probs, beta=at.beta, gamma=at.gamma, lengths=s.lengths
    ),
    "orpo": lambda s, at: losses.orpo(*s.log_probs, weight=at.weight, lengths=s.lengths),
    "aot": lambda s, at: losses.aot(*s.ratios, beta=at.beta),
}


# The derivatives by the margin of those that are trained most often; the others are traced.
_SLOPES: dict[str, Callable[[Setting], MarginLoss]] = {
    "dpo": lambda at: MarginLoss.dpo(beta=at.beta),
    "ipo": lambda at: MarginLoss.ipo(tau=at.beta),
}


@dataclass(frozen=True)
class Curve:
    """A loss and its slope over the margin."""

    name: str
    value: tuple[float, ...]  # one for each margin
    slope: tuple[float, ...]  # its derivative by the margin, per nat


@dataclass(frozen=True, eq=False)
class Step:
    """One moment of training under one loss. Means are over pairs, by weight."""

    index: int  # 0 at the start, then one more per update
    loss: float  # the mean loss, in its own unit
    margin: float  # mean of log-ratio chosen − log-ratio rejected, nats
    log_ratio_chosen: float  # mean of log π − log π_ref of the chosen response
    log_ratio_rejected: float  # the same of the rejected response
    log_prob_chosen: float  # mean of log π of the chosen response, nats
    log_prob_rejected: float  # the same of the rejected response
    kl_to_optimum: float  # mean over prompts of KL(π*‖π), π* of the true reward at β
    policy: Tensor = field(repr=False)  # (prompts, responses), log-probabilities


def curves(
    names: Sequence[str],
    margins: Sequence[float],  # nats
    setting: Setting | None = None,
) -> list[Curve]:
    """Each loss and its slope at every margin, by automatic differentiation.

    Raises:
        EngineError: there is no loss of that name, or it has no curve: aot compares
            distributions, and of a single pair it is dpo.
        RangeError: a setting is out of its range, or a margin is not finite.
        PairsError: there is no margin.
    """
    at = setting or Setting()
    guards.pairs_exist(len(margins))
    grid = torch.tensor(margins, dtype=torch.float64)
    guards.finite("the margins", grid)
    return [_curve(name, grid, at) for name in names]


def train(
    name: str,
    world: World,
    pairs: Pairs,
    *,
    steps: int,  # >= 0, updates after the first record
    setting: tuple[Setting, Optimizer] = (Setting(), optimizers.gradient_descent),
) -> Iterator[Step]:
    """Train a table from the reference under the loss of that name.

    The gradient is that of `engine.losses` in the log-ratios, by automatic differentiation, taken
    back through the softmax. The input is checked at once; training happens as records are asked
    for. KTO's baseline is the exact KL(π‖π_ref), BCO's shift the mean reward, both held fixed.

    Args:
        name: one of `LOSSES`.
        world: the true reward, the reference, and with them the optimum.
        pairs: the preferences; for aot all of one weight, since it takes pairs apart.
        steps: how many updates.
        setting: of the losses, and an optimizer such as `functools.partial(adam, ...)` that
            needs no curvature.

    Raises:
        EngineError: there is no loss of that name, or the optimizer is Newton's.
        RangeError: a setting or `steps` is out of its range.
        PairsError: a pair names what the world does not have, or aot's pairs differ in weight.
        DivergenceError: while iterating, when the policy runs away.
    """
    at, optimizer = setting
    guards.beta(at.beta)
    guards.count("steps", steps, least=0)
    if optimizer is optimizers.newton:
        _refuse_newton()
    if name == "aot" and bool((pairs.weight != pairs.weight[0]).any()):
        raise PairsError.expected(
            "pairs of one weight for aot",
            got="several weights",
            advice="Draw sampled pairs, or take another loss.",
        )
    wins = preferences.wins(pairs, world)
    reading = Reading.of(world, wins / wins.sum(), at.beta)
    plan = _Plan(world.reference.clone(), steps, optimizer, reading)
    if name in _SLOPES:
        known = Objective(Tabular.at_reference(world), world.reference, pairs, _SLOPES[name](at))
        return _records(known.at, known.values, plan)
    traced = _Surface(_named(name), world, pairs, at)
    traced.at(world.reference)  # refuses a bad setting before the first record
    return _records(traced.at, traced.values, plan)


@dataclass(frozen=True, eq=False)
class _Plan:
    """How to go down, and what to read on the way."""

    start: Tensor  # (prompts, responses), logits
    steps: int
    optimizer: Optimizer
    reading: Reading


@dataclass(frozen=True, eq=False)
class _Surface:
    """The mean loss as a function of a table of logits."""

    compute: Loss
    world: World
    pairs: Pairs
    setting: Setting

    def at(self, logits: Tensor) -> "_Place":
        policy = logits.log_softmax(dim=1)
        # Also where a run is read without gradients.
        with torch.inference_mode(mode=False), torch.enable_grad():
            leaf = (policy - self.world.reference).take(self._places).requires_grad_()
            loss = torch.dot(self._share, self.compute(self._scores(leaf, policy), self.setting))
            (pull,) = torch.autograd.grad(loss, leaf)  # of a scalar: others import a compiler
        slope = torch.zeros_like(policy).put_(self._places, pull, accumulate=True)
        return _Place(logits, on_policy.in_logits(policy, slope), loss.item(), policy)

    def values(self, places: Sequence["_Place"]) -> list[float]:
        """The mean losses at places of this surface."""
        return [place.loss for place in places]

    def _scores(self, log_ratios: Tensor, policy: Tensor) -> Scores:
        """What the loss sees of log-ratios (2, pairs) and the policy (prompts, responses)."""

        def drift() -> float:
            return kl(policy, self.world.reference).mean().item()

        (won, lost), (reference_won, reference_lost) = log_ratios.unbind(), self._references
        lengths = (self._lengths, self._lengths)
        return Scores(won, lost, reference_won, reference_lost, lengths, drift)

    @cached_property
    def _share(self) -> Tensor:
        return self.pairs.share.clone()  # that of the pairs may be one that cannot be traced

    @cached_property
    def _places(self) -> Tensor:
        return self.pairs.places(self.world.responses)

    @cached_property
    def _references(self) -> tuple[Tensor, ...]:
        """The reference's log-probabilities of both responses of each pair, (pairs,) each."""
        return self.world.reference.take(self._places).unbind()

    @cached_property
    def _lengths(self) -> Tensor:
        return torch.full((len(self.pairs),), self.setting.length)


@dataclass(frozen=True, eq=False)
class _Place:
    """The loss at one choice of parameters."""

    parameters: Tensor  # (prompts, responses), logits
    gradient: Tensor  # the same shape
    loss: float
    table: Tensor  # (prompts, responses), log-probabilities

    def newton_direction(self) -> Tensor:
        """Never asked for: Newton's method is refused at the door."""
        _refuse_newton()


def _curve(name: str, grid: Tensor, at: Setting) -> Curve:
    if name == "aot":
        raise EngineError.expected(
            "a loss of single pairs", got="aot", advice="Draw dpo: of one pair, aot is the same."
        )
    margin = grid.clone().requires_grad_()
    reference = torch.full_like(grid, at.log_reference)
    lengths = torch.full(grid.shape, at.length)
    scores = Scores(margin / 2, -margin / 2, reference, reference, (lengths, lengths))
    value = _named(name)(scores, at)
    (slope,) = torch.autograd.grad(value.sum(), margin)
    return Curve(name, tuple(value.tolist()), tuple(slope.tolist()))


def _records(
    surface: Surface[T], values: Callable[[Sequence[T]], list[float]], plan: _Plan
) -> Iterator[Step]:
    places = pair_training.descend(surface, plan.start, plan.steps, optimizer=plan.optimizer)
    count = itertools.count()
    for taken in on_policy.blocks(places):
        policies = [place.table for place in taken]
        read = zip(policies, values(taken), plan.reading.all_means(policies), count, strict=False)
        for policy, loss, means, index in read:
            yield Step(index, loss, *means, policy)


def _named(name: str) -> Loss:
    if name not in LOSSES:
        raise EngineError.expected(
            f"a loss among {', '.join(LOSSES)}", got=repr(name), advice="Pick one of these."
        )
    return LOSSES[name]


def _refuse_newton() -> NoReturn:
    raise EngineError.expected(
        "an optimizer that needs no curvature",
        got="Newton's method",
        advice="Use gradient_descent or adam: some of these losses have corners.",
    )
