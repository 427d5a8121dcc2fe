"""Reviews folded from the log: the same by one event, by all at once, and by hand."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drills import schedule
from drills.days import Days
from drills.events import (
    Answered,
    Attempted,
    Event,
    LearnerId,
    Noted,
    Payload,
    Preferred,
    Queued,
    Read,
    Reviewed,
    Suspended,
    Unreviewed,
    Unsuspended,
    to_json,
)
from drills.record import Record
from drills.reviews import Reviews, line_card
from drills.schedule import AGAIN, EASY, GOOD, Plan

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
CARDS = ("dpo/a", "dpo/b", "kl/c")
HOUR = timedelta(hours=1)


def events(*happened: tuple[str, Payload], apart: timedelta = HOUR) -> tuple[Event[Payload], ...]:
    """These things, an hour apart; the nonce of the n-th is "n<n>", counted from 1."""
    return tuple(
        Event(n, LearnerId(1), p.kind, name, START + n * apart, f"n{n}", to_json(p))
        for n, (name, p) in zip(count(1), happened, strict=False)
    )


def ms(moment: datetime) -> int:
    """A moment as Anki writes it."""
    return int(moment.timestamp() * 1000)


REVIEWED = st.builds(
    Reviewed,
    rating=st.integers(1, 4),
    milliseconds=st.integers(0, 60_000),
    at_ms=st.one_of(
        st.none(), st.integers(0, 3_000).map(lambda h: ms(START) + 3_600_000 * (h - 1_000))
    ),
    where=st.sampled_from(["here", "anki"]),
)
ABOUT_CARDS = st.one_of(
    REVIEWED,
    REVIEWED,
    st.builds(Unreviewed, nonce=st.integers(1, 40).map("n{}".format)),
    st.just(Suspended()),
    st.just(Unsuspended()),
    st.just(Queued()),
    st.builds(Noted, text=st.sampled_from(["", "mind the sign"])),
)
HAPPENED = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(CARDS), ABOUT_CARDS),
        st.tuples(
            st.just("reviews"),
            st.builds(
                Preferred,
                retention=st.sampled_from([None, 0.8, 0.95]),
                zone=st.sampled_from([None, "Asia/Tokyo", "Mars/Olympus"]),
                utc_offset=st.sampled_from([None, -480]),
            ),
        ),
        st.tuples(st.just("dpo/proof"), st.builds(
            Attempted, line=st.just("loss"), of=st.just(3), way=st.just("prove"),
            outcome=st.sampled_from(["equivalent", "different"]), hint=st.integers(0, 3))),
    ),
    max_size=40,
)  # fmt: skip


@given(HAPPENED, st.integers(0, 40))
@settings(max_examples=120, deadline=None)
def test_folding_one_by_one_all_at_once_or_in_two_parts_is_the_same(
    happened: list[tuple[str, Payload]], cut: int
) -> None:
    log = events(*happened, apart=timedelta(hours=7))
    one_by_one = Reviews()
    for event in log:
        one_by_one = one_by_one.after(event)
    assert one_by_one == Reviews.of(log) == Reviews.of(log[:cut]).after_all(log[cut:])
    assert Record.of(log[:cut]).after(log[cut:]).reviews == one_by_one


@given(HAPPENED)
@settings(max_examples=60, deadline=None)
def test_the_state_is_what_the_log_says_when_replayed_by_hand(
    happened: list[tuple[str, Payload]],
) -> None:
    log = events(*happened, apart=timedelta(hours=7))
    state = Reviews.of(log)
    assert {item: learnt.card for item, learnt in state.cards.items()} == {
        item: by_hand(log, item, state) for item in CARDS if in_force(log, item)
    }
    counted = sum(n for day in state.tally.values() for n in day.values())
    assert counted == sum(len(in_force(log, item)) for item in CARDS)


def in_force(log: Sequence[Event[Payload]], item: str) -> list[tuple[datetime, int]]:
    """When a card was reviewed and how it was rated, oldest first, without what was undone."""
    undone = {e.payload.nonce for e in log if isinstance(e.payload, Unreviewed)}
    found = []
    for event in log:
        said = event.payload
        if event.item == item and isinstance(said, Reviewed) and event.nonce not in undone:
            at = event.at if said.at_ms is None else datetime.fromtimestamp(said.at_ms / 1000, UTC)
            found.append((at, event.id, said.rating))
    return [(at, rating) for at, _, rating in sorted(found)]


def by_hand(log: Sequence[Event[Payload]], item: str, state: Reviews) -> schedule.Card:
    """The card, one review after the other, the days counted on a calendar."""
    wishes, last = state.wishes, None
    zone = ZoneInfo("Asia/Tokyo") if wishes.zone == "Asia/Tokyo" else None
    shift = timedelta(hours=9) if zone else timedelta(minutes=wishes.utc_offset)
    card = schedule.new_card(item, START)
    for at, rating in in_force(log, item):
        today = (at + shift - timedelta(hours=4)).date()
        days = None if last is None else (today - last).days
        card, _ = schedule.review(card, rating, at, plan=Plan(wishes.retention), days=days)
        last = today
    return card


def test_what_is_taken_back_never_happened() -> None:
    before = events(("dpo/a", Reviewed(rating=GOOD)), ("dpo/a", Reviewed(rating=EASY)))
    wrong = events(
        ("dpo/a", Reviewed(rating=GOOD)),
        ("dpo/a", Reviewed(rating=EASY)),
        ("dpo/a", Reviewed(rating=AGAIN)),
        ("dpo/a", Unreviewed(nonce="n3")),
    )
    state, plain = Reviews.of(wrong), Reviews.of(before)
    assert (state.cards, state.tally) == (plain.cards, plain.tally)
    assert Reviews.of(wrong[:3]).cards != plain.cards
    found = Reviews.of(wrong[:3]).latest
    assert found is not None
    assert (found[0], found[1].nonce) == ("dpo/a", "n3")
    again = state.latest
    assert again is not None
    assert again[1].nonce == "n2"


def test_a_review_taken_back_stays_so_when_it_is_uploaded_again() -> None:
    log = events(("dpo/a", Unreviewed(nonce="n2")), ("dpo/a", Reviewed(rating=3)))
    assert Reviews.of(log).cards == {}


def test_a_review_that_comes_late_from_anki_takes_its_place_in_time() -> None:
    early = ms(START - timedelta(days=9))
    log = events(
        ("dpo/a", Reviewed(rating=GOOD)),
        ("dpo/a", Reviewed(rating=EASY, at_ms=early, where="anki")),
    )
    learnt = Reviews.of(log).cards["dpo/a"]
    assert [done.rating for done in learnt.log] == [EASY, GOOD]
    assert [done.stage for done in learnt.log] == ["new", "young"]
    assert learnt.card.stability != Reviews.of(log[:1]).cards["dpo/a"].card.stability


def test_lapses_count_what_was_forgotten_in_review() -> None:
    ratings = [EASY, AGAIN, AGAIN, GOOD, AGAIN]
    log = events(*(("dpo/a", Reviewed(rating=r)) for r in ratings), apart=timedelta(days=9))
    assert Reviews.of(log).cards["dpo/a"].lapses == 2


def test_another_wish_for_retention_moves_the_dates_and_leaves_the_memory() -> None:
    log = events(*(("dpo/a", Reviewed(rating=r)) for r in (3, 3, 3)), apart=timedelta(days=5))
    usual = Reviews.of(log)
    (wish,) = events(("reviews", Preferred(retention=0.95)))
    strict = usual.after(wish)
    now, was = strict.cards["dpo/a"].card, usual.cards["dpo/a"].card
    assert (now.stability, now.difficulty) == (was.stability, was.difficulty)
    assert now.interval < was.interval


def test_two_times_an_hour_apart_are_two_days_at_four_in_the_morning() -> None:
    berlin = Days.of("Europe/Berlin", 0)
    before, after = datetime(2026, 7, 2, 1, 59, tzinfo=UTC), datetime(2026, 7, 2, 2, tzinfo=UTC)
    assert berlin.day(before) == date(2026, 7, 1).toordinal()
    assert berlin.day(after) == berlin.day_of_ms(ms(after)) == date(2026, 7, 2).toordinal()
    assert berlin.start(date(2026, 7, 2).toordinal()) == after
    winter = date(2026, 1, 2).toordinal()
    assert berlin.start(winter) == datetime(2026, 1, 2, 3, tzinfo=UTC)
    assert Days.of("Mars/Olympus", -480).start(winter) == datetime(2026, 1, 2, 12, tzinfo=UTC)
    assert Days.of("../../etc/passwd", 0).start(winter) == datetime(2026, 1, 2, 4, tzinfo=UTC)


ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "UTC")


@given(st.integers(1_577_836_800, 2_051_222_400), st.sampled_from(ZONES))
@settings(max_examples=100, deadline=None)
def test_every_moment_lies_in_the_day_it_is_given(seconds: int, zone: str) -> None:
    days, at = Days.of(zone, 0), datetime.fromtimestamp(seconds, UTC)
    day = days.day(at)
    assert days.start(day) <= at < days.start(day + 1)


@pytest.mark.parametrize(
    ("attempt", "missed"),
    [
        (Attempted(line="loss", of=3, way="prove", outcome="different"), True),
        (Attempted(line="loss", of=3, way="fill", asked="hint", hint=3), True),
        (Attempted(line="loss", of=3, way="fill", asked="hint", hint=2), False),
        (Attempted(line="loss", of=3, way="fill", outcome="unreadable"), False),
        (Attempted(line="loss", of=3, way="fill", asked="rule", outcome="different"), False),
        (Attempted(line="loss", of=3, way="prove", outcome="equivalent"), False),
    ],
)
def test_a_line_that_was_missed_becomes_a_card(attempt: Attempted, missed: bool) -> None:  # noqa: FBT001
    state = Reviews.of(events(("dpo/dpo", attempt)))
    assert set(state.lines) == ({"dpo/line-dpo-loss"} if missed else set())


def test_every_line_has_an_item_of_its_own() -> None:
    names = [("dpo/dpo", "loss"), ("dpo/dpo", "Z_x"), ("dpo/dpo", "Z-x"), ("dpo/" + "d" * 190, "l")]
    assert len({line_card(*name) for name in names}) == len(names)


def test_answers_readings_and_notes_are_kept() -> None:
    wrong, right = (Answered(probabilities=p, right=0) for p in ((0.2, 0.8), (0.8, 0.2)))
    state = Reviews.of(
        events(
            ("dpo/why", Read()),
            ("dpo/q", wrong),
            ("dpo/q2", right),
            ("dpo/a", Queued()),
            ("dpo/a", Noted(text="mind the sign")),
            ("dpo/a", Suspended()),
        )
    )
    kept = (state.read, state.missed, state.queued, state.suspended)
    assert kept == tuple(map(frozenset, (["dpo/why"], ["dpo/q"], ["dpo/a"], ["dpo/a"])))
    assert state.notes == {"dpo/a": "mind the sign"}


def test_the_buttons_count_days_as_the_learner_lives_them() -> None:
    state = Reviews.of(events(("dpo/a", Reviewed(rating=EASY))))
    due = state.cards["dpo/a"].card.due
    earlier = due - timedelta(hours=3)  # the same day, a bit earlier
    assert state.options("dpo/a", earlier)[GOOD].card.stability == (
        state.options("dpo/a", due)[GOOD].card.stability
    )
    _, again = events(
        ("dpo/a", Reviewed(rating=EASY)), ("dpo/a", Reviewed(rating=GOOD, at_ms=ms(earlier)))
    )
    assert state.after(again).cards["dpo/a"].card == state.options("dpo/a", earlier)[GOOD].card
