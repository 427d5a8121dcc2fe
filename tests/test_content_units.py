"""Quantities in nats and bits: converted to as many digits, formulas set in the wanted base."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.load import Lesson, load_course
from content.units import Unit, convert, formulas, quantity

COURSE = load_course()


@pytest.mark.parametrize(
    ("number", "unit", "wanted", "said"),
    [
        ("0.693", "nats", None, "0.693 nats"),
        ("0.693", "nats", "nats", "0.693 nats"),
        ("0.693", "nats", "bits", "1.00 bits"),
        ("1", "bits", None, "1 bit"),
        ("1", "bits", "nats", "0.69 nats"),
        ("2.3026", "nats", "bits", "3.3219 bits"),
        ("20", "nats", "bits", "29 bits"),
        ("−0.5", "bits", "nats", "−0.35 nats"),
        ("0", "nats", "bits", "0 bits"),
        ("1", "nats", None, "1 nat"),
    ],
)
def test_a_quantity_is_told_in_the_wanted_unit(
    number: str, unit: str, wanted: Unit | None, said: str
) -> None:
    assert quantity(number, unit, wanted) == said


@given(st.floats(-1e6, 1e6))
def test_there_and_back_again(value: float) -> None:
    assert convert(convert(value, "bits"), "nats") == pytest.approx(value, rel=1e-12)
    assert convert(math.log(2), "bits") == pytest.approx(1)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (None, r"$\log p$ and $\log Z$ and $\logit$ and $\log_2 x$"),
        ("nats", r"$\log p$ and $\log Z$ and $\logit$ and $\log_2 x$"),
        ("bits", r"$\log_2 p$ and $\ln Z$ and $\logit$ and $\log_2 x$"),
    ],
)
def test_logarithms_are_told_apart_in_bits_only(wanted: Unit | None, said: str) -> None:
    assert formulas(r"$\log p$ and $\ln Z$ and $\logit$ and $\log_2 x$", wanted) == said


def test_a_lone_minus_is_no_number() -> None:
    assert quantity("0.05", "nats", "bits") == "0.072 bits"


@pytest.mark.parametrize("lesson", COURSE.lessons.values(), ids=lambda lesson: lesson.id)
def test_a_claim_whose_unit_switches_says_its_number_and_its_unit(lesson: Lesson) -> None:
    for claim in lesson.claims.values():
        if claim.unit in {"nats", "bits"} and not claim.fixed:
            number, _, unit = claim.shown.partition(" ")
            assert unit in {claim.unit, claim.unit[:-1]}, claim.id
            assert quantity(number, claim.unit) == claim.shown
