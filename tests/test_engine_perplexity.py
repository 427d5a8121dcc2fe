"""Perplexity in two bases and three units, against hand values and a product of probabilities."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import perplexity
from engine.errors import RangeError


def test_ten_in_both_units_and_the_mistake_beside_it() -> None:
    assert perplexity.in_nats(10) == pytest.approx(2.302585092994046, abs=1e-15)
    assert perplexity.in_bits(10) == pytest.approx(3.321928094887362, abs=1e-14)
    assert perplexity.from_bits(perplexity.in_bits(10)) == pytest.approx(10)
    assert perplexity.from_nats(perplexity.in_bits(10)) == pytest.approx(27.71, abs=5e-3)


@given(st.floats(1, 1e6))
def test_there_and_back(value: float) -> None:
    assert perplexity.from_nats(perplexity.in_nats(value)) == pytest.approx(value, rel=1e-12)
    assert perplexity.from_bits(perplexity.in_bits(value)) == pytest.approx(value, rel=1e-12)


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=20))
def test_it_is_one_over_the_geometric_mean(chances: list[float]) -> None:
    mean = -sum(map(math.log, chances)) / len(chances)
    geometric = math.prod(chances) ** (1 / len(chances))
    assert perplexity.from_nats(max(0.0, mean)) == pytest.approx(1 / geometric, rel=1e-9)


def test_an_even_choice_has_its_number_of_options() -> None:
    assert perplexity.from_nats(math.log(50_257)) == pytest.approx(50_257)


@given(st.floats(1, 1e4), st.floats(0.5, 10))
def test_a_text_costs_the_same_per_token_and_per_character(ppl: float, characters: float) -> None:
    each = perplexity.bits_per_unit(ppl, units_per_token=characters)
    assert perplexity.of_longer_unit(each, units=characters) == pytest.approx(ppl, rel=1e-9)


def test_lower_per_token_is_not_lower_per_character() -> None:
    short = perplexity.bits_per_unit(20, units_per_token=4)
    long = perplexity.bits_per_unit(30, units_per_token=5)
    assert short == pytest.approx(1.0804820237218404, abs=1e-12)
    assert long == pytest.approx(0.9813781191217037, abs=1e-12)
    assert long < short


def test_bits_per_byte_as_the_pile_computes_it() -> None:
    loss, tokens, octets = 2.5, 29_335, 100_000  # (L_T / L_B) · loss / ln 2, Gao et al., 3.1
    expected = tokens / octets * loss / math.log(2)
    found = perplexity.bits_per_unit(math.exp(loss), units_per_token=octets / tokens)
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("value", [0.99, 0, -1, math.nan, math.inf])
def test_what_is_no_perplexity_is_refused(value: float) -> None:
    with pytest.raises(RangeError, match="1 or more"):
        perplexity.in_bits(value)


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_what_is_no_cross_entropy_is_refused(value: float) -> None:
    for convert in (perplexity.from_nats, perplexity.from_bits):
        with pytest.raises(RangeError, match="minus the mean"):
            convert(value)


def test_a_token_without_characters_is_refused() -> None:
    with pytest.raises(RangeError, match="units per token"):
        perplexity.bits_per_unit(10, units_per_token=0)
    with pytest.raises(RangeError, match="units"):
        perplexity.of_longer_unit(1, units=-1)
