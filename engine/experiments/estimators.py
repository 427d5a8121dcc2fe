"""The three KL estimates: as samples come in, as the divergence grows, and as losses.

A policy q lies some way from a reference p along one direction: q ∝ p e^{t d}, with distance t. For
normal distributions d is the outcome itself, so that t shifts the mean; the divergence is t²/2.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine import distributions, estimators, kl_penalty, on_policy
from engine.errors import DivergenceError
from engine.estimators import Estimator
from engine.experiments import settings as common
from engine.policies import Policy, SharedFeatures, Tabular

TOKENS = ((0.5, 0.3, 0.2), (0.02, 0.18, 0.8))  # the reference, and the policy at distance 1
RANDOM_SIZE = 8
GRID = torch.linspace(-15.0, 15.0, 301, dtype=torch.float64).unsqueeze(0)
DISTANCES = torch.linspace(0.025, 3.0, 120, dtype=torch.float64).tolist()
# A normal distribution with more than this at the edge of the grid has left it.
EDGE = 1e-6
_HALVINGS = 60


@dataclass(frozen=True)
class Settings(common.Settings):
    """What a learner can set; everything else follows from it."""

    world: Literal["tokens", "normals", "random"] = "tokens"
    distance: float = 1.0
    samples: int = 10
    steps: int = 200
    draws: int = 32
    rate: float = 0.3
    seed: int = 0

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "distance": (0.05, 3.0),
        "samples": (1, 100),
        "steps": (1, 1_000),
        "draws": (1, 512),
        "rate": (0.01, 2.0),
        "seed": common.SEED,
    }


@dataclass(frozen=True)
class Three:
    """One number for each estimator."""

    k1: float
    k2: float
    k3: float


@dataclass(frozen=True)
class Variance:
    """Variances of a single estimate where the policy has this distance."""

    distance: float
    kl_nats: float
    variance: Three  # nats squared; nats to the fourth for k2


@dataclass(frozen=True)
class Step:
    """A moment of the run: samples so far, and three policies so far trained on one loss each."""

    index: int
    samples: int  # drawn so far from the policy; none at the start
    mean: Three  # of the estimates so far, nats; 0 at the start
    reverse_nats: Three  # KL(π‖π_ref) of the policy trained on each loss
    forward_nats: Three  # KL(π_ref‖π) of the same


@dataclass(frozen=True, eq=False)
class Experiment:
    """A policy, a reference and the direction from one to the other."""

    settings: Settings
    reference: Tensor  # (1, outcomes), log-probabilities
    direction: Tensor  # (1, outcomes)

    @property
    def length(self) -> int:
        """The records of a whole run: the start and one per step."""
        return self.settings.steps + 1

    @torch.inference_mode()
    def run(self) -> Iterator[Step]:
        """Draw and train: the start, then a record for each handful of samples and each update.

        Raises:
            DivergenceError: on the way, if a trained policy leaves what numbers can hold.
        """
        settings = self.settings
        streams = [torch.Generator().manual_seed(settings.seed + each) for each in range(4)]
        sums, trained = torch.zeros(3, dtype=torch.float64), self.policies.start
        last: Step | None = None
        for index in range(self.length):
            tables = on_policy.log_policy(self.policies, trained)
            shares = tables.exp()
            self._check(tables, index, last)
            samples = index * settings.samples
            mean = Three(*(sums / max(samples, 1)).tolist())
            last = Step(index, samples, mean, *self._divergences(tables, shares))
            yield last
            sums += self._drawn(streams[0])
            trained = trained + self._step(tables, self._sampled(tables, shares, streams[1:]))

    def at(self, distance: float) -> Tensor:
        """The policy at a distance, (1, outcomes), log-probabilities."""
        return torch.log_softmax(self.reference + distance * self.direction, dim=-1)

    @cached_property
    def start(self) -> Tensor:
        """The policy at the distance that is set, (1, outcomes), log-probabilities."""
        return self.at(self.settings.distance)

    @cached_property
    def kl_nats(self) -> float:
        """The divergence that is estimated, KL(q‖p), exactly."""
        return float(distributions.kl(self.start, self.reference))

    @cached_property
    def means(self) -> Three:
        """What each estimate tends to: the divergence, except for k2."""
        return _each(lambda each: estimators.mean(each, self.start, self.reference))

    @cached_property
    def variances(self) -> Three:
        """The variance of a single estimate."""
        return _each(lambda each: estimators.variance(each, self.start, self.reference))

    def standard_errors(self, samples: int) -> Three:
        """The exact standard deviation of the mean of so many estimates."""
        return Three(*((found / samples) ** 0.5 for found in _values(self.variances)))

    @cached_property
    def by_distance(self) -> list[Variance]:
        """Variances at every distance up to 3."""
        return [self.variance_at(distance) for distance in DISTANCES]

    def variance_at(self, distance: float) -> Variance:
        """Variances at one distance."""
        policy = self.at(distance)
        found = _each(lambda each: estimators.variance(each, policy, self.reference))
        return Variance(distance, float(distributions.kl(policy, self.reference)), found)

    @cached_property
    def crossing(self) -> Variance | None:
        """Where k3 stops being quieter than k1; nothing if that lies beyond a distance of 3."""
        louder = [each.distance for each in self.by_distance if _louder(each)]
        if not louder:
            return None
        low, high = max(louder[0] - (DISTANCES[1] - DISTANCES[0]), 1e-3), louder[0]
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if _louder(self.variance_at(middle)) else (middle, high)
        return self.variance_at(high)

    @cached_property
    def expected_path(self) -> list[tuple[Three, Three]]:
        """Reverse and forward divergence after each step of the three losses' mean gradients."""
        trained, path = self.policies.start, []
        for _ in range(self.length):
            tables = on_policy.log_policy(self.policies, trained)
            shares = tables.exp()
            path.append(self._divergences(tables, shares))
            trained = trained + self._step(tables, shares * _weights(tables - self.reference))
        return path

    @cached_property
    def policies(self) -> Policy:
        """What is trained, a row for each loss: tables, or for normal distributions means alone."""
        starts = self.start.repeat(3, 1)
        if self.settings.world != "normals":
            return Tabular(starts)
        own = torch.eye(3, dtype=torch.float64).unsqueeze(1)  # no row shares a parameter
        return SharedFeatures(self.direction.unsqueeze(2) * own, starts)

    def _drawn(self, generator: torch.Generator) -> Tensor:
        """The sums of the three estimates over a handful of samples, (3,)."""
        drawn = on_policy.draw(self.start, self.settings.samples, generator)
        log_ratio = (self.start - self.reference).gather(1, drawn)
        return torch.cat([each(log_ratio) for each in ESTIMATORS]).sum(dim=1)

    def _sampled(
        self, tables: Tensor, shares: Tensor, streams: list[torch.Generator]
    ) -> Tensor:  # (3, outcomes), slopes in log π, each loss from draws of its own
        rows, draws = zip(shares.split(1), streams, strict=True), self.settings.draws
        drawn = torch.cat([on_policy.draw_from(share, draws, stream) for share, stream in rows])
        weight = _weights((tables - self.reference).gather(1, drawn))
        return on_policy.gathered(drawn, weight, tables)

    def _step(self, tables: Tensor, slopes: Tensor) -> Tensor:
        """How far slopes in log π move the parameters."""
        slope = on_policy.in_logits(tables, slopes)
        return self.settings.rate * self.policies.pull_back(slope)

    def _divergences(self, tables: Tensor, shares: Tensor) -> tuple[Three, Three]:
        log_ratio = tables - self.reference
        weights = torch.stack([shares, -self.reference.exp().expand_as(shares)])
        reverse, forward = (weights * log_ratio).sum(dim=-1).clamp_min_(0.0).tolist()
        return Three(*reverse), Three(*forward)

    def _check(self, tables: Tensor, index: int, last: Step | None) -> None:
        """Refuse policies that numbers no longer hold."""
        lost = not tables.amin().item() > -on_policy.RUNAWAY_NATS
        if lost or (self.settings.world == "normals" and _at_edge(tables) > EDGE):
            good = f"Step {last.index} was" if last else "No step was"
            raise DivergenceError(
                f"Expected the trained policies to stay near the reference, got one that left at "
                f"step {index}. {good} the last good one. Take smaller steps, or draw more.",
                last=last,
            )


def build(settings: Settings) -> Experiment:
    """Build what the settings describe."""
    return _WORLDS[settings.world](settings)


ESTIMATORS = (estimators.k1, estimators.k2, estimators.k3)
_SLOPES = tuple(kl_penalty.in_loss(each) for each in ESTIMATORS)


def _tokens(settings: Settings) -> Experiment:
    base, tuned = torch.tensor(TOKENS, dtype=torch.float64).log().unsqueeze(1)
    return Experiment(settings, base, tuned - base)


def _normals(settings: Settings) -> Experiment:
    return Experiment(settings, torch.log_softmax(-(GRID**2) / 2, dim=-1), GRID)


def _random(settings: Settings) -> Experiment:
    generator = torch.Generator().manual_seed(settings.seed)
    base, direction = torch.randn(2, 1, RANDOM_SIZE, generator=generator, dtype=torch.float64)
    return Experiment(settings, torch.log_softmax(base, dim=-1), direction)


_WORLDS = {"tokens": _tokens, "normals": _normals, "random": _random}


def _weights(log_ratio: Tensor) -> Tensor:
    """What each loss weighs the slopes of its own row by, (3, any)."""
    rows = zip(_SLOPES, log_ratio.split(1), strict=True)
    return torch.cat([slope(row) for slope, row in rows])


def _at_edge(tables: Tensor) -> float:
    """The most that a policy has at either end of the grid."""
    return tables[:, [0, -1]].amax().exp().item()


def _each(measure: Callable[[Estimator], Tensor]) -> Three:
    return Three(*(float(measure(each)) for each in ESTIMATORS))


def _values(three: Three) -> list[float]:
    return [getattr(three, each.name) for each in fields(three)]


def _louder(at: Variance) -> bool:
    return at.variance.k3 > at.variance.k1
