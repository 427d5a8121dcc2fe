"""What every loss is given: two scores per pair, lengths, a rate of flipped labels."""

import math

import torch
from torch import Tensor

from engine import guards
from engine.errors import RangeError

Lengths = tuple[Tensor, Tensor]  # (batch,) each: tokens of the chosen and of the rejected response


def margin(log_ratio_chosen: Tensor, log_ratio_rejected: Tensor) -> Tensor:
    """The difference of the log-ratios, (batch,) nats, after a check of both."""
    guards.floating(log_ratio_chosen=log_ratio_chosen, log_ratio_rejected=log_ratio_rejected)
    guards.same_shape(log_ratio_chosen=log_ratio_chosen, log_ratio_rejected=log_ratio_rejected)
    guards.pairs_exist(log_ratio_chosen.numel())
    difference = log_ratio_chosen - log_ratio_rejected
    guards.not_nan("the log-ratios", difference)
    return difference


def rewards(
    log_ratio_chosen: Tensor, log_ratio_rejected: Tensor, *, beta: float
) -> tuple[Tensor, Tensor]:
    """The implicit rewards of both responses, β times the log-ratio, after a check of all."""
    guards.beta(beta)
    margin(log_ratio_chosen, log_ratio_rejected)
    return beta * log_ratio_chosen, beta * log_ratio_rejected


def check_log_probs(**tensors: Tensor) -> None:
    """Refuse log-probabilities that no response can have."""
    guards.floating(**tensors)
    guards.same_shape(**tensors)
    for name, tensor in tensors.items():
        guards.pairs_exist(tensor.numel())
        guards.not_nan(name, tensor)
        _check_at_most_zero(name, tensor)


def check_lengths(lengths: Lengths, beside: Tensor) -> None:
    """Refuse lengths below one token, or not one per pair."""
    chosen, rejected = lengths
    guards.same_shape(log_ratio_chosen=beside, length_chosen=chosen, length_rejected=rejected)
    least = min(chosen.min().item(), rejected.min().item())
    if not least >= 1:
        raise RangeError.expected(
            "every response to have at least 1 token",
            got=least,
            advice="Count the token that ends a response, too.",
        )


def check_flip(flip: float, *, least: float = 0.0) -> None:
    """Refuse a rate of flipped labels at which the chosen response is no longer the likelier."""
    if not (math.isfinite(flip) and least <= flip < 0.5):
        raise RangeError.expected(
            f"a rate of flipped labels from {least:g} to below 0.5",
            got=flip,
            advice="At one half the labels say nothing; above it, swap them.",
        )


def check_at_least_zero(name: str, value: float) -> None:
    """Refuse a number that is not finite, or below zero."""
    if not (math.isfinite(value) and value >= 0):
        raise RangeError.expected(
            f"{name} to be a finite number, at least 0", got=value, advice="Choose 0 or more."
        )


def _check_at_most_zero(name: str, tensor: Tensor) -> None:
    if bool((tensor > 0).any()):
        raise RangeError.expected(
            f"{name} to hold logarithms of probabilities, at most 0",
            got=torch.max(tensor).item(),
            advice="Pass log π(y|x); a log-ratio may be above 0, a log-probability may not.",
        )
