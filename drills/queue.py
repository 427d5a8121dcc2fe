"""What is to be reviewed now: learning cards that are due, reviews, new cards, in that order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, NamedTuple

from content.load import Lesson, LoadedCourse
from drills import schedule
from drills.events import item as item_of
from drills.reviews import Learnt, Line, Reviews, Stage
from drills.schedule import Card, Phase

LEECH = 8  # lapses, from which on a card is named: it should be read up, rewritten or suspended
LEARN_AHEAD = timedelta(
    minutes=20
)  # a learning card may come so much early if nothing else is left

Group = Literal["learning", "review", "new"]
Reason = Literal["read", "missed", "chosen", "reviewed"]


class Place(NamedTuple):
    """Where a card stands in the course."""

    order: int
    lesson: str
    section: str  # item
    objective: str | None  # item
    topic: str


@dataclass(frozen=True)
class Syllabus:
    """What the course offers to review, by item: "lesson/card", "lesson/question"."""

    cards: dict[str, Place]  # in course order
    questions: dict[str, tuple[str, str | None]]  # their section and objective, as items
    lessons: tuple[str, ...]

    @classmethod
    def of(cls, course: LoadedCourse) -> "Syllabus":
        """Return the syllabus of a course."""
        lessons = tuple(course.lessons.values())
        placed = (pair for lesson in lessons for pair in _placed(lesson))
        return cls(
            cards={name: place._replace(order=n) for n, (name, place) in enumerate(placed)},
            questions={
                item_of(lesson.id, each.id): _taught(lesson, each.section, each.objective)
                for lesson in lessons
                for each in lesson.questions
            },
            lessons=tuple(course.lessons),
        )


class Due(NamedTuple):
    """A card that is asked now, or will be today."""

    item: str
    group: Group
    because: Reason  # it is in the reviews at all
    card: Card
    due: datetime  # UTC; of a new card, the moment of asking
    retrievability: float  # 0 for a new card
    lapses: int
    line: Line | None  # set where the card asks for a typed line


@dataclass(frozen=True)
class Queue:
    """What is to be reviewed at one moment, after the day's caps."""

    now: datetime
    learning: tuple[Due, ...]  # due first
    reviews: tuple[Due, ...]  # least retrievable first
    new: tuple[Due, ...]  # in course order
    waiting: tuple[Due, ...]  # learning cards that are due later today, the earliest first
    new_done: int  # new cards met today
    new_cap: int  # a day
    new_left: int  # new cards that the cap keeps for later days
    reviews_done: int  # cards in review that were asked today
    reviews_cap: int
    reviews_left: int  # due today, kept for later days by the cap
    leeches: tuple[str, ...]  # items, in course order

    @property
    def cards(self) -> tuple[Due, ...]:
        """All that is asked now, in order."""
        return self.learning + self.reviews + self.new

    @property
    def early(self) -> tuple[Due, ...]:
        """Learning cards that may be asked up to 20 minutes early if nothing else is left."""
        return tuple(due for due in self.waiting if due.due - self.now <= LEARN_AHEAD)

    @cached_property
    def next(self) -> Due | None:
        """The card to ask now."""
        return next(iter((*self.cards, *self.early)), None)

    @property
    def next_at(self) -> datetime | None:
        """When something is due, if nothing is now; None if nothing more is today."""
        return self.waiting[0].due if self.waiting and not self.cards else None


def queue(reviews: Reviews, syllabus: Syllabus, now: datetime) -> Queue:
    """Return what a learner is to review at `now`."""
    known = _known(reviews, syllabus, now)
    found = {group: [due for due in known if due.group == group] for group in _GROUPS}
    today = reviews.wishes.days.day(now)
    met, asked = (_firsts(reviews, today, each) for each in (("new",), ("young", "mature")))
    wishes = reviews.wishes
    new, later_new = _capped(found["new"], wishes.new_per_day - met)
    ordered = sorted(found["review"], key=lambda due: due.retrievability)
    now_due, later = _capped(ordered, wishes.reviews_per_day - asked)
    learning = sorted(found["learning"], key=lambda due: due.due)
    return Queue(
        now=now,
        learning=tuple(due for due in learning if due.due <= now),
        reviews=now_due,
        new=new,
        waiting=tuple(due for due in learning if due.due > now),
        new_done=met,
        new_cap=wishes.new_per_day,
        new_left=later_new,
        reviews_done=asked,
        reviews_cap=wishes.reviews_per_day,
        reviews_left=later,
        leeches=leeches(reviews, syllabus),
    )


def next_due(found: Queue, reviews: Reviews, syllabus: Syllabus) -> datetime | None:
    """Return when something is due again once all that is asked now is done; None for never.

    What the caps keep back is due tomorrow.
    """
    if found.waiting:
        return found.waiting[0].due
    days = reviews.wishes.days
    tomorrow = days.day(found.now) + 1
    if found.new_left or found.reviews_left:
        return days.start(tomorrow)
    active = (name for name, _ in entered(reviews, syllabus) if name not in reviews.suspended)
    later = [reviews.cards[name].due_day for name in active if name in reviews.cards]
    return days.start(max(tomorrow, min(later))) if later else None


def entered(reviews: Reviews, syllabus: Syllabus) -> Iterator[tuple[str, Reason]]:
    """Yield every card of the course that is in the reviews, suspended or not, and why."""
    taught = [syllabus.questions[each] for each in reviews.missed if each in syllabus.questions]
    sections = {section for section, _ in taught}
    objectives = {objective for _, objective in taught if objective}
    for name, place in syllabus.cards.items():
        if name in reviews.cards:
            yield name, "reviewed"
        elif name in reviews.queued:
            yield name, "chosen"
        elif place.section in sections or place.objective in objectives:
            yield name, "missed"
        elif place.section in reviews.read:
            yield name, "read"
    for name, line in reviews.lines.items():
        if line.derivation.partition("/")[0] in syllabus.lessons:
            yield name, "missed"


def missed(reviews: Reviews, syllabus: Syllabus) -> frozenset[str]:
    """Return the cards of what the learner missed: in a quiz, or when the card itself was asked."""
    asked = replace(reviews, cards={}, queued=frozenset(), lines={}, read=frozenset())
    of_quiz = {name for name, _ in entered(asked, syllabus)}
    again = {
        name
        for name, learnt in reviews.cards.items()
        if not all(done.passed for done in learnt.log) and name in syllabus.cards
    }
    return frozenset(of_quiz | again)


def leeches(reviews: Reviews, syllabus: Syllabus) -> tuple[str, ...]:
    """Return the cards that were forgotten again and again and are not suspended."""
    often = {name for name, learnt in reviews.cards.items() if learnt.lapses >= LEECH}
    often -= reviews.suspended
    return tuple(name for name in (*syllabus.cards, *reviews.lines) if name in often)


_GROUPS: tuple[Group, ...] = ("learning", "review", "new")


def _known(reviews: Reviews, syllabus: Syllabus, now: datetime) -> list[Due]:
    """Return the cards that are due today, with what decides their order."""
    later = _later(reviews, reviews.wishes.days.day(now)) | reviews.suspended
    return [
        due(name, reviews, now, because=because)
        for name, because in entered(reviews, syllabus)
        if name not in later
    ]


def _later(reviews: Reviews, today: int) -> set[str]:
    """Return the cards that are not due by the end of the day: of a long record, most."""
    later = {name for name, learnt in reviews.cards.items() if learnt.due_day > today}
    return later - {name for name in reviews.lines if missed_since(name, reviews)}


def missed_since(name: str, reviews: Reviews) -> bool:
    """Whether a card's line was missed since the card was reviewed, if it ever was."""
    line, learnt = reviews.lines.get(name), reviews.cards.get(name)
    return line is not None and (learnt is None or line.missed > learnt.log[-1].at)


def due(name: str, reviews: Reviews, now: datetime, *, because: Reason = "reviewed") -> Due:
    """Return a card with when it is due, whether or not that is today."""
    learnt, line = reviews.cards.get(name), reviews.lines.get(name)
    if learnt is None:
        card = schedule.new_card(name, now)
        if line is None:
            return Due(name, "new", because, card, now, 0.0, 0, None)
        return Due(name, "learning", because, card, line.missed, 0.0, 0, line)
    return _due_again(name, because, now, reviews)


def _due_again(name: str, because: Reason, now: datetime, reviews: Reviews) -> Due:
    """Return when a card comes back: as scheduled, or at once when its line was missed since."""
    learnt, line = reviews.cards[name], reviews.lines.get(name)
    card = learnt.card
    if line is not None and missed_since(name, reviews):
        return Due(name, "learning", because, card, line.missed, 0.0, learnt.lapses, line)
    due = due_at(learnt, reviews)
    if card.phase is not Phase.REVIEW:
        return Due(name, "learning", because, card, due, 0.0, learnt.lapses, line)
    recall = schedule.retrievability(card, now, plan=reviews.wishes.plan)
    return Due(name, "review", because, card, due, recall, learnt.lapses, line)


def due_at(learnt: Learnt, reviews: Reviews) -> datetime:
    """Return when a card is due: a review as its day begins, a learning card to the minute."""
    if learnt.card.phase is not Phase.REVIEW:
        return learnt.card.due
    return reviews.wishes.days.start(learnt.due_day)


def _capped(due: Iterable[Due], places: int) -> tuple[tuple[Due, ...], int]:
    """Return what the cap lets through, and how many it keeps back."""
    all_due = tuple(due)
    kept = all_due[: max(0, places)]
    return kept, len(all_due) - len(kept)


def _firsts(reviews: Reviews, today: int, stages: Iterable[Stage]) -> int:
    """Count the cards of these stages that were asked today."""
    counts = reviews.tally.get(today, {})
    return sum(counts.get((stage, True, each), 0) for stage in stages for each in schedule.RATINGS)


def _placed(lesson: Lesson) -> Iterator[tuple[str, Place]]:
    for name, (card, _) in lesson.asked.items():
        section, objective = _taught(lesson, card.section, card.objective)
        yield item_of(lesson.id, name), Place(0, lesson.id, section, objective, card.topic)


def _taught(lesson: Lesson, section: str, objective: str | None) -> tuple[str, str | None]:
    return item_of(lesson.id, section), objective and item_of(lesson.id, objective)
