"""Estimates of KL(q‖p) from samples of q, weighed exactly: mean, variance, and slope as a loss.

An estimator turns the log-ratio of one sample, log q(x) − log p(x) in nats, into one number
(Schulman 2020, where r = p/q). Distributions are tables of log-probabilities (batch, outcomes);
every expectation is a sum over all outcomes, so nothing here is random. Outcomes that q rules out
are never drawn and never counted.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from engine import guards

Estimator = Callable[[Tensor], Tensor]


def k1(
    log_ratio: Tensor,  # any shape, log q − log p of each sample, nats
) -> Tensor:  # the same shape, nats, of either sign
    """The log-ratio itself, −log r: unbiased (Schulman 2020)."""
    return log_ratio


def k2(
    log_ratio: Tensor,  # any shape, log q − log p of each sample, nats
) -> Tensor:  # the same shape, nats squared, never negative
    """Half the squared log-ratio, (log r)²/2: biased, the closer the less (Schulman 2020)."""
    return log_ratio**2 / 2


def k3(
    log_ratio: Tensor,  # any shape, log q − log p of each sample, nats
) -> Tensor:  # the same shape, nats, never negative
    """The control variate added, r − 1 − log r: unbiased where p ≪ q (Schulman 2020).

    Unbiased only if q allows all that p allows; otherwise the mean of r falls short of one.
    """
    return torch.expm1(-log_ratio) + log_ratio


def mean(
    estimator: Estimator,
    log_q: Tensor,  # (batch, outcomes), log-probabilities of the samples' source
    log_p: Tensor,  # (batch, outcomes), log-probabilities compared with them
) -> Tensor:  # (batch,) the estimator's expected value
    """What the average over many samples tends to, E_q[k].

    Raises:
        ShapeError: a table is not of floating-point numbers, or the shapes disagree.
        RangeError: a row does not sum to one.
    """
    _check(log_q, log_p)
    return _expected(_values(estimator, log_q, log_p), log_q)


def variance(
    estimator: Estimator,
    log_q: Tensor,  # (batch, outcomes), log-probabilities of the samples' source
    log_p: Tensor,  # (batch, outcomes), log-probabilities compared with them
) -> Tensor:  # (batch,) of one sample; of the average of n samples, 1/n of it
    """The variance of the estimate from a single sample, Var_q[k].

    Raises:
        ShapeError: a table is not of floating-point numbers, or the shapes disagree.
        RangeError: a row does not sum to one.
    """
    center = mean(estimator, log_q, log_p).unsqueeze(-1)
    return _expected((_values(estimator, log_q, log_p) - center) ** 2, log_q)


def gradient_as_loss(
    estimator: Estimator,
    logits: Tensor,  # (batch, outcomes), q is their softmax
    log_p: Tensor,  # (batch, outcomes), log-probabilities, above −inf
) -> Tensor:  # (batch, outcomes), per unit of logit
    """The expected gradient of an estimate used as a loss on fresh samples of q.

    The samples are data: automatic differentiation sees the log-ratio, not that q drew them. So the
    weights of the sum are held fixed (Tang and Munos 2025).

    Raises:
        ShapeError: a table is not of floating-point numbers, or the shapes disagree.
        RangeError: a row of `log_p` does not sum to one.
    """
    moving = logits.detach().clone().requires_grad_()
    log_q = torch.log_softmax(moving, dim=-1)
    _check(log_q, log_p)
    loss = (log_q.detach().exp() * estimator(log_q - log_p)).sum()
    (gradient,) = torch.autograd.grad(loss, moving)
    return gradient


def _values(estimator: Estimator, log_q: Tensor, log_p: Tensor) -> Tensor:
    """The estimate at each outcome, 0 where q never draws it."""
    impossible = torch.isneginf(log_q)
    log_ratio = log_q.masked_fill(impossible, 0.0) - log_p.masked_fill(impossible, 0.0)
    return estimator(log_ratio)


def _expected(values: Tensor, log_q: Tensor) -> Tensor:
    return (log_q.exp() * values.masked_fill(torch.isneginf(log_q), 0.0)).sum(dim=-1)


def _check(log_q: Tensor, log_p: Tensor) -> None:
    guards.table(log_q=log_q, log_p=log_p)
    guards.log_probabilities("log_q", log_q)
    guards.log_probabilities("log_p", log_p)
