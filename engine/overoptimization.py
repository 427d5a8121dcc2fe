"""Over-optimization worked out by hand: a Gaussian policy and a proxy that is too simple.

A response is a number y, and the reference draws it from a standard normal distribution. The proxy
reward is y itself. The gold reward is y − c y²: it agrees with the proxy near zero, where the
reference lives, and turns against it far out. All divergences are in nats.
"""

import math

import torch
from torch import Tensor

from engine import guards

# Wide enough for means up to 12. On a smooth density that dies out within it, a sum over equal
# steps of 0.1 is the integral to all digits.
_GRID = torch.linspace(-30.0, 42.0, 721, dtype=torch.float64)


def mean_of_optimum(beta: float) -> float:
    """The mean of π* for the proxy: tilting N(0, 1) by e^{y/β} gives N(1/β, 1).

    Raises:
        RangeError: β is not above zero.
    """
    guards.beta(beta)
    return 1 / beta


def divergence(mean: float) -> float:
    """KL(N(mean, 1)‖N(0, 1)) = mean²/2."""
    return mean**2 / 2


def proxy_gain(divergence_nats: float) -> float:
    """How far the proxy has risen above its start when the optimum has this divergence."""
    return math.sqrt(2 * divergence_nats)


def gold_gain(divergence_nats: float, *, curvature: float) -> float:
    """How far the gold reward has moved from its start: d (√2 − 2 c d), with d = √KL.

    This is the form d (α − β d) that Gao et al. 2022 fitted to best-of-n.
    """
    d = math.sqrt(divergence_nats)
    return d * (math.sqrt(2) - 2 * curvature * d)


def divergence_at_peak(*, curvature: float) -> float:
    """The divergence at which the gold reward is highest, 1/(8 c²).

    Raises:
        RangeError: the curvature is not above zero, so the gold reward has no peak.
    """
    guards.positive("the curvature", curvature, advice="Choose for example 0.25.")
    return 1 / (8 * curvature**2)


def integrated(beta: float, *, curvature: float) -> tuple[float, float]:
    """Divergence and gold gain of π*, integrated over y without knowing that π* is normal.

    The density is the reference's times e^{y/β}, normalized by its own sum. For β of 1/12 or more.

    Raises:
        RangeError: β is not above zero.
    """
    guards.beta(beta)
    log_reference = -(_GRID**2) / 2
    log_reference = log_reference - torch.logsumexp(log_reference, dim=0)
    log_policy = torch.log_softmax(log_reference + _GRID / beta, dim=0)
    spent = (log_policy.exp() * (log_policy - log_reference)).sum().item()
    gain = _gold(log_policy, curvature) - _gold(log_reference, curvature)
    return spent, gain


def _gold(log_density: Tensor, curvature: float) -> float:
    return (log_density.exp() * (_GRID - curvature * _GRID**2)).sum().item()
