"""A Gaussian fitted to two humps in front of the learner, by either direction, from many starts."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from engine import gaussians
from engine.errors import DivergenceError
from engine.experiments import settings as common
from engine.gaussians import Gaussian, TwoHumps

_POINTS = 401  # of a drawn density
_LOST = 50.0  # a mean or a log deviation further out than this never comes back


@dataclass(frozen=True)
class Settings(common.Settings):
    """What a learner can set; everything else follows from it."""

    direction: Literal["forward", "reverse"] = "reverse"
    offset: float = 2.0
    deviation: float = 0.5
    start_mean: float = 1.0
    start_deviation: float = 1.0
    starts: int = 1
    learning_rate: float = 0.1
    steps: int = 200

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "offset": (0.0, 4.0),
        "deviation": (0.2, 2.0),
        "start_mean": (-5.0, 5.0),
        "start_deviation": (0.2, 4.0),
        "starts": (1, 7),
        "learning_rate": (0.001, 1.0),
        "steps": (1, 400),
    }


@dataclass(frozen=True)
class Step:
    """One moment of all starts together; the chosen start comes first in each list."""

    index: int  # 0 at the start, then one more per update
    means: tuple[float, ...]  # (starts,)
    deviations: tuple[float, ...]  # (starts,)
    divergences_nats: tuple[float, ...]  # (starts,), what is descended: forward or reverse KL
    others_nats: tuple[float, ...]  # (starts,), KL in the other direction


class Rest(NamedTuple):
    """Where a descent ends if it is carried on to the last digit."""

    mean: float
    deviation: float
    divergence_nats: float


class _Reading(NamedTuple):
    """Both divergences and the slope of one of them, at some places."""

    forward: Tensor  # (starts,) nats
    reverse: Tensor  # (starts,) nats
    slope: Tensor  # (starts, 2), nats per unit of mean and of log deviation


@dataclass(frozen=True, eq=False)
class Experiment:
    """A target, and places to start from."""

    settings: Settings
    target: TwoHumps

    @property
    def length(self) -> int:
        """The records of a whole run: the start and one per step."""
        return self.settings.steps + 1

    @cached_property
    def start_means(self) -> tuple[float, ...]:
        """The chosen mean, then the others, spread evenly from side to side beyond the humps."""
        edge = self.settings.offset + 1
        others = torch.linspace(-edge, edge, self.settings.starts, dtype=torch.float64).tolist()
        return (self.settings.start_mean, *others[1:])

    def run(self) -> Iterator[Step]:
        """Descend from all starts at once, by plain gradient steps in mean and log deviation.

        Raises:
            DivergenceError: on the way, if a step leaves the numbers that make a density.
        """
        log_deviation = math.log(self.settings.start_deviation)
        rows = [[mean, log_deviation] for mean in self.start_means]
        places = torch.tensor(rows, dtype=torch.float64)
        for index in range(self.length):
            reading = self._read(places)
            _check(index, places, reading)
            yield self._step(index, places, reading)
            places = places - self.settings.learning_rate * reading.slope

    @cached_property
    def forward_fit(self) -> Rest:
        """The Gaussian of least forward KL, in closed form: mean 0, variance a² + s²."""
        fit = gaussians.forward_fit(self.target)
        return Rest(fit.mean, fit.deviation, gaussians.forward_divergence(self.target, fit))

    @cached_property
    def reverse_fits(self) -> tuple[Rest, ...]:
        """The minimum of reverse KL that lies downhill of each start, by Newton's method."""
        return tuple(self._reverse_fit(mean) for mean in self.start_means)

    @property
    def fits(self) -> tuple[Rest, ...]:
        """What the run approaches, one for each start."""
        if self.settings.direction == "forward":
            return (self.forward_fit,) * self.settings.starts
        return self.reverse_fits

    @property
    def best(self) -> int:
        """Which start leads to the least divergence, counted from 0; of equals, the first."""
        ends = [round(fit.divergence_nats, 9) for fit in self.fits]
        return ends.index(min(ends))

    @cached_property
    def axis(self) -> list[float]:
        """Places along the target at which densities are drawn."""
        edge = max(self.settings.offset + 4 * self.settings.deviation, 6.0)
        return torch.linspace(-edge, edge, _POINTS, dtype=torch.float64).tolist()

    @cached_property
    def target_density(self) -> list[float]:
        """The density of the two humps along the axis."""
        x = torch.tensor(self.axis, dtype=torch.float64)
        return self.target.log_density(x).exp().tolist()

    def density(self, mean: float, deviation: float) -> list[float]:
        """The density of a Gaussian along the axis."""
        x = torch.tensor(self.axis, dtype=torch.float64)
        return gaussians.log_normal(x, mean, deviation).exp().tolist()

    def _reverse_fit(self, mean: float) -> Rest:
        start = Gaussian(mean, self.settings.start_deviation)
        fit = gaussians.reverse_fit(self.target, start)
        return Rest(fit.mean, fit.deviation, gaussians.reverse_divergence(self.target, fit))

    def _read(self, places: Tensor) -> _Reading:
        forward, uphill = gaussians.forward_slopes(self.target, places)
        reverse, reverse_uphill = gaussians.reverse_slopes(self.target, places)
        slope = uphill if self.settings.direction == "forward" else reverse_uphill
        return _Reading(forward, reverse, slope)

    def _step(self, index: int, places: Tensor, reading: _Reading) -> Step:
        both = [reading.forward.tolist(), reading.reverse.tolist()]
        descended, other = both if self.settings.direction == "forward" else both[::-1]
        means, deviations = places[:, 0].tolist(), places[:, 1].exp().tolist()
        return Step(index, tuple(means), tuple(deviations), tuple(descended), tuple(other))


def build(settings: Settings) -> Experiment:
    """Build what the settings describe."""
    return Experiment(settings, TwoHumps(settings.offset, settings.deviation))


def _check(index: int, places: Tensor, reading: _Reading) -> None:
    """Refuse a place that is no Gaussian any more, or that no step can leave."""
    numbers = torch.cat([places.flatten(), reading.slope.flatten(), reading.reverse])
    if bool(numbers.isfinite().all()) and places.abs().max().item() < _LOST:
        return
    good = f"step {index - 1}" if index else "none"
    raise DivergenceError(
        f"Expected a Gaussian near the humps, got one that is lost at step {index}; the last good "
        f"step was {good}. Take smaller steps, or start with a wider Gaussian."
    )
