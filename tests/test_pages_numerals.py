"""Numbers in prose: a true minus, powers as powers, no floating-point noise."""

import math

import pytest

from pages.parts import numerals


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (29.46, "29.46"),
        (0.0, "0"),
        (-0.1, "−0.1"),
        (0.0015, "0.0015"),
        (2.7e-6, "2.7\u00a0·\u00a010⁻⁶"),
        (-3.2e-12, "−3.2\u00a0·\u00a010⁻¹²"),
        (4.0e9, "4.0\u00a0·\u00a010⁹"),
        (math.nan, "undefined"),
        (-math.inf, "−∞"),
    ],
)
def test_a_number_is_told_as_a_reader_expects(value: float, told: str) -> None:
    assert numerals.told(value) == told


def test_no_number_carries_a_hyphen_or_an_e() -> None:
    for exponent in range(-18, 19):
        text = numerals.told(-1.7 * 10.0**exponent)
        assert "-" not in text
        assert "e" not in text


def test_values_side_by_side_have_four_decimals() -> None:
    assert numerals.fixed(2.0) == "2.0000"
    assert numerals.fixed(-0.5) == "−0.5000"


def test_a_divergence_below_what_doubles_tell_apart_is_said_to_be_so() -> None:
    assert numerals.divergence(0.0, "nats") == "below 10⁻¹⁵ nats"
    assert numerals.divergence(1.38, "bits") == "1.38 bits"
