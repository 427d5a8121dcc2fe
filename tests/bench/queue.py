"""A learner with 100,000 reviews of 5,000 cards, on a real server, against a limit of 100 ms.

What is measured is the rerun as a browser waits for it: a grade that was pressed, until the next
card is drawn, and the slowest part of the record's page.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple
from urllib.parse import urlencode

import yaml

from content.load import load_course
from drills.events import Answered, Payload, Predicted, Repredicted, Reviewed
from drills.queue import Syllabus
from drills.record import Record
from drills.store import Entry, Store, new_token
from pages.cookie import NAME
from pages.parts.showing import DOUBLE
from pages.practice.progress import PART, PARTS
from tests import postgres
from tests.bench.client import Client
from tests.bench.measure import Seconds
from tests.server import ROOT, Server, copy_course, sqlite_url

REVIEWS, CARDS, ANSWERS, PREDICTIONS = 100_000, 5_000, 2_000, 300
LIMIT_S = 0.1  # server time at the 95th percentile
ROUNDS = 40
APART = timedelta(minutes=7)
_WARM_UP_SECONDS = 25  # what is heavy is imported beside the first visitors


class Took(NamedTuple):
    """Seconds at the 95th percentile."""

    grade: float
    page: float  # the slowest part of the record


@cache  # one run gives both
def sqlite() -> Took:
    """Return what a learner with a long record waits for, on SQLite."""
    with TemporaryDirectory() as folder:
        return _measured(sqlite_url(Path(folder, "record.db")))


@cache
def postgresql() -> Took:
    """Return the same on PostgreSQL.

    Raises:
        RuntimeError: it is not installed.
    """
    with _cluster() as cluster:
        return _measured(cluster.new_database())


def first_build() -> Seconds:
    """Return (seconds to read and fold the whole log, seconds that SQLite's rows alone take)."""
    with TemporaryDirectory() as folder:
        url = sqlite_url(Path(folder, "record.db"))
        token = filled(url, many_cards(Path(folder, "content")))
        store = Store(url)
        me = store.ensure_learner(token, now=datetime.now(UTC))
        built = _seconds(lambda: Record.of(store.events(me)).reviews)
        read = _seconds(lambda: store.events(me))
        store.dispose()
        return built, read


def many_cards(folder: Path) -> Path:
    """Write the shipped course with CARDS cards to `folder`, no two alike, and return it."""
    files = sorted(copy_course(folder).glob("lessons/*/cards.yaml"))
    for n, file in enumerate(files):
        count = CARDS // len(files) + (n < CARDS % len(files))
        cards = yaml.safe_load(file.read_text(encoding="utf-8"))
        grown = [_numbered(cards[k % len(cards)], k) for k in range(count)]
        file.write_text(json.dumps(grown), encoding="utf-8")
    return folder


def filled(url: str, content: Path) -> str:
    """Record a learner who has reviewed and answered for more than a year; return the token."""
    store, token, now = Store(url), new_token(), datetime.now(UTC)
    store.migrate()
    names = list(Syllabus.of(load_course(content)).cards)
    entries = sorted(_past(names, now), key=lambda entry: entry.at or now)
    store.append_all(store.ensure_learner(token, now=now), entries, now=now)
    store.dispose()
    return token


def _measured(url: str) -> Took:
    with TemporaryDirectory() as name:
        folder = Path(name)
        content = many_cards(folder / "content")
        cookie = f"{NAME}={filled(url, content)}"
        environment = {"SURPRISAL_DATABASE_URL": url, "SURPRISAL_CONTENT": str(content)}
        server = Server(ROOT, log=folder / "server.log", environment=environment)
        try:
            server.start()
            time.sleep(_WARM_UP_SECONDS)
            return Took(_grades(server, cookie), max(_part(server, cookie, p) for p in PARTS))
        finally:
            server.stop()


def _grades(server: Server, cookie: str) -> float:
    with Client(server.url, page="review", cookie=cookie) as client:
        return _p95(lambda: _graded(client))


def _graded(client: Client) -> float:
    """Turn the card and grade it, as soon as a click counts; return what the grade took."""
    client.buttons = {label: each for label, each in client.buttons.items() if "Show" in label}
    time.sleep(DOUBLE.total_seconds())
    client.press("Show answer")
    return client.press(next(label for label in client.buttons if "Good" in label))


def _part(server: Server, cookie: str, part: str) -> float:
    query = urlencode({PART: part})
    with Client(server.url, page="progress", query=query, cookie=cookie) as client:
        return _p95(client.rerun)


def _p95(run: Callable[[], float]) -> float:
    run()
    return quantiles([run() for _ in range(ROUNDS)], n=20)[-1]


def _past(names: list[str], now: datetime) -> Iterator[Entry]:
    """Yield reviews, answers, and predictions before and after reading, spread over the time."""
    rng = random.Random(5)
    for n in range(REVIEWS):
        said = Reviewed(
            rating=rng.choice([1, 2, 3, 3, 3, 3, 4]), milliseconds=rng.randrange(30_000)
        )
        yield Entry(rng.choice(names), said, f"n{n}", now - (REVIEWS - n) * APART)
    kinds: tuple[tuple[type[Payload], int], ...]
    kinds = ((Answered, ANSWERS), (Predicted, PREDICTIONS), (Repredicted, PREDICTIONS))
    for kind, count in kinds:
        for n in range(count):
            first = 0.05 + 0.9 * rng.random()
            belief = kind(probabilities=(first, 1 - first), right=n % 2)
            at = now - (count - n) * (REVIEWS // count) * APART
            yield Entry(f"kl/{kind.kind.removeprefix('re')}-{n}", belief, f"{kind.kind}-{n}", at)


def _numbered(card: dict[str, str], number: int) -> dict[str, str]:
    """Return the card under another id, its first text told apart."""
    text = "question" if "question" in card else "text"
    return card | {"id": f"{card['id']}-{number}", text: f"{card[text]} ({number})"}


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
