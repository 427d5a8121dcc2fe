"""Distributions written as text: "20, 30, 50" is 0.2, 0.3 and 0.5, and so is "2 3 5"."""

import math
import re

from engine.errors import RangeError

FEWEST, MOST = 2, 8  # outcomes
LARGEST = 1e6  # of a weight, so that no sum overflows and no share is lost
LONGEST = 200  # characters


def read(
    text: str,  # 2 to 8 weights, with commas, semicolons or spaces between them
) -> list[float]:  # probabilities, in the order of the text
    """Divide each weight by the sum of all. Zero is a weight; not all may be zero.

    Raises:
        RangeError: something is no number, there are too few or too many, or all are zero.
    """
    weights = [_number(part) for part in re.split(r"[,;\s]+", _short(text).strip(" ,;\t\n"))]
    if not FEWEST <= len(weights) <= MOST:
        raise RangeError.expected(
            f"{FEWEST} to {MOST} weights",
            got=len(weights),
            advice="Write, for example, 20, 30, 50.",
        )
    total = math.fsum(weights)
    if total <= 0:
        raise RangeError.expected(
            "a weight above zero", got="zeros only", advice="Raise one of them."
        )
    return [weight / total for weight in weights]


def pair(
    first: str,  # as `read` takes it
    second: str,
) -> tuple[list[float], list[float]]:  # probabilities of the same outcomes
    """Read two distributions over the same outcomes.

    Raises:
        RangeError: as `read`, or one has more outcomes than the other.
    """
    one, other = read(first), read(second)
    if len(one) != len(other):
        raise RangeError.expected(
            f"as many weights in both texts, {len(one)}",
            got=len(other),
            advice="Give every outcome a weight in both; zero is one.",
        )
    return one, other


def _short(text: str) -> str:
    if len(text) > LONGEST:
        raise RangeError.expected(
            f"at most {LONGEST} characters", got=len(text), advice="Round the weights."
        )
    return text


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= LARGEST:  # false for NaN, too
        raise RangeError.expected(
            f"a weight from 0 to {LARGEST:g}",
            got=repr(text[:20]),
            advice="Write numbers with commas between them, such as 20, 30, 50.",
        )
    return value
