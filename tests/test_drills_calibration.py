"""A learner's calibration over time: which answers count, and what is compared with what."""

from datetime import UTC, datetime, timedelta

import pytest

from drills import calibration, score
from drills.events import Answered, Event, LearnerId, Payload, Predicted, Repredicted, to_json
from drills.record import Record

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
SURE, WRONG = (0.9, 0.1), (0.1, 0.9)


def record(*happened: tuple[timedelta, str, Payload]) -> Record:
    """A record in which these things happened so long after START."""
    return Record.of(
        Event(n, LearnerId(1), p.kind, name, START + after, f"n{n}", to_json(p))
        for n, (after, name, p) in enumerate(happened, 1)
    )


def answers(day: int, belief: tuple[float, float], count: int = 10) -> list[
    tuple[timedelta, str, Payload]
]:  # fmt: skip
    """Answers to so many questions, all on one day, with one belief."""
    said = Answered(probabilities=belief, right=0)
    return [(day * DAY, f"dpo/q{day}-{n}", said) for n in range(count)]


def test_only_first_answers_count() -> None:
    once = answers(0, WRONG)
    again = [(DAY, name, Answered(probabilities=SURE, right=0)) for _, name, _ in once]
    found = calibration.quiz(record(*once, *again))
    assert found == score.decompose([(WRONG, 0)] * 10)
    assert calibration.curve(record(*again)) == score.reliability([(SURE, 0)] * 10)
    assert calibration.quiz(record(*once[:9])) is None
    assert calibration.quiz(record()) is None


def test_this_week_is_held_against_the_first() -> None:
    past = record(*answers(0, WRONG), *answers(10, WRONG), *answers(30, SURE))
    found = calibration.weeks(past, START + 31 * DAY)
    assert found.before == score.decompose([(WRONG, 0)] * 10)
    assert found.after == score.decompose([(SURE, 0)] * 10)
    assert calibration.weeks(past, START + 60 * DAY).after is None  # nothing this week
    early = calibration.weeks(record(*answers(0, WRONG)), START + 8 * DAY)
    assert early.before is not None
    assert early.after is None  # the weeks overlap
    assert calibration.weeks(record(), START).before is None


def test_reading_is_what_the_same_questions_cost_before_and_after() -> None:
    both = [
        entry
        for n in range(10)
        for entry in (
            (0 * DAY, f"dpo/p{n}", Predicted(probabilities=(0.5, 0.4, 0.1), right=1)),
            (DAY, f"dpo/p{n}", Repredicted(probabilities=(0.1, 0.8, 0.1), right=1)),
        )
    ]
    alone = (0 * DAY, "dpo/alone", Predicted(probabilities=(0.9, 0.1), right=0))
    changed = [
        (0 * DAY, "dpo/changed", Predicted(probabilities=(0.9, 0.1), right=0)),
        (DAY, "dpo/changed", Repredicted(probabilities=(0.9, 0.1), right=1)),
    ]
    found = calibration.reading(record(*both, alone, *changed))
    assert found.before is not None
    assert found.after is not None
    assert found.before.count == found.after.count == 10
    assert found.before.loss - found.after.loss == pytest.approx(1)  # 0.4 to 0.8


def test_what_is_missing_is_counted() -> None:
    even = (0.5, 0.5)
    some = record(*answers(0, SURE, 4), *answers(1, even, 9))
    assert calibration.lacking(some) == 6  # an even split favors nothing
    assert calibration.quiz(some) is None
    assert calibration.lacking(record(*answers(0, SURE))) == 0
    found = calibration.weeks(record(*answers(0, SURE, 7)), START + 3 * DAY)
    assert (found.lacks_before, found.opens) == (3, START + 14 * DAY)
    later = calibration.weeks(record(*answers(0, SURE), *answers(29, SURE, 8)), START + 30 * DAY)
    assert (later.lacks_before, later.lacks_after, later.opens) == (0, 2, None)
    assert calibration.reading(record()).lacks_after == 10


def test_first_is_what_was_answered_first_though_it_was_brought_later() -> None:
    before, after = answers(0, WRONG), answers(0, SURE)
    later = [(10 * DAY, name, said) for _, name, said in after]
    for brought_late in (record(*later, *before), record(*later).after(record(*before).events)):
        assert calibration.quiz(brought_late) == calibration.quiz(record(*before, *later))
        assert brought_late.bits_earned() == pytest.approx(10 * before[0][2].bits)  # type: ignore[attr-defined]
        assert [each.at for each in brought_late.all(Answered)] == sorted(
            each.at for each in brought_late.events
        )
    read = (DAY, "dpo/p", Repredicted(probabilities=(0.8, 0.2), right=0))
    once, again = (
        (after * DAY, "dpo/p", Predicted(probabilities=(p, 1 - p), right=0))
        for after, p in ((0, 0.5), (2, 0.8))
    )
    gained = record(read, again, once).bits_gained()
    assert gained == record(once, read, again).bits_gained() > 0
