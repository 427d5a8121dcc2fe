"""Entropy, cross-entropy and KL divergence of finite distributions, exact at the edges.

Every function takes tables of log-probabilities (batch, outcomes), −inf for an impossible
outcome, and answers in nats, one number per row. All follow one convention: 0 · log 0 = 0, and
an outcome that p allows and q rules out costs +inf.
"""

import torch
from torch import Tensor

from engine import guards


def entropy(
    log_p: Tensor,  # (batch, outcomes), log-probabilities
) -> Tensor:  # (batch,) nats, from 0 to log(outcomes)
    """Entropy H(p) = −Σ p log p (Shannon 1948, section 6).

    Raises:
        ShapeError: `log_p` is not a table of floating-point numbers.
        RangeError: a row does not sum to one.
    """
    return cross_entropy(log_p, log_p)


def cross_entropy(
    log_p: Tensor,  # (batch, outcomes), log-probabilities of what happens
    log_q: Tensor,  # (batch, outcomes), log-probabilities of what was predicted
) -> Tensor:  # (batch,) nats, at least H(p); +inf where q rules out what p allows
    """Cross-entropy H(p, q) = −Σ p log q = H(p) + KL(p‖q) (Cover and Thomas 2006, thm 5.4.3).

    Raises:
        ShapeError: a table is not of floating-point numbers, or the shapes disagree.
        RangeError: a row does not sum to one.
    """
    _check(log_p, log_q)
    return -(log_p.exp() * _on_support(log_q, log_p)).sum(dim=-1)


def kl(
    log_p: Tensor,  # (batch, outcomes), log-probabilities that weigh the outcomes
    log_q: Tensor,  # (batch, outcomes), log-probabilities compared with them
) -> Tensor:  # (batch,) nats, 0 where p = q; +inf where q rules out what p allows
    """Relative entropy KL(p‖q) = Σ p log(p/q) (Cover and Thomas 2006, eq. 2.26).

    Raises:
        ShapeError: a table is not of floating-point numbers, or the shapes disagree.
        RangeError: a row does not sum to one.
    """
    _check(log_p, log_q)
    gap = _on_support(log_p, log_p) - _on_support(log_q, log_p)
    # Rounding may leave −1e-17 where p = q; the true value is never below zero.
    return (log_p.exp() * gap).sum(dim=-1).clamp_min(0.0)


def _on_support(log_values: Tensor, log_p: Tensor) -> Tensor:
    """The same values, with 0 where p is zero, so that 0 · log 0 is 0 and not NaN."""
    return log_values.masked_fill(torch.isneginf(log_p), 0.0)


def _check(log_p: Tensor, log_q: Tensor) -> None:
    guards.table(log_p=log_p, log_q=log_q)
    guards.log_probabilities("log_p", log_p)
    guards.log_probabilities("log_q", log_q)
