"""Numbers about KL divergence: its two directions, its estimates, and their slopes as losses.

Distributions come as probabilities, not as logarithms; outcomes are counted from 0.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from engine import distributions, estimators, gaussians
from engine.errors import RangeError

_ESTIMATORS = {"k1": estimators.k1, "k2": estimators.k2, "k3": estimators.k3}
_WIDTH_OF_START = 1.0  # standard deviation from which the reverse fit sets out


def divergence(first: list[float], second: list[float]) -> float:
    """KL(first‖second) in nats (Cover and Thomas 2006, eq. 2.26)."""
    return distributions.kl(_logs(first), _logs(second)).item()


def divergence_by_way_of(middle: list[float], first: list[float], last: list[float]) -> float:
    """KL(first‖middle) + KL(middle‖last) in nats: at least KL(first‖last), were it a distance."""
    return divergence(first, middle) + divergence(middle, last)


def log_ratio(outcome: int, first: list[float], second: list[float]) -> float:
    """The log-ratio of first to second at one outcome, in nats."""
    gaps = _logs(first) - _logs(second)
    return gaps[0, _checked(outcome, first)].item()


def surprisal_of_least_likely(logits: list[float]) -> float:
    """The surprisal, in nats, of the least likely outcome under the softmax of finite logits."""
    return -torch.log_softmax(_row(logits), dim=-1).min().item()


def margin_of_pair(
    chosen: int, rejected: int, policy: list[float], reference: list[float]
) -> float:
    """The log-ratio of the chosen outcome minus that of the rejected one, in nats.

    Rafailov et al. 2023, eq. 7, before the multiplication by β.
    """
    return log_ratio(chosen, policy, reference) - log_ratio(rejected, policy, reference)


def forward_fit_deviation(offset: float, deviation: float) -> float:
    """The standard deviation of the Gaussian of least KL(p‖q), p two even humps at ±offset."""
    return gaussians.forward_fit(gaussians.TwoHumps(offset, deviation)).deviation


def forward_fit_between(offset: float, deviation: float) -> float:
    """The share of that Gaussian within half the offset of zero, between the humps."""
    fit = gaussians.forward_fit(gaussians.TwoHumps(offset, deviation))
    return _share_between(fit, offset / 2)


def target_between(offset: float, deviation: float) -> float:
    """The share of the two humps themselves within half the offset of zero."""
    humps = [gaussians.Gaussian(center, deviation) for center in (-offset, offset)]
    return sum(_share_between(hump, offset / 2) for hump in humps) / 2


def reverse_fit_divergence(start: float, offset: float, deviation: float) -> float:
    """The KL(q‖p), in nats, at which a Gaussian comes to rest that sets out at mean `start`."""
    target = gaussians.TwoHumps(offset, deviation)
    fit = gaussians.reverse_fit(target, gaussians.Gaussian(start, _WIDTH_OF_START))
    return gaussians.reverse_divergence(target, fit)


def estimate_mean(estimator: str, source: list[float], other: list[float]) -> float:
    """The expected value of k1, k2 or k3 over samples of `source`, with natural logarithms."""
    return estimators.mean(_estimator(estimator), _logs(source), _logs(other)).item()


def estimate_deviation(estimator: str, source: list[float], other: list[float]) -> float:
    """The standard deviation of k1, k2 or k3 over single samples, with natural logarithms."""
    spread = estimators.variance(_estimator(estimator), _logs(source), _logs(other))
    return spread.sqrt().item()


def slope_as_loss(estimator: str, outcome: int, student: list[float], target: list[float]) -> float:
    """The expected slope of k1, k2 or k3 in one logit of the student, used as a loss.

    Samples are fresh from the student. Nats per unit of logit.
    """
    gradient = estimators.gradient_as_loss(_estimator(estimator), _logs(student), _logs(target))
    return gradient[0, _checked(outcome, student)].item()


def loss_gradient_gap(tables: int, outcomes: int, seed: int) -> float:
    """The largest departure from what k1, k2 and k3 give as losses, over random distributions.

    Expected: no gradient from k1, that of KL(q‖p) from k2, that of KL(p‖q) from k3. The divergences
    are differentiated through everything, the sampling weights included. Nats per unit of logit.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (2, tables, outcomes)
    logits, scores = torch.randn(shape, generator=generator, dtype=torch.float64)
    log_p = torch.log_softmax(scores, dim=-1)
    slopes = [estimators.gradient_as_loss(k, logits, log_p) for k in _ESTIMATORS.values()]
    truths = [torch.zeros_like(logits), *_gradients(logits, log_p)]
    return max(
        (slope - truth).abs().max().item() for slope, truth in zip(slopes, truths, strict=True)
    )


def _gradients(logits: Tensor, log_p: Tensor) -> list[Tensor]:
    """The gradients of KL(q‖p) and KL(p‖q) in the logits of q."""
    moving = logits.clone().requires_grad_()
    log_q = torch.log_softmax(moving, dim=-1)
    pairs = ((log_q, log_p), (log_p, log_q))
    return [
        torch.autograd.grad(distributions.kl(*pair).sum(), moving, retain_graph=True)[0]
        for pair in pairs
    ]


def _share_between(normal: gaussians.Gaussian, edge: float) -> float:
    """The probability of N(mean, deviation²) between −edge and +edge."""
    scale = normal.deviation * math.sqrt(2)
    return (math.erf((edge - normal.mean) / scale) - math.erf((-edge - normal.mean) / scale)) / 2


def _estimator(name: str) -> estimators.Estimator:
    if name not in _ESTIMATORS:
        raise RangeError.expected(
            f"an estimator among {', '.join(_ESTIMATORS)}",
            got=repr(name),
            advice="Name one of these.",
        )
    return _ESTIMATORS[name]


def _logs(probabilities: Sequence[float]) -> Tensor:
    return _row(probabilities).log()


def _row(values: Sequence[float]) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


def _checked(outcome: int, outcomes: Sequence[float]) -> int:
    if not 0 <= outcome < len(outcomes):
        raise RangeError.expected(
            f"an outcome from 0 to {len(outcomes) - 1}", got=outcome, advice="Count from 0."
        )
    return outcome
