"""Eight ways in which alignment goes wrong, each as a run that begins broken and can be mended.

`preset(case)` has the settings of a broken run. Whether a run is mended is judged by mathematics
from its records, so any remedy that works counts, and one that only looks like one does not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count, islice
from typing import ClassVar, Literal, Protocol

import torch
from torch import Tensor

from engine import (
    exact_ascent,
    guards,
    lengths,
    on_policy,
    overoptimization,
    pair_training,
    policies,
    preferences,
)
from engine.experiments import leash
from engine.experiments import settings as common
from engine.lengths import Teacher
from engine.on_policy import Plan
from engine.pair_training import MarginLoss, Objective
from engine.policies import Policy, SharedFeatures, Tabular
from engine.preferences import Pairs, World

Case = Literal[
    "small-beta",
    "large-beta",
    "deterministic",
    "displacement",
    "length",
    "islands",
    "overoptimization",
    "entropy-collapse",
]

# Five candidates per case; the first is what is wrong.
CAUSES: Mapping[str, tuple[str, str, str, str, str]] = {
    "small-beta": (
        *("leash-too-loose", "leash-too-tight", "too-few-steps"),
        *("entropy-lost", "labels-never-err"),
    ),
    "large-beta": (
        *("leash-too-tight", "leash-too-loose", "too-few-steps"),
        *("rare-hardly-moves", "proxy-followed-too-far"),
    ),
    "deterministic": (
        *("labels-never-err", "leash-too-loose", "comparisons-unconnected"),
        *("responses-share-features", "too-few-steps"),
    ),
    "displacement": (
        *("responses-share-features", "labels-never-err", "leash-too-loose"),
        *("length-preferred", "proxy-followed-too-far"),
    ),
    "length": (
        *("length-preferred", "responses-share-features", "labels-never-err"),
        *("comparisons-unconnected", "too-few-steps"),
    ),
    "islands": (
        *("comparisons-unconnected", "too-few-steps", "labels-never-err"),
        *("responses-share-features", "leash-too-tight"),
    ),
    "overoptimization": (
        *("proxy-followed-too-far", "leash-too-tight", "entropy-lost"),
        *("rare-hardly-moves", "too-few-steps"),
    ),
    "entropy-collapse": (
        *("rare-hardly-moves", "leash-too-tight", "proxy-followed-too-far"),
        *("labels-never-err", "length-preferred"),
    ),
}

_REWARDED = ("beta", "scale", "bonus", "ascent", "steps", "stop")
_PREFERRED = ("beta", "loss", "anchor", "optimizer", "steps", "stop")
# The settings that change a case's run.
CONTROLS: Mapping[str, tuple[str, ...]] = {
    "small-beta": _REWARDED,
    "large-beta": _REWARDED,
    "deterministic": (*_PREFERRED, "labels", "graph", "seed"),
    "displacement": (*_PREFERRED, "features", "graph"),
    "length": (*_PREFERRED, "longer", "length_penalty"),
    "islands": (*_PREFERRED, "labels", "graph", "seed"),
    "overoptimization": ("beta", "scale", "ascent", "steps", "stop"),  # its entropy is fixed
    "entropy-collapse": _REWARDED,
}

NATURAL_SHARE = 0.02  # of the way to the best logits that each natural step goes
GRADIENT_RATE = 1.0
CURVATURE = 0.25  # of the Gaussian world's gold reward
SANE_BETA = 0.64  # at which the three replies' optimum earns the most gold
ISLAND_SHIFT = 2.0  # nats that the second start moves from one island to the other
# What the judges hold a run against.
LEAST_GAIN = 0.05  # of gold over the reference's, units of reward
STUCK_NATS = 0.01  # a policy that is no farther from the reference has not moved
LEAST_MARGIN = 0.1  # nats
SETTLED = 0.01  # share of the margin that may come in the second half of a run
LENGTH_TOLERANCE = 0.1  # share of the reference's mean length
SAME_POLICY = 0.01  # total variation between the ends of two starts
PEAK_SHARE = 0.1  # of the peak's gain that may be missing
NOTICEABLE, OPTIMAL = 0.1, 0.95  # shares of all the reward there is to gain
WORLD_SIZE = (4, 4)  # prompts, responses of the random worlds


@dataclass(frozen=True)
class Settings(common.Settings):
    """What a learner can set. Not every setting matters to every case; that is part of it."""

    case: Case = "small-beta"
    beta: float = 0.05
    scale: float = 1.0
    bonus: float = 0.0
    ascent: Literal["natural", "gradient"] = "natural"
    loss: Literal["dpo", "ipo"] = "dpo"
    labels: Literal["deterministic", "soft"] = "soft"
    graph: Literal["given", "chain", "complete"] = "given"
    features: Literal["shared", "table"] = "shared"
    longer: float = 0.6
    length_penalty: float = 0.0
    anchor: float = 0.0
    optimizer: Literal["lbfgs", "adam", "gradient"] = "lbfgs"
    steps: int = 200
    stop: int = 500
    seed: int = 0

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "beta": (0.02, 10.0),
        "scale": (0.05, 20.0),
        "bonus": (0.0, 2.0),
        "longer": (0.4, 0.8),
        "length_penalty": (0.0, 0.2),
        "anchor": (0.0, 2.0),
        "steps": (10, 500),
        "stop": (1, 500),
        "seed": common.SEED,
    }


@dataclass(frozen=True, eq=False)
class Step:
    """A moment of the run. Means are over prompts or pairs."""

    index: int
    readings: Mapping[str, float]  # by name; the telling ones are in `Experiment.shown`
    policies: tuple[Tensor, ...]  # one per start, (prompts, responses), log-probabilities


@dataclass(frozen=True)
class Judgment:
    """Whether a run is mended, and by what."""

    mended: bool
    reason: str  # a short name, for words to be found elsewhere
    measure: float  # what decided
    threshold: float  # what it was held against


Tables = tuple[Tensor, ...]  # one policy per start, (prompts, responses), log-probabilities


class Scene(Protocol):
    """What a case is trained on."""

    @property
    def reference(self) -> Tensor:
        """What the policy is compared with, (prompts, responses), log-probabilities."""
        ...

    def tables(self, settings: Settings) -> Iterator[Tables]:
        """The policies of each step, the starts first."""
        ...

    def read(self, moments: Sequence[Tables]) -> list[dict[str, float]]:
        """What each step says about its policies."""
        ...

    def ends(self, settings: Settings) -> dict[str, float]:
        """Where readings would come to rest if training never ended, in closed form."""
        ...


@dataclass(frozen=True, eq=False)
class Rewarded:
    """A policy that climbs rewards, exactly; gold is what the rewards are meant to be."""

    world: World
    proxy: Tensor  # (prompts, responses), the world's reward before it was scaled
    gold: Tensor  # (prompts, responses)
    policy: Policy

    @property
    def reference(self) -> Tensor:
        """The world's."""
        return self.world.reference

    def tables(self, settings: Settings) -> Iterator[Tables]:
        """Climb Σ π r − β KL(π‖π_ref) + τ H(π)."""
        world, beta = _with_bonus(self.world, settings.beta, settings.bonus)
        fixed_spread = isinstance(self.policy, SharedFeatures)
        pulled = settings.beta if fixed_spread else beta  # what the best logits depend on
        rate = {"natural": NATURAL_SHARE / pulled, "gradient": GRADIENT_RATE / max(beta, 1.0)}
        plan = Plan(beta, rate[settings.ascent], settings.steps, 1, torch.Generator())
        direction = _DIRECTIONS[settings.ascent]
        for step in exact_ascent.ascend(world, self.policy, plan, direction=direction):
            if fixed_spread:
                leash.check_mean(step.reward / settings.scale, step.index)
            yield (step.policy,)

    def read(self, moments: Sequence[Tables]) -> list[dict[str, float]]:
        """Rewards without their scale, divergence and entropy."""
        policy = torch.stack([table for (table,) in moments]).flatten(1)
        share = policy.exp()
        negative = torch.linalg.vecdot(share, policy) / self.world.prompts
        proxy, gold, reference = (share @ self._means).T
        kl_nats = (negative - reference).clamp_min(0.0)
        return _named(proxy=proxy, gold=gold, kl_nats=kl_nats, entropy_nats=-negative)

    @cached_property
    def _means(self) -> Tensor:
        """What turns probabilities into means of proxy, gold and log π_ref, by one product."""
        tables = torch.stack([self.proxy, self.gold, self.world.reference], dim=-1)
        return tables.flatten(0, 1) / self.world.prompts

    def ends(self, settings: Settings) -> dict[str, float]:
        """All readings at the optimum; none if it lies beyond the numbers on offer."""
        world, beta = _with_bonus(self.world, settings.beta, settings.bonus)
        if isinstance(self.policy, SharedFeatures):
            # Its spread is fixed, and its entropy with it: the bonus changes nothing.
            mean = settings.scale / settings.beta
            if mean > leash.FARTHEST_MEAN:
                return {}
            parameters = torch.tensor([mean], dtype=torch.float64)
            return self.read([(on_policy.log_policy(self.policy, parameters),)])[0]
        return self.read([(on_policy.best(world, beta),)])[0]


@dataclass(frozen=True, eq=False)
class Preferred:
    """A policy that learns from pairs, from one start or more."""

    objective: Objective
    starts: tuple[Tensor, ...]  # parameters
    watched: Pairs  # whose chosen responses are followed

    @property
    def reference(self) -> Tensor:
        """The one that log-ratios are taken against."""
        return self.objective.reference

    def tables(self, settings: Settings) -> Iterator[Tables]:
        """Descend the loss from every start."""
        optimizer = pair_training.OPTIMIZERS[settings.optimizer]
        ways = [
            pair_training.descend(self.objective.at, start, settings.steps, optimizer=optimizer)
            for start in self.starts
        ]
        for places in zip(*ways, strict=True):
            yield tuple(place.table for place in places)

    def read(self, moments: Sequence[Tables]) -> list[dict[str, float]]:
        """Loss and margin, the chosen responses' probability, and how far two starts ended apart.

        The mean length means something where responses are lengths.
        """
        tables = torch.stack([torch.stack(of_start) for of_start in zip(*moments, strict=True)])
        log_ratios, share = self.objective.log_ratios(tables), tables.exp()
        loss, margin = self.objective.value(log_ratios), self.objective.margin(log_ratios)
        apart = (share[0] - share[-1]).abs().sum(dim=-1) / 2
        positions = torch.arange(1, share.shape[-1] + 1, dtype=torch.float64)
        return _named(
            loss=loss[0],
            other_loss=loss[-1],
            margin=margin[0],
            chosen=share[0].flatten(1)[:, self._watched] @ self.watched.share,
            apart=apart.amax(dim=-1),
            mean_length=(share[0] @ positions).mean(dim=-1),
        )

    @cached_property
    def _watched(self) -> Tensor:
        """Where the chosen responses stand in a flattened table, (pairs,)."""
        return self.watched.places(self.reference.shape[1])[0]

    def ends(self, settings: Settings) -> dict[str, float]:
        """The mean length after DPO; other losses and cases have no formula here."""
        if settings.case != "length" or settings.loss != "dpo" or settings.anchor:
            return {}
        teacher, penalty = Teacher(longer=settings.longer), settings.length_penalty
        tilt = lengths.tilt_after_dpo(teacher, beta=settings.beta, penalty=penalty)
        return {"mean_length": lengths.mean_length(teacher, tilt)}


@dataclass(frozen=True, eq=False)
class Experiment:
    """A case with its settings and what it is trained on."""

    settings: Settings
    scene: Scene

    @property
    def length(self) -> int:
        """The records of a whole run: the start and one per step."""
        return self.settings.steps + 1

    @property
    def ends(self) -> dict[str, float]:
        """Closed forms to draw beside the run: where readings rest if training never ends."""
        return self.scene.ends(self.settings)

    @property
    def reference(self) -> Tensor:
        """What the policy is compared with, (prompts, responses), log-probabilities."""
        return self.scene.reference

    @property
    def shown(self) -> tuple[str, ...]:
        """The readings that matter to this case, the most telling first."""
        return _SHOWN[self.settings.case]

    def run(self) -> Iterator[Step]:
        """Train until the step at which to stop; the records after it repeat what was reached.

        Raises:
            DivergenceError: on the way, if steps overshoot further and further.
        """
        trained = islice(self.scene.tables(self.settings), self.settings.stop + 1)
        for last in _steps(self.scene, trained):
            yield last
        for index in range(last.index + 1, self.length):
            yield replace(last, index=index)


def _steps(scene: Scene, trained: Iterator[Tables]) -> Iterator[Step]:
    """The records of all policies on the way.

    Raises:
        DivergenceError: after the last good record.
    """
    index = count()
    for moments in on_policy.blocks(trained):
        for readings, tables in zip(_read(scene, moments), moments, strict=True):
            yield Step(next(index), readings, tables)


@torch.inference_mode()
def _read(scene: Scene, moments: list[Tables]) -> list[dict[str, float]]:
    return scene.read(moments)


def preset(case: str) -> Settings:
    """The settings of a broken run.

    Raises:
        RangeError: there is no such case.
    """
    return Settings.read({"case": case, **_PRESETS.get(case, {})})


def build(settings: Settings) -> Experiment:
    """Build what the settings describe."""
    return Experiment(settings, _SCENES[settings.case](settings))


def judge(experiment: Experiment, steps: Sequence[Step]) -> Judgment:
    """Whether a run, as far as it came, is mended.

    Raises:
        RangeError: there is no record to judge.
    """
    guards.count("records", len(steps), least=1)
    return _JUDGES[experiment.settings.case](experiment, steps)


def _named(**readings: Tensor) -> list[dict[str, float]]:
    """One dictionary of readings for each moment; each reading is (moments,)."""
    rows = torch.stack(list(readings.values()), dim=-1).tolist()
    return [dict(zip(readings, row, strict=True)) for row in rows]


def _with_bonus(world: World, beta: float, bonus: float) -> tuple[World, float]:
    """The world in which β + τ and no bonus ask for the same: its reference is flattened."""
    reference = torch.log_softmax(world.reference * beta / (beta + bonus), dim=-1)
    return World(world.reward, reference), beta + bonus


def _replies(settings: Settings) -> Scene:
    return _scaled(leash.build(leash.Settings(world="replies")), settings)


def _gaussian(settings: Settings) -> Scene:
    return _scaled(leash.build(leash.Settings(world="gaussian", curvature=CURVATURE)), settings)


def _rare(settings: Settings) -> Scene:
    """The best of three replies is hardly ever written; here the score is what is meant."""
    reference = torch.tensor([[0.6, 0.399, 0.001]], dtype=torch.float64).log()
    reward = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64)
    scaled = World(settings.scale * reward, reference)
    return Rewarded(scaled, reward, reward, Tabular.at_reference(scaled))


def _scaled(made: leash.Experiment, settings: Settings) -> Scene:
    world = replace(made.world, reward=settings.scale * made.world.reward)
    return Rewarded(world, made.world.reward, made.gold, made.policy)


def _one_pair(settings: Settings) -> Scene:
    world, pair = preferences.displacement()
    pairs = pair if settings.graph == "given" else _compared(settings, world)
    shared = settings.features == "shared"
    policy: Policy = policies.displacement() if shared else Tabular.at_reference(world)
    return Preferred(_objective(settings, world.reference, pairs, policy), (policy.start,), pair)


def _whole_world(settings: Settings) -> Scene:
    world = _random_world(settings)
    policy = Tabular.at_reference(world)
    pairs = _compared(settings, world)
    return Preferred(_objective(settings, world.reference, pairs, policy), (policy.start,), pairs)


def _two_islands(settings: Settings) -> Scene:
    world = _random_world(settings)
    policy, graph = Tabular.at_reference(world), None
    if settings.graph == "given":
        graph = preferences.islands(world.responses)
    pairs = _compared(settings, world, graph)
    shift = torch.zeros_like(policy.start)
    shift[:, : world.responses // 2] = ISLAND_SHIFT
    starts = (policy.start, policy.start + shift)
    return Preferred(_objective(settings, world.reference, pairs, policy), starts, pairs)


def _lengths(settings: Settings) -> Scene:
    teacher = Teacher(longer=settings.longer)
    policy, pairs = lengths.policy(teacher), lengths.pairs(teacher)
    objective = _objective(settings, lengths.reference(teacher), pairs, policy)
    return Preferred(objective, (policy.start,), pairs)


def _random_world(settings: Settings) -> World:
    generator = torch.Generator().manual_seed(settings.seed)
    return preferences.world(*WORLD_SIZE, generator=generator)


def _compared(settings: Settings, world: World, graph: Tensor | None = None) -> Pairs:
    if graph is None and settings.graph == "chain":
        graph = preferences.chain(world.responses)
    if settings.labels == "soft":
        return preferences.soft_pairs(world, graph)
    return preferences.deterministic_pairs(world, graph)


def _objective(settings: Settings, reference: Tensor, pairs: Pairs, policy: Policy) -> Objective:
    return Objective(
        policy, reference, pairs, _LOSSES[settings.loss](settings, pairs), settings.anchor
    )


def _dpo(settings: Settings, pairs: Pairs) -> MarginLoss:
    """DPO; where responses are lengths, R-DPO: a longer answer's lead is partly explained."""
    if settings.case != "length":
        return MarginLoss.dpo(beta=settings.beta)
    longer = (pairs.chosen - pairs.rejected).double()
    lead = settings.length_penalty * longer / settings.beta
    return MarginLoss.dpo(beta=settings.beta, lead=lead)


def _ipo(settings: Settings, pairs: Pairs) -> MarginLoss:
    """IPO knows no length penalty; its τ is β."""
    return MarginLoss.ipo(tau=settings.beta)


def _judge_small_beta(experiment: Experiment, steps: Sequence[Step]) -> Judgment:
    gained = _gained(steps, "gold")
    mended = gained > LEAST_GAIN
    return (
        _mended("gold-gained", gained, LEAST_GAIN)
        if mended
        else _broken("gold-lost", gained, LEAST_GAIN)
    )


def _judge_large_beta(experiment: Experiment, steps: Sequence[Step]) -> Judgment:
    moved = steps[-1].readings["kl_nats"]
    if moved < STUCK_NATS:
        return _broken("still-the-reference", moved, STUCK_NATS)
    scene = leash.build(leash.Settings(world="replies"))
    within_reach = scene.optimum_at(SANE_BETA).gold - scene.gold_of(scene.world.reference)
    gained, needed = _gained(steps, "gold"), within_reach / 2
    mended = gained >= needed
    return (
        _mended("gold-gained", gained, needed) if mended else _broken("gold-missed", gained, needed)
    )


def _judge_deterministic(experiment: Experiment, steps: Sequence[Step]) -> Judgment:
    margin, halfway = (steps[at].readings["margin"] for at in (-1, len(steps) // 2))
    if margin < LEAST_MARGIN:
        return _broken("nothing-learned", margin, LEAST_MARGIN)
    growth = (margin - halfway) / margin
    mended = growth <= SETTLED
    return (
        _mended("margin-settled", growth, SETTLED)
        if mended
        else _broken("margin-grows", growth, SETTLED)
    )


def _judge_displacement(experiment: Experiment, steps: Sequence[Step]) -> Judgment:
    margin, chosen = (steps[-1].readings[name] for name in ("margin", "chosen"))
    if margin < LEAST_MARGIN:
        return _broken("nothing-learned", margin, LEAST_MARGIN)
    start = steps[0].readings["chosen"]
    mended = chosen >= start
    return (
        _mended("chosen-kept", chosen, start) if mended else _broken("chosen-fell", chosen, start)
    )


def _judge_length(experiment: Experiment, steps: Sequence[Step]) -> Judgment:
    start, end = (steps[at].readings["mean_length"] for at in (0, -1))
    least, most = start * (1 - LENGTH_TOLERANCE), start * (1 + LENGTH_TOLERANCE)
    if end < least:
        return _broken("too-short", end, least)
    mended = end <= most
    return _mended("length-kept", end, most) if mended else _broken("too-long", end, most)


def _judge_islands(experiment: Experiment, steps: Sequence[Step]) -> Judgment:
    apart = steps[-1].readings["apart"]
    mended = apart <= SAME_POLICY
    return (
        _mended("one-policy", apart, SAME_POLICY)
        if mended
        else _broken("two-policies", apart, SAME_POLICY)
    )


def _judge_overoptimization(experiment: Experiment, steps: Sequence[Step]) -> Judgment:
    spent = overoptimization.divergence_at_peak(curvature=CURVATURE)
    peak = overoptimization.gold_gain(spent, curvature=CURVATURE)
    short, allowed = peak - _gained(steps, "gold"), PEAK_SHARE * peak
    if short <= allowed:
        return _mended("near-the-peak", short, allowed)
    beyond = steps[-1].readings["kl_nats"] > spent
    return _broken("past-the-peak" if beyond else "before-the-peak", short, allowed)


def _judge_entropy(experiment: Experiment, steps: Sequence[Step]) -> Judgment:
    gained, best = _gained(steps, "proxy"), 3.0 - steps[0].readings["proxy"]
    if gained < NOTICEABLE * best:
        return _broken("nothing-learned", gained, NOTICEABLE * best)
    if gained >= OPTIMAL * best:
        return _mended("certain-and-right", gained, OPTIMAL * best)
    start, end = (steps[at].readings["entropy_nats"] for at in (0, -1))
    mended = end >= start / 2
    return (
        _mended("entropy-kept", end, start / 2)
        if mended
        else _broken("certain-too-early", end, start / 2)
    )


def _mended(reason: str, measure: float, threshold: float) -> Judgment:
    return Judgment(mended=True, reason=reason, measure=measure, threshold=threshold)


def _broken(reason: str, measure: float, threshold: float) -> Judgment:
    return Judgment(mended=False, reason=reason, measure=measure, threshold=threshold)


def _gained(steps: Sequence[Step], reading: str) -> float:
    return steps[-1].readings[reading] - steps[0].readings[reading]


_DIRECTIONS = {
    "natural": exact_ascent.natural_gradient,
    "gradient": exact_ascent.gradient,
}
_LOSSES: dict[str, Callable[[Settings, Pairs], MarginLoss]] = {"dpo": _dpo, "ipo": _ipo}
_SCENES: dict[str, Callable[[Settings], Scene]] = {
    "small-beta": _replies,
    "large-beta": _replies,
    "deterministic": _whole_world,
    "displacement": _one_pair,
    "length": _lengths,
    "islands": _two_islands,
    "overoptimization": _gaussian,
    "entropy-collapse": _rare,
}
_JUDGES: dict[str, Callable[[Experiment, Sequence[Step]], Judgment]] = {
    "small-beta": _judge_small_beta,
    "large-beta": _judge_large_beta,
    "deterministic": _judge_deterministic,
    "displacement": _judge_displacement,
    "length": _judge_length,
    "islands": _judge_islands,
    "overoptimization": _judge_overoptimization,
    "entropy-collapse": _judge_entropy,
}
_SHOWN: dict[str, tuple[str, ...]] = {
    "small-beta": ("gold", "proxy", "kl_nats"),
    "large-beta": ("kl_nats", "gold", "proxy"),
    "deterministic": ("margin", "loss"),
    "displacement": ("chosen", "margin", "loss"),
    "length": ("mean_length", "margin", "loss"),
    "islands": ("apart", "loss", "other_loss"),
    "overoptimization": ("gold", "proxy", "kl_nats"),
    "entropy-collapse": ("entropy_nats", "proxy"),
}
_PRESETS: dict[str, dict[str, object]] = {
    "small-beta": {"beta": 0.05},
    "large-beta": {"beta": 5.0},
    "deterministic": {"beta": 0.1, "labels": "deterministic", "steps": 60},
    "displacement": {"beta": 0.1, "labels": "deterministic", "optimizer": "adam"},
    "length": {"beta": 1.0, "optimizer": "adam"},
    "islands": {"beta": 0.5, "steps": 60},
    "overoptimization": {"beta": 0.1},
    "entropy-collapse": {"beta": 0.02, "ascent": "gradient"},
}
