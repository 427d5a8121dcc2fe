"""Records that all tabs of a process share: what the database holds, and no more than fits."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drills.events import Event, LearnerId, Read, Reviewed, to_json
from drills.recent import Known, News, Recent
from drills.record import Record
from drills.store import Store, new_token
from tests.server import sqlite_url

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ME = LearnerId(1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(sqlite_url(tmp_path / "record.db"))
    opened.migrate()
    yield opened
    opened.dispose()


def event(number: int, learner: int = 1) -> Event[Read]:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    text = to_json(Read())
    return Event(number, LearnerId(learner), Read.kind, "dpo/a", at, f"n{number}", text)


class Database:
    """Learners with so many events each, and what was asked of them."""

    def __init__(self, **counts: int) -> None:
        self.events = {
            LearnerId(int(name[1:])): [event(n, int(name[1:])) for n in range(1, count + 1)]
            for name, count in counts.items()
        }
        self.given: list[int] = []  # how many events each reading brought

    def read(self, learner: LearnerId, known: Known) -> News:
        if learner not in self.events:
            return News((), ())
        new = [each for each in self.events[learner] if each.id > (known.last or 0)]
        self.given.append(len(new))
        return News((learner,), new)


def test_a_second_visit_reads_only_what_is_new() -> None:
    database = Database(l1=100)
    recent = Recent(database.read)
    first = recent.of(ME)
    assert recent.of(ME) is first
    database.events[ME].append(event(101))
    assert recent.of(ME).events == (*first.events, event(101))
    assert database.given == [100, 0, 1]


def test_those_who_were_here_longest_ago_are_let_go_and_read_again() -> None:
    database = Database(l1=3, l2=3, l3=3)
    recent = Recent(database.read, learners=2)
    for learner in (1, 2, 1, 3, 1, 2):
        assert len(recent.of(LearnerId(learner)).events) == 3
    assert database.given == [3, 3, 0, 3, 0, 3]


def test_the_events_of_all_are_bounded_but_the_latest_visitor_stays() -> None:
    database = Database(l1=6, l2=6, l3=20)
    recent = Recent(database.read, events=10)
    for learner in (1, 2, 1, 3, 3):
        recent.of(LearnerId(learner))
    assert database.given == [6, 6, 6, 20, 0]


def test_nothing_is_kept_of_who_is_not_there() -> None:
    database = Database(l1=3)
    recent = Recent(database.read)
    recent.of(ME)
    del database.events[ME]
    assert recent.of(ME).events == ()
    database.events[ME] = [event(1)]  # as if under the same number: nothing earlier comes back
    assert recent.of(ME).events == (event(1),)


def test_tabs_that_come_at_once_read_once() -> None:
    database = Database(l1=1_000)
    recent = Recent(database.read)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: recent.of(ME), range(32)))
    assert all(each is found[0] for each in found)
    assert sorted(database.given)[-2:] == [0, 1_000]


def test_a_deleted_record_is_gone_for_all(store: Store) -> None:
    me = store.ensure_learner(new_token(), now=NOW)
    store.append(me, "dpo/a", Read(), now=NOW)
    assert len(store.record(me).events) == 1
    store.delete(me)
    assert store.record(me).events == ()


def test_a_record_that_joins_brings_what_happened_between(store: Store) -> None:
    token = new_token()
    home, other = (store.ensure_learner(each, now=NOW) for each in (new_token(), token))
    for learner in (home, other, home):
        store.append(learner, "dpo/a", Read(), now=NOW)
        store.record(home), store.record(other)
    store.redeem(store.recovery_code(home, now=NOW), token, now=NOW, bring=True)
    assert [each.learner for each in store.record(home).events] == [home, other, home]
    assert store.record(home).events == store.events(home)


@pytest.mark.parametrize("seed", range(3))
def test_the_shared_record_is_that_of_the_database(store: Store, tmp_path: Path, seed: int) -> None:
    """Whatever is written, by whichever process, joined or deleted in between."""
    rng, elsewhere = random.Random(seed), Store(sqlite_url(tmp_path / "record.db"))
    tokens = [new_token() for _ in range(3)]
    for number in range(60):
        token, at = rng.choice(tokens), rng.choice([store, elsewhere])
        who = at.ensure_learner(token, now=NOW)
        if number % 20 == 19:
            at.delete(who)
            continue
        said = Reviewed(rating=rng.randint(1, 4), at_ms=1_767_225_600_000 + rng.randrange(10**9))
        at.append(who, f"dpo/c{rng.randrange(4)}", said, now=NOW)
        if number % 11 == 10:
            code = at.recovery_code(who, now=NOW)
            at.redeem(code, rng.choice(tokens), now=NOW, bring=rng.random() < 0.5)
        known = store.learner(rng.choice(tokens), now=NOW)
        if known is not None:
            anew = Record.of(store.events(known))
            assert store.record(known) == anew
            assert store.record(known).reviews == anew.reviews
    elsewhere.dispose()
