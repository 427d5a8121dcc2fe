"""One Gaussian fitted to a mixture of two, by either direction of KL divergence.

The target is p = ½ N(−a, s²) + ½ N(a, s²), the student q = N(μ, σ²). The forward divergence KL(p‖q)
has its minimum where mean and variance agree (Bishop 2006, section 10.7). The reverse divergence
KL(q‖p) has no closed form; it is integrated by the trapezoidal rule, which is exact to rounding for
functions as smooth and as quickly vanishing as these, and minimized by Newton's method.
"""

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import torch
from torch import Tensor

from engine import guards
from engine.errors import EngineError

_REACH = 12.0  # standard deviations of q on either side of its mean; beyond lies less than 1e-31
_POINTS = 2401
_NEWTON_STEPS = 100
_DESCENT_STEPS = 100  # of plain descent, which decides where Newton's method will finish
_DESCENT_RATE = 0.05
_FLAT = 1e-11  # nats per unit; a smaller slope counts as none
_ROUNDING = 1e-13  # nats by which a step may seem to lead up


@dataclass(frozen=True)
class Gaussian:
    """A normal distribution, q = N(mean, deviation²)."""

    mean: float
    deviation: float  # standard deviation, > 0

    def __post_init__(self) -> None:
        """Refuse a deviation that makes no density."""
        guards.positive("the deviation", self.deviation, advice="Choose one above 0.")


@dataclass(frozen=True)
class TwoHumps:
    """An even mixture of two Gaussians, p = ½ N(−offset, deviation²) + ½ N(offset, deviation²)."""

    offset: float  # ≥ 0
    deviation: float  # of each hump, > 0

    def __post_init__(self) -> None:
        """Refuse a deviation that makes no density."""
        guards.positive("the deviation", self.deviation, advice="Choose one above 0.")

    def log_density(
        self,
        x: Tensor,  # any shape, on the axis of the target
    ) -> Tensor:  # the same shape, log of density
        """The logarithm of p at each point."""
        lower = log_normal(x, -self.offset, self.deviation)
        lead = 2 * self.offset * x / self.deviation**2  # of the upper hump, in nats
        # As the log of a sum of exponentials, its second derivative is NaN where one is lost.
        return lower + torch.nn.functional.softplus(lead, threshold=40.0) - math.log(2)


def log_normal(
    x: Tensor,  # any shape
    mean: Tensor | float,
    deviation: Tensor | float,  # > 0
) -> Tensor:  # the same shape, log of density
    """The logarithm of N(x; mean, deviation²)."""
    spread = torch.as_tensor(deviation, dtype=torch.float64)
    return -(((x - mean) / spread) ** 2) / 2 - spread.log() - math.log(2 * math.pi) / 2


def forward_fit(target: TwoHumps) -> Gaussian:
    """The Gaussian of least KL(p‖q): it takes the target's mean and variance, 0 and a² + s².

    Bishop 2006, section 10.7 (moment matching).
    """
    return Gaussian(0.0, math.hypot(target.offset, target.deviation))


def forward_divergence(target: TwoHumps, student: Gaussian) -> float:
    """KL(p‖q) in nats, by integration over p."""
    edge = target.offset + _REACH * target.deviation
    x = torch.linspace(-edge, edge, 2 * _POINTS - 1, dtype=torch.float64)
    log_p = target.log_density(x)
    gap = log_p - log_normal(x, student.mean, student.deviation)
    return torch.trapezoid(log_p.exp() * gap, x).item()


def reverse_divergence(target: TwoHumps, student: Gaussian) -> float:
    """KL(q‖p) in nats, by integration over q."""
    return _reverse(target, _parameters(student)).item()


def forward_slopes(
    target: TwoHumps,
    places: Tensor,  # (places, 2), mean and log deviation of each Gaussian
) -> tuple[Tensor, Tensor]:  # (places,) nats and (places, 2) nats per unit
    """KL(p‖q) at many Gaussians at once, and its gradient in (μ, log σ).

    The slope is in closed form: −E_p[x − μ]/σ² and 1 − E_p[(x − μ)²]/σ².
    """
    mean, log_deviation = places.T
    variance = (2 * log_deviation).exp()
    second = target.offset**2 + target.deviation**2 + mean**2  # E_p[(x − μ)²]
    crossed = math.log(2 * math.pi) / 2 + log_deviation + second / (2 * variance)
    slope = torch.stack([mean / variance, 1 - second / variance], dim=1)
    return crossed - _entropy(target), slope


def reverse_slopes(
    target: TwoHumps,
    places: Tensor,  # (places, 2), mean and log deviation of each Gaussian
) -> tuple[Tensor, Tensor]:  # (places,) nats and (places, 2) nats per unit
    """KL(q‖p) at many Gaussians at once, and its gradient in (μ, log σ), both by integration.

    With x = μ + σz and t = tanh(ax/s²), the slope of log p is (at − x)/s². Of what is averaged over
    q only t and the log of the upper hump's lead are no polynomials in z; these are integrated.
    """
    mean, log_deviation = places.unbind(1)
    deviation, spread = log_deviation.exp(), target.deviation**2
    z, weight, moments = _quadrature()
    half = (target.offset / spread) * torch.addcmul(mean.unsqueeze(1), deviation.unsqueeze(1), z)
    pulled, turned = (target.offset * half.tanh() @ moments).unbind(1)
    lead = torch.nn.functional.softplus(2 * half, threshold=40.0) @ weight
    lower = ((mean + target.offset).square() + deviation.square()) / (2 * spread)
    slope = torch.stack(
        [(mean - pulled) / spread, deviation * (deviation - turned) / spread - 1], dim=1
    )
    return lower - lead - log_deviation + math.log(2 * target.deviation) - 1 / 2, slope


def reverse_curvature(target: TwoHumps, student: Gaussian) -> tuple[float, float]:
    """The two eigenvalues, least first, of the Hessian of KL(q‖p) in (μ, log σ), in nats.

    Both above zero where the slope vanishes: a minimum. One below: a saddle.
    """
    least, most = torch.linalg.eigvalsh(_slopes(target, _parameters(student))[1]).tolist()
    return least, most


def reverse_fit(target: TwoHumps, start: Gaussian) -> Gaussian:
    """The minimum of KL(q‖p) that is reached downhill from `start`; which one depends on it.

    Plain gradient descent in (μ, log σ) first, since Newton's method may leap into another basin;
    then Newton's method to the last digit.

    Raises:
        EngineError: it has not come to rest.
    """
    place = _parameters(start)
    flat = _FLAT * max(1.0, (target.offset / target.deviation) ** 2)
    for _ in range(_DESCENT_STEPS):
        place = place - _DESCENT_RATE * _slope(target, place)
    for _ in range(_NEWTON_STEPS):
        slope, curvature = _slopes(target, place)
        if slope.abs().max().item() < flat:
            return Gaussian(place[0].item(), place[1].exp().item())
        place = _downhill(target, place, _direction(slope, curvature))
    raise EngineError.expected(
        "a minimum of KL(q‖p)", got="none in 100 steps", advice="Start nearer to a hump."
    )


@lru_cache(maxsize=16)
def _entropy(target: TwoHumps) -> float:
    """The differential entropy of the target in nats, by integration."""
    edge = target.offset + _REACH * target.deviation
    x = torch.linspace(-edge, edge, 2 * _POINTS - 1, dtype=torch.float64)
    log_p = target.log_density(x)
    return -torch.trapezoid(log_p.exp() * log_p, x).item()


@cache
def _quadrature() -> tuple[Tensor, Tensor, Tensor]:
    """Places z of a standard normal variable and what each counts in a mean, (points,) both.

    And what it counts in the means of a variable and of z times it, (points, 2).
    """
    z = torch.linspace(-_REACH, _REACH, _POINTS, dtype=torch.float64)
    weight = torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    return z, weight, torch.stack([weight, z * weight], dim=1)


def _direction(slope: Tensor, curvature: Tensor) -> Tensor:
    """Newton's step, turned downhill where the curvature is negative."""
    values, axes = torch.linalg.eigh(curvature)
    step: Tensor = -axes @ ((axes.mT @ slope) / values.abs().clamp_min(1e-3))
    return step


def _downhill(target: TwoHumps, place: Tensor, step: Tensor) -> Tensor:
    """The end of the step, or of a half, a quarter, ... of it: the first that is no higher."""
    height: float = _reverse(target, place).item()
    for _ in range(40):
        if _reverse(target, place + step).item() <= height + _ROUNDING:
            break
        step = step / 2
    return place + step


def _slope(target: TwoHumps, place: Tensor) -> Tensor:
    moving = place.clone().requires_grad_()
    return torch.autograd.grad(_reverse(target, moving), moving)[0]


def _slopes(target: TwoHumps, place: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient (2,) and Hessian (2, 2) of KL(q‖p) in (μ, log σ), by automatic differentiation."""
    moving = place.clone().requires_grad_()
    (slope,) = torch.autograd.grad(_reverse(target, moving), moving, create_graph=True)
    rows = [torch.autograd.grad(part, moving, retain_graph=True)[0] for part in slope]
    return slope.detach(), torch.stack(rows)


def _reverse(target: TwoHumps, place: Tensor) -> Tensor:
    """KL(q‖p) in nats for q = N(μ, σ²) at place = (μ, log σ): −H(q) − E_q[log p]."""
    mean, log_deviation = place
    z = torch.linspace(-_REACH, _REACH, _POINTS, dtype=torch.float64)
    weight = torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    expected = torch.trapezoid(weight * target.log_density(mean + log_deviation.exp() * z), z)
    divergence: Tensor = -(math.log(2 * math.pi) + 1) / 2 - log_deviation - expected
    return divergence


def _parameters(student: Gaussian) -> Tensor:
    return torch.tensor([student.mean, math.log(student.deviation)], dtype=torch.float64)
