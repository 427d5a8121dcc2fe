"""What a learner's reviews amount to: every card's memory, folded from the log event by event.

The log is the truth. The state holds nothing that does not follow from it and from the learner's
latest wishes, so that folding event by event, all at once or anew gives the same, whatever was
taken back or arrived late from Anki. Nothing here reads a clock.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json

from drills import schedule
from drills.days import Days
from drills.errors import DrillsError
from drills.events import (
    LINE_GIVEN,
    Answered,
    Attempted,
    Event,
    Noted,
    Preferred,
    Queued,
    Read,
    Reviewed,
    Suspended,
    Unreviewed,
    Unsuspended,
    check_item,
)
from drills.grade import leader
from drills.schedule import AGAIN, MATURE, Card, Phase, Plan

Stage = Literal["new", "learning", "young", "mature"]  # of a card before a review
LINE = "line-"  # starts the id of a card that asks for a typed line
_LESSON = 100  # characters of a lesson's id that leave room for the rest of an item


class Done(NamedTuple):
    """One review in the log of a card, and what it was in the learner's days."""

    at_ms: int  # UTC
    id: int  # of the event
    rating: int
    milliseconds: int
    nonce: str
    where: str  # "here" or "anki"
    day: int = 0
    stage: Stage = "new"
    first: bool = True  # of this card on this day

    @property
    def at(self) -> datetime:
        """The moment of the review, UTC."""
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)

    @property
    def passed(self) -> bool:
        """Whether the card was recalled; Hard is a pass."""
        return self.rating != AGAIN


@dataclass(frozen=True, slots=True)
class Learnt:
    """A card with at least one review."""

    card: Card
    log: tuple[Done, ...]  # oldest first
    lapses: int  # times it was forgotten in review
    due_day: int  # the learner's day on which it is due


class Line(NamedTuple):
    """A line of a derivation that was missed when it was to be typed."""

    derivation: str  # item: lesson/derivation
    line: str  # id
    missed: datetime  # the last time, UTC


@dataclass(frozen=True)
class Wishes:
    """How a learner reviews: what they asked for, else what is usual."""

    new_per_day: int = 10
    reviews_per_day: int = 200
    buttons: Literal["four", "two"] = "four"
    retention: float = schedule.RETENTION
    parameters: tuple[float, ...] = ()  # empty: those of FSRS
    zone: str = ""
    utc_offset: int = 0  # minutes east, where the zone is not known

    @cached_property
    def plan(self) -> Plan:
        """How cards are scheduled."""
        return Plan(self.retention, self.parameters or schedule.PARAMETERS)

    @cached_property
    def days(self) -> Days:
        """When this learner's days begin."""
        return Days.of(self.zone, self.utc_offset)

    def after(self, wish: Preferred) -> "Wishes":
        """The wishes with one more."""
        return replace(self, **wish.model_dump(exclude_none=True))

    def schedules_as(self, other: "Wishes") -> bool:
        """Whether all dates stay as they are."""
        return (self.plan, self.days) == (other.plan, other.days)


_Class = tuple[Stage, bool, int]  # stage before, whether the first of the day, rating
Tally = Mapping[int, Mapping[_Class, int]]  # day -> class -> how many reviews


@dataclass(frozen=True)
class Reviews:
    """Where a learner stands with all cards. Immutable; `after` gives another one."""

    wishes: Wishes = field(default_factory=Wishes)
    cards: Mapping[str, Learnt] = field(default_factory=dict)  # by item
    lines: Mapping[str, Line] = field(default_factory=dict)  # by the item of the card
    read: frozenset[str] = frozenset()  # items of sections
    missed: frozenset[str] = frozenset()  # items of questions
    queued: frozenset[str] = frozenset()
    suspended: frozenset[str] = frozenset()
    notes: Mapping[str, str] = field(default_factory=dict)
    undone: frozenset[str] = frozenset()  # nonces
    tally: Tally = field(default_factory=dict)
    milliseconds: Mapping[int, int] = field(default_factory=dict)  # spent, by day

    @classmethod
    def of(cls, events: Iterable[Event[Any]]) -> "Reviews":
        """Fold these events, oldest first."""
        return cls().after_all(events)

    def after(self, event: Event[Any]) -> "Reviews":
        """Return the state with one event more."""
        return self.after_all((event,))

    def after_all(self, events: Iterable[Event[Any]]) -> "Reviews":
        """Return the state with more events, oldest first; as `after`, one by one, and faster."""
        mine = [event for event in events if event.kind in _FOLD]
        if not mine:
            return self
        wishes = self.wishes
        for event in mine:
            wishes = wishes.after(event.payload) if event.kind == Preferred.kind else wishes
        fold = _Fold(self, wishes)
        for event in mine:
            _FOLD[event.kind](fold, event)
        return fold.finished()

    @cached_property
    def latest(self) -> tuple[str, Done] | None:
        """The card reviewed here last, and the review: what an undo takes back."""
        latest: tuple[str, Done] | None = None
        for item, learnt in self.cards.items():
            if latest is None or learnt.log[-1] > latest[1]:  # else none of the log can be later
                here = _latest_here(learnt)
                if here is not None and (latest is None or here > latest[1]):
                    latest = item, here
        return latest

    def days_since(self, item: str, now: datetime) -> int | None:
        """Return how many of the learner's days have begun since the last review of a card."""
        learnt = self.cards.get(item)
        return None if learnt is None else self.wishes.days.day(now) - learnt.log[-1].day

    def card(self, item: str, now: datetime) -> Card:
        """Return the card as the scheduler takes it; a new one if it was never reviewed."""
        learnt = self.cards.get(item)
        return learnt.card if learnt else schedule.new_card(item, now)

    def options(self, item: str, now: datetime) -> dict[int, schedule.Outcome]:
        """Return what each rating would do to a card: the labels of the buttons."""
        card, days = self.card(item, now), self.days_since(item, now)
        return schedule.options(card, now, plan=self.wishes.plan, days=days)


def line_card(derivation: str, line: str) -> str:
    """Return the item of the card that asks for a line of a derivation: "dpo/line-dpo-loss".

    A name that no item can have gives way to its hash.
    """
    lesson, _, name = derivation.partition("/")
    with suppress(DrillsError):
        return check_item(f"{lesson}/{LINE}{name}-{line}")
    named = hashlib.sha256(f"{derivation}/{line}".encode()).hexdigest()[:16]
    return f"{lesson[:_LESSON]}/{LINE}{named}"


def is_line(item: str) -> bool:
    """Whether a card asks for a line to be typed."""
    return item.partition("/")[2].startswith(LINE)


def _latest_here(learnt: Learnt) -> Done | None:
    return next((done for done in reversed(learnt.log) if done.where == "here"), None)


class _Fold:
    """The state while events are folded into it: what is copied once and then changed."""

    def __init__(self, before: Reviews, wishes: Wishes) -> None:
        self.before, self.wishes = before, wishes
        self.dates_stay = wishes.schedules_as(before.wishes)
        self.lines, self.notes = dict(before.lines), dict(before.notes)
        self.read, self.missed = set(before.read), set(before.missed)
        self.queued, self.suspended = set(before.queued), set(before.suspended)
        self.undone = set(before.undone)
        self.added: dict[str, list[Done]] = {}  # by card
        self.taken: set[str] = set()  # cards that lose a review

    def finished(self) -> Reviews:
        cards, tally, milliseconds = self._cards()
        return Reviews(
            wishes=self.wishes,
            cards=cards,
            lines=self.lines,
            read=frozenset(self.read),
            missed=frozenset(self.missed),
            queued=frozenset(self.queued),
            suspended=frozenset(self.suspended),
            notes=self.notes,
            undone=frozenset(self.undone),
            tally=tally,
            milliseconds=milliseconds,
        )

    def _cards(self) -> tuple[dict[str, Learnt], Tally, Mapping[int, int]]:
        """Return the cards, and the counts of their reviews."""
        cards, spent = dict(self.before.cards), Counter(self.before.milliseconds)
        more: dict[int, dict[_Class, int]] = {}
        changed = self.added.keys() | self.taken
        if not self.dates_stay:
            changed |= cards.keys()
        for item in changed:
            old = cards.pop(item, None)
            new = self._learnt(item, old)
            if new is not None:
                cards[item] = new
            _count(more, spent, old, new)
        return cards, _added(self.before.tally, more), +spent

    def _learnt(self, item: str, old: Learnt | None) -> Learnt | None:
        """Return a card with its new reviews: from where it stood if they all came after that."""
        added = sorted(self.added.get(item, ()))
        goes_on = self.dates_stay and item not in self.taken
        if old and added and goes_on and added[0] > old.log[-1]:
            return _reviewed(item, old, added, self.wishes)
        log = sorted((*(old.log if old else ()), *added))
        log = [done for done in log if done.nonce not in self.undone]
        return _reviewed(item, None, log, self.wishes) if log else None


def _reviewed(item: str, start: Learnt | None, more: Sequence[Done], wishes: Wishes) -> Learnt:
    """Play more reviews, oldest first, after those that a card has."""
    log = list(start.log) if start else []
    lapses = start.lapses if start else 0
    card = start.card if start else schedule.new_card(item, more[0].at)
    days = [wishes.days.day_of_ms(done.at_ms) for done in more]
    day = log[-1].day if log else None
    ratings = [done.rating for done in more]
    after, steps = schedule.play(
        card, list(zip(ratings, days, strict=True)), day=day, plan=wishes.plan
    )
    now = stage(item, card)
    for done, today, step in zip(more, days, steps, strict=True):
        log.append(Done(*_given(done), today, now, today != day))
        lapses += done.rating == AGAIN and now in ("young", "mature")
        day, now = today, _stage(step.phase, step.interval)
    timed = schedule.timed(after, more[-1].at)
    return Learnt(timed, tuple(log), lapses, _due_day(timed, today, wishes.days))


def _given(done: Done) -> tuple[int, int, int, int, str, str]:
    """Return what the log itself says of a review."""
    return done[:6]


def _due_day(card: Card, last: int, days: Days) -> int:
    """Return the day a card is due: whole days after the last review's, or that of the minute."""
    if card.phase is Phase.REVIEW:
        return last + card.interval.days
    return days.day(card.due)


def stage(item: str, card: Card) -> Stage:
    """Return what a card is to its learner; a typed line was learnt before it became a card."""
    if card.new and not is_line(item):
        return "new"
    return _stage(card.phase, card.interval)


def _stage(phase: Phase, interval: timedelta) -> Stage:
    if phase is not Phase.REVIEW:
        return "learning"
    return "mature" if interval >= MATURE else "young"


def _count(
    tally: dict[int, dict[_Class, int]],
    spent: Counter[int],
    old: Learnt | None,
    new: Learnt | None,
) -> None:
    """Put the reviews of the card as it is in the place of those as it was."""
    was, now = (old.log if old else ()), (new.log if new else ())
    same = len(was) if now[: len(was)] == was else 0
    for log, sign in ((was[same:], -1), (now[same:], 1)):
        for done in log:
            day = tally.setdefault(done.day, {})
            kind = (done.stage, done.first, done.rating)
            day[kind] = day.get(kind, 0) + sign
            spent[done.day] += sign * done.milliseconds


def _added(tally: Tally, more: Tally) -> Tally:
    """Return the counts with more of them, on the days they concern."""
    added = dict(tally)
    for day, counts in more.items():
        before = tally.get(day, {})
        together = {kind: before.get(kind, 0) + counts.get(kind, 0) for kind in {*before, *counts}}
        added[day] = {kind: count for kind, count in together.items() if count}
    return {day: counts for day, counts in added.items() if counts}


def _reviewed_event(fold: _Fold, event: Event[Reviewed]) -> None:
    if event.nonce in fold.undone:
        return
    said = _said(event)
    at_ms = said.get("at_ms")
    if at_ms is None:
        at_ms = int(event.at.timestamp() * 1000)
    place = said.get("where", "here")
    done = Done(at_ms, event.id, said["rating"], said.get("milliseconds", 0), event.nonce, place)
    fold.added.setdefault(event.item, []).append(done)


def _said(event: Event[Reviewed]) -> dict[str, Any]:
    """Return what a review says, read at a tenth of a model's cost: of these there are most."""
    said = from_json(event.text)
    if not isinstance(said, dict) or said.get("rating") not in schedule.RATINGS:
        return event.payload.model_dump()  # which says what is wrong
    return said


def _unreviewed(fold: _Fold, event: Event[Unreviewed]) -> None:
    fold.undone.add(event.payload.nonce)
    fold.taken.add(event.item)


def _answered(fold: _Fold, event: Event[Answered]) -> None:
    if leader(event.payload.probabilities) != event.payload.right:
        fold.missed.add(event.item)


def _attempted(fold: _Fold, event: Event[Attempted]) -> None:
    said = event.payload
    wrong = said.asked == "line" and said.outcome == "different"
    if wrong or said.hint >= LINE_GIVEN:
        line = Line(event.item, said.line, event.at)
        fold.lines[line_card(event.item, said.line)] = line


def _noted(fold: _Fold, event: Event[Noted]) -> None:
    if event.payload.text.strip():
        fold.notes[event.item] = event.payload.text
    else:
        fold.notes.pop(event.item, None)


_FOLD: dict[str, Callable[[_Fold, Event[Any]], object]] = {
    Reviewed.kind: _reviewed_event,
    Unreviewed.kind: _unreviewed,
    Answered.kind: _answered,
    Attempted.kind: _attempted,
    Noted.kind: _noted,
    Preferred.kind: lambda _, __: None,  # folded before all others
    Read.kind: lambda fold, event: fold.read.add(event.item),
    Queued.kind: lambda fold, event: fold.queued.add(event.item),
    Suspended.kind: lambda fold, event: fold.suspended.add(event.item),
    Unsuspended.kind: lambda fold, event: fold.suspended.discard(event.item),
}
