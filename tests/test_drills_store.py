"""The record on disk: append-only, private, on SQLite and on PostgreSQL, after any kill."""

import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from drills import tables
from drills.errors import (
    CodeRefusedError,
    DrillsError,
    LearnerGoneError,
    RecordUnavailableError,
)
from drills.events import MAX_PAYLOAD, Answered, LearnerId, Payload, Predicted, Ran, Read, Wrote
from drills.store import NonceTakenError, Store, default_url, is_token, new_token
from tests import postgres

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SURE = Answered(probabilities=(0.97, 0.01, 0.01, 0.01), right=0)
SECRET = "Z depends on the prompt alone, said the blue heron"
T = TypeVar("T")
Writer = subprocess.Popen[str]


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """Return the one PostgreSQL server of the run."""
    binaries = postgres.programs()
    if binaries is None:
        pytest.skip(postgres.MISSING)
    with postgres.running_cluster(binaries) as running:
        yield running


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Return the address of a file in a folder that does not exist yet."""
    return f"sqlite:///{tmp_path}/new folder/100%/record.sqlite3"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest) -> str:
    """Return the address of an empty database, of each kind."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    running: postgres.Cluster = request.getfixturevalue("cluster")
    return running.new_database()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """Return an empty record."""
    opened = Store(url)
    opened.migrate()
    yield opened
    opened.dispose()


@pytest.fixture
def file_store(sqlite_url: str) -> Iterator[Store]:
    """Return an empty record in a SQLite file."""
    opened = Store(sqlite_url)
    opened.migrate()
    yield opened
    opened.dispose()


def newcomer(store: Store) -> tuple[str, LearnerId]:
    """A browser that wrote for the first time."""
    token = new_token()
    return token, store.ensure_learner(token, now=NOW)


def path_of(url: str) -> Path:
    """The file of a SQLite address."""
    return Path(url.removeprefix("sqlite:///"))


def execute(url: str, statement: str) -> None:
    """Run a statement past the store, as someone with the database's password could."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(path_of(url))) as plain, plain:
            plain.execute("PRAGMA foreign_keys = ON")
            plain.execute(statement)
    else:
        with psycopg.connect(url) as connection:
            connection.execute(statement.encode())


def on_disk(url: str) -> bytes:
    """Everything in the files of a SQLite record, its journal included."""
    return b"".join(file.read_bytes() for file in path_of(url).parent.iterdir())


def at_once(calls: int, call: Callable[[int], T]) -> list[T]:
    """Call from so many threads, all starting at the same moment."""
    barrier = threading.Barrier(calls)

    def run(number: int) -> T:
        barrier.wait()
        return call(number)

    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(run, range(calls)))


def start(what: str, url: str, *arguments: str) -> Writer:
    """Start `tests.writer`; return once it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.writer", what, url, *arguments],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def killed(process: Writer, after: float) -> list[str]:
    """Kill a writer some seconds after its first word; return all it has acknowledged."""
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(after)
    process.kill()
    whole = (first + ended(process)).splitlines(keepends=True)
    return [line.strip() for line in whole if line.endswith("\n")]


def ended(process: Writer) -> str:
    """Wait for a writer's end; return what it said since it was last read."""
    assert process.stdin is not None
    assert process.stdout is not None
    said = process.stdout.read()  # not `communicate`: it forgets what readline read ahead
    process.wait(timeout=60)
    process.stdout.close()
    process.stdin.close()
    return said


def go(process: Writer) -> None:
    """Let a process that waits to migrate begin."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def assert_sound(url: str) -> None:
    """Assert that a SQLite file is whole."""
    with closing(sqlite3.connect(path_of(url))) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert plain.execute("PRAGMA foreign_key_check").fetchall() == []


# Writing and reading


def test_an_event_comes_back_as_it_was_written(store: Store) -> None:
    _, me = newcomer(store)
    local = timezone(timedelta(hours=5, minutes=30))
    event = store.append(me, "dpo/q", SURE, now=NOW.astimezone(local), nonce="n")
    assert (event.learner, event.kind, event.item, event.nonce) == (me, "answered", "dpo/q", "n")
    assert event.at == NOW
    assert event.at.utcoffset() == timedelta(0)
    assert event.payload == SURE
    assert event.lesson == "dpo"
    assert store.events(me) == (event,)


def test_events_are_found_by_kind_item_and_position(store: Store) -> None:
    _, me = newcomer(store)
    payloads: list[tuple[str, Payload]] = [
        ("dpo/a", SURE),
        ("dpo/b", SURE),
        ("dpo/a", Read()),
        ("dpo/a", SURE),
    ]
    written = [store.append(me, item, payload, now=NOW) for item, payload in payloads]
    assert list(store.events(me)) == written
    assert list(store.events(me, kind=Answered)) == [written[0], written[1], written[3]]
    assert list(store.events(me, item="dpo/a")) == [written[0], written[2], written[3]]
    assert list(store.events(me, kind=Answered, item="dpo/a", after=written[0].id)) == [written[3]]
    assert store.events(me, kind=Predicted) == ()
    assert [event.id for event in written] == sorted(event.id for event in written)


def test_the_record_outlives_the_program(url: str) -> None:
    first = Store(url)
    first.migrate()
    token, me = newcomer(first)
    event = first.append(me, "dpo/q", Wrote(text="log Z hebt sich auf: β·log Z"), now=NOW)
    first.dispose()
    second = Store(url)
    second.migrate()
    assert second.learner(token, now=NOW) == me
    assert second.events(me) == (event,)
    second.dispose()


def test_kinds_of_a_newer_version_are_left_alone(url: str, store: Store) -> None:
    _, me = newcomer(store)
    store.append(me, "dpo/q", SURE, now=NOW)
    columns = "(learner, kind, item, payload, at, nonce)"
    values = f"({me}, 'dreamt', 'dpo/q', '{{}}', '2026-03-01 12:00:00.000000', 'x')"
    execute(url, f"INSERT INTO events {columns} VALUES {values}")
    assert [event.kind for event in store.events(me)] == ["answered"]
    assert [event["kind"] for event in store.export(me)["events"]] == ["answered", "dreamt"]


def test_two_learners_never_see_each_other(store: Store) -> None:
    (mine, me), (theirs, them) = newcomer(store), newcomer(store)
    assert me != them
    store.append(me, "dpo/q", Wrote(text=SECRET), now=NOW, nonce="same")
    store.append(them, "dpo/q", Wrote(text="something else"), now=NOW, nonce="same")
    assert [event.payload for event in store.events(me, kind=Wrote)] == [Wrote(text=SECRET)]
    assert SECRET not in json.dumps(store.export(them))
    assert store.learner(mine, now=NOW) == me
    assert store.learner(theirs, now=NOW) == them
    store.delete(them)
    assert len(store.events(me)) == 1


def test_events_can_be_neither_changed_nor_removed(url: str, store: Store) -> None:
    _, me = newcomer(store)
    event = store.append(me, "dpo/q", SURE, now=NOW)
    for statement in (
        "UPDATE events SET payload = '{}'",
        "UPDATE events SET learner = learner",
        "DELETE FROM events",
    ):
        with pytest.raises((sqlite3.IntegrityError, psycopg.Error), match="append-only"):
            execute(url, statement)
    assert store.events(me) == (event,)


def test_what_cannot_be_recorded_is_refused_and_leaves_no_trace(store: Store) -> None:
    _, me = newcomer(store)
    wide = Ran(settings={f"{number:03}" + "s" * 57: "x" * 200 for number in range(50)})
    assert len(wide.model_dump_json()) < MAX_PAYLOAD
    calls: list[tuple[str, Callable[[], object]]] = [
        ("about an item", lambda: store.append(me, "DPO quiz", SURE, now=NOW)),
        ("about an item", lambda: store.append(me, "a/b/c", SURE, now=NOW)),
        ("about an item", lambda: store.append(me, "dpo/" + "x" * 300, SURE, now=NOW)),
        ("1 to 100 characters", lambda: store.append(me, "dpo/q", SURE, now=NOW, nonce="n" * 101)),
        ("1 to 100 characters", lambda: store.append(me, "dpo/q", SURE, now=NOW, nonce="")),
        ("time zone", lambda: store.append(me, "dpo/q", SURE, now=NOW.replace(tzinfo=None))),
        ("cannot be stored", lambda: store.append(me, "dpo/q", Wrote(text="\ud800"), now=NOW)),
    ]
    for says, call in calls:
        with pytest.raises(DrillsError, match=says):
            call()
    assert store.events(me) == ()


@pytest.mark.parametrize("text", ["line\r\nbreak\ttab\x00null", "𝔼[log π] 日本語 " + "é" * 9_000])
def test_any_text_survives(store: Store, text: str) -> None:
    _, me = newcomer(store)
    store.append(me, "dpo/q", Wrote(text=text), now=NOW)
    (event,) = store.events(me, kind=Wrote)
    assert event.payload.text == text


# Retries


def test_the_same_nonce_is_recorded_once(store: Store) -> None:
    _, me = newcomer(store)
    first = store.append(me, "dpo/q", SURE, now=NOW, nonce="once")
    again = store.append(me, "dpo/q", SURE, now=NOW + timedelta(minutes=1), nonce="once")
    assert again == first
    assert store.events(me) == (first,)


def test_a_nonce_that_stands_for_something_else_is_refused(store: Store) -> None:
    _, me = newcomer(store)
    first = store.append(me, "dpo/q", SURE, now=NOW, nonce="once")
    unsure = Answered(probabilities=(0.4, 0.2, 0.2, 0.2), right=0)
    for item, payload in (("dpo/q", unsure), ("dpo/r", SURE)):
        with pytest.raises(NonceTakenError) as refusal:
            store.append(me, item, payload, now=NOW, nonce="once")
        assert refusal.value.event == first
    assert store.events(me) == (first,)


def test_retries_at_the_same_moment_are_one_event(store: Store) -> None:
    _, me = newcomer(store)
    events = at_once(8, lambda _: store.append(me, "dpo/q", SURE, now=NOW, nonce="once"))
    assert set(events) == set(store.events(me))
    assert len(set(events)) == 1


# Who a browser is


def test_a_visit_alone_makes_no_learner(store: Store) -> None:
    assert store.learner(new_token(), now=NOW) is None
    _, first = newcomer(store)
    _, second = newcomer(store)
    assert second == first + 1


@pytest.mark.parametrize("token", ["", "x", "a" * 42, "a" * 44, "a" * 42 + "'", "a" * 42 + "\n"])
def test_a_token_of_ones_own_making_is_nobody(file_store: Store, token: str) -> None:
    assert not is_token(token)
    assert file_store.learner(token, now=NOW) is None
    with pytest.raises(DrillsError, match="not one of ours"):
        file_store.ensure_learner(token, now=NOW)


def test_tokens_are_all_different() -> None:
    tokens = {new_token() for _ in range(1_000)}
    assert len(tokens) == 1_000
    assert all(is_token(token) for token in tokens)


def test_first_writes_at_the_same_moment_make_one_learner(store: Store) -> None:
    token = new_token()
    ids = at_once(8, lambda _: store.ensure_learner(token, now=NOW))
    assert len(set(ids)) == 1
    assert store.learner(token, now=NOW) == ids[0]


def test_only_hashes_of_tokens_and_codes_are_stored(sqlite_url: str, file_store: Store) -> None:
    token, me = newcomer(file_store)
    file_store.append(me, "dpo/q", Wrote(text=SECRET), now=NOW)
    code = file_store.recovery_code(me, now=NOW)
    stored = on_disk(sqlite_url)
    assert SECRET.encode() in stored  # the search finds what is there
    assert token.encode() not in stored
    assert code.encode() not in stored
    assert code.replace("-", "").encode() not in stored


# Recovery


def test_a_recovery_code_moves_a_learner_to_another_browser(store: Store) -> None:
    old, me = newcomer(store)
    event = store.append(me, "dpo/q", SURE, now=NOW)
    code = store.recovery_code(me, now=NOW)
    new = new_token()
    assert store.redeem(code, new, now=NOW, bring=True).learner == me
    assert store.learner(new, now=NOW) == store.learner(old, now=NOW) == me
    assert store.events(me) == (event,)


def test_a_code_may_be_typed_carelessly(store: Store) -> None:
    _, me = newcomer(store)
    code = store.recovery_code(me, now=NOW)
    careless = f"  {code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')}\n"
    assert store.redeem(careless, new_token(), now=NOW, bring=False).learner == me


def test_wrong_and_replaced_codes_are_refused(store: Store) -> None:
    token, me = newcomer(store)
    old = store.recovery_code(me, now=NOW)
    new = store.recovery_code(me, now=NOW)
    other = new_token()
    wrong = [
        "",
        "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA",
        new[:-1],
        token,
        old,
        "日本",
        "\ud800",
        new + "\x00",
    ]
    for code in wrong:
        with pytest.raises(CodeRefusedError, match="not known"):
            store.redeem(code, other, now=NOW, bring=True)
    assert store.learner(other, now=NOW) is None
    assert store.redeem(new, other, now=NOW, bring=True).learner == me


def test_a_code_is_no_cookie(store: Store) -> None:
    _, me = newcomer(store)
    code = store.recovery_code(me, now=NOW)
    assert store.learner(code, now=NOW) is None
    assert not is_token(code)


def test_what_this_browser_recorded_comes_along_when_asked(store: Store) -> None:
    (_, me), (other, them) = newcomer(store), newcomer(store)
    kept = store.append(me, "dpo/q", SURE, now=NOW, nonce="n")
    brought = store.append(them, "dpo/r", Wrote(text=SECRET), now=NOW, nonce="n")
    redeemed = store.redeem(store.recovery_code(me, now=NOW), other, now=NOW, bring=True)
    assert (redeemed.learner, redeemed.brought) == (me, 1)
    assert store.learner(other, now=NOW) == me
    assert store.events(me) == (kept, brought)
    assert SECRET in json.dumps(store.export(me))


def test_a_window_still_open_during_the_move_loses_nothing(store: Store) -> None:
    (_, me), (other, them) = newcomer(store), newcomer(store)
    before = store.append(them, "dpo/q", SURE, now=NOW, nonce="n")
    store.redeem(store.recovery_code(me, now=NOW), other, now=NOW, bring=True)
    assert store.append(them, "dpo/q", SURE, now=NOW, nonce="n") == before  # a late retry
    after = store.append(them, "dpo/r", SURE, now=NOW)
    assert store.events(me) == store.events(them) == (before, after)


def test_what_stays_behind_stays_with_its_own_code(store: Store) -> None:
    (_, me), (other, them) = newcomer(store), newcomer(store)
    theirs = store.append(them, "dpo/q", Wrote(text=SECRET), now=NOW)
    their_code = store.recovery_code(them, now=NOW)
    store.redeem(store.recovery_code(me, now=NOW), other, now=NOW, bring=False)
    assert store.learner(other, now=NOW) == me
    assert store.events(me) == ()
    assert store.redeem(their_code, new_token(), now=NOW, bring=False).learner == them
    assert store.events(them) == (theirs,)


def test_three_browsers_become_one_learner(store: Store) -> None:
    tokens, ids = zip(*(newcomer(store) for _ in range(3)), strict=True)
    events = tuple(store.append(who, "dpo/q", SURE, now=NOW) for who in ids)
    for target, source in ((1, 0), (2, 1)):
        code = store.recovery_code(ids[target], now=NOW)
        store.redeem(code, tokens[source], now=NOW, bring=True)
    assert {store.learner(token, now=NOW) for token in tokens} == {ids[2]}
    assert store.events(ids[0]) == store.events(ids[2]) == events
    back = store.recovery_code(ids[0], now=NOW)  # already the same learner: nothing moves
    assert store.redeem(back, tokens[2], now=NOW, bring=True).brought == 0
    assert store.events(ids[2]) == events


def test_two_that_take_each_other_up_at_once_end_as_one(store: Store) -> None:
    for _ in range(5):
        (one, first), (two, second) = newcomer(store), newcomer(store)
        events = tuple(store.append(who, "dpo/q", SURE, now=NOW) for who in (first, second))
        codes = (store.recovery_code(second, now=NOW), store.recovery_code(first, now=NOW))

        def take(
            number: int, tokens: tuple[str, str] = (one, two), codes: tuple[str, str] = codes
        ) -> object:
            return store.redeem(codes[number], tokens[number], now=NOW, bring=True)

        at_once(2, take)
        assert store.learner(one, now=NOW) == store.learner(two, now=NOW)
        assert store.events(first) == store.events(second) == events


# Taking along and deleting


def test_an_export_holds_everything_and_is_json(store: Store) -> None:
    _, me = newcomer(store)
    store.append(me, "dpo/q", SURE, now=NOW, nonce="n")
    exported = json.loads(json.dumps(store.export(me)))
    assert (exported["format"], exported["version"]) == ("surprisal-record", 1)
    assert datetime.fromisoformat(exported["created"]) == NOW
    (event,) = exported["events"]
    assert datetime.fromisoformat(event.pop("at")) == NOW
    assert event.pop("payload") == json.loads(SURE.model_dump_json())
    assert event == {"id": event["id"], "kind": "answered", "item": "dpo/q", "nonce": "n"}


def test_deleted_data_are_gone_on_all_devices(store: Store) -> None:
    (mine, me), (other, _) = newcomer(store), newcomer(store)
    store.append(me, "dpo/q", SURE, now=NOW)
    code = store.recovery_code(me, now=NOW)
    store.redeem(code, other, now=NOW, bring=True)
    store.delete(me)
    assert store.events(me) == ()
    assert store.learner(mine, now=NOW) is None
    assert store.learner(other, now=NOW) is None
    with pytest.raises(CodeRefusedError):
        store.redeem(code, new_token(), now=NOW, bring=False)
    for call in (
        lambda: store.append(me, "dpo/q", SURE, now=NOW),
        lambda: store.export(me),
        lambda: store.recovery_code(me, now=NOW),
    ):
        with pytest.raises(LearnerGoneError, match="deleted"):
            call()
    store.delete(me)  # a second press does nothing


def test_a_newcomer_never_gets_the_place_of_a_deleted_learner(store: Store) -> None:
    token, me = newcomer(store)
    old = store.append(me, "dpo/q", SURE, now=NOW)
    store.delete(me)
    anew = store.ensure_learner(token, now=NOW)
    assert anew > me
    assert store.append(anew, "dpo/q", SURE, now=NOW).id > old.id
    assert store.events(me) == ()


def test_deleted_words_are_overwritten_on_disk(sqlite_url: str, file_store: Store) -> None:
    (_, me), (_, them) = newcomer(file_store), newcomer(file_store)
    for number in range(50):
        file_store.append(me, f"dpo/q{number}", Wrote(text=SECRET), now=NOW)
        file_store.append(them, f"dpo/q{number}", Wrote(text="mine to keep"), now=NOW)
    assert SECRET.encode() in on_disk(sqlite_url)
    file_store.delete(me)
    assert SECRET.encode() not in on_disk(sqlite_url)
    assert len(file_store.events(them)) == 50


# Many at once


@pytest.mark.slow
def test_threads_write_side_by_side(store: Store) -> None:
    people = [newcomer(store)[1] for _ in range(2)]

    def write(number: int) -> list[int]:
        return [
            store.append(people[number % 2], f"dpo/q{number}", SURE, now=NOW).id for _ in range(25)
        ]

    written = at_once(8, write)
    assert len({one for ids in written for one in ids}) == 200
    for parity, person in enumerate(people):
        mine = sorted(
            one for number, ids in enumerate(written) if number % 2 == parity for one in ids
        )
        assert [event.id for event in store.events(person)] == mine


@pytest.mark.slow
def test_processes_write_side_by_side(url: str, store: Store) -> None:
    token, me = newcomer(store)
    writers = [start("append", url, token, f"w{number}", "40") for number in range(4)]
    acknowledged = [line for each in writers for line in ended(each).split()]
    assert [each.returncode for each in writers] == [0] * 4
    assert len(acknowledged) == 160
    assert sorted(event.nonce for event in store.events(me)) == sorted(acknowledged)


# Migrations


def test_migrating_again_changes_nothing(store: Store) -> None:
    token, me = newcomer(store)
    event = store.append(me, "dpo/q", SURE, now=NOW)
    store.migrate()
    assert store.events(store.ensure_learner(token, now=NOW)) == (event,)


def test_the_migrations_make_the_tables_that_the_code_uses(url: str, store: Store) -> None:
    engine = tables.open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
        extra = sa.Table("extra", sa.MetaData(), sa.Column("id", sa.Integer))
        assert compare_metadata(context, extra.metadata) != []  # the comparison compares
    engine.dispose()


def test_a_record_of_a_newer_version_is_left_alone(url: str, store: Store) -> None:
    _, me = newcomer(store)
    store.append(me, "dpo/q", SURE, now=NOW)
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DrillsError, match="Update Surprisal"):
        store.migrate()
    assert len(store.events(me)) == 1


@pytest.mark.slow
def test_processes_migrate_at_the_same_moment(url: str) -> None:
    processes = [start("migrate", url, "-", "-") for _ in range(4)]
    for process in processes:
        go(process)
    said = [ended(process) for process in processes]
    assert said == ["migrated\n"] * 4
    store = Store(url)
    assert store.reachable()
    newcomer(store)
    store.dispose()


# Kills


@pytest.mark.slow
def test_a_kill_loses_nothing_that_was_acknowledged(sqlite_url: str, file_store: Store) -> None:
    token, me = newcomer(file_store)
    delays = random.Random(20)
    acknowledged: set[str] = set()
    kills = 24
    for number in range(0, kills, 2):  # two at a time, so that each dies beside a live writer
        pair = [start("append", sqlite_url, token, f"k{number + i}") for i in range(2)]
        for writer in pair:
            acknowledged.update(killed(writer, after=delays.uniform(0, 0.08)))
        assert_sound(sqlite_url)
        file_store.append(me, "dpo/q", SURE, now=NOW)  # nobody is left locked out
    events = file_store.events(me, kind=Wrote)
    stored = {event.nonce for event in events}
    assert len(acknowledged) > kills
    assert acknowledged <= stored
    assert len(stored - acknowledged) <= kills  # at most the one each was about to acknowledge
    assert all(event.payload.text.startswith(event.nonce) for event in events)


@pytest.mark.slow
def test_a_kill_of_a_client_loses_nothing_on_a_server(cluster: postgres.Cluster) -> None:
    url = cluster.new_database()
    store = Store(url)
    store.migrate()
    token, me = newcomer(store)
    delays = random.Random(6)
    acknowledged: set[str] = set()
    for number in range(6):
        writer = start("append", url, token, f"k{number}")
        acknowledged.update(killed(writer, after=delays.uniform(0, 0.08)))
    assert acknowledged <= {event.nonce for event in store.events(me)}
    assert len(acknowledged) > 6
    store.dispose()


@pytest.mark.slow
def test_a_writer_that_speaks_too_early_is_caught(sqlite_url: str, file_store: Store) -> None:
    token, me = newcomer(file_store)
    lost: set[str] = set()
    for number in range(20):
        said = killed(start("early", sqlite_url, token, f"e{number}"), after=0.01)
        lost |= set(said) - {event.nonce for event in file_store.events(me)}
        if lost:
            return
    pytest.fail("the test could not tell a writer that acknowledges before it commits")


@pytest.mark.slow
def test_a_kill_during_a_migration_can_be_made_good(tmp_path: Path) -> None:
    delays = random.Random(10)
    for number in range(8):
        url = f"sqlite:///{tmp_path}/{number}.sqlite3"
        process = start("migrate", url, "-", "-")
        go(process)
        time.sleep(delays.uniform(0, 0.12))
        process.kill()
        ended(process)
        store = Store(url)
        store.migrate()
        newcomer(store)
        store.dispose()
        assert_sound(url)


# When things go wrong


def test_health_is_told_from_the_database(url: str) -> None:
    store = Store(url)
    assert not store.reachable()
    store.migrate()
    assert store.reachable()
    store.dispose()


def test_a_missing_or_broken_file_is_not_healthy(sqlite_url: str, file_store: Store) -> None:
    file_store.dispose()
    path_of(sqlite_url).write_bytes(b"this was a database" * 1_000)
    assert not file_store.reachable()
    with pytest.raises(RecordUnavailableError):
        file_store.migrate()
    file_store.dispose()
    path_of(sqlite_url).unlink()
    assert not file_store.reachable()


def test_a_server_that_is_not_there_is_not_healthy(tmp_path: Path) -> None:
    store = Store(f"postgresql://nobody@/nothing?host={tmp_path}")
    assert not store.reachable()
    with pytest.raises(RecordUnavailableError, match="Try again"):
        store.migrate()
    store.dispose()


def test_a_locked_file_gives_an_answer_in_words(
    sqlite_url: str, file_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, me = newcomer(file_store)
    file_store.dispose()
    monkeypatch.setattr(tables, "WAIT_SECONDS", 0)
    with closing(sqlite3.connect(path_of(sqlite_url))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordUnavailableError, match="Try again in a moment"):
            file_store.append(me, "dpo/q", SURE, now=NOW, nonce="n")
        assert file_store.events(me) == ()  # reading goes on
        other.rollback()
    assert file_store.append(me, "dpo/q", SURE, now=NOW, nonce="n").payload == SURE


def test_a_write_is_on_disk_before_it_is_acknowledged(sqlite_url: str) -> None:
    engine = tables.open_engine(sqlite_url)
    with engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    full = 2
    assert settings == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "busy_timeout": 1000 * tables.WAIT_SECONDS,
    }


@pytest.mark.parametrize(
    "url", ["", "record", "sqlite://", "sqlite:///:memory:", "mysql://me:hush@host/name"]
)
def test_an_address_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(DrillsError, match="sqlite:///folder") as refusal:
        Store(url)
    assert "hush" not in str(refusal.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DrillsError, match="cannot be made"):
        Store(f"sqlite:///{tmp_path}/file/record.sqlite3")


def test_by_default_the_record_is_in_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_url().startswith("sqlite:///")
    assert default_url().endswith("record.sqlite3")
    assert "surprisal" in default_url()


# Speed


@pytest.mark.slow
def test_reading_and_writing_stay_near_the_bare_driver(sqlite_url: str, file_store: Store) -> None:
    _, me = newcomer(file_store)
    row = (me, "answered", "dpo/q", SURE.model_dump_json(), "2026-03-01 12:00:00.000000")
    insert = "INSERT INTO events (learner, kind, item, payload, at, nonce) VALUES (?,?,?,?,?,?)"
    with closing(sqlite3.connect(path_of(sqlite_url))) as bare:
        bare.execute("PRAGMA synchronous = FULL")
        with bare:
            bare.executemany(insert, [(*row, f"n{number}") for number in range(10_000)])

        def bare_append(number: int) -> None:
            with bare:
                bare.execute(insert, (*row, f"b{number}"))

        read = "SELECT * FROM events WHERE learner = ? ORDER BY id"
        bare_read = best_seconds(lambda _: bare.execute(read, (me,)).fetchall(), times=7)
        bare_write = best_seconds(bare_append, times=50)
    reading = best_seconds(lambda _: file_store.events(me), times=7)
    writing = best_seconds(lambda _: file_store.append(me, "dpo/q", SURE, now=NOW), times=50)
    print(f"10,000 events {1e3 * reading:.1f} ms ({reading / bare_read:.1f} × bare sqlite3)")
    print(f"append {1e3 * writing:.2f} ms ({writing / bare_write:.1f} × bare sqlite3)")
    assert reading < 10 * bare_read
    assert writing < bare_write + 0.005


def best_seconds(call: Callable[[int], object], *, times: int) -> float:
    """The least time of several calls: what it takes when nothing else runs."""
    seconds = []
    for number in range(times):
        started = time.perf_counter()
        call(number)
        seconds.append(time.perf_counter() - started)
    return min(seconds)
