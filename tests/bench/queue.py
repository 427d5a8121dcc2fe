"""The queue and the statistics of a learner with 100,000 reviews, against a limit of 100 ms."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter

from drills import statistics
from drills.events import LearnerId, Reviewed
from drills.queue import Syllabus, queue
from drills.record import Record
from drills.store import Entry, Store, new_token
from tests import postgres
from tests.bench.deck import many_cards
from tests.bench.measure import Seconds

REVIEWS, CARDS = 100_000, 5_000
LIMIT_S = 0.1  # server time at the 95th percentile
ROUNDS = 40
START = datetime(2025, 1, 1, 9, tzinfo=UTC)
APART = timedelta(minutes=7)


@dataclass(frozen=True)
class Learner:
    """Somebody with a long past, and what there is to review."""

    store: Store
    id: LearnerId
    syllabus: Syllabus
    now: datetime


def sqlite() -> Seconds:
    """Return (seconds at p95 of a review, its queue and all statistics; the limit)."""
    with TemporaryDirectory() as folder:
        return _p95(f"sqlite:///{folder}/record.sqlite3"), LIMIT_S


def postgresql() -> Seconds:
    """Return the same on PostgreSQL.

    Raises:
        RuntimeError: it is not installed.
    """
    with _cluster() as cluster:
        return _p95(cluster.new_database()), LIMIT_S


def first_build() -> Seconds:
    """Return (seconds to read and fold the whole log, seconds that SQLite's rows alone take)."""
    with TemporaryDirectory() as folder:
        learner = filled(f"sqlite:///{folder}/record.sqlite3")
        built = _seconds(lambda: Record.of(learner.store.events(learner.id)).reviews)
        read = _seconds(lambda: learner.store.events(learner.id))
        learner.store.dispose()
        return built, read


def filled(url: str) -> Learner:
    """Return a learner with REVIEWS reviews of CARDS cards over more than a year."""
    store, rng = Store(url), random.Random(5)
    store.migrate()
    me = store.ensure_learner(new_token(), now=START)
    syllabus = _syllabus()
    names = list(syllabus.cards)
    entries = [
        Entry(rng.choice(names), _graded(rng), f"n{number}", START + number * APART)
        for number in range(REVIEWS)
    ]
    store.append_all(me, entries, now=START)
    return Learner(store, me, syllabus, START + REVIEWS * APART)


def _p95(url: str) -> float:
    """Return the time of what a click on a grade costs: write, read, fold, queue, statistics."""
    learner = filled(url)
    record, names, rng = (
        Record.of(learner.store.events(learner.id)),
        list(_syllabus().cards),
        random.Random(9),
    )
    _shown(record, learner)
    took = []
    for number in range(ROUNDS):
        started = perf_counter()
        now = learner.now + number * timedelta(seconds=8)
        learner.store.append(
            learner.id, rng.choice(names), _graded(rng), now=now, nonce=f"x{number}"
        )
        record = record.after(learner.store.events(learner.id, after=record.events[-1].id))
        _shown(record, learner)
        took.append(perf_counter() - started)
    learner.store.dispose()
    return quantiles(took, n=20)[-1]


def _shown(record: Record, learner: Learner) -> None:
    """Compute what the review screen and the statistics show."""
    reviews, syllabus, now = record.reviews, learner.syllabus, learner.now
    assert queue(reviews, syllabus, now).next
    statistics.true_retention(reviews, now, days=365)
    statistics.forecast(reviews, syllabus, now)
    statistics.heatmap(reviews, now)
    statistics.load(reviews, syllabus)
    statistics.stages(reviews, syllabus)


def _graded(rng: random.Random) -> Reviewed:
    return Reviewed(rating=rng.choice([1, 2, 3, 3, 3, 3, 4]), milliseconds=rng.randrange(30_000))


@cache
def _syllabus() -> Syllabus:
    return Syllabus.of(many_cards(CARDS))


@contextmanager
def _cluster() -> Iterator[postgres.Cluster]:
    binaries: Path | None = postgres.programs()
    if binaries is None:
        raise RuntimeError(postgres.MISSING)
    with ExitStack() as stack:
        yield stack.enter_context(postgres.running_cluster(binaries))


def _seconds(run: Callable[[], object]) -> float:
    started = perf_counter()
    run()
    return perf_counter() - started
