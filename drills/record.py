"""What a learner's events amount to: derived from the record each time, never stored.

Everything here is a pure function of the events, oldest first, as `drills.store` returns them.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from operator import attrgetter
from typing import Any, Protocol, TypeVar, cast

from content.schema import Choice
from drills.events import (
    Answered,
    Attempted,
    Belief,
    Event,
    Payload,
    Predicted,
    Ran,
    Read,
    Repredicted,
    SelfGraded,
    Stepped,
    Verified,
    item,
)
from drills.grade import leader
from drills.once import Once
from drills.reviews import Done, Reviews

P = TypeVar("P", bound=Payload)

ENOUGH_POINTS = 0.5  # the share of a rubric's points that makes a free text recalled
_AGE = attrgetter("at", "id")
RETAINED_AFTER = timedelta(days=7)  # from the first answer to one that shows what was kept
ERRATA = "errata"  # the errata of the course are items as those of a lesson, `errata/<id>`


class _Evidence(Protocol):
    """What shows that something was done: an event, or a review."""

    @property
    def id(self) -> int: ...

    @property
    def at(self) -> datetime: ...


@dataclass(frozen=True)
class Record:
    """A learner's events, filed by kind and item in one pass."""

    events: tuple[Event[Any], ...]

    @classmethod
    def of(cls, events: Iterable[Event[Any]]) -> "Record":
        """File these events, oldest first."""
        return cls(tuple(events))

    def after(self, events: Sequence[Event[Any]]) -> "Record":
        """Return the record with later events, filed without filing the earlier ones anew."""
        more = Record(self.events + tuple(events))
        if "_filed" in self.__dict__:
            more.__dict__["_filed"] = _filed_too(self._filed, events)
        if "reviews" in self.__dict__:
            more.__dict__["reviews"] = self.reviews.after_all(events)
        return more

    @Once
    def reviews(self) -> Reviews:
        """Where the learner stands with their cards."""
        return Reviews.of(self.events)

    def all(self, kind: type[P], item: str | None = None) -> tuple[Event[P], ...]:
        """Return the events of one kind, of one item or of all, oldest first.

        Oldest is what happened first, even if it was brought from elsewhere later.
        """
        if item is not None:
            return tuple(self._about(kind, item))
        if kind.kind not in self._together:
            filed = self._filed.get(kind.kind, {}).values()
            events = (event for of_item in filed for event in of_item)
            self._together[kind.kind] = tuple(sorted(events, key=_AGE))
        return self._together[kind.kind]

    def first(self, kind: type[P], item: str) -> Event[P] | None:
        """Return the first event of a kind about an item, None if there is none."""
        return next(iter(self._about(kind, item)), None)

    def firsts(self, kind: type[P]) -> list[Event[P]]:
        """Return the first event of a kind about each item, oldest first."""
        filed = self._filed.get(kind.kind, {}).values()
        return sorted((events[0] for events in filed), key=_AGE)

    def latest(self, kind: type[P], item: str) -> Event[P] | None:
        """Return the latest event of a kind about an item, None if there is none."""
        return next(reversed(self._about(kind, item)), None)

    def bits_earned(self, lesson: str | None = None) -> float:
        """Sum the log scores of the first answer to each question of a quiz, or of all.

        Later answers do not count: the feedback has named the right option by then. Predictions
        do not either: nobody should pay for a guess made before reading. Errata belong to no quiz;
        `bits_earned(ERRATA)` sums theirs.
        """
        if lesson is not None:
            return self._earned.get(lesson, 0.0)
        return sum(bits for lesson, bits in self._earned.items() if lesson != ERRATA)

    def bits_gained(self, lesson: str | None = None) -> float:
        """Sum what reading was worth: the first answer after it minus the one before, in bits.

        Only predictions that were asked again, with as many options as before, count.
        """
        gained = 0.0
        for after in self._firsts(Repredicted, lesson):
            before = self.first(Predicted, after.item)
            if before is not None and _same_question(before.payload, after.payload):
                gained += after.payload.bits - before.payload.bits
        return gained

    def _about(self, kind: type[P], item: str) -> Sequence[Event[P]]:
        return cast(Sequence[Event[P]], self._filed.get(kind.kind, {}).get(item, ()))

    def _firsts(self, kind: type[P], lesson: str | None) -> list[Event[P]]:
        by_item = self._filed.get(kind.kind, {})
        firsts = [filed[0] for filed in by_item.values()]
        if lesson is None:
            return [first for first in firsts if first.lesson != ERRATA]
        return [first for first in firsts if first.lesson == lesson]

    @Once
    def _earned(self) -> dict[str, float]:
        """Bits of the first answers, by lesson."""
        earned: dict[str, float] = {}
        for filed in self._filed.get(Answered.kind, {}).values():
            earned[filed[0].lesson] = earned.get(filed[0].lesson, 0.0) + filed[0].payload.bits
        return earned

    @cached_property
    def _together(self) -> dict[str, tuple[Event[Any], ...]]:
        """The events of a kind, oldest first, once they were asked for."""
        return {}

    @Once
    def _filed(self) -> dict[str, dict[str, list[Event[Any]]]]:
        filed: dict[str, dict[str, list[Event[Any]]]] = {}
        for event in self.events:
            _file(filed.setdefault(event.kind, {}).setdefault(event.item, []), event)
        return filed


def _filed_too(
    filed: dict[str, dict[str, list[Event[Any]]]], events: Iterable[Event[Any]]
) -> dict[str, dict[str, list[Event[Any]]]]:
    """File events behind others, copying only the lists that grow."""
    grown, own = dict(filed), set[tuple[str, str]]()
    for kind in {event.kind for event in events}:
        grown[kind] = dict(grown.get(kind, {}))
    for event in events:
        place = grown[event.kind]
        if (event.kind, event.item) not in own:
            place[event.item] = list(place.get(event.item, ()))
            own.add((event.kind, event.item))
        _file(place[event.item], event)
    return grown


def _file(filed: list[Event[Any]], event: Event[Any]) -> None:
    """Put an event in its place by age, which is the last unless it was brought later."""
    if filed and event.at < filed[-1].at:
        insort(filed, event, key=_AGE)
    else:
        filed.append(event)


@dataclass(frozen=True)
class Outline:
    """What a lesson offers, by id; what a learner did is counted against it."""

    lesson: str
    predictions: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()  # questions with options
    syntheses: tuple[str, ...] = ()  # questions answered in free text
    derivations: tuple[str, ...] = ()
    labs: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    errata: tuple[str, ...] = ()  # those that a claim of the lesson settles


@dataclass(frozen=True)
class Rung:
    """One step of the ladder: how much of it is done, and the events that show it."""

    name: str
    done: int
    of: int
    earned: bool
    evidence: tuple[int, ...]  # event ids
    at: datetime | None  # when it was earned, None before


@dataclass(frozen=True)
class Progress:
    """How far a learner is in one lesson."""

    lesson: str
    predicted: Rung  # every prediction was committed
    read: Rung  # every section was read
    recalled: Rung  # every question's latest answer has the right option in the lead
    derived: Rung  # a derivation stepped through or proved, or a lab run; or every claim verified
    retained: Rung  # questions and errata answered rightly again, or cards recalled, a week later
    answered: int  # questions of the quiz with an answer or a self-graded text
    bits: float  # earned in this lesson

    @property
    def share(self) -> float:
        """The share of predictions, sections and questions that is done, whatever it earned."""
        of = self.predicted.of + self.read.of + self.recalled.of
        return (self.predicted.done + self.read.done + self.answered) / of if of else 0.0


def progress(record: Record, outline: Outline) -> Progress:
    """Hold what a learner did against what the lesson offers."""
    asked = (*outline.choices, *outline.syntheses)
    attempts = [_attempt(record, item(outline.lesson, name)) for name in asked]
    return Progress(
        lesson=outline.lesson,
        predicted=_predicted(record, outline),
        read=_read(record, outline),
        recalled=_recalled(record, outline),
        derived=_derived(record, outline),
        retained=_retained(record, outline),
        answered=sum(attempt is not None for attempt in attempts),
        bits=record.bits_earned(outline.lesson),
    )


def fits(choice: Choice, belief: Belief) -> bool:
    """Whether a recorded belief is about the question as it stands now.

    False when an author has since changed how many options there are or which one is right.
    """
    return len(choice.options) == len(belief.probabilities) and choice.answer == belief.right


def retained(record: Record, name: str) -> Event[Answered] | None:
    """Return the answer that shows a question was retained, None while there is none.

    It has the right option in the lead, at least a week after the first answer of all.
    """
    answers = record.all(Answered, name)
    late = (each for each in answers if each.at - answers[0].at >= RETAINED_AFTER)
    return next((each for each in late if _led(each.payload)), None)


def remembered(record: Record, card: str) -> Done | None:
    """Return the review that shows a card was retained, None while there is none.

    The card is recalled in it, at least a week after its first review of all.
    """
    learnt = record.reviews.cards.get(card)
    if learnt is None:
        return None
    late = learnt.log[0].at_ms + RETAINED_AFTER // timedelta(milliseconds=1)
    return next((done for done in learnt.log if done.at_ms >= late and done.passed), None)


def proved(record: Record, name: str) -> frozenset[str]:
    """Return the lines of a derivation that the learner typed without being given them."""
    attempts = record.all(Attempted, name)
    return frozenset(each.payload.line for each in attempts if each.payload.proves)


def _predicted(record: Record, outline: Outline) -> Rung:
    names = (item(outline.lesson, name) for name in outline.predictions)
    return _rung("predicted", [record.first(Predicted, name) for name in names])


def _read(record: Record, outline: Outline) -> Rung:
    names = (item(outline.lesson, name) for name in outline.sections)
    return _rung("read", [record.first(Read, name) for name in names])


def _recalled(record: Record, outline: Outline) -> Rung:
    choices = [
        _if(_led, record.latest(Answered, item(outline.lesson, name))) for name in outline.choices
    ]
    texts = [
        _if(_enough, record.latest(SelfGraded, item(outline.lesson, name)))
        for name in outline.syntheses
    ]
    return _rung("recalled", [*choices, *texts])


def _derived(record: Record, outline: Outline) -> Rung:
    if not outline.derivations and not outline.labs:
        return _verified(record, outline)
    names = [item(outline.lesson, name) for name in outline.derivations]
    shown = [_all_lines(record, name) or _all_typed(record, name) for name in names]
    ran = [record.first(Ran, item(outline.lesson, name)) for name in outline.labs]
    beside = _proved_beside(record, outline.lesson, names)
    parts = [*shown, *ran, *beside]
    done = [event for event in parts if event is not None]
    return Rung(
        name="derived",
        done=len(done),
        of=len(parts),
        earned=bool(done),
        evidence=tuple(event.id for event in done),
        at=min((event.at for event in done), default=None),
    )


def _proved_beside(record: Record, lesson: str, shown: Sequence[str]) -> list[Event[Any]]:
    """Proofs of derivations that belong to the lesson and are not shown in it."""
    attempted = {event.item for event in record.all(Attempted) if event.lesson == lesson}
    found = (_all_typed(record, name) for name in sorted(attempted - set(shown)))
    return [event for event in found if event is not None]


def _verified(record: Record, outline: Outline) -> Rung:
    """The same rung of a lesson that has nothing to derive or run: its claims, all recomputed."""
    names = (item(outline.lesson, name) for name in outline.claims)
    return _rung("derived", [record.first(Verified, name) for name in names])


def _retained(record: Record, outline: Outline) -> Rung:
    names = [item(outline.lesson, name) for name in outline.choices]
    names += [item(ERRATA, name) for name in outline.errata]
    answered = _rung("retained", [retained(record, name) for name in names])
    cards = [item(outline.lesson, name) for name in outline.cards]
    recalled = _rung("retained", [remembered(record, name) for name in cards])
    return max(answered, recalled, key=_reached)  # the answers, where both reach as far


def _reached(rung: Rung) -> float:
    return rung.done / rung.of if rung.of else 0.0


def _rung(name: str, evidence: Sequence[_Evidence | None]) -> Rung:
    """Make a rung that is earned when every part of it has evidence."""
    found = [event for event in evidence if event is not None]
    earned = 0 < len(found) == len(evidence)
    return Rung(
        name=name,
        done=len(found),
        of=len(evidence),
        earned=earned,
        evidence=tuple(event.id for event in found),
        at=max(event.at for event in found) if earned else None,
    )


def _all_lines(record: Record, name: str) -> Event[Stepped] | None:
    """Return the step that completed a derivation, None while a line was not seen.

    How many lines there are is what the latest step says: an author may have added one.
    """
    steps = record.all(Stepped, name)
    missing = set(range(1, steps[-1].payload.of + 1)) if steps else {0}
    for step in steps:
        missing.discard(step.payload.line)
        if not missing:
            return step
    return None


def _all_typed(record: Record, name: str) -> Event[Attempted] | None:
    """Return the attempt that completed the proof of a derivation, None while a line is open."""
    attempts = record.all(Attempted, name)
    typed: set[str] = set()
    for attempt in attempts:
        typed |= {attempt.payload.line} if attempt.payload.proves else set()
        if len(typed) >= attempts[-1].payload.of:
            return attempt
    return None


def _attempt(record: Record, name: str) -> Event[Any] | None:
    return record.first(Answered, name) or record.first(SelfGraded, name)


def _if(holds: Callable[[P], bool], event: Event[P] | None) -> Event[P] | None:
    """Return the event if it exists and `holds` of what it says."""
    return event if event is not None and holds(event.payload) else None


def _led(belief: Answered) -> bool:
    """Whether the right option alone had the most probability."""
    return leader(belief.probabilities) == belief.right


def _enough(graded: SelfGraded) -> bool:
    return graded.fraction >= ENOUGH_POINTS


def _same_question(before: Belief, after: Belief) -> bool:
    return len(before.probabilities) == len(after.probabilities) and before.right == after.right
