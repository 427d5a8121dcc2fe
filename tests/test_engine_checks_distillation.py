"""What the claims of the distillation lesson call, held against formulas written out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.checks import distillation as checks
from engine.errors import EngineError
from engine.recompute import recompute

TEACHER = [4.0, 2.0, 0.0, -2.0, -4.0]
STUDENT = [2.0, 3.0, 0.0, -1.0, -4.0]
LISTED = [0.5, 0.3, 0.1, 0.06, 0.04]


@given(temperature=st.floats(0.5, 30))
def test_the_odds_are_an_exponential_of_the_gap_over_t(temperature: float) -> None:
    found = checks.soft_target_ratio(1, 4, TEACHER, temperature)
    assert found == pytest.approx(math.exp(6 / temperature), rel=1e-9)
    if abs(temperature - 1) > 0.1:
        assert found != pytest.approx(math.exp(6), rel=1e-3)


def test_a_soft_target_by_hand() -> None:
    total = sum(math.exp(value / 4) for value in TEACHER)
    assert checks.soft_target(4, TEACHER, 4) == pytest.approx(math.exp(-1) / total, abs=1e-12)


def test_the_losses_differ_by_the_entropy_of_the_teacher_and_not_of_the_student() -> None:
    def entropy(logits: list[float]) -> float:
        shares = [math.exp(value) for value in logits]
        shares = [share / sum(shares) for share in shares]
        return -sum(share * math.log(share) for share in shares)

    found = checks.loss_difference(STUDENT, TEACHER, 1)
    assert found == pytest.approx(entropy(TEACHER), abs=1e-12)
    assert found != pytest.approx(entropy(STUDENT), abs=1e-2)


def test_identities_hold_on_other_draws() -> None:
    for seed in (2, 3):
        assert checks.loss_identity_gap(7, 50, seed) < 1e-12
        assert checks.soft_loss_gradient_gap(7, 50, seed) < 1e-13
        assert checks.truncation_identity_gap(7, 50, seed) < 1e-12


def test_the_scaled_length_tends_to_the_limit_and_the_bare_one_to_nothing() -> None:
    exact = math.sqrt(4 + 1 + 1) / 5
    assert checks.limit_length(STUDENT, TEACHER) == pytest.approx(exact, abs=1e-12)
    assert checks.scaled_gradient_length(STUDENT, TEACHER, 1e4) == pytest.approx(exact, rel=1e-3)
    assert checks.soft_gradient_length(STUDENT, TEACHER, 1e4) < 1e-8


def test_doubling_a_high_temperature_quarters_the_gradient() -> None:
    ratio = checks.gradient_length_ratio(STUDENT, TEACHER, 1e3, 2e3)
    assert ratio == pytest.approx(4, rel=1e-2)
    assert ratio != pytest.approx(2, rel=0.5), "one factor 1/T would be refused"


def test_either_direction_ends_at_the_teacher_and_too_few_steps_do_not() -> None:
    assert checks.divergence_after_either(LISTED, 0.5) < 1e-10
    assert checks.divergence_after_either(LISTED, 1e-4) > 1e-3


@pytest.mark.parametrize(("keep", "mass"), [(1, 0.5), (2, 0.8), (3, 0.9), (4, 0.96)])
def test_a_list_overstates_by_one_over_its_mass(keep: int, mass: float) -> None:
    assert checks.truncated_target(0, LISTED, keep) == pytest.approx(0.5 / mass, abs=1e-12)
    found = checks.divergence_of_truncation(LISTED, keep)
    assert found == pytest.approx(-math.log(mass), abs=1e-12)
    assert found != pytest.approx(1 - mass, abs=1e-4), "the missing mass itself is refused"


def test_smoothed_labels_sum_to_one() -> None:
    shares = [checks.smoothed_label(2, outcome, 5, 0.1) for outcome in range(5)]
    assert shares == pytest.approx([0.02, 0.02, 0.92, 0.02, 0.02])
    assert shares[2] != pytest.approx(0.9), "the uniform part includes the right outcome"


def test_soft_targets_lead_with_few_memos_and_drawn_ones_catch_up() -> None:
    few, many = 40, 4000
    soft = [checks.scorer_divergence("soft", memos, 3) for memos in (few, many)]
    drawn = [checks.scorer_divergence("sampled", memos, 3) for memos in (few, many)]
    likeliest = [checks.scorer_divergence("likeliest", memos, 3) for memos in (few, many)]
    assert drawn[0] > 3 * soft[0]
    assert drawn[1] < 1.1 * soft[1]
    assert likeliest[1] > 5 * soft[1]


def test_the_likeliest_grade_keeps_the_first_choice() -> None:
    shares = [checks.scorer_agreement(kind, 640, 3) for kind in ("soft", "likeliest")]
    assert shares[1] == pytest.approx(shares[0], abs=0.02)
    assert 0.75 < min(shares) < 1


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        ("soft_target", {"outcome": 5, "logits": TEACHER, "temperature": 1}, "from 0 to 4"),
        ("soft_target", {"outcome": 0, "logits": TEACHER, "temperature": 0}, "temperature"),
        ("truncated_target", {"outcome": 0, "probabilities": LISTED, "keep": 0}, "from 1 to 5"),
        ("divergence_of_truncation", {"probabilities": [0.5, 0.6], "keep": 1}, "sum to 1"),
        ("scorer_divergence", {"targets": "hard", "memos": 20, "runs": 1}, "soft, sampled"),
        ("divergence_after_either", {"teacher": LISTED, "rate": -1}, "rate"),
    ],
)
def test_a_check_refuses_what_has_no_answer(
    function: str, arguments: dict[str, object], says: str
) -> None:
    with pytest.raises(EngineError, match=says):
        recompute(function, arguments)
