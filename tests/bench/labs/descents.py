"""L-BFGS in bare NumPy, with a backtracking line search as in `engine.optimizers`."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tests.bench.labs.arrays import Array

HALVINGS, SUFFICIENT, ROUNDING, MEMORY = 100, 1e-4, 1e-14, 10


@dataclass(frozen=True, eq=False)
class Place:
    """Somewhere on a loss."""

    parameters: Array  # flat
    gradient: Array  # flat
    measure: Callable[[], float]

    @cached_property
    def loss(self) -> float:
        """Worked out when first asked for."""
        return self.measure()


Surface = Callable[[Array], Place]
Secant = tuple[Array, Array, float, float]  # moved, turned, their product, turned with itself


def lbfgs(surface: Surface, start: Array, steps: int) -> Iterator[Place]:
    """The places on the way down, the start first."""
    history: deque[Secant] = deque(maxlen=MEMORY)
    place = surface(start)
    yield place
    for _ in range(steps):
        before, place = place, _descend(surface, place, _direction(place.gradient, history))
        moved, turned = place.parameters - before.parameters, place.gradient - before.gradient
        curvature, bend = moved.dot(turned).item(), turned.dot(turned).item()
        if min(curvature, bend) > np.finfo(np.float64).tiny:
            history.append((moved, turned, curvature, bend))
        yield place


def _descend(surface: Surface, place: Place, direction: Array) -> Place:
    slope, length = place.gradient.dot(direction).item(), 1.0
    for _ in range(HALVINGS):
        trial = surface(place.parameters + length * direction)
        if trial.gradient.dot(direction) <= 0:
            return trial
        promised = SUFFICIENT * length * slope + ROUNDING * abs(place.loss)
        if trial.loss <= place.loss + promised:
            return trial
        length /= 2
    return place


def _direction(gradient: Array, history: deque[Secant]) -> Array:
    if not history:
        first: Array = -gradient / max(np.abs(gradient).max(), np.finfo(np.float64).tiny)
        return first
    direction: Array = -gradient
    shares: list[float] = []
    for moved, turned, curvature, _ in reversed(history):
        shares.append(moved.dot(direction).item() / curvature)
        direction = direction - shares[-1] * turned
    *_, curvature, bend = history[-1]
    direction = direction * (curvature / bend)
    for (moved, turned, curvature, _), share in zip(history, reversed(shares), strict=True):
        direction += (share - turned.dot(direction).item() / curvature) * moved
    return direction
