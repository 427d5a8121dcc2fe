"""What the reviews show: what was kept, what is coming, how much was done on which day.

Everything but the forecast is read from counts that the reviews carry along, so that it costs the
same after a hundred reviews and after a hundred thousand.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile

from drills.queue import Syllabus, entered
from drills.reviews import Done, Learnt, Reviews, Stage
from drills.schedule import AGAIN, RATINGS, Phase

PAUSE = timedelta(minutes=30)  # between two reviews: a longer one ends a sitting
_STAGES: tuple[Stage, ...] = ("new", "learning", "young", "mature")


@dataclass(frozen=True)
class Share:
    """How many of how many."""

    passed: int
    of: int

    @property
    def rate(self) -> float | None:
        """The share; None of nothing."""
        return self.passed / self.of if self.of else None


@dataclass(frozen=True)
class Retention:
    """What was recalled of cards in review, the first time each was asked on a day."""

    young: Share  # at intervals under three weeks
    mature: Share

    @property
    def all(self) -> Share:
        """Both together."""
        return Share(self.young.passed + self.mature.passed, self.young.of + self.mature.of)


@dataclass(frozen=True)
class Forecast:
    """Cards that come due, if all are answered on their day."""

    overdue: int  # due before today
    days: tuple[int, ...]  # due today, tomorrow, ...


@dataclass(frozen=True)
class Today:
    """What was done in the day that is not over, or in one sitting of it."""

    reviews: int
    cards: int  # asked, each counted once
    again: int  # reviews in which a card was not recalled
    milliseconds: int


def true_retention(reviews: Reviews, now: datetime, *, days: int = 30) -> Retention:
    """Return what was kept over the last so many days, today included.

    A card counts once a day, by its first answer: those after it follow a look at the back.
    """
    today = reviews.wishes.days.day(now)
    span = range(today - days + 1, today + 1)
    return Retention(*(_share(reviews, span, each) for each in ("young", "mature")))


def forecast(reviews: Reviews, syllabus: Syllabus, now: datetime, *, days: int = 30) -> Forecast:
    """Return how many cards come due on each of the next days, today first, and before it."""
    today = reviews.wishes.days.day(now)
    due = Counter(max(learnt.due_day - today, -1) for learnt in _active(reviews, syllabus))
    return Forecast(due[-1], tuple(due[day] for day in range(days)))


def heatmap(reviews: Reviews, now: datetime, *, days: int = 365) -> dict[date, int]:
    """Return how many reviews were done on each of the last days, the oldest first."""
    today = reviews.wishes.days.day(now)
    return {
        date.fromordinal(day): sum(reviews.tally.get(day, {}).values())
        for day in range(today - days + 1, today + 1)
    }


def load(reviews: Reviews, syllabus: Syllabus) -> float:
    """Return how many reviews a day the cards in review ask for in the long run.

    A card that comes back every ten days asks for a tenth of a review a day.
    """
    cards = (learnt.card for learnt in _active(reviews, syllabus))
    return sum(1 / max(1, each.interval.days) for each in cards if each.phase is Phase.REVIEW)


def stages(reviews: Reviews, syllabus: Syllabus) -> dict[Stage, int]:
    """Return how many cards that are in the reviews, and not suspended, are at each stage."""
    names = (name for name, _ in entered(reviews, syllabus) if name not in reviews.suspended)
    found = Counter(_stage(reviews.cards.get(name)) for name in names)
    return {each: found[each] for each in _STAGES}


def today(reviews: Reviews, now: datetime) -> Today:
    """Return what was done today."""
    day = reviews.wishes.days.day(now)
    counts = reviews.tally.get(day, {})
    return Today(
        reviews=sum(counts.values()),
        cards=sum(count for (_, first, _), count in counts.items() if first),
        again=sum(count for (_, _, rating), count in counts.items() if rating == AGAIN),
        milliseconds=reviews.milliseconds.get(day, 0),
    )


def sitting(reviews: Reviews, now: datetime) -> Today:
    """Return what was done here and today since the last pause of more than half an hour."""
    day = reviews.wishes.days.day(now)
    todays = (
        (done, item)
        for item, learnt in reviews.cards.items()
        if learnt.log[-1].day == day
        for done in takewhile(lambda done: done.day == day, reversed(learnt.log))
        if done.where == "here"
    )
    mine: list[tuple[Done, str]] = []
    since = now
    for done, item in sorted(todays, reverse=True):
        if since - done.at > PAUSE:
            break
        mine.append((done, item))
        since = done.at
    return Today(
        reviews=len(mine),
        cards=len({item for _, item in mine}),
        again=sum(not done.passed for done, _ in mine),
        milliseconds=sum(done.milliseconds for done, _ in mine),
    )


def _share(reviews: Reviews, span: Iterable[int], stage: Stage) -> Share:
    """Count the first answers of each day to cards of a stage."""
    found: Counter[int] = Counter()
    for day in span:
        counts = reviews.tally.get(day, {})
        found.update({each: counts.get((stage, True, each), 0) for each in RATINGS})
    return Share(found.total() - found[AGAIN], found.total())


def _active(reviews: Reviews, syllabus: Syllabus) -> Iterable[Learnt]:
    """Return the cards with a memory that may be asked: in the course, not suspended."""
    cards, suspended = reviews.cards, reviews.suspended
    names = (*syllabus.cards, *reviews.lines)
    return [cards[name] for name in names if name in cards and name not in suspended]


def _stage(learnt: Learnt | None) -> Stage:
    if learnt is None:
        return "new"
    if learnt.card.phase is not Phase.REVIEW:
        return "learning"
    return "mature" if learnt.card.mature else "young"
