"""When a card comes back: FSRS-6, the scheduler that Anki ships. The only import of `fsrs`.

Everything is pure: a card, a rating and a moment give another card and a line for the log. Nothing
is drawn at random, so the same answers give the same dates everywhere.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import fsrs
from fsrs.scheduler import DEFAULT_PARAMETERS

from drills.errors import ScheduleError

RETENTION = 0.9  # the probability of recall at which a card is due, unless the learner wishes else
LEAST_RETENTION, MOST_RETENTION = 0.7, 0.97  # below, much is forgotten; above, nothing else is done
PARAMETERS: tuple[float, ...] = tuple(DEFAULT_PARAMETERS)
RATINGS = (1, 2, 3, 4)  # Again, Hard, Good, Easy; Hard is a pass
AGAIN, HARD, GOOD, EASY = RATINGS
MATURE = timedelta(days=21)  # from this interval on Anki calls a card mature

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_YEAR = timedelta(days=365.25)
_MONTH = _YEAR / 12


class Phase(IntEnum):
    """Where a card stands; the numbers are those of `fsrs`."""

    LEARNING = 1
    REVIEW = 2
    RELEARNING = 3


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a learner's memory of one card."""

    id: int  # `number` of the card's id
    due: datetime  # UTC
    phase: Phase = Phase.LEARNING
    step: int | None = 0  # of the learning steps; None in review
    stability: float | None = None  # days until recall falls to 90%
    difficulty: float | None = None  # 1 to 10
    last_review: datetime | None = None  # UTC
    interval: timedelta = timedelta()  # that the last review asked for

    @property
    def new(self) -> bool:
        """Whether the card was never reviewed."""
        return self.last_review is None

    @property
    def mature(self) -> bool:
        """Whether the card is in review at an interval of three weeks or more."""
        return self.phase is Phase.REVIEW and self.interval >= MATURE


class Log(NamedTuple):
    """One line of the log: all that the scheduler ever has to be told."""

    card: int  # `number` of the card's id
    rating: int
    at: datetime  # UTC
    milliseconds: int = 0  # spent on the card


class Outcome(NamedTuple):
    """What a rating would do."""

    card: Card
    log: Log

    @property
    def label(self) -> str:
        """The interval as the button shows it."""
        return in_words(self.card.interval)


@lru_cache(maxsize=256)  # as many wishes as are in use; each costs 2 KB
def _scheduler(plan: "Plan") -> fsrs.Scheduler:
    try:
        return fsrs.Scheduler(
            plan.parameters, desired_retention=plan.retention, enable_fuzzing=False
        )
    except ValueError as error:
        raise ScheduleError(f"FSRS does not take these parameters: {error}") from error


@dataclass(frozen=True)
class Plan:
    """How a learner wants to be scheduled.

    Raises:
        ScheduleError: a retention out of bounds, or parameters that FSRS does not take.
    """

    retention: float = RETENTION
    parameters: tuple[float, ...] = PARAMETERS

    def __post_init__(self) -> None:
        if not LEAST_RETENTION <= self.retention <= MOST_RETENTION:
            raise ScheduleError(
                f"The desired retention lies between {LEAST_RETENTION:.0%} and "
                f"{MOST_RETENTION:.0%}; this one is {self.retention:.0%}. Choose one in between."
            )
        _scheduler(self)


DEFAULT = Plan()


def number(card_id: str) -> int:
    """Return the integer that stands for a card's id: 63 bits of its SHA-256."""
    return int.from_bytes(hashlib.sha256(card_id.encode()).digest()[:8]) >> 1


def new_card(card_id: str, now: datetime) -> Card:
    """Return a card that was never reviewed, due at once."""
    return Card(number(card_id), _utc(now))


def review(
    card: Card,
    rating: int,
    now: datetime,
    *,
    plan: Plan = DEFAULT,
    days: int | None = None,
) -> Outcome:
    """Return the card after a review, and the line for the log.

    Args:
        card: before the review; it is not changed.
        rating: 1 Again, 2 Hard, 3 Good, 4 Easy.
        now: the moment of the review.
        plan: the desired retention and the parameters.
        days: how many of the learner's days have begun since the last review, as Anki counts;
            by default whole periods of 24 hours. A card that was due today and is answered an
            hour earlier in the day than last time was then forgotten over one day, not over none.

    Raises:
        ScheduleError: no such rating, or a moment without a time zone.
    """
    if rating not in RATINGS:
        raise ScheduleError(f"A rating is 1, 2, 3 or 4 (Again to Easy); this one is {rating}.")
    at = _utc(now)
    last = card.last_review
    pretended = at if days is None or last is None else last + max(0, days) * _DAY
    theirs = _theirs(card, fsrs.Card)
    after, _ = _scheduler(plan).review_card(theirs, fsrs.Rating(rating), pretended)
    return Outcome(_ours(after, at, after.due - pretended), Log(card.id, rating, at))


class Step(NamedTuple):
    """What one review of a log left behind."""

    phase: Phase
    interval: timedelta


def play(
    card: Card, reviews: Sequence[tuple[int, int]], *, day: int | None, plan: Plan = DEFAULT
) -> tuple[Card, list[Step]]:
    """Return a card after many reviews, and what each left behind: `review`, several times faster.

    Args:
        card: before the reviews.
        reviews: the rating and the number of the learner's day of each, oldest first.
        day: of the card's last review, None if it is new.
        plan: the desired retention and the parameters.

    The card's `last_review` and `due` are in days alone, as if all reviews were at midnight;
    `timed` gives it the moment of the last one.
    """
    scheduler, steps = _scheduler(plan), []
    theirs = _theirs(card, _Own)
    theirs.last_review = None if day is None else _midnight(day)
    for rating, today in reviews:
        at = max(_midnight(today), theirs.last_review or _EPOCH)
        theirs, _ = scheduler.review_card(theirs, _RATING[rating], at)
        steps.append(Step(_PHASE[theirs.state], theirs.due - at))
    return _ours(theirs, at, steps[-1].interval) if steps else card, steps


def timed(card: Card, at: datetime) -> Card:
    """Return a card that was played in days with the moment of its last review."""
    return replace(card, last_review=at, due=at + card.interval)


def options(
    card: Card, now: datetime, *, plan: Plan = DEFAULT, days: int | None = None
) -> dict[int, Outcome]:
    """Return what each rating would do: computed when the answer is shown, one is then chosen."""
    return {rating: review(card, rating, now, plan=plan, days=days) for rating in RATINGS}


def retrievability(
    card: Card, now: datetime, *, plan: Plan = DEFAULT, days: float | None = None
) -> float:
    """Return the probability that the card is recalled now; 0 if it was never reviewed.

    `days` since the last review may be given, as in `review`; by default they are counted in
    fractions, so that what is due first comes first within a day too.
    """
    if card.last_review is None or card.stability is None:
        return 0.0
    passed = (_utc(now) - card.last_review) / _DAY if days is None else days
    decay = -plan.parameters[-1]
    factor = 0.9 ** (1 / decay) - 1  # so that recall is 90% after `stability` days
    return float((1 + factor * max(0.0, passed) / card.stability) ** decay)


def replay(logs: Iterable[Log], *, plan: Plan = DEFAULT) -> Card:
    """Return the card that a log amounts to; the lines may come in any order.

    Raises:
        ScheduleError: there is no line, or lines of several cards.
    """
    ordered = sorted(logs, key=lambda log: log.at)
    ids = {log.card for log in ordered}
    if len(ids) != 1:
        raise ScheduleError(f"A log is of one card; this one is of {len(ids)}. Split it by card.")
    card = Card(ordered[0].card, ordered[0].at)
    for log in ordered:
        card, _ = review(card, log.rating, log.at, plan=plan)
    return card


def optimized(logs: Iterable[Log]) -> tuple[float, ...]:
    """Return the parameters of FSRS that predict these reviews best.

    It loads torch, takes tens of seconds and says on standard error how far it is: call it in a
    process of its own, as `drills.optimize` does.
    """
    theirs = [fsrs.ReviewLog(each.card, _RATING[each.rating], each.at, None) for each in logs]
    found = fsrs.Optimizer(theirs).compute_optimal_parameters(verbose=True)
    return check_parameters(found)


def in_words(interval: timedelta) -> str:
    """Return an interval as a button shows it: "<1 min", "10 min", "5 h", "3 d", "2.3 mo"."""
    if interval < _MINUTE:
        return "<1 min"
    if interval < _HOUR - _MINUTE / 2:
        return f"{interval / _MINUTE:.0f} min"
    if interval < _DAY - _HOUR / 2:
        return f"{interval / _HOUR:.0f} h"
    if interval < _MONTH:
        return f"{interval / _DAY:.0f} d"
    if interval < _YEAR - _MONTH / 20:
        return f"{_short(interval / _MONTH)} mo"
    return f"{_short(interval / _YEAR)} y"


def check_parameters(parameters: Sequence[float]) -> tuple[float, ...]:
    """Return the parameters if FSRS takes them.

    Raises:
        ScheduleError: they are too few, too many or out of bounds.
    """
    return Plan(parameters=tuple(float(each) for each in parameters)).parameters


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ScheduleError("A moment needs a time zone. Pass datetime.now(UTC).")
    return moment.astimezone(UTC)


class _Own(fsrs.Card):
    """A card that nobody else holds, and that stays itself where `fsrs` copies it: each review."""

    def __copy__(self) -> "_Own":
        return self


_RATING = {int(each): each for each in fsrs.Rating}
_PHASE = {each: Phase(each) for each in fsrs.State}
_EPOCH = datetime.min.replace(tzinfo=UTC)


def _midnight(day: int) -> datetime:
    return _EPOCH + (day - 1) * _DAY  # `date.toordinal` counts from one


def _ours(card: fsrs.Card, at: datetime, interval: timedelta) -> Card:
    return Card(
        id=card.card_id,
        due=at + interval,
        phase=_PHASE[card.state],
        step=card.step,
        stability=card.stability,
        difficulty=card.difficulty,
        last_review=at,
        interval=interval,
    )


def _theirs(card: Card, kind: type[fsrs.Card]) -> fsrs.Card:
    return kind(
        card_id=card.id,
        state=fsrs.State(card.phase),
        step=card.step,
        stability=card.stability,
        difficulty=card.difficulty,
        due=card.due,
        last_review=card.last_review,
    )
