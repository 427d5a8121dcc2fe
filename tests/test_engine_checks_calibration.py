"""What the claims about scores, calibration and drift call, against hand values and simulation."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.checks import calibration as checks
from engine.errors import EngineError

STATED, HITS = [0.05, 0.9], [12.0, 84.0]


@given(belief=st.floats(0, 1), stated=st.floats(0, 1))
def test_the_linear_rule_is_best_at_an_end_and_brier_at_the_belief(
    belief: float, stated: float
) -> None:
    ends = [checks.linear_score_in_expectation(belief, end) for end in (0.0, 1.0)]
    assert checks.linear_score_in_expectation(belief, stated) <= max(ends) + 1e-12
    honest = checks.brier_in_expectation(belief, belief)
    excess = checks.brier_in_expectation(belief, stated) - honest
    assert honest == pytest.approx(2 * belief * (1 - belief), abs=1e-12)
    assert excess == pytest.approx(2 * (stated - belief) ** 2, abs=1e-12)


def test_regret_is_the_divergence_and_not_its_reverse() -> None:
    assert checks.gap_between_log_regret_and_kl(5, 300, 2) < 1e-12
    generator = torch.Generator().manual_seed(2)
    logits = 2 * torch.randn(600, 5, dtype=torch.float64, generator=generator)
    p, q = logits.log_softmax(dim=1).chunk(2)
    regret = (p.exp() * (p - q)).sum(dim=1)
    reverse = (q.exp() * (q - p)).sum(dim=1)
    assert (regret - reverse).abs().max().item() > 0.1


def test_groups_by_hand() -> None:
    assert checks.ece_of_groups(STATED, HITS, 100, "equal width", 10) == pytest.approx(0.065)
    by_hand = (0.12 * 0.95**2 + 0.88 * 0.05**2) + (0.84 * 0.1**2 + 0.16 * 0.9**2)
    assert checks.brier_of_groups(STATED, HITS, 100) == pytest.approx(by_hand)
    assert checks.brier_of_groups(STATED, HITS, 100) != pytest.approx(by_hand / 2, abs=1e-3)


def test_width_hides_what_mass_and_finer_bins_show() -> None:
    stated, hits = [0.91, 0.93, 0.95, 0.97, 0.99], [95.0] * 5
    errors = [
        checks.ece_of_groups(stated, hits, 100, binning, bins)
        for binning, bins in (("equal width", 10), ("equal width", 20), ("equal mass", 5))
    ]
    assert errors == pytest.approx([0, 0.024, 0.024], abs=1e-12)


def test_honesty_is_measured_with_an_error_that_falls_with_the_root_of_the_sample() -> None:
    assert checks.ece_expected_of_honesty([0.5], 1) == 0.5
    assert checks.ece_expected_of_honesty([0.5], 2) == 0.25
    few, many = (checks.ece_expected_of_honesty([0.3, 0.6], each) for each in (50, 800))
    assert few / many == pytest.approx(4, rel=0.02)


def test_honesty_agrees_with_simulation() -> None:
    stated = torch.tensor([0.05, 0.35, 0.95], dtype=torch.float64)
    generator = torch.Generator().manual_seed(3)
    hits = torch.rand(20_000, 3, 20, dtype=torch.float64, generator=generator) < stated.unsqueeze(1)
    simulated = (hits.double().mean(dim=2) - stated).abs().mean().item()
    exact = checks.ece_expected_of_honesty(stated.tolist(), 20)
    assert exact == pytest.approx(simulated, rel=0.01)


def test_the_ends_of_wilsons_interval_mirror_each_other() -> None:
    lower, upper = (checks.wilson_end(9, 10, end) for end in ("lower", "upper"))
    assert lower == pytest.approx(1 - checks.wilson_end(1, 10, "upper"))
    assert upper == pytest.approx(1 - checks.wilson_end(1, 10, "lower"))
    # A published value: 9 of 10 gives 0.596 to 0.982; the plain interval would pass 1.
    assert (round(lower, 3), round(upper, 3)) == (0.596, 0.982)
    assert 0.9 + 1.96 * math.sqrt(0.09 / 10) > 1


@pytest.mark.parametrize("factor", [0.5, 2.0, 5.0])
def test_exact_labels_return_the_factor_and_drawn_ones_come_near(factor: float) -> None:
    assert checks.best_temperature(factor, 1000, "exact", 2) == pytest.approx(factor, rel=1e-8)
    drawn = checks.best_temperature(factor, 1000, "drawn", 2)
    assert drawn == pytest.approx(factor, rel=0.15)
    assert drawn != pytest.approx(factor, rel=1e-4)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_scaling_mends_the_error_and_changes_no_answer(seed: int) -> None:
    assert checks.answers_changed_by_temperature(3, 500, seed) == 0
    before, after = (
        checks.ece_on_fresh_questions(3, 1000, seed, fitted) for fitted in ("before", "after")
    )
    assert after < before / 3


@given(belief=st.floats(0.01, 0.99), beta=st.floats(0.05, 10))
def test_the_tilted_belief_by_hand(belief: float, beta: float) -> None:
    odds = belief / (1 - belief) * math.exp((2 * belief - 1) / beta)
    assert checks.tilted_belief(belief, beta) == pytest.approx(odds / (1 + odds), abs=1e-9)


def test_the_tilted_odds_hold_and_the_unpriced_ones_do_not() -> None:
    assert checks.gap_in_tilted_odds(200, 2) < 1e-12
    assert checks.tilted_belief(0.7, 1e6) == pytest.approx(0.7, abs=1e-6)
    unpriced = 0.7 / 0.3 * math.exp(0.4)
    assert checks.tilted_belief(0.7, 0.2) != pytest.approx(unpriced / (1 + unpriced), abs=1e-3)


def test_drift_is_told_from_a_second_run() -> None:
    assert checks.drift_p_value(500, 0.6, 199, 4) == 1 / 200
    assert checks.drift_p_value(500, 0.0, 199, 4) > 0.05
    assert checks.score_divergence(500, 0.6, 4) > 4 * checks.score_divergence(500, 0.0, 4)
    lower, upper = (checks.drift_interval_end(500, 0.6, 199, 4, e) for e in ("lower", "upper"))
    assert 0 < lower < checks.score_divergence(20_000, 0.6, 5) < upper


def test_the_ceiling_is_one_bit() -> None:
    assert checks.divergence_of_disjoint_scores(7) / math.log(2) == pytest.approx(1, abs=1e-15)


@given(share=st.floats(0.01, 0.99))
def test_swapped_grades_are_seen_memo_by_memo_only(share: float) -> None:
    exact = (2 * share - 1) * math.log(share / (1 - share))
    by_memo = checks.divergence_of_swapped_grades(share, "memo by memo")
    assert by_memo == pytest.approx(exact, abs=1e-12)
    assert checks.divergence_of_swapped_grades(share, "pooled") == pytest.approx(0, abs=1e-12)


def test_false_alarms_against_the_binomial_and_not_the_sum() -> None:
    exact = 1 - math.fsum([0.95**52])
    assert checks.chance_of_a_false_alarm(0.05, 52) == pytest.approx(exact)
    assert checks.chance_of_a_false_alarm(0.05, 1) == pytest.approx(0.05)
    assert checks.chance_of_a_false_alarm(0.05, 52) < min(1, 52 * 0.05)


def test_an_unknown_binning_is_told() -> None:
    with pytest.raises(EngineError, match="equal mass"):
        checks.ece_of_groups([0.5], [1.0], 2, "equal", 3)
