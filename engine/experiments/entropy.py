"""Entropy as the surprise one has to expect: exact, by drawing, and as a temperature is turned."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from engine import distributions, guards, prefix_codes, temperature
from engine.experiments import settings as common
from engine.experiments import weights

TEMPERATURES = (0.05, 5.0)  # the ends of the curve and of the control
POINTS = 121  # of the curve, each a little hotter than the last by the same factor


@dataclass(frozen=True)
class Settings(common.Settings):
    """What a learner can set; everything else follows from it."""

    weights: str = "60,30,10"
    temperature: float = 1.0
    draws: int = 300
    seed: int = 0

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "temperature": TEMPERATURES,
        "draws": (10, 2_000),
        "seed": common.SEED,
    }


@dataclass(frozen=True)
class Step:
    """What was seen after some draws."""

    index: int  # draws so far, 1 after the first
    outcome: int  # the last one drawn, counted from 0
    surprisal_nats: float  # of that outcome
    mean_nats: float  # of all surprisals so far; what entropy says to expect
    counted_nats: float  # the entropy of the observed shares, which comes out low on average
    counts: tuple[int, ...]  # how often each outcome came


@dataclass(frozen=True)
class Heated:
    """The distribution at one temperature."""

    temperature: float
    entropy_nats: float
    slope_nats: float  # dH/dT, per unit of temperature, never negative


@dataclass(frozen=True, eq=False)
class Experiment:
    """The settings made into a distribution, before and after the temperature."""

    settings: Settings
    untempered: Tensor  # (1, outcomes), log-probabilities as typed
    log_p: Tensor  # (1, outcomes), log-probabilities at the temperature

    @property
    def length(self) -> int:
        """The records of a whole run: one per draw."""
        return self.settings.draws

    def run(self) -> Iterator[Step]:
        """Draw: one record per draw, computed as it is asked for."""
        surprisals = self.surprisals_nats
        counts, total = [0] * len(surprisals), 0.0
        for index, outcome in enumerate(self._drawn.tolist(), start=1):
            counts[outcome] += 1
            total += surprisals[outcome]
            yield Step(
                index=index,
                outcome=outcome,
                surprisal_nats=surprisals[outcome],
                mean_nats=total / index,
                counted_nats=_entropy_of(counts),
                counts=tuple(counts),
            )

    @property
    def probabilities(self) -> list[float]:
        """Of each outcome, at the temperature."""
        return self.log_p[0].exp().tolist()

    @property
    def surprisals_nats(self) -> list[float]:
        """Of each outcome, infinite for what cannot come."""
        return (-self.log_p[0]).tolist()

    @cached_property
    def entropy_nats(self) -> float:
        """What the mean surprisal tends to."""
        return float(distributions.entropy(self.log_p))

    @property
    def most_nats(self) -> float:
        """The entropy of the uniform distribution over as many outcomes."""
        return math.log(self.log_p.shape[-1])

    @property
    def perplexity(self) -> float:
        """How many equally likely outcomes would have this entropy."""
        return math.exp(self.entropy_nats)

    @cached_property
    def deviation_nats(self) -> float:
        """Standard deviation of one draw's surprisal; of the mean of n draws, 1/√n of it."""
        p, log_p = self.log_p.exp(), self.log_p.masked_fill(torch.isneginf(self.log_p), 0.0)
        return math.sqrt(float((p * (log_p + self.entropy_nats) ** 2).sum()))

    def heated(self, at: float) -> Heated:
        """The typed distribution at a temperature, exact.

        Raises:
            RangeError: the temperature is not above zero.
        """
        (found,) = self._heated([at])
        return found

    @cached_property
    def tempering(self) -> list[Heated]:
        """Entropy against temperature, from nearly frozen to nearly uniform."""
        least, most = TEMPERATURES
        shares = [point / (POINTS - 1) for point in range(POINTS)]
        return self._heated([least * (most / least) ** share for share in shares])

    def _heated(self, at: list[float]) -> list[Heated]:
        """The typed distribution at several temperatures, a row each: one call serves them all."""
        guards.positive("the temperature", min(at), advice="Choose one above 0, for example 0.7.")
        possible = self.untempered[~torch.isneginf(self.untempered)]
        column = torch.tensor(at, dtype=torch.float64).unsqueeze(1)
        log_p = torch.log_softmax(possible / column, dim=-1)
        slope = temperature.entropy_response(log_p, -possible / column**2)  # of logits z/T
        # Rounding may leave −1e-17 where all logits are equal; a variance is never below zero.
        entropies, slopes = distributions.entropy(log_p).tolist(), slope.clamp_min(0.0).tolist()
        return [Heated(*each) for each in zip(at, entropies, slopes, strict=True)]

    @cached_property
    def code_digits(self) -> list[int | None]:
        """Binary digits of each outcome's word in a best prefix code; None for what cannot come."""
        p = self.probabilities
        possible = [share for share in p if share > 0]
        if len(possible) < 2:
            return [0 if share > 0 else None for share in p]
        lengths = iter(prefix_codes.huffman_lengths(possible))
        return [next(lengths) if share > 0 else None for share in p]

    @property
    def code_bits(self) -> float:
        """The average length of that code, at least the entropy in bits and less than one more."""
        return sum(
            share * (digits or 0)
            for share, digits in zip(self.probabilities, self.code_digits, strict=True)
        )

    @cached_property
    def _drawn(self) -> Tensor:
        generator = torch.Generator().manual_seed(self.settings.seed)
        p = self.log_p[0].exp()
        return torch.multinomial(p, self.length, replacement=True, generator=generator)


def build(settings: Settings) -> Experiment:
    """Build what the settings describe.

    Raises:
        RangeError: the weights are no distribution.
    """
    typed = torch.tensor([weights.read(settings.weights)], dtype=torch.float64).log()
    return Experiment(settings, typed, temperature.temper(typed, temperature=settings.temperature))


def _entropy_of(counts: list[int]) -> float:
    total = sum(counts)
    return -math.fsum(n / total * math.log(n / total) for n in counts if n)
