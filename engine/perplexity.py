"""Perplexity, and the information per token, character or byte that it stands for."""

import math

from engine import guards
from engine.errors import RangeError

_BITS_PER_NAT = 1 / math.log(2)


def from_nats(cross_entropy: float) -> float:
    """Perplexity e^H of a cross-entropy H in nats; at least 1.

    Raises:
        RangeError: H is not a finite number from 0 upwards.
    """
    _check_information(cross_entropy)
    return math.exp(cross_entropy)


def from_bits(cross_entropy: float) -> float:
    """Perplexity 2^H of a cross-entropy H in bits; at least 1.

    Raises:
        RangeError: H is not a finite number from 0 upwards.
    """
    _check_information(cross_entropy)
    return math.exp2(cross_entropy)


def in_nats(perplexity: float) -> float:
    """The cross-entropy behind a perplexity, in nats.

    Raises:
        RangeError: the perplexity is not a finite number from 1 upwards.
    """
    if not (math.isfinite(perplexity) and perplexity >= 1):
        raise RangeError.expected(
            "a perplexity of 1 or more",
            got=perplexity,
            advice="Perplexity is one over a mean probability; it cannot be below 1.",
        )
    return math.log(perplexity)


def in_bits(perplexity: float) -> float:
    """The cross-entropy behind a perplexity, in bits.

    Raises:
        RangeError: the perplexity is not a finite number from 1 upwards.
    """
    return in_nats(perplexity) * _BITS_PER_NAT


def bits_per_unit(perplexity: float, *, units_per_token: float) -> float:
    """Bits per character or byte of a model with this perplexity per token.

    Args:
        perplexity: per token, at least 1.
        units_per_token: characters or bytes in a token, on average over the scored text.

    Raises:
        RangeError: the perplexity is below 1, or the units are not above 0.
    """
    guards.positive("units per token", units_per_token, advice="Count them over the scored text.")
    return in_bits(perplexity) / units_per_token


def of_longer_unit(bits_per_unit: float, *, units: float) -> float:
    """Perplexity of a stretch of several units that cost this many bits each.

    Raises:
        RangeError: the bits are below 0, or the units are not above 0.
    """
    guards.positive("units", units, advice="A token has at least a part of a character.")
    return from_bits(bits_per_unit * units)


def _check_information(cross_entropy: float) -> None:
    if not (math.isfinite(cross_entropy) and cross_entropy >= 0):
        raise RangeError.expected(
            "a cross-entropy of 0 or more",
            got=cross_entropy,
            advice="Pass minus the mean log-probability, not the mean log-probability.",
        )
