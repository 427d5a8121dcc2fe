"""Statistics held against a count by hand over the log."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import count
from random import Random

import pytest

from drills import optimize, statistics
from drills.events import Event, LearnerId, Payload, Reviewed, Suspended, Unreviewed, to_json
from drills.queue import Place, Syllabus
from drills.reviews import Reviews
from drills.schedule import AGAIN, EASY, GOOD

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = [f"dpo/c{n}" for n in range(6)]
SYLLABUS = Syllabus(
    cards={name: Place(n, "dpo", "dpo/why", None, "t") for n, name in enumerate(NAMES)},
    questions={},
    lessons=("dpo",),
)
Happened = tuple[timedelta, str, Payload]


def reviews(*happened: Happened) -> Reviews:
    """Where a learner stands for whom these things happened so long after START."""
    return Reviews.of(
        Event(n, LearnerId(1), p.kind, name, START + after, f"n{n}", to_json(p))
        for n, (after, name, p) in zip(count(1), happened, strict=False)
    )


def many(seed: int) -> list[Happened]:
    """Two hundred reviews over a year, some on the same day."""
    rng = Random(seed)
    hours = sorted(rng.randrange(365 * 24) for _ in range(200))
    return [
        (
            timedelta(hours=hour),
            rng.choice(NAMES),
            Reviewed(rating=rng.choice([AGAIN, GOOD, GOOD, EASY]), milliseconds=1000),
        )
        for hour in hours
    ]


@pytest.mark.parametrize("seed", range(3))
def test_true_retention_counts_the_first_answer_of_each_card_and_day(seed: int) -> None:
    state, now = reviews(*many(seed)), START + 365 * DAY
    passed: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for learnt in state.cards.values():
        seen = set()
        for done in learnt.log:
            day = (done.at - timedelta(hours=4)).date()
            recent = (now - timedelta(hours=4)).date() - day < 90 * DAY
            if day not in seen and recent and done.stage in ("young", "mature"):
                of[done.stage] += 1
                passed[done.stage] += done.rating > AGAIN
            seen.add(day)
    found = statistics.true_retention(state, now, days=90)
    assert (found.young.passed, found.young.of) == (passed["young"], of["young"])
    assert (found.mature.passed, found.mature.of) == (passed["mature"], of["mature"])
    assert found.all.of == of.total()
    every = statistics.true_retention(state, now, days=400)
    assert every.all.of > found.all.of


def test_a_second_answer_on_the_same_day_does_not_count() -> None:
    first = [(0 * DAY, NAMES[0], Reviewed(rating=EASY)), (8 * DAY, NAMES[0], Reviewed(rating=1))]
    again = (8 * DAY + timedelta(hours=1), NAMES[0], Reviewed(rating=GOOD))
    found = statistics.true_retention(reviews(*first, again), START + 8 * DAY)
    assert (found.young.passed, found.young.of, found.young.rate) == (0, 1, 0)
    assert found.mature.rate is None


def test_the_forecast_shows_the_overdue_apart() -> None:
    easy = [(n * DAY, name, Reviewed(rating=EASY)) for n, name in enumerate(NAMES)]  # 8 days each
    at = START + 10 * DAY
    found = statistics.forecast(reviews(*easy), SYLLABUS, at, days=5)
    assert (found.overdue, found.days) == (2, (1, 1, 1, 1, 0))
    out = (9 * DAY, NAMES[0], Suspended())
    assert statistics.forecast(reviews(*easy, out), SYLLABUS, at, days=5).overdue == 1


def test_the_heatmap_counts_every_review_on_its_local_day() -> None:
    state, now = reviews(*many(7)), START + 365 * DAY
    by_hand = Counter(
        (done.at - timedelta(hours=4)).date()
        for learnt in state.cards.values()
        for done in learnt.log
    )
    found = statistics.heatmap(state, now, days=400)
    assert {day: n for day, n in found.items() if n} == dict(by_hand)
    assert list(found)[-1] == date(2027, 3, 1)
    assert len(found) == 400


def test_the_load_is_a_review_over_each_interval() -> None:
    easy = [(0 * DAY, name, Reviewed(rating=EASY)) for name in NAMES[:3]]
    state = reviews(*easy, (0 * DAY, NAMES[3], Reviewed(rating=AGAIN)))
    assert statistics.load(state, SYLLABUS) == pytest.approx(3 / 8)
    assert statistics.stages(state, SYLLABUS) == {"new": 0, "learning": 1, "young": 3, "mature": 0}


def test_today_is_summed_up() -> None:
    state = reviews(
        (0 * DAY, NAMES[0], Reviewed(rating=EASY, milliseconds=9000)),
        (DAY, NAMES[0], Reviewed(rating=AGAIN, milliseconds=2000)),
        (DAY, NAMES[0], Reviewed(rating=GOOD, milliseconds=3000)),
    )
    assert statistics.today(state, START + DAY) == statistics.Today(2, 1, 1, 5000)
    assert statistics.today(state, START + 2 * DAY) == statistics.Today(0, 0, 0, 0)


def test_a_sitting_ends_with_a_pause_and_leaves_out_what_was_done_in_anki() -> None:
    minute = timedelta(minutes=1)
    done = reviews(
        (0 * minute, "dpo/c0", Reviewed(rating=GOOD, milliseconds=9000)),
        (40 * minute, "dpo/c1", Reviewed(rating=AGAIN, milliseconds=2000)),
        (41 * minute, "dpo/c1", Reviewed(rating=GOOD, milliseconds=3000)),
        (42 * minute, "dpo/c2", Reviewed(rating=GOOD, milliseconds=5000, where="anki")),
    )
    now = START + 60 * minute
    assert statistics.sitting(done, now) == statistics.Today(2, 1, 1, 5000)
    assert statistics.today(done, now) == statistics.Today(4, 3, 1, 19000)
    assert statistics.sitting(done, now + 12 * minute).reviews == 0
    joined = reviews(*[(n * minute, "dpo/c0", Reviewed(rating=GOOD)) for n in (0, 25, 50)])
    assert statistics.sitting(joined, now).reviews == 3


@pytest.mark.parametrize("seed", range(5))
def test_what_is_counted_on_the_way_is_what_the_logs_say(seed: int) -> None:
    """The reviews a search can use and the latest one, with some from Anki and some taken back."""
    rng, state = Random(seed), Reviews()
    for number, (after, name, said) in enumerate(many(seed), 1):
        if number % 7 == 0 and state.latest:
            name, undone = state.latest
            said = Unreviewed(nonce=undone.nonce)
        elif rng.random() < 0.5:
            said = Reviewed(rating=AGAIN, where="anki")
        at = START + after - rng.choice([0, 40]) * DAY
        text = to_json(said)
        state = state.after(Event(number, LearnerId(1), said.kind, name, at, f"n{number}", text))
        logs = [learnt.log for learnt in state.cards.values()]
        assert optimize.usable(state) == sum(done.first for log in logs for done in log[1:])
        here = [done for log in logs for done in log if done.where == "here"]
        assert (state.latest and state.latest[1]) == max(here, default=None)
