"""How good a learner's beliefs are, and whether they get better: read from the record.

Only first answers count. Feedback names the right option, so what comes after it says little about
what was believed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from drills import score
from drills.events import Answered, Belief, Event, Predicted, Repredicted
from drills.record import Record
from drills.score import Decomposition, Group, Stated, decompose, reliability

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Compared:
    """The same measure twice; None where there are too few answers to say anything."""

    before: Decomposition | None
    after: Decomposition | None
    lacks_before: int = 0  # answers with one option in the lead that are still needed
    lacks_after: int = 0
    opens: datetime | None = None  # when there will be two weeks to compare, if that is ahead


def lacking(record: Record) -> int:
    """Return how many more first answers `quiz` and `curve` need before they say anything."""
    return score.lacking(_stated(record.firsts(Answered)))


def quiz(record: Record) -> Decomposition | None:
    """Return what the first answers to the questions of all quizzes cost."""
    return decompose(_stated(record.firsts(Answered)))


def curve(record: Record) -> tuple[Group, ...] | None:
    """Return how often the option in the lead was right, by the probability it was given."""
    return reliability(_stated(record.firsts(Answered)))


def weeks(record: Record, now: datetime) -> Compared:
    """Return the week after the very first answer, and the seven days up to now.

    While the two overlap, there is nothing to compare with yet: `after` is None.
    """
    answers = record.firsts(Answered)
    if not answers:
        return _compared([], [])
    first_ends, last_begins = answers[0].at + WEEK, now - WEEK
    first = [each for each in answers if each.at < first_ends]
    last = [each for each in answers if last_begins <= each.at <= now]
    if last_begins < first_ends:
        early = _compared(_stated(first), [])
        return replace(early, opens=first_ends + WEEK)
    return _compared(_stated(first), _stated(last))


def reading(record: Record) -> Compared:
    """Return what the predictions cost before reading, and the same questions after it."""
    firsts = {event.item: event for event in record.firsts(Predicted)}
    again = {event.item: event for event in record.firsts(Repredicted)}
    both = [name for name in firsts if name in again and _alike(firsts[name], again[name])]
    return _compared(_stated(firsts[name] for name in both), _stated(again[name] for name in both))


def _compared(before: list[Stated], after: list[Stated]) -> Compared:
    return Compared(
        decompose(before), decompose(after), score.lacking(before), score.lacking(after)
    )


def _stated(events: Iterable[Event[Belief]]) -> list[Stated]:
    return [(event.payload.probabilities, event.payload.right) for event in events]


def _alike(before: Event[Predicted], after: Event[Repredicted]) -> bool:
    """Whether the question is still the one that was asked before."""
    one, other = before.payload, after.payload
    return len(one.probabilities) == len(other.probabilities) and one.right == other.right
