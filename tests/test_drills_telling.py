"""What is told of a learner's numbers: true of these numbers, silent about chance."""

import random
from datetime import date, timedelta
from statistics import pstdev

import pytest

from drills import telling
from drills.history import History
from drills.optimize import Change
from drills.score import Decomposition, Stated, decompose, reliability
from drills.statistics import Forecast, Retention, Share

TODAY = date(2026, 11, 28)  # a Saturday
BELIEFS = ((0.7, 0.2, 0.1), (0.5, 0.3, 0.2), (0.9, 0.05, 0.05), (0.6, 0.4))


def calibrated(rng: random.Random, count: int) -> list[Stated]:
    """Answers whose right option is drawn from the belief itself."""
    beliefs = [rng.choice(BELIEFS) for _ in range(count)]
    return [(b, rng.choices(range(len(b)), weights=b)[0]) for b in beliefs]


def told(answers: list[Stated]) -> tuple[Decomposition, str, str]:
    found, groups = decompose(answers), reliability(answers)
    assert found is not None
    assert groups is not None
    return found, telling.split(found, "bits"), telling.miscalibration(found, groups, "bits")


def test_the_gap_of_the_calibrated_varies_as_its_standard_deviation_says() -> None:
    rng = random.Random(2)
    found = [told(calibrated(rng, 80))[0] for _ in range(300)]
    gaps = [each.gap for each in found]
    expected = sum(each.chance for each in found) / len(found)
    assert pstdev(gaps) == pytest.approx(expected, rel=0.12)
    assert abs(sum(gaps) / len(gaps)) < 3 * expected / 300**0.5


def test_the_calibrated_are_seldom_told_that_they_are_not() -> None:
    rng = random.Random(3)
    said = [told(calibrated(rng, 80)) for _ in range(200)]
    assert sum("chance" not in split or "claim" in split for _, split, _ in said) < 20
    assert sum("would save it" in cost for _, _, cost in said) < 20


@pytest.mark.parametrize(
    ("right", "says"), [(5, "claim more than you know"), (40, "know more than you claim")]
)
def test_the_miscalibrated_are_told_which_way(right: int, says: str) -> None:
    answers: list[Stated] = [((0.7, 0.3), 0 if n < right else 1) for n in range(40)]
    _, split, cost = told(answers)
    assert says in split
    assert "would save it" in cost
    assert ("you may say more" if right == 40 else "say less") in telling.curve(
        reliability(answers) or ()
    )


@pytest.mark.parametrize(
    ("passed", "says"),
    [(900, "suit your memory"), (800, "longer than your memory"), (980, "sooner than your memory")],
)
def test_retention_is_held_against_the_wish(passed: int, says: str) -> None:
    found = Retention(Share(passed, 1000), Share(0, 0))
    assert says in telling.retention(found, 0.9)
    assert "3 more are needed" in telling.retention(Retention(Share(6, 7), Share(0, 0)), 0.9)


def test_few_answers_tell_young_and_mature_not_apart() -> None:
    assert "equally well" in telling.kept(Share(8, 10), Share(9, 10))
    assert "forget young cards" in telling.kept(Share(80, 100), Share(95, 100))
    assert "from 10 answers each" in telling.kept(Share(8, 10), Share(9, 9))


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (Forecast(0, (0, 0, 0)), "Nothing comes due in the next 3 days."),
        (Forecast(2, (1, 0, 0)), "2 cards overdue, 1 card due today, and nothing on the 2 days"),
        (Forecast(0, (0, 3, 1)), "No card due today; most of what follows, 3, comes tomorrow."),
        (Forecast(0, (5, 1, 4)), "4, comes on Monday, November 30."),
    ],
)
def test_the_forecast_names_the_fullest_day(found: Forecast, says: str) -> None:
    assert says in telling.forecast(found, TODAY)


def test_days_are_counted_and_the_longest_run_too() -> None:
    counts = [0, 4, 6, 0, 1, 2, 3, 0]
    found = {TODAY + timedelta(days=n): count for n, count in enumerate(counts)}
    assert telling.heatmap(found) == (
        "You reviewed on 5 of the last 8 days, 3 reviews on a typical one, at most 3 days in a row."
    )


def test_changed_intervals_change_the_load() -> None:
    said = telling.moved((Change("dpo/a", 10, 5), Change("dpo/b", 2, 5)), 0.6)
    assert "2 cards would come back on another day, 1 of them later" in said
    assert "0.6 reviews a day become 0.4" in said  # 0.6 + (0.2 - 0.1) + (0.2 - 0.5)


def test_parameters_that_predict_no_better_are_not_praised() -> None:
    assert "keep what you have" in telling.search(0.5, 0.51, "bits")
    assert "keep what you have" in telling.search(0.5, 0.4999, "bits")
    assert "know your memory better" in telling.search(0.5, 0.4, "bits")


def test_what_an_export_takes_back_and_what_stays_out_is_said() -> None:
    found = History((), {"dpo/a": 1}, moved=2, elsewhere=1, ungraded=0)
    assert telling.anki(found) == (
        "1 card was set back to new in Anki, so its earlier reviews no longer count here either. "
        "Left out: 1 review of other decks; 2 due dates set by hand: here the reviews decide."
    )
    assert telling.anki(History((), {}, 0, 0, 0)) == ""
