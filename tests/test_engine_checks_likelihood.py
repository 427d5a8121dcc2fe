"""What the claims of the lesson on likelihood call, against numbers worked out by other means."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.checks import likelihood as checks
from engine.errors import EngineError
from engine.recompute import recompute

TEXT = "the cat sleeps . the cat sleeps . the cat eats . the dog eats ."
CHATS = "cat ? | the cat sleeps . / dog ? | the dog eats ."


@given(st.floats(-50, 50))
def test_a_common_shift_changes_no_probability_and_a_common_factor_does(shift: float) -> None:
    logits = [2.0, 1.0, 0.0]
    exact = math.exp(2) / (math.exp(2) + math.e + 1)
    moved = [logit + shift for logit in logits]
    assert checks.softmax_probability(0, moved) == pytest.approx(exact, abs=1e-12)
    doubled = [2 * logit for logit in logits]
    assert checks.softmax_probability(0, doubled) != pytest.approx(exact, abs=0.1)


def test_the_slope_is_the_probability_less_one_for_what_came() -> None:
    logits = [2.0, 1.0, 0.0]
    total = sum(math.exp(logit) for logit in logits)
    for observed in range(3):
        for token, logit in enumerate(logits):
            exact = math.exp(logit) / total - (token == observed)
            found = checks.logit_slope(token, observed, logits)
            assert found == pytest.approx(exact, abs=1e-12)
            assert found != pytest.approx(-exact, abs=0.1), "ascent would be refused"


def test_where_single_precision_loses_a_token() -> None:
    gap = checks.gap_rounded_to_zero("float32")
    assert np.float32(math.exp(-gap)) == 0 < np.float32(math.exp(-(gap - 1)))
    assert checks.gap_rounded_to_zero("float64") == 746
    assert math.exp(-746) == 0 < math.exp(-745)
    assert checks.log_probability_at_gap(gap, "float32") == pytest.approx(-gap, abs=1e-4)


def test_the_chain_rule_holds_for_other_sizes() -> None:
    for tokens, places, seed in ((2, 5, 1), (4, 3, 2), (5, 2, 3)):
        assert checks.chain_rule_gap(tokens, places, seed) < 1e-12
        assert checks.log_chain_gap(tokens, places, seed) < 1e-12


def test_sentences_by_hand() -> None:
    shares = {"the cat sleeps .": (1, 2), "the cat eats .": (1, 4), "the dog eats .": (1, 4)}
    for text, (top, bottom) in shares.items():
        assert checks.text_probability(TEXT, text) == pytest.approx(top / bottom, abs=1e-15)
        bits = checks.text_surprisal_in_bits(TEXT, text)
        assert bits == pytest.approx(math.log2(bottom / top), abs=1e-12)
    assert checks.text_probability(TEXT, "the dog sleeps .") == 0
    assert checks.text_surprisal_in_bits(TEXT, "the dog sleeps .") == math.inf
    assert checks.total_probability(TEXT, 3) == pytest.approx(1, abs=1e-12)


def test_the_text_is_worth_six_bits() -> None:
    exact = Fraction(3, 4) ** 3 * Fraction(1, 4) * Fraction(2, 3) ** 2 * Fraction(1, 3)
    assert exact == Fraction(1, 64)
    assert checks.text_probability(TEXT, TEXT) == pytest.approx(float(exact), abs=1e-15)
    assert checks.text_surprisal_in_bits(TEXT, TEXT) == pytest.approx(6, abs=1e-12)
    nats = 6 * math.log(2)
    assert checks.text_surprisal_in_bits(TEXT, TEXT) != pytest.approx(nats, abs=1)


def test_the_peak_is_at_the_share_of_the_counts() -> None:
    peak = checks.successors_likelihood(0.75, 3, 1)
    others = [checks.successors_likelihood(share / 1000, 3, 1) for share in range(1001)]
    assert max(others) == peak == 27 / 256
    assert checks.successors_likelihood(1, 3, 1) == 0, "always betting on cat"
    assert checks.successors_likelihood(2 / 3, 3, 1) < peak, "one added to each count"


def test_no_rival_leads_and_the_slope_is_level_for_other_texts() -> None:
    for text in ("a b a c a b .", "x x y x y y x ."):
        assert checks.lead_over_best_rival(text, 200, 3) > 0
        assert checks.slope_at_counts(text) < 1e-12


def test_a_product_ends_and_a_sum_does_not() -> None:
    for precision, kind in (("float64", np.float64), ("float32", np.float32)):
        taken = int(checks.factors_until_zero(0.1, precision))
        assert np.multiply.reduce(np.full(taken, 0.1, kind)) == 0
        assert np.multiply.reduce(np.full(taken - 1, 0.1, kind)) > 0
    total = checks.surprisal_of_many(0.1, 1000)
    assert total == pytest.approx(1000 * math.log(10), abs=1e-9)


@given(st.floats(0, 1))
def test_a_prompt_of_any_weight(weight: float) -> None:
    found = checks.tuned_probability(CHATS, "cat", "sleeps", weight)
    assert found == pytest.approx(1 / (1 + weight), abs=1e-12)
    assert checks.tuned_probability(CHATS, "cat", "?", weight) == pytest.approx(1 - found)


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        ("softmax_probability", {"token": 3, "logits": [1, 2, 3]}, "from 0 to 2"),
        ("softmax_probability", {"token": 0, "logits": [math.nan]}, "finite"),
        ("logit_slope", {"token": 0, "observed": -1, "logits": [1, 2]}, "Count from 0"),
        ("gap_rounded_to_zero", {"precision": "float8"}, "float64, float32"),
        ("text_probability", {"corpus": TEXT, "text": "the cow"}, "cow"),
        ("total_probability", {"corpus": TEXT, "length": 0}, "at least 1"),
        ("successors_likelihood", {"probability": 2, "times": 1, "otherwise": 1}, "from 0 to 1"),
        ("factors_until_zero", {"probability": 0.9, "precision": "float64"}, "at most 0.5"),
        ("surprisal_of_many", {"probability": 0, "tokens": 3}, "above 0"),
    ],
)
def test_a_check_refuses_what_has_no_answer(
    function: str, arguments: dict[str, object], says: str
) -> None:
    with pytest.raises(EngineError, match=says):
        recompute(function, arguments)
