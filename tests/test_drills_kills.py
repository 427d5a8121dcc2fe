"""Reviewing processes are killed again and again; what they acknowledged is there."""

import os
import random
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from drills.events import Event
from drills.reviews import Reviews
from drills.store import Store, new_token
from tests.test_drills_store import Writer, ended, start
from tests.writer import BATCH

KILLS = 60


def said_until_killed(nursery: Writer, words: int, after: float) -> list[str]:
    """Start a reviewing process, kill it some seconds after so many words; return all of them."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write("go\n")
    nursery.stdin.flush()
    said: list[str] = []
    child = 0
    for line in nursery.stdout:
        word = line.strip()
        if word == "ended":
            return said
        if word.startswith("child "):
            child = int(word.split()[1])
        else:
            said.append(word)
        if child and len(said) >= words:
            time.sleep(after)
            os.kill(child, signal.SIGKILL)
            child = 0
    raise AssertionError("the nursery ended by itself")


@pytest.mark.slow
def test_no_review_that_was_acknowledged_is_lost_in_sixty_kills(tmp_path: Path) -> None:
    url, token, delays = f"sqlite:///{tmp_path}/record.sqlite3", new_token(), random.Random(50)
    store = Store(url)
    store.migrate()
    me = store.ensure_learner(token, now=datetime.now(UTC))
    nursery = start("nursery", url, token, "k")
    acknowledged = {
        word
        for _ in range(KILLS)
        for word in said_until_killed(nursery, delays.randint(1, 8), delays.uniform(0, 0.01))
    }
    assert nursery.stdin is not None
    nursery.stdin.close()
    ended(nursery)
    events = store.events(me)
    singles, batches = sorted_out(events)
    assert len(acknowledged) > 3 * KILLS
    assert acknowledged <= singles | batches.keys()
    assert len((singles | batches.keys()) - acknowledged) <= KILLS  # written, not yet said
    assert set(batches.values()) == {BATCH}  # whole or not at all
    assert in_force(Reviews.of(events)) == expected(events)
    with closing(sqlite3.connect(tmp_path / "record.sqlite3")) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    store.dispose()


def sorted_out(events: tuple[Event[Any], ...]) -> tuple[set[str], Counter[str]]:
    """The nonces of single events, and how many there are of each batch."""
    nonces = [event.nonce for event in events]
    single = {nonce for nonce in nonces if nonce.count("-") == 1}
    return single, Counter(nonce.rpartition("-")[0] for nonce in nonces if nonce not in single)


def in_force(state: Reviews) -> set[str]:
    """The nonces of the reviews that count."""
    return {done.nonce for learnt in state.cards.values() for done in learnt.log}


def expected(events: tuple[Event[Any], ...]) -> set[str]:
    """The same, read off the events."""
    undone = {event.payload.nonce for event in events if event.kind == "unreviewed"}
    return {event.nonce for event in events if event.kind == "reviewed"} - undone
