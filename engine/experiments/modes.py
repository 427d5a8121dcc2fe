"""A Gaussian fitted to two humps in front of the learner, by either direction, from many starts."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from engine import gaussians, on_policy
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


# Places of all starts, (starts, 2), mean and log deviation, and what is descended, (starts,) nats.
_Visit = tuple[Tensor, Tensor]
# From a target and places: divergences and their slopes.
_Slopes = Callable[[TwoHumps, Tensor], tuple[Tensor, Tensor]]


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
        index = count()
        for taken in on_policy.blocks(self._visits()):
            for row in self._rows(taken):
                yield Step(next(index), *map(tuple, row))

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

    def _visits(self) -> Iterator[_Visit]:
        """All that the descent comes by."""
        slopes, _ = self._ways
        log_deviation = math.log(self.settings.start_deviation)
        rows = [[mean, log_deviation] for mean in self.start_means]
        places = torch.tensor(rows, dtype=torch.float64)
        for index in range(self.length):
            _check(index, places)
            divergences, slope = slopes(self.target, places)
            yield places, divergences
            places = torch.sub(places, slope, alpha=self.settings.learning_rate)

    @torch.inference_mode()
    def _rows(self, visits: list[_Visit]) -> list[list[list[float]]]:
        """Of each moment means, deviations and divergences both ways; of each start a number."""
        places, descended = (torch.stack(each) for each in zip(*visits, strict=True))
        _, slopes = self._ways
        other, _ = slopes(self.target, places.flatten(0, 1))
        means, logs = places.unbind(2)
        columns = (means, logs.exp(), descended, other.view_as(descended))
        return torch.stack(columns, dim=1).tolist()

    @property
    def _ways(self) -> tuple[_Slopes, _Slopes]:
        """The divergence that is descended, and the other one."""
        both = (gaussians.forward_slopes, gaussians.reverse_slopes)
        return both if self.settings.direction == "forward" else both[::-1]


def build(settings: Settings) -> Experiment:
    """Build what the settings describe."""
    return Experiment(settings, TwoHumps(settings.offset, settings.deviation))


def _check(index: int, places: Tensor) -> None:
    """Refuse a place that is no Gaussian any more, or that no step can leave."""
    if places.abs().max().item() < _LOST:  # false for NaN, too; nearer, all else is finite
        return
    good = f"step {index - 1}" if index else "none"
    raise DivergenceError(
        f"Expected a Gaussian near the humps, got one that is lost at step {index}; the last good "
        f"step was {good}. Take smaller steps, or start with a wider Gaussian."
    )
