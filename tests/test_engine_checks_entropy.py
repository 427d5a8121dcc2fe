"""What the claims of the entropy lesson call, against numbers worked out by other means."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.checks import entropy as checks
from engine.errors import EngineError
from engine.recompute import recompute

RUN = {"start": [0.3, 0.6, 0.1], "reward": [0, 1, 1], "steps": 200}


@settings(deadline=None)
@given(st.floats(1e-6, 1))
def test_halving_a_probability_adds_one_bit(probability: float) -> None:
    whole, half = (checks.surprisal_in_bits(share) for share in (probability, probability / 2))
    assert half - whole == pytest.approx(1, abs=1e-9)
    if probability < 0.9:
        nats = -math.log(probability)
        assert whole != pytest.approx(nats, rel=0.1), "nats would be refused"


def test_entropy_by_hand_in_bits_and_not_in_nats() -> None:
    assert checks.entropy_in_bits([0.5, 0.25, 0.125, 0.125]) == pytest.approx(1.75, abs=1e-12)
    assert checks.entropy_in_bits([1.0, 0.0]) == 0
    assert checks.entropy_in_bits([0.5, 0.5]) == pytest.approx(1, abs=1e-15)
    assert checks.entropy_in_bits([0.5, 0.5]) != pytest.approx(math.log(2), abs=0.1)


@pytest.mark.parametrize("outcomes", [2, 5, 1000])
def test_equal_outcomes_count_themselves(outcomes: int) -> None:
    shares = [1 / outcomes] * outcomes
    assert checks.effective_options(shares) == pytest.approx(outcomes, rel=1e-12)
    assert checks.entropy_in_bits(shares) == pytest.approx(
        checks.surprisal_in_bits(1 / outcomes), abs=1e-9
    )


def test_effective_options_must_not_mix_the_bases() -> None:
    shares = [0.5, 0.25, 0.125, 0.125]
    assert checks.effective_options(shares) == pytest.approx(2**1.75, abs=1e-12)
    assert checks.effective_options(shares) != pytest.approx(math.exp(1.75), abs=1)


def test_the_code_bound_holds_for_many_distributions_and_a_tighter_one_would_not() -> None:
    for seed in range(5):
        assert checks.prefix_code_violation(6, seed) == 0
    skewed = [0.98, 0.01, 0.01]
    excess = checks.prefix_code_digits(skewed, 1) - checks.entropy_in_bits(skewed)
    assert 0.8 < excess < 1


def test_identities_hold_for_other_seeds_and_sizes() -> None:
    for outcomes, seed in ((2, 1), (5, 2), (9, 3)):
        assert checks.temperature_slope_gap(outcomes, seed) < 1e-12
        assert checks.entropy_response_gap(outcomes, seed) < 1e-12
    assert checks.bonus_optimum_gap(3, 5) < 1e-12


def test_no_temperature_puts_the_right_answer_first() -> None:
    for temperature in (0.05, 0.2, 0.5, 1, 2, 5, 50):
        wrong, right, other = (
            checks.tempered_probability(outcome, [0.6, 0.3, 0.1], temperature)
            for outcome in range(3)
        )
        assert wrong > right > other
        assert wrong + right + other == pytest.approx(1, abs=1e-12)
    half = checks.tempered_probability(1, [0.6, 0.3, 0.1], 0.5)
    assert half == pytest.approx(0.09 / 0.46, abs=1e-12)


def test_a_push_on_one_logit_by_hand() -> None:
    shares = [0.9, 0.05, 0.05]
    nats = -sum(share * math.log(share) for share in shares)
    for outcome, share in enumerate(shares):
        by_hand = -share * (math.log(share) + nats)
        assert checks.entropy_response_to_one(outcome, shares) == pytest.approx(by_hand, abs=1e-12)
    assert sum(checks.entropy_response_to_one(each, shares) for each in range(3)) == pytest.approx(
        0, abs=1e-12
    )


def test_reinforcement_by_a_loop_of_its_own() -> None:
    logits = [math.log(share) for share in (0.3, 0.6, 0.1)]
    for _ in range(200):
        total = sum(math.exp(logit) for logit in logits)
        shares = [math.exp(logit) / total for logit in logits]
        mean = shares[1] + shares[2]
        logits = [
            logit + share * (reward - mean)
            for logit, share, reward in zip(logits, shares, (0, 1, 1), strict=True)
        ]
    total = sum(math.exp(logit) for logit in logits)
    for response, logit in enumerate(logits):
        got = checks.reinforced_probability(response, bonus=0, **RUN)  # type: ignore[arg-type]
        assert got == pytest.approx(math.exp(logit) / total, abs=1e-12)


def test_a_bonus_keeps_entropy_and_its_absence_does_not() -> None:
    alone = checks.reinforced_entropy_in_bits(bonus=0, **RUN)  # type: ignore[arg-type]
    helped = checks.reinforced_entropy_in_bits(bonus=0.1, **RUN)  # type: ignore[arg-type]
    assert alone < 0.2 < 1 < helped
    assert helped == pytest.approx(1.047, abs=5e-4)


def test_a_bonus_over_a_vocabulary_by_hand() -> None:
    exact = math.exp(10) / (math.exp(10) + 49_999)
    assert checks.probability_under_bonus(50_000, 0.1) == pytest.approx(exact, abs=1e-12)
    two = checks.probability_under_bonus(2, 0.1)
    assert two == pytest.approx(1 / (1 + math.exp(-10)), abs=1e-12)
    assert two > 0.999, "a single rival would not matter"


def test_strings_are_not_meanings() -> None:
    brief = [[1 / 8] * 8, *([[1.0]] * 9)]
    wordy = [[0.5, 0.5]] * 10
    assert checks.token_entropy_in_bits(brief) < checks.token_entropy_in_bits(wordy)
    first, none, every = [1.0] + [0.0] * 9, [0.0] * 10, [1.0] * 10
    assert checks.meaning_entropy_in_bits(brief, first) == pytest.approx(3, abs=1e-12)
    assert checks.meaning_entropy_in_bits(wordy, none) == pytest.approx(0, abs=1e-12)
    for choices in (brief, wordy):
        strings = checks.meaning_entropy_in_bits(choices, every)
        assert strings == pytest.approx(10 * checks.token_entropy_in_bits(choices), abs=1e-9)


def test_equal_entropies_and_unequal_calibration() -> None:
    sure = [0.97, 0.01, 0.01, 0.01]
    assert checks.forecast_gap(sure, sure) == 0
    assert checks.forecast_gap(sure, [0.7, 0.1, 0.1, 0.1]) == pytest.approx(0.27, abs=1e-12)
    assert checks.forecast_gap([0.25] * 4, [0.25] * 4) == 0
    assert checks.forecast_gap([0.25] * 4, [0.7, 0.1, 0.1, 0.1]) == pytest.approx(0.45, abs=1e-12)


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        ("surprisal_in_bits", {"probability": 0}, "above 0"),
        ("entropy_in_bits", {"probabilities": [0.5, 0.6]}, "sum to 1"),
        (
            "tempered_probability",
            {"outcome": 2, "probabilities": [0.5, 0.5], "temperature": 1},
            "2",
        ),
        ("entropy_response_to_one", {"outcome": -1, "probabilities": [0.5, 0.5]}, "Count from 0"),
        ("meaning_entropy_in_bits", {"choices": [[1.0]], "carries": [1, 0]}, "one mark"),
        ("prefix_code_digits", {"probabilities": [0.5, 0.5], "block": 0}, "block"),
        ("bonus_optimum_gap", {"responses": 1, "seed": 0}, "at least 2"),
        ("forecast_gap", {"forecast": [0.5, 0.4], "outcomes": [0.5, 0.5]}, "sum to 1"),
    ],
)
def test_a_check_refuses_what_has_no_answer(
    function: str, arguments: dict[str, object], says: str
) -> None:
    with pytest.raises(EngineError, match=says):
        recompute(function, arguments)
