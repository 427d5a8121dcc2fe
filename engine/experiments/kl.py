"""KL divergence both ways, exact, and its three estimates as samples come in.

As in RLHF, q is what writes: samples come from q, and estimates are of KL(q‖p).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from engine import distributions, estimators
from engine.experiments import settings as common
from engine.experiments import weights

ESTIMATORS = {"k1": estimators.k1, "k2": estimators.k2, "k3": estimators.k3}


@dataclass(frozen=True)
class Settings(common.Settings):
    """What a learner can set; everything else follows from it."""

    q: str = "2,18,80"  # what the samples come from; the tuned model
    p: str = "50,30,20"  # what it is compared with; the base model
    samples: int = 400
    seed: int = 0

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "samples": (10, 2_000),
        "seed": common.SEED,
    }


@dataclass(frozen=True)
class Step:
    """What was estimated after some samples. Infinite once q says what p calls impossible."""

    index: int  # samples so far, 1 after the first
    outcome: int  # the last one sampled, counted from 0
    log_ratio_nats: float  # log q − log p of that sample
    k1_nats: float  # mean of each estimate so far
    k2_nats: float
    k3_nats: float


@dataclass(frozen=True)
class Estimate:
    """An estimator as it is on average, by summing over all outcomes."""

    mean_nats: float  # what its average over many samples tends to
    deviation_nats: float  # standard deviation of one sample; of the mean of n, 1/√n of it


@dataclass(frozen=True, eq=False)
class Experiment:
    """The settings made into two distributions over the same outcomes."""

    settings: Settings
    log_q: Tensor  # (1, outcomes)
    log_p: Tensor  # (1, outcomes)

    @property
    def length(self) -> int:
        """The records of a whole run: one per sample."""
        return self.settings.samples

    def run(self) -> Iterator[Step]:
        """Sample q and estimate: one record per sample."""
        ratios = self.log_ratios_nats
        drawn = self._drawn
        worth = torch.tensor(ratios, dtype=torch.float64)[drawn]
        sums = torch.stack([estimate(worth) for estimate in ESTIMATORS.values()], dim=1).cumsum(0)
        means = sums / torch.arange(1, self.length + 1).unsqueeze(1)
        for index, (outcome, each) in enumerate(
            zip(drawn.tolist(), means.tolist(), strict=True), start=1
        ):
            yield Step(index, outcome, ratios[outcome], *each)

    @cached_property
    def forward_nats(self) -> float:
        """KL(p‖q): p averages."""
        return float(distributions.kl(self.log_p, self.log_q))

    @cached_property
    def reverse_nats(self) -> float:
        """KL(q‖p): q averages. This is what the samples estimate."""
        return float(distributions.kl(self.log_q, self.log_p))

    @cached_property
    def entropies_nats(self) -> tuple[float, float]:
        """H(q) and H(p)."""
        return float(distributions.entropy(self.log_q)), float(distributions.entropy(self.log_p))

    @cached_property
    def cross_entropies_nats(self) -> tuple[float, float]:
        """H(q, p) and H(p, q): the one in front comes true, the other was predicted."""
        forth = distributions.cross_entropy(self.log_q, self.log_p)
        return float(forth), float(distributions.cross_entropy(self.log_p, self.log_q))

    @cached_property
    def jensen_shannon_nats(self) -> float:
        """Mean KL of both from their average: symmetric, at most log 2."""
        middle = torch.logaddexp(self.log_q, self.log_p) - math.log(2)
        sides = (distributions.kl(side, middle) for side in (self.log_q, self.log_p))
        return float(sum(sides)) / 2

    @cached_property
    def log_ratios_nats(self) -> list[float]:
        """Log-ratio of q to p of each outcome; 0 where neither allows it."""
        neither = torch.isneginf(self.log_q) & torch.isneginf(self.log_p)
        return (self.log_q - self.log_p).masked_fill(neither, 0.0)[0].tolist()

    @cached_property
    def estimates(self) -> dict[str, Estimate]:
        """Each estimator's exact mean and deviation."""
        return {name: self._estimate(name) for name in ESTIMATORS}

    def _estimate(self, name: str) -> Estimate:
        mean = float(estimators.mean(ESTIMATORS[name], self.log_q, self.log_p))
        if math.isinf(mean):
            return Estimate(mean, math.inf)
        variance = float(estimators.variance(ESTIMATORS[name], self.log_q, self.log_p))
        return Estimate(mean, math.sqrt(max(0.0, variance)))

    @cached_property
    def _drawn(self) -> Tensor:
        generator = torch.Generator().manual_seed(self.settings.seed)
        q = self.log_q[0].exp()
        return torch.multinomial(q, self.length, replacement=True, generator=generator)


def build(settings: Settings) -> Experiment:
    """Build what the settings describe.

    Raises:
        RangeError: a text holds no distribution, or the two have different numbers of outcomes.
    """
    q, p = weights.pair(settings.q, settings.p)
    log_q, log_p = (torch.tensor([each], dtype=torch.float64).log() for each in (q, p))
    return Experiment(settings, log_q, log_p)
