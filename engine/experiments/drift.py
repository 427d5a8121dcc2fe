"""Two scorers in front of the learner: simulated ones, or scores that the learner brought."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from engine import calibration, distributions, drift, drift_verdict, score_files
from engine.drift_verdict import ByItem, Comparison, Plan, Verdict
from engine.experiments import settings as common
from engine.score_files import ScoreFile

Answers = Tensor | Sequence[float] | Sequence[Sequence[float]]

_RECORDS = 100  # at most, besides the start
_CELLS = 30  # of the histogram of rounds
_PILOT = 60  # rounds by which the histogram's range is chosen
_APART = 1_000_003  # between the seeds of rounds, of redrawn samples and of the pilot


@dataclass(frozen=True)
class Settings(common.Settings):
    """What a learner can set; everything else follows from it."""

    kind: Literal["js", "kl"] = "js"
    pairing: Literal["paired", "unpaired"] = "paired"
    shift: float = 0.4
    memos: int = 500
    bins: int = 10
    rounds: int = 999
    threshold: float = 0.01
    level: float = 0.05
    seed: int = 0

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "shift": (-3.0, 3.0),
        "memos": (1, 1_000),
        "bins": (2, 30),
        "rounds": (1, 1_999),
        "threshold": (0.0, 1.0),
        "level": (0.001, 0.5),
        "seed": common.SEED,
    }


@dataclass(frozen=True)
class Step:
    """What is known after some rounds of the permutation test."""

    index: int  # 0 before the first round, then one more per batch
    rounds: int  # so far
    beyond: int  # of these, how many reached the observed divergence
    p_value: float  # the data counted as one round
    low: float  # Wilson's 95% interval of the share of rounds that reach it; 0 to 1 at the start
    high: float
    histogram: tuple[int, ...]  # rounds so far in each cell of `Experiment.edges_nats`
    verdict: Verdict  # on the rounds so far; final with the last step


class Histogram(NamedTuple):
    """Scores of one scorer in bins, or its mean probabilities of outcomes."""

    name: str
    shares: list[float]


@dataclass(frozen=True, eq=False)
class Experiment:
    """Two sets of answers, ready to be compared."""

    settings: Settings
    base: Tensor  # (items,) scores from 0 to 1, or (items, outcomes) probabilities
    tuned: Tensor  # the same
    scale: tuple[float, float]  # the ends of the scale on which scores came
    comparison: Comparison

    @property
    def length(self) -> int:
        """The records of a whole run: the start and one per batch of rounds."""
        return math.ceil(self.settings.rounds / self.batch) + 1

    @property
    def batch(self) -> int:
        """The rounds between two records."""
        return math.ceil(self.settings.rounds / _RECORDS)

    @torch.inference_mode()
    def run(self) -> Iterator[Step]:
        """Permute batch by batch, and say after each what the rounds so far amount to."""
        generator = self._generator(0)
        null = torch.empty(0, dtype=torch.float64)
        for index in range(self.length):
            yield self._step(index, null)
            more = min(self.batch, self.settings.rounds - len(null))
            null = torch.cat([null, self.comparison.null(more, generator)])

    @property
    def observed_nats(self) -> float:
        """The divergence of the two, which rounds are held against."""
        return self.comparison.observed_nats

    @cached_property
    def interval_nats(self) -> tuple[float, float]:
        """The 95% bootstrap interval of the divergence."""
        return self.comparison.interval(self.settings.rounds, self._generator(1))

    @cached_property
    def by_item(self) -> ByItem | None:
        """Both KL divergences and Jensen-Shannon item by item, of probabilities in pairs."""
        if self.base.ndim == 1 or self.comparison.pairing == "unpaired":
            return None
        rounds, generator = self.settings.rounds, self._generator(2)
        return drift_verdict.item_by_item(self.base, self.tuned, rounds=rounds, generator=generator)

    @cached_property
    def histogram_kl_nats(self) -> tuple[float, float]:
        """KL(tuned‖base) and KL(base‖tuned) of what is pooled, unsmoothed; +inf is an answer."""
        pooled = [self.comparison.base, self.comparison.tuned]
        base, tuned = (each.mean(dim=0, keepdim=True).log() for each in pooled)
        return distributions.kl(tuned, base).item(), distributions.kl(base, tuned).item()

    @cached_property
    def histograms(self) -> tuple[Histogram, Histogram]:
        """What is compared: the shares of base and tuned in each bin, or of each outcome."""
        return (
            Histogram("base", self.comparison.base.mean(dim=0).tolist()),
            Histogram("tuned", self.comparison.tuned.mean(dim=0).tolist()),
        )

    @cached_property
    def bin_edges(self) -> list[float]:
        """The edges of the bins on the scale on which the scores came, one more than bins."""
        return torch.linspace(*self.scale, self.settings.bins + 1, dtype=torch.float64).tolist()

    @cached_property
    def edges_nats(self) -> list[float]:
        """The edges of the cells into which rounds are counted; the last takes what lies beyond."""
        pilot = self.comparison.null(_PILOT, self._generator(3))
        most = 1.15 * max(self.observed_nats, pilot.amax().item(), 1e-6)
        return torch.linspace(0, most, _CELLS + 1, dtype=torch.float64).tolist()

    def _step(self, index: int, null: Tensor) -> Step:
        rounds, settings = null.numel(), self.settings
        beyond = round(drift.p_value(self.observed_nats, null) * (rounds + 1)) - 1
        plan = Plan(
            settings.kind,
            settings.pairing,
            max(rounds, 1),
            threshold=settings.threshold,
            level=settings.level,
        )
        p_value = (1 + beyond) / (1 + rounds)
        verdict = drift_verdict.judge(
            self.comparison, p_value, self.interval_nats, plan=plan, by_item=self.by_item
        )
        ends = _wilson(beyond, rounds)
        return Step(index, rounds, beyond, p_value, *ends, self._counted(null), verdict)

    def _counted(self, null: Tensor) -> tuple[int, ...]:
        cells = (null / self.edges_nats[-1] * _CELLS).long().clamp(0, _CELLS - 1)
        return tuple(torch.bincount(cells, minlength=_CELLS).tolist())

    def _generator(self, purpose: int) -> torch.Generator:
        return torch.Generator().manual_seed(self.settings.seed + _APART * (purpose + 1))


def build(settings: Settings) -> Experiment:
    """Build the simulated scorers that the settings describe."""
    generator = torch.Generator().manual_seed(settings.seed)
    base, tuned = drift.memo_scores(settings.memos, shift=settings.shift, generator=generator)
    return from_scores(base, tuned, settings)


def from_scores(base: Answers, tuned: Answers, settings: Settings) -> Experiment:
    """Build the same from scores on any scale, or rows of probabilities, of the learner's own.

    The settings `shift` and `memos` play no part. Scores beyond 0 to 1 are brought there first.

    Raises:
        RangeError: a number is not finite, a row does not sum to one, or all scores are one number
            outside 0 to 1.
        ShapeError: the two are not of one kind, or are paired and differ in number.
    """
    here, there = (torch.as_tensor(each, dtype=torch.float64) for each in (base, tuned))
    scale = (0.0, 1.0)
    if here.ndim == there.ndim == 1:
        here, there, scale = drift_verdict.to_unit(here, there)
    comparison = drift_verdict.prepare(
        here, there, kind=settings.kind, pairing=settings.pairing, bins=settings.bins
    )
    return Experiment(settings, here, there, scale, comparison)


def from_files(base: ScoreFile, tuned: ScoreFile, settings: Settings) -> Experiment:
    """Build the same from two files: by id, else row by row, else unpaired, whatever is set.

    Raises:
        ScoreFileError: the two do not go together.
        RangeError: all scores are one number outside 0 to 1.
    """
    found = score_files.match(base, tuned)
    if found.how == "unpaired":
        settings = replace(settings, pairing="unpaired")
    return from_scores(found.base, found.tuned, settings)


def _wilson(hits: int, trials: int) -> tuple[float, float]:
    if trials == 0:
        return 0.0, 1.0
    counts = torch.tensor([[hits], [trials]], dtype=torch.float64)
    low, high = calibration.wilson(counts[0], counts[1])
    return low.item(), high.item()
