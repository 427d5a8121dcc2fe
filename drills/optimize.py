"""The parameters of FSRS that fit a learner's own reviews, found in a process of its own.

The search needs torch and takes tens of seconds. `python -m drills optimize` does it: reviews go in
as JSON, parameters come out, and the server that asked loads nothing and goes on answering.
"""

import json
import math
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import IO, NamedTuple

from drills import schedule
from drills.errors import ScheduleError
from drills.reviews import Done, Learnt, Reviews
from drills.schedule import Log, Phase, Plan

ENOUGH = (
    512  # reviews on a later day than the one before: with fewer, FSRS keeps its own parameters
)
_LEAST = 1e-6  # the least probability that is scored: a memory that is certain cannot be surprised
MOST = 20_000  # reviews that are searched: more take minutes and hardly move 21 parameters
LONGEST_S = 1_800  # seconds, after which the search is given up
_GLANCE_S = 0.1  # seconds between two looks at whether the search is still wanted
_PERCENT = re.compile(r"(\d+)%\|")  # of the progress bar
_ROOT = Path(__file__).parent.parent
_DAY_ONE = datetime(1, 1, 1, tzinfo=UTC)


class Change(NamedTuple):
    """What other parameters would do to a card in review."""

    item: str
    before_days: int  # the interval its last review gave
    after_days: int


def usable(reviews: Reviews) -> int:
    """Count the reviews that the search learns from: those on a later day than the one before."""
    counts = (counts.items() for counts in reviews.tally.values())
    firsts = sum(count for each in counts for (_, first, _), count in each if first)
    return firsts - len(reviews.cards)  # the very first of a card has none before it


def run(
    reviews: Reviews,
    *,
    progress: Callable[[float], object] = lambda _: None,
    stop: Event | None = None,
) -> tuple[float, ...]:
    """Return the parameters that fit best; `progress` is told the share that is done.

    It waits for the process, which is ended as soon as `stop` is set: call it in a thread.

    Raises:
        ScheduleError: there are too few reviews, or the search failed or was stopped.
    """
    found = usable(reviews)
    if found < ENOUGH:
        raise ScheduleError(
            f"{ENOUGH} reviews on different days are needed; there are {found}. Go on reviewing "
            f"with the usual parameters, which fit most people well."
        )
    command = [sys.executable, "-m", "drills", "optimize"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=_ROOT
    ) as process:
        over = Event()
        Thread(target=_guard, args=(process, over, stop or Event()), daemon=True).start()
        try:
            return _answered(process, question(reviews), progress)
        except OSError as error:
            raise ScheduleError("The search stopped at once. The parameters stay.") from error
        finally:
            over.set()
            process.kill()


def question(reviews: Reviews) -> str:
    """Return the reviews to be fitted, in the learner's days, those of a day a minute apart."""
    return json.dumps(
        [
            (schedule.number(item), done.rating, done.day, place)
            for item, learnt in _sample(reviews)
            for place, done in enumerate(learnt.log)
        ]
    )


def answer(question: str) -> str:
    """Return the parameters, as JSON, for the reviews in `question`: the other process's part."""
    logs = [
        Log(card, rating, _DAY_ONE + timedelta(days=day, minutes=minute))
        for card, rating, day, minute in json.loads(question)
    ]
    return json.dumps(schedule.optimized(logs)) + "\n"


def changes(reviews: Reviews, parameters: tuple[float, ...]) -> tuple[Change, ...]:
    """Return the intervals that would change, the longest change first."""
    plan = Plan(reviews.wishes.retention, parameters or schedule.PARAMETERS)
    found = (_change(item, learnt, plan) for item, learnt in reviews.cards.items())
    moved = [each for each in found if each and each.before_days != each.after_days]
    return tuple(sorted(moved, key=lambda each: -abs(each.after_days - each.before_days)))


def loss(reviews: Reviews, parameters: tuple[float, ...]) -> float:
    """Return the mean surprise, in bits, at whether a card was recalled, by these parameters.

    Counted are the reviews that the search learns from; nan if there is none.
    """
    plan = Plan(reviews.wishes.retention, parameters or schedule.PARAMETERS)
    found = [
        surprise
        for item, learnt in reviews.cards.items()
        for surprise in _surprises(item, learnt.log, plan)
    ]
    return math.fsum(found) / len(found) if found else math.nan


def _surprises(item: str, log: Sequence[Done], plan: Plan) -> Iterator[float]:
    """Yield -log2 of the probability of what happened, at each first review of a later day."""
    card, day = schedule.new_card(item, log[0].at), None
    for done in log:
        if day is not None and done.first:
            recall = schedule.retrievability(card, done.at, plan=plan, days=done.day - day)
            yield -math.log2(max(_LEAST, recall if done.passed else 1 - recall))
        card, _ = schedule.play(card, [(done.rating, done.day)], day=day, plan=plan)
        card, day = schedule.timed(card, done.at), done.day


def _sample(reviews: Reviews) -> Iterator[tuple[str, Learnt]]:
    """Yield cards with their whole logs, at random but always the same, up to MOST reviews."""
    left = MOST
    for item in sorted(reviews.cards, key=schedule.number):
        left -= len(reviews.cards[item].log)
        if left < 0:
            return
        yield item, reviews.cards[item]


def _guard(process: subprocess.Popen[str], over: Event, stop: Event) -> None:
    """End the process when it is not wanted any more, or takes too long."""
    late = monotonic() + LONGEST_S
    while not over.wait(_GLANCE_S):
        if stop.is_set() or monotonic() > late:
            process.kill()
            return


def _answered(
    process: subprocess.Popen[str], question: str, progress: Callable[[float], object]
) -> tuple[float, ...]:
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    if stdin is None or stdout is None or stderr is None:
        raise ScheduleError("The search could not be started. Try again later.")
    stdin.write(question)
    stdin.close()
    said = _followed(stderr, progress)
    if process.wait():
        raise ScheduleError(f"The search failed ({said[-200:].strip()}). The parameters stay.")
    return schedule.check_parameters(json.loads(stdout.read()))


def _followed(stderr: IO[str], progress: Callable[[float], object]) -> str:
    """Read the progress bar until the search ends; return what it said last."""
    said = ""
    while letters := stderr.read(1):
        said = (said + letters)[-2_000:]
        if letters == "|" and (found := _PERCENT.search(said[-6:])):
            progress(int(found[1]) / 100)
    return said


def _change(item: str, learnt: Learnt, plan: Plan) -> Change | None:
    """Play the card's log once more by another plan."""
    if learnt.card.phase is not Phase.REVIEW:
        return None
    start = schedule.new_card(item, learnt.log[0].at)
    log = [(done.rating, done.day) for done in learnt.log]
    card, _ = schedule.play(start, log, day=None, plan=plan)
    return Change(item, learnt.card.interval.days, card.interval.days)
