"""One learner in several tabs: what one tab does to the record, the others see when they run."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from drills.errors import DrillsError, LearnerGoneError
from drills.events import Read
from drills.store import Store, new_token
from pages.parts.learner import Learner
from tests.server import sqlite_url

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = Store(sqlite_url(tmp_path / "record.db"))
    opened.migrate()
    return opened


def items(learner: Learner) -> list[str]:
    return [event.item for event in learner.events]


def refreshed(learner: Learner) -> list[str]:
    learner.refresh()
    return items(learner)


def test_without_a_cookie_the_tab_remembers(store: Store) -> None:
    tab = Learner(None, store)
    tab.add("dpo/objective", Read())
    assert refreshed(tab) == ["dpo/objective"]
    assert tab.record.latest(Read, "dpo/objective") is not None
    assert not tab.kept
    with pytest.raises(DrillsError):
        tab.recovery_code()
    with pytest.raises(DrillsError):
        tab.take_up("00000-00000-00000-00000-00000", bring=False)


def test_a_visitor_who_answers_nothing_leaves_no_record(store: Store) -> None:
    token = new_token()
    Learner(token, store).refresh()
    assert store.learner(token, now=NOW) is None


def test_tabs_of_one_learner_see_each_other(store: Store) -> None:
    token = new_token()
    one, other = Learner(token, store), Learner(token, store)
    one.add("dpo/a", Read())
    other.add("dpo/b", Read())
    assert refreshed(one) == refreshed(other) == ["dpo/a", "dpo/b"]


def test_a_delivery_repeated_with_its_nonce_is_recorded_once(store: Store) -> None:
    tab = Learner(new_token(), store)
    tab.add("dpo/a", Read(), nonce="one")
    tab.add("dpo/a", Read(), nonce="one")
    assert items(tab) == ["dpo/a"]


def test_another_tab_forgets_a_deleted_record(store: Store) -> None:
    token = new_token()
    one, other = Learner(token, store), Learner(token, store)
    one.add("dpo/a", Read())
    other.refresh()
    one.delete()
    with pytest.raises(LearnerGoneError):
        other.add("dpo/b", Read())
    assert refreshed(other) == []
    other.add("dpo/c", Read())
    assert refreshed(one) == ["dpo/c"]


@pytest.mark.parametrize("bring", [False, True])
def test_another_tab_follows_to_the_record_of_a_recovery_link(store: Store, *, bring: bool) -> None:
    home = Learner(new_token(), store)
    home.add("dpo/home", Read())
    token = new_token()
    one, other = Learner(token, store), Learner(token, store)
    one.add("dpo/here", Read())
    other.refresh()
    one.take_up(home.recovery_code(), bring=bring)
    other.add("dpo/after", Read())
    expected = ["dpo/home", *(["dpo/here"] if bring else []), "dpo/after"]
    assert items(other) == refreshed(one) == refreshed(home) == expected
