"""Drift: divergences by hand, a test that keeps its level and finds what is there."""

import math

import pytest
import torch
from torch import Tensor

from engine import drift
from engine.errors import RangeError, ShapeError


def row(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_jensen_shannon_by_hand_and_at_its_ends() -> None:
    base, tuned = row(0.1, 0.1, 0.9, 0.9), row(0.1, 0.9, 0.9, 0.9)
    middle = (0.375, 0.625)
    half = 0.5 * math.log(0.5 / middle[0]) + 0.5 * math.log(0.5 / middle[1])
    quarter = 0.25 * math.log(0.25 / middle[0]) + 0.75 * math.log(0.75 / middle[1])
    assert drift.jensen_shannon(base, tuned) == pytest.approx((half + quarter) / 2, abs=1e-15)
    assert drift.jensen_shannon(base, base) == 0
    assert drift.jensen_shannon(row(0.1), row(0.9)) == pytest.approx(math.log(2), abs=1e-15)


def test_jensen_shannon_is_symmetric_and_kl_is_not() -> None:
    base, tuned = drift.memo_scores(300, shift=0.8, generator=seeded(1))
    assert drift.jensen_shannon(base, tuned) == pytest.approx(drift.jensen_shannon(tuned, base))
    there, back = drift.smoothed_kl(tuned, base), drift.smoothed_kl(base, tuned)
    assert there != pytest.approx(back, rel=1e-3)


def test_smoothing_keeps_kl_finite_where_it_would_not_be() -> None:
    tuned, base = row(0.05, 0.95), row(0.05, 0.05)
    found = drift.smoothed_kl(tuned, base, bins=2)
    # Two bins: counts 1, 1 against 2, 0, each with half a count more.
    assert found == pytest.approx(0.5 * math.log(0.5 / (2.5 / 3)) + 0.5 * math.log(0.5 / (0.5 / 3)))
    assert math.isfinite(found)
    plain = 0.5 * math.log(0.5 / 1) + 0.5 * math.inf
    assert plain == math.inf


def test_the_histogram_ends_at_one() -> None:
    assert drift.jensen_shannon(row(1.0), row(0.95)) == 0


def test_no_drift_is_rejected_as_often_as_the_level_says() -> None:
    low = 0
    for seed in range(200):
        generator = seeded(seed)
        base, again = drift.memo_scores(200, shift=0, generator=generator)
        null = drift.swapped(base, again, rounds=99, generator=generator)
        low += drift.p_value(drift.jensen_shannon(base, again), null) <= 0.1
    assert 8 <= low <= 34  # 20 on average; beyond these with a probability below 0.002


def test_a_shift_is_found_and_its_p_value_is_never_zero() -> None:
    generator = seeded(5)
    base, tuned = drift.memo_scores(500, shift=0.6, generator=generator)
    null = drift.swapped(base, tuned, rounds=999, generator=generator)
    assert drift.p_value(drift.jensen_shannon(base, tuned), null) == 0.001
    naive = (null >= drift.jensen_shannon(base, tuned)).double().mean().item()
    assert naive == 0, "the share without the data is zero; that is what is guarded"


def test_p_values_by_hand() -> None:
    null = row(0.1, 0.2, 0.3)
    assert drift.p_value(0.2, null) == 0.75
    assert drift.p_value(0.4, null) == 0.25
    assert drift.p_value(0.0, null) == 1


def test_swapping_only_ever_moves_scores_between_partners() -> None:
    base, tuned = row(0.05, 0.05), row(0.95, 0.95)
    null = drift.swapped(base, tuned, rounds=400, generator=seeded(6))
    # Both swapped or neither: log 2; one of two: 0. Pooled permutations would allow no more.
    assert {round(value, 9) for value in null.tolist()} == {0.0, round(math.log(2), 9)}
    assert 0.4 < (null > 0.5).double().mean().item() < 0.6


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    truth = drift.jensen_shannon(*drift.memo_scores(200_000, shift=0.5, generator=seeded(7)))
    held = plain = 0
    for seed in range(60):
        generator = seeded(seed)
        base, tuned = drift.memo_scores(300, shift=0.5, generator=generator)
        low, high = drift.bootstrap_interval(base, tuned, rounds=199, generator=generator)
        estimate = drift.jensen_shannon(base, tuned)
        held += low <= truth <= high
        plain += 2 * estimate - high <= truth <= 2 * estimate - low
    assert held >= 51
    assert plain < held, "without turning the spread round the bias is counted twice"


def test_a_pooled_divergence_misses_what_cancels() -> None:
    base = torch.linspace(0.05, 0.95, 10, dtype=torch.float64)
    assert drift.jensen_shannon(base, base.flip(0)) == pytest.approx(0, abs=1e-15)
    assert not torch.equal(base, base.flip(0))


def test_more_memos_lower_the_noise() -> None:
    few, many = (
        drift.jensen_shannon(*drift.memo_scores(memos, shift=0, generator=seeded(8)))
        for memos in (100, 100_000)
    )
    assert many < few / 100


def test_what_has_no_answer_is_refused() -> None:
    with pytest.raises(RangeError, match="from 0 to 1"):
        drift.jensen_shannon(row(1.2), row(0.5))
    with pytest.raises(RangeError, match="none"):
        drift.jensen_shannon(row(), row(0.5))
    for paired in (drift.swapped, drift.bootstrap_interval):
        with pytest.raises(ShapeError):
            paired(row(0.1, 0.2), row(0.1), rounds=9, generator=seeded(1))
    with pytest.raises(RangeError, match="memos"):
        drift.memo_scores(0, shift=0, generator=seeded(1))
