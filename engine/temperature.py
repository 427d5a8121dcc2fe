"""Reshaping a distribution before sampling: temperature, top-k and nucleus truncation.

Logits and log-probabilities are tables (batch, outcomes), −inf for an impossible outcome. Entropies
are in nats, temperatures have no unit. Truncated tables are normalized again.
"""

import torch
from torch import Tensor

from engine import guards
from engine.errors import RangeError

# What sums of probabilities may miss a threshold by, and still count as having reached it.
_ROUNDING = 1e-12


def temper(
    logits: Tensor,  # (batch, outcomes); log-probabilities are logits too
    *,
    temperature: float,  # above 0; 1 changes nothing
) -> Tensor:  # (batch, outcomes), log-probabilities
    """The softmax of logits divided by a temperature, in proportion to exp(z/T).

    Raises:
        RangeError: the temperature is not above zero.
        ShapeError: `logits` is not a table of floating-point numbers.
    """
    guards.table(logits=logits)
    _check_temperature(temperature)
    return torch.log_softmax(logits / temperature, dim=-1)


def entropy_slope(
    logits: Tensor,  # (batch, outcomes), finite
    *,
    temperature: float,  # above 0
) -> Tensor:  # (batch,), nats per unit of temperature
    """How fast entropy grows with temperature, dH/dT = Var(z)/T³, the variance taken under q_T.

    The case of `entropy_response` (Cui et al. 2025) in which the push is −z/T².

    Raises:
        RangeError: the temperature is not above zero, or a logit is not finite.
        ShapeError: `logits` is not a table of floating-point numbers.
    """
    guards.table(logits=logits)
    guards.finite("logits", logits)
    weights = temper(logits, temperature=temperature).exp()
    return _covariance(weights, logits, logits) / temperature**3


def entropy_response(
    log_p: Tensor,  # (batch, outcomes), log-probabilities, finite
    push: Tensor,  # (batch, outcomes), what is added to the logits per unit of step
) -> Tensor:  # (batch,), nats per unit of step
    """How fast entropy changes as logits are pushed, dH = −Cov(log p, push) (Cui et al. 2025).

    Raises:
        RangeError: a row does not sum to one, or a number is not finite.
        ShapeError: a table is not of floating-point numbers, or the shapes disagree.
    """
    guards.table(log_p=log_p, push=push)
    guards.finite("log_p", log_p)
    guards.finite("push", push)
    guards.log_probabilities("log_p", log_p)
    return -_covariance(log_p.exp(), log_p, push)


def top_k(
    log_p: Tensor,  # (batch, outcomes), log-probabilities
    *,
    k: int,  # at least 1; 1 is greedy decoding
) -> Tensor:  # (batch, outcomes), log-probabilities, −inf outside the k most probable
    """Keep the k most probable outcomes (Fan et al. 2018); of equals, the first come first.

    Raises:
        RangeError: k is below one, or a row does not sum to one.
        ShapeError: `log_p` is not a table of floating-point numbers.
    """
    guards.table(log_p=log_p)
    guards.log_probabilities("log_p", log_p)
    guards.count("k", k, least=1)
    return _keep(log_p, _ranks(log_p) < k)


def nucleus(
    log_p: Tensor,  # (batch, outcomes), log-probabilities
    *,
    mass: float,  # above 0, at most 1: what the kept outcomes must hold together
) -> Tensor:  # (batch, outcomes), log-probabilities, −inf outside the nucleus
    """Keep the fewest most probable outcomes that reach a mass (Holtzman et al. 2019), "top-p".

    Raises:
        RangeError: the mass is not above zero and at most one, or a row does not sum to one.
        ShapeError: `log_p` is not a table of floating-point numbers.
    """
    guards.table(log_p=log_p)
    guards.log_probabilities("log_p", log_p)
    _check_mass(mass)
    sorted_p, order = log_p.exp().sort(dim=-1, descending=True, stable=True)
    before = sorted_p.cumsum(dim=-1) - sorted_p
    kept = torch.zeros_like(before, dtype=torch.bool)
    return _keep(log_p, kept.scatter(-1, order, before < mass - _ROUNDING))


def _covariance(weights: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Cov(left, right) under each row's weights."""
    centered = left - (weights * left).sum(dim=-1, keepdim=True)
    return (weights * centered * right).sum(dim=-1)


def _ranks(log_p: Tensor) -> Tensor:
    order = log_p.argsort(dim=-1, descending=True, stable=True)
    return order.argsort(dim=-1)


def _keep(log_p: Tensor, kept: Tensor) -> Tensor:
    return torch.log_softmax(log_p.masked_fill(~kept, -torch.inf), dim=-1)


def _check_temperature(value: float) -> None:
    guards.positive(
        "the temperature",
        value,
        advice="Choose one above 0, for example 0.7; for its limit 0 use top_k with k = 1.",
    )


def _check_mass(value: float) -> None:
    if not 0 < value <= 1:
        raise RangeError.expected(
            "a mass above 0 and at most 1", got=value, advice="Try 0.9, or 1 to keep everything."
        )
