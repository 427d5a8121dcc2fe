"""Four ways down a convex loss, each a generator of the points it visits: the start, then steps.

All take closed-form gradients from the loss and use no autograd. They are written out rather
than taken from `torch.optim`, whose first use imports a compiler and takes over a second: as long
as a thousand training runs of this size.
"""

import math
import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from engine import guards

# A line search gives up after this many halvings. Far out, where the loss is straight, Newton's
# parabola promises its minimum e^(β margin) too far away: dozens are needed there.
_HALVINGS = 100
# The share of the promised descent that a step must deliver (Nocedal and Wright 2006, eq. 3.6a).
_SUFFICIENT = 1e-4
# At the minimum the loss wavers by its last digits; a step may raise it by this share.
_ROUNDING = 1e-14
# Adam's ε. The usual 1e-8 would drown gradients of a mean over many thousand pairs.
_TINY_GRADIENT = 1e-12


class Point(Protocol):
    """A place on the loss surface: where, how high, and how steep."""

    @property
    def parameters(self) -> Tensor:
        """Of any shape."""
        ...

    @property
    def loss(self) -> float:
        """In nats; may be worked out only when asked for."""
        ...

    @property
    def gradient(self) -> Tensor:
        """Of the loss; shaped as the parameters."""
        ...

    def newton_direction(self) -> Tensor:
        """The step to the minimum of the local parabola; shaped as the parameters."""
        ...


P = TypeVar("P", bound=Point)
Surface = Callable[[Tensor], P]


class Optimizer(Protocol):
    """A way down: the places of the surface that it visits, the start first."""

    def __call__(self, surface: Surface[P], start: Tensor, steps: int, /) -> Iterator[P]:
        """Yield `steps` + 1 places."""
        ...


def gradient_descent(
    surface: Surface[P], start: Tensor, steps: int, *, learning_rate: float = 1.0
) -> Iterator[P]:
    """Plain gradient descent at a constant rate (Nocedal and Wright 2006, section 2.2).

    Args:
        surface: the loss to descend.
        start: the first parameters.
        steps: how many steps to take.
        learning_rate: what the gradient of the mean loss is multiplied by.

    Raises:
        RangeError: the learning rate is not above zero.
    """
    _check_rate(learning_rate)
    point = surface(start)
    yield point
    for _ in range(steps):
        point = surface(torch.sub(point.parameters, point.gradient, alpha=learning_rate))
        yield point


def newton(surface: Surface[P], start: Tensor, steps: int) -> Iterator[P]:
    """Newton's method with a backtracking line search (Nocedal and Wright 2006, section 3.3).

    The number of correct digits doubles with every step near the minimum.
    """
    point = surface(start)
    yield point
    for _ in range(steps):
        point = _descend(surface, point, point.newton_direction())
        yield point


def lbfgs(surface: Surface[P], start: Tensor, steps: int, *, memory: int = 10) -> Iterator[P]:
    """L-BFGS with a backtracking line search (Nocedal and Wright 2006, algorithm 7.5).

    On a convex loss every step sees positive curvature, so this simple search suffices.

    Args:
        surface: the loss to descend.
        start: the first parameters.
        steps: how many steps to take.
        memory: how many past steps the curvature is estimated from.
    """
    history: deque[_Secant] = deque(maxlen=memory)
    point = surface(start)
    yield point
    for _ in range(steps):
        before = point
        point = _descend(surface, before, _two_loops(before.gradient, history))
        secant = _secant(before, point)
        if secant.informs:
            history.append(secant)
        yield point


def adam(
    surface: Surface[P],
    start: Tensor,
    steps: int,
    *,
    learning_rate: float = 0.3,
    decay: tuple[float, float] = (0.9, 0.99),
) -> Iterator[P]:
    """Adam (Kingma and Ba 2015, algorithm 1), its learning rate falling to 0 along a half cosine.

    A constant rate would never settle: where the gradient vanishes, so does the measure by which
    Adam divides it.

    Args:
        surface: the loss to descend.
        start: the first parameters.
        steps: how many steps to take.
        learning_rate: how far a parameter moves in the first step, in nats for tabular logits.
        decay: how much of the running means of gradient and squared gradient each step keeps.

    Raises:
        RangeError: the learning rate is not above zero.
    """
    _check_rate(learning_rate)
    point = surface(start)
    mean, square = torch.zeros_like(start), torch.zeros_like(start)
    yield point
    for step in range(1, steps + 1):
        mean = torch.lerp(point.gradient, mean, decay[0])
        square = torch.lerp(point.gradient.square(), square, decay[1])
        # Both means start at 0; what that takes from them is made up for in the rate.
        missing = math.sqrt(1 - decay[1] ** step)
        spread = square.sqrt().add_(_TINY_GRADIENT * missing)
        rate = learning_rate * (1 + math.cos(math.pi * (step - 1) / steps)) / 2
        rate *= missing / (1 - decay[0] ** step)
        point = surface(torch.addcdiv(point.parameters, mean, spread, value=-rate))
        yield point


class _Secant(NamedTuple):
    """One remembered step: how the parameters moved and how the gradient answered."""

    moved: Tensor  # flat
    turned: Tensor  # flat
    curvature: float  # their inner product
    bend: float  # the inner product of `turned` with itself

    @property
    def informs(self) -> bool:
        """Whether it says anything: far out on a flat loss, gradients vanish in rounding."""
        return min(self.curvature, self.bend) > sys.float_info.min


def _descend(surface: Surface[P], point: P, direction: Tensor) -> P:
    """The first of the whole step, its half, its quarter, ... that lowers the loss."""
    length = 1.0
    for _ in range(_HALVINGS):
        trial = surface(torch.add(point.parameters, direction, alpha=length))
        # Where a convex loss still falls at the end of a step, it fell all the way.
        if _inner(trial.gradient, direction) <= 0:
            return trial
        if _lower(trial, point, length * _inner(point.gradient, direction)):
            return trial
        length /= 2
    return point


def _lower(trial: Point, point: Point, promised: float) -> bool:
    """Whether the loss fell by enough of what the slope promised, a negative number."""
    return trial.loss <= point.loss + _SUFFICIENT * promised + _ROUNDING * abs(point.loss)


def _two_loops(gradient: Tensor, history: deque[_Secant]) -> Tensor:
    """Minus the inverse-Hessian estimate times the gradient (Nocedal and Wright, algorithm 7.4)."""
    if not history:  # no curvature known yet: a first step of at most one nat per logit
        return -gradient / gradient.abs().max().clamp_min(torch.finfo(gradient.dtype).tiny)
    direction = -gradient.flatten()
    shares = []
    for past in reversed(history):
        shares.append(torch.dot(past.moved, direction).item() / past.curvature)
        direction.sub_(past.turned, alpha=shares[-1])
    latest = history[-1]
    direction.mul_(latest.curvature / latest.bend)
    for past, share in zip(history, reversed(shares), strict=True):
        turned = torch.dot(past.turned, direction).item() / past.curvature
        direction.add_(past.moved, alpha=share - turned)
    return direction.view_as(gradient)


def _secant(before: Point, after: Point) -> _Secant:
    moved = (after.parameters - before.parameters).flatten()
    turned = (after.gradient - before.gradient).flatten()
    bend = torch.dot(turned, turned).item()
    return _Secant(moved, turned, torch.dot(moved, turned).item(), bend)


def _inner(left: Tensor, right: Tensor) -> float:
    return torch.dot(left.flatten(), right.flatten()).item()


def _check_rate(learning_rate: float) -> None:
    guards.positive("the learning rate", learning_rate, advice="Choose one above 0, such as 0.1.")
