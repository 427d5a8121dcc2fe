"""The schedule: as FSRS has it, as Anki has it, and nothing drawn at random."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import accumulate
from pathlib import Path

import fsrs
import pytest
from anki.collection import Collection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drills import schedule
from drills.errors import ScheduleError
from drills.schedule import AGAIN, GOOD, Card, Log, Phase, Plan

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KNOWN = ((3, 3, 3, 3, 3, 3, 1, 1, 3, 3, 3, 3, 3), (0, 2, 11, 46, 163, 498, 0, 0, 2, 4, 7, 12, 21))
HISTORIES = st.lists(  # rating, and the days that passed since the review before
    st.tuples(st.integers(1, 4), st.integers(0, 60)), min_size=1, max_size=12
)
OTHER = Plan(retention=0.85, parameters=(*schedule.PARAMETERS[:-1], 0.3))


def reviewed(history: Sequence[tuple[int, int]], plan: Plan = schedule.DEFAULT) -> Card:
    """A card with this history; each review a minute later in the day than the one before."""
    card = schedule.new_card("dpo/why-beta", NOW)
    for (rating, _), at in zip(history, moments(history), strict=True):
        card, _ = schedule.review(card, rating, at, plan=plan)
    return card


def moments(history: Sequence[tuple[int, int]], start: datetime = NOW) -> list[datetime]:
    """When the reviews of a history took place; the last ones are the latest in the day."""
    passed = accumulate(days for _, days in history)
    return [start + days * DAY + timedelta(minutes=n) for n, days in enumerate(passed)]


def test_the_known_sequence_gives_its_known_intervals() -> None:
    ratings, days = KNOWN
    card, found = schedule.new_card("a", NOW), []
    for rating in ratings:
        card, _ = schedule.review(card, rating, card.due)
        found.append(card.interval.days)
    assert tuple(found) == days


@given(HISTORIES, st.sampled_from([schedule.DEFAULT, OTHER]))
@settings(max_examples=60, deadline=None)
def test_every_review_is_what_fsrs_makes_of_it(history: list[tuple[int, int]], plan: Plan) -> None:
    theirs = fsrs.Scheduler(plan.parameters, desired_retention=plan.retention, enable_fuzzing=False)
    card = fsrs.Card(card_id=1, due=NOW)
    for (rating, _), at in zip(history, moments(history), strict=True):
        card, _ = theirs.review_card(card, fsrs.Rating(rating), at)
    ours = reviewed(history, plan)
    assert (ours.due, int(ours.phase), ours.step) == (card.due, int(card.state), card.step)
    assert (ours.stability, ours.difficulty) == (card.stability, card.difficulty)
    at = card.due + 7 * DAY
    whole = (at - moments(history)[-1]).days
    assert schedule.retrievability(ours, at, plan=plan, days=whole) == pytest.approx(
        theirs.get_card_retrievability(card, at), abs=1e-12
    )


@pytest.fixture(scope="module")
def anki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    """Return a collection that schedules by FSRS, with one card."""
    path: Path = tmp_path_factory.mktemp("anki") / "collection.anki2"
    collection = Collection(str(path))
    collection.set_config("fsrs", val=True)
    note = collection.new_note(collection.models.by_name("Basic") or {})
    note["Front"] = "front"
    deck = collection.decks.id("Default")
    assert deck
    collection.add_note(note, deck)
    yield collection
    collection.close()


@given(HISTORIES)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_memory_is_what_anki_makes_of_the_same_reviews(
    anki: Collection, history: list[tuple[int, int]]
) -> None:
    (card_id,) = anki.find_cards("")
    assert anki.db
    start = datetime.now(UTC).astimezone().replace(hour=12, minute=0) - 800 * DAY
    anki.db.execute("delete from revlog")
    kind = 0  # learning; then review
    for (rating, _), at in zip(history, moments(history, start), strict=True):
        milliseconds = int(at.timestamp() * 1000)
        anki.db.execute(
            "insert into revlog values (?, ?, -1, ?, 1, 1, 2500, 5000, ?)",
            *(milliseconds, card_id, rating, kind),
        )
        kind = 1
    anki.db.execute("update cards set type = 2, queue = 2, ivl = 1, due = 1, reps = 1")
    theirs, ours = anki.compute_memory_state(card_id), reviewed(history)
    assert theirs.stability == pytest.approx(ours.stability, rel=1e-4, abs=1e-4)
    assert theirs.difficulty == pytest.approx(ours.difficulty, abs=1e-4)
    assert theirs.decay == pytest.approx(schedule.PARAMETERS[-1])


def test_a_day_is_counted_as_the_learner_lives_it() -> None:
    card, _ = schedule.review(schedule.new_card("a", NOW), 4, NOW)
    earlier = NOW + timedelta(hours=23)
    by_clock, _ = schedule.review(card, GOOD, earlier)
    by_day, _ = schedule.review(card, GOOD, earlier, days=1)
    full_day, _ = schedule.review(card, GOOD, NOW + DAY)
    assert by_day.stability == full_day.stability != by_clock.stability
    assert by_day.due == earlier + full_day.interval
    assert by_day.last_review == earlier


def test_the_same_log_in_any_order_gives_the_same_card() -> None:
    history = [(3, 0), (3, 2), (1, 9), (2, 0), (4, 1)]
    logs = [Log(7, r, at) for (r, _), at in zip(history, moments(history), strict=True)]
    replayed = schedule.replay(reversed(logs))
    assert replayed.stability == reviewed(history).stability
    assert replayed.due == reviewed(history).due
    assert schedule.replay(logs[:-1]) != replayed
    with pytest.raises(ScheduleError, match="A log is of one card; this one is of 2"):
        schedule.replay([*logs, Log(8, 3, NOW)])


def test_the_buttons_say_what_will_happen() -> None:
    card = schedule.new_card("a", NOW)
    outcomes = schedule.options(card, NOW)
    assert [outcomes[r].label for r in (1, 2, 3, 4)] == ["1 min", "6 min", "10 min", "8 d"]
    assert {r: schedule.review(card, r, NOW) for r in outcomes} == outcomes
    assert card.new
    assert not outcomes[AGAIN].card.new


def test_recall_falls_to_the_wished_for_retention_when_the_card_is_due() -> None:
    for retention in (0.8, 0.9, 0.95):
        plan = Plan(retention=retention)
        card = reviewed([(3, 0), (3, 0), (3, 2), (3, 11)], plan)
        assert schedule.retrievability(card, card.due, plan=plan) == pytest.approx(
            retention, abs=0.01
        )
    assert schedule.retrievability(schedule.new_card("a", NOW), NOW) == 0


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (timedelta(seconds=59), "<1 min"),
        (timedelta(minutes=10), "10 min"),
        (timedelta(minutes=59, seconds=40), "1 h"),
        (timedelta(hours=5), "5 h"),
        (timedelta(hours=23, minutes=45), "1 d"),
        (timedelta(days=1), "1 d"),
        (timedelta(days=30), "30 d"),
        (timedelta(days=70), "2.3 mo"),
        (timedelta(days=61), "2 mo"),
        (timedelta(days=365), "1 y"),
        (timedelta(days=498), "1.4 y"),
    ],
)
def test_intervals_in_words(interval: timedelta, words: str) -> None:
    assert schedule.in_words(interval) == words


def test_ids_become_numbers_that_stay() -> None:
    assert schedule.number("dpo/why-beta") == 8_692_359_937_393_451_828
    assert schedule.number("a") != schedule.number("b")
    assert 0 <= schedule.number("a") < 2**63


def test_what_cannot_be_scheduled_is_named() -> None:
    card = schedule.new_card("a", NOW)
    with pytest.raises(ScheduleError, match=r"1, 2, 3 or 4 .* this one is 5"):
        schedule.review(card, 5, NOW)
    with pytest.raises(ScheduleError, match="needs a time zone"):
        schedule.review(card, 3, NOW.replace(tzinfo=None))
    with pytest.raises(ScheduleError, match="between 70% and 97%; this one is 50%"):
        Plan(retention=0.5)
    with pytest.raises(ScheduleError, match="Expected 21 parameters, got 2"):
        schedule.check_parameters([1, 2])
    summer = timezone(timedelta(hours=2))
    assert schedule.review(card, 3, NOW.astimezone(summer)) == schedule.review(card, 3, NOW)
    assert schedule.review(card, 3, NOW).card.phase is Phase.LEARNING
