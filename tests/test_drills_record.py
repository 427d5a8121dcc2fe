"""What follows from the record: firsts and latests, bits, and the ladder of a lesson."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from math import log2
from threading import Barrier
from typing import Any

import pytest

from content.schema import Choice, Option
from drills.events import (
    Answered,
    Event,
    LearnerId,
    Payload,
    Predicted,
    Ran,
    Read,
    Repredicted,
    SelfGraded,
    Stepped,
    Verified,
    Wrote,
    to_json,
)
from drills.record import ERRATA, RETAINED_AFTER, Outline, Record, fits, progress, retained

START = datetime(2026, 3, 1, tzinfo=UTC)
RIGHT, WRONG, SPLIT = (0.7, 0.1, 0.1, 0.1), (0.1, 0.7, 0.1, 0.1), (0.25, 0.25, 0.25, 0.25)
OUTLINE = Outline(
    lesson="dpo",
    predictions=("p", "p2"),
    sections=("opening", "why"),
    choices=("q", "q2"),
    syntheses=("s",),
    derivations=("d",),
    labs=("l",),
    cards=("c",),
    claims=("k", "k2"),
    errata=("e",),
)


def record(*happened: tuple[str, Payload], apart: timedelta = timedelta(minutes=1)) -> Record:
    """A record in which these things happened, a minute apart."""
    numbers = count(1)
    return Record.of(
        Event(n, LearnerId(1), p.kind, name, START + n * apart, f"n{n}", to_json(p))
        for n, (name, p) in zip(numbers, happened, strict=False)
    )


def answered(belief: tuple[float, ...]) -> Answered:
    """An answer to a question whose first option is right."""
    return Answered(probabilities=belief, right=0)


def predicted(belief: tuple[float, ...]) -> Predicted:
    """A prediction before reading."""
    return Predicted(probabilities=belief, right=0)


def repredicted(belief: tuple[float, ...]) -> Repredicted:
    """The same prediction after reading."""
    return Repredicted(probabilities=belief, right=0)


def test_firsts_and_latests_are_told_apart() -> None:
    past = record(
        ("dpo/q", answered(WRONG)),
        ("dpo/q", predicted(RIGHT)),
        ("dpo/q2", answered(SPLIT)),
        ("dpo/q", answered(RIGHT)),
    )
    first, latest = past.first(Answered, "dpo/q"), past.latest(Answered, "dpo/q")
    assert first is not None
    assert latest is not None
    assert (first.id, latest.id) == (1, 4)
    assert latest.payload.probabilities == RIGHT
    assert past.first(Answered, "dpo/other") is None
    assert past.latest(Read, "dpo/q") is None
    assert [event.id for event in past.all(Answered)] == [1, 3, 4]
    assert [event.id for event in past.all(Answered, "dpo/q")] == [1, 4]


def test_only_the_first_answer_to_a_question_earns_bits() -> None:
    past = record(
        ("dpo/p", predicted(WRONG)),
        ("dpo/q", answered(WRONG)),
        ("dpo/q", answered(RIGHT)),
        ("dpo/q2", answered(RIGHT)),
        ("kl/q", answered(SPLIT)),
        ("kl/q2", answered(RIGHT)),
    )
    assert past.bits_earned("dpo") == pytest.approx(log2(0.4) + log2(2.8))
    assert past.bits_earned("kl") == pytest.approx(log2(2.8))
    assert past.bits_earned() == pytest.approx(log2(0.4) + 2 * log2(2.8))
    assert record().bits_earned() == 0


def test_reading_gains_what_the_second_belief_has_over_the_first() -> None:
    past = record(
        ("dpo/p", predicted(WRONG)),
        ("dpo/p2", predicted(RIGHT)),  # never asked again
        ("dpo/p", repredicted(RIGHT)),
        ("dpo/p", repredicted(WRONG)),  # a third time does not count
        ("dpo/p3", repredicted(RIGHT)),  # never predicted
    )
    assert past.bits_gained("dpo") == pytest.approx(log2(7))
    assert past.bits_gained("kl") == 0


def test_a_question_that_was_changed_in_between_gains_nothing() -> None:
    changed = Repredicted(probabilities=(0.9, 0.1), right=0)
    assert record(("dpo/p", predicted(WRONG)), ("dpo/p", changed)).bits_gained() == 0


def test_an_empty_record_stands_at_the_foot_of_the_ladder() -> None:
    foot = progress(record(), OUTLINE)
    rungs = (foot.predicted, foot.read, foot.recalled, foot.derived, foot.retained)
    assert [rung.name for rung in rungs] == ["predicted", "read", "recalled", "derived", "retained"]
    assert [(rung.done, rung.of) for rung in rungs] == [(0, 2), (0, 2), (0, 3), (0, 2), (0, 3)]
    assert not any(rung.earned or rung.evidence or rung.at for rung in rungs)
    assert (foot.answered, foot.bits) == (0, 0)


def test_a_rung_is_earned_when_all_of_it_has_evidence() -> None:
    past = record(
        ("dpo/p", predicted(WRONG)),
        ("dpo/opening", Read()),
        ("dpo/opening", Read()),
        ("dpo/p2", predicted(SPLIT)),
        ("kl/why", Read()),
    )
    reached = progress(past, OUTLINE)
    assert reached.predicted.earned
    assert reached.predicted.evidence == (1, 4)
    assert reached.predicted.at == START + timedelta(minutes=4)
    assert (reached.read.done, reached.read.earned, reached.read.evidence) == (1, False, (2,))
    assert reached.read.at is None


def test_recall_is_what_the_latest_answers_show() -> None:
    good = [("dpo/q", answered(RIGHT)), ("dpo/s", SelfGraded(met=(0, 1), of=4))]
    assert progress(record(*good, ("dpo/q2", answered(RIGHT))), OUTLINE).recalled.earned
    for belief in (WRONG, SPLIT, (0.4, 0.4, 0.1, 0.1)):
        reached = progress(record(*good, ("dpo/q2", answered(belief))), OUTLINE)
        assert (reached.recalled.done, reached.recalled.earned) == (2, False)
        assert reached.answered == 3
    again = record(*good, ("dpo/q2", answered(WRONG)), ("dpo/q2", answered(RIGHT)))
    assert progress(again, OUTLINE).recalled.earned
    lost = record(*good, ("dpo/q2", answered(RIGHT)), ("dpo/q2", answered(WRONG)))
    assert not progress(lost, OUTLINE).recalled.earned


def test_a_text_counts_once_its_points_were_ticked() -> None:
    wrote = ("dpo/s", Wrote(text="Z cancels."))
    assert progress(record(wrote), OUTLINE).answered == 0
    weak = progress(record(wrote, ("dpo/s", SelfGraded(met=(0,), of=4))), OUTLINE)
    assert (weak.answered, weak.recalled.done) == (1, 0)


def test_a_derivation_counts_when_every_line_was_seen() -> None:
    steps = [("dpo/d", Stepped(line=line, of=3)) for line in (3, 1, 1)]
    skipped = progress(record(*steps), OUTLINE).derived
    assert (skipped.done, skipped.earned) == (0, False)
    whole = progress(record(*steps, ("dpo/d", Stepped(line=2, of=3))), OUTLINE).derived
    assert (whole.done, whole.of, whole.earned, whole.evidence) == (1, 2, True, (4,))


def test_a_line_added_later_has_to_be_seen_too() -> None:
    steps = [("dpo/d", Stepped(line=line, of=2)) for line in (1, 2)]
    past = record(*steps, ("dpo/d", Stepped(line=1, of=3)))
    assert not progress(past, OUTLINE).derived.earned


def test_a_run_of_the_lab_is_enough_for_the_same_rung() -> None:
    reached = progress(record(("dpo/l", Ran()), ("dpo/l", Ran())), OUTLINE)
    assert (reached.derived.done, reached.derived.earned) == (1, True)
    assert reached.derived.at == START + timedelta(minutes=1)


def verified(*, agreed: bool = True) -> Verified:
    """A claim that was recomputed."""
    return Verified(expected=1, got=1, agreed=agreed)


def test_with_nothing_to_derive_or_run_all_claims_are_to_be_verified() -> None:
    outline = Outline(lesson="dpo", claims=("k", "k2"))
    one = progress(record(("dpo/k", verified()), ("dpo/k", verified())), outline).derived
    assert (one.name, one.done, one.of, one.earned) == ("derived", 1, 2, False)
    both = progress(record(("dpo/k", verified()), ("dpo/k2", verified())), outline).derived
    assert (both.done, both.earned, both.evidence) == (2, True, (1, 2))
    assert not progress(record(("dpo/k", verified()), ("dpo/k2", verified())), OUTLINE).derived.done


@pytest.mark.parametrize(
    ("days", "later", "holds"),
    [(7, RIGHT, True), (6.99, RIGHT, False), (7, SPLIT, False), (30, WRONG, False)],
)
def test_what_is_right_a_week_after_the_first_answer_is_retained(
    days: float, later: tuple[float, ...], *, holds: bool
) -> None:
    for first in (RIGHT, WRONG):
        past = record(
            ("dpo/q", answered(first)), ("dpo/q", answered(later)), apart=timedelta(days=days)
        )
        assert (retained(past, "dpo/q") is not None) is holds


def test_a_week_is_counted_from_the_first_answer_and_is_not_lost_again() -> None:
    answers = [("dpo/q", answered(RIGHT)) for _ in range(3)]
    halves = record(*answers, apart=RETAINED_AFTER / 2)
    found = retained(halves, "dpo/q")
    assert found is not None
    assert found.id == 3
    assert retained(record(*answers[:1]), "dpo/q") is None
    again = record(*answers, ("dpo/q", answered(WRONG)), apart=RETAINED_AFTER / 2)
    assert retained(again, "dpo/q") == found


def test_the_last_rung_counts_questions_and_the_errata_of_the_lesson() -> None:
    twice = [(name, answered(RIGHT)) for name in ("dpo/q", "dpo/q2", "errata/e") for _ in range(2)]
    rung = progress(record(*twice, apart=RETAINED_AFTER), OUTLINE).retained
    assert (rung.done, rung.of, rung.earned, rung.evidence) == (3, 3, True, (2, 4, 6))


def test_errata_count_toward_no_quiz() -> None:
    past = record(("errata/e", answered(RIGHT)), ("dpo/q", answered(SPLIT)))
    assert past.bits_earned() == past.bits_earned("dpo") == 0
    assert past.bits_earned(ERRATA) == pytest.approx(log2(2.8))
    reached = progress(past, OUTLINE)
    assert (reached.answered, reached.bits) == (1, 0)


def test_the_share_done_counts_what_was_done_whatever_it_earned() -> None:
    assert progress(record(), OUTLINE).share == 0
    some = record(("dpo/p", predicted(WRONG)), ("dpo/why", Read()), ("dpo/q", answered(WRONG)))
    assert progress(some, OUTLINE).share == pytest.approx(3 / 7)
    assert progress(some, Outline(lesson="dpo")).share == 0


def test_a_lesson_without_something_does_not_earn_it() -> None:
    bare = progress(record(("dpo/q", answered(RIGHT))), Outline(lesson="dpo"))
    rungs = (bare.predicted, bare.read, bare.recalled, bare.derived, bare.retained)
    assert not any(rung.earned for rung in rungs)


def test_a_belief_fits_the_question_it_was_about() -> None:
    options = [Option(text=text, feedback=text) for text in ("a", "b", "c", "d")]
    choice = Choice(id="q", prompt="?", options=options, answer=0, section="s", source="x")
    assert fits(choice, answered(RIGHT))
    assert not fits(choice.model_copy(update={"answer": 1}), answered(RIGHT))
    assert not fits(choice.model_copy(update={"options": options[:3]}), answered(RIGHT))


def test_the_time_it_takes_grows_with_the_record_and_no_faster() -> None:
    def seconds(size: int) -> float:
        past = record(*((f"dpo/q{n % 50}", answered(RIGHT)) for n in range(size)))
        started = time.perf_counter()
        for number in range(50):
            past.latest(Answered, f"dpo/q{number}")
            past.first(Answered, f"dpo/q{number}")
        return time.perf_counter() - started

    small, large = (min(seconds(size) for _ in range(3)) for size in (500, 5_000))
    assert large < 40 * small


# --- threads ------------------------------------------------------------------------------------

LONG_WORK = [
    pytest.param(lambda record: record.reviews, id="reviews"),
    pytest.param(lambda record: record.firsts(Read), id="filed"),
    pytest.param(lambda record: record.bits_earned("dpo"), id="earned"),
]


class Watched(tuple[Event[Any], ...]):
    """Events that call `watch` when somebody starts to go through them."""

    watch: Callable[[], object]

    def __iter__(self) -> Iterator[Event[Any]]:
        self.watch()
        return super().__iter__()


def watched(watch: Callable[[], object]) -> Record:
    events = Watched(record(("dpo/opening", Read())).events)
    events.watch = watch
    return Record(events)


@pytest.mark.parametrize("work", LONG_WORK)
def test_two_learners_do_not_wait_for_each_other(work: Callable[[Record], object]) -> None:
    both = Barrier(2, timeout=5)  # each is within its fold at the same time, or it breaks
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, [watched(both.wait), watched(both.wait)]))


@pytest.mark.parametrize("work", LONG_WORK)
def test_two_tabs_of_a_learner_fold_once(work: Callable[[Record], object]) -> None:
    asked: list[Future[object]] = []

    def another_tab_asks() -> None:
        asked.append(pool.submit(work, mine))
        with pytest.raises(TimeoutError):  # it waits for this fold
            asked[0].result(timeout=0.2)

    mine = watched(another_tab_asks)
    with ThreadPoolExecutor(1) as pool:
        assert work(mine) == asked[0].result(timeout=5)
    assert len(asked) == 1
