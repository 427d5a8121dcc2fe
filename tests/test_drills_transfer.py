"""A record goes along as JSON and comes back once; tables say what the record says."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from content.load import LoadedCourse, load_course
from drills import deck, transfer
from drills.anki_notes import EVERYTHING, Selection, notes
from drills.errors import DeckError, UploadError
from drills.events import (
    Answered,
    Event,
    LearnerId,
    Payload,
    Read,
    Reviewed,
    Unreviewed,
    Wrote,
    to_json,
)
from drills.queue import Syllabus, missed
from drills.record import Record
from drills.reviews import Reviews
from drills.store import Entry, Store, new_token

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Return the records of two machines."""
    opened = [Store(f"sqlite:///{tmp_path}/{name}.sqlite3") for name in ("here", "there")]
    for store in opened:
        store.migrate()
    yield opened[0], opened[1]
    for store in opened:
        store.dispose()


def learner(store: Store) -> LearnerId:
    """Somebody new."""
    return store.ensure_learner(new_token(), now=NOW)


def fill(store: Store, me: LearnerId) -> None:
    """Write a few things of several kinds."""
    happened = [
        ("dpo/why", Read()),
        ("dpo/q", Answered(probabilities=(0.25, 0.75), right=0)),
        ("dpo/s", Wrote(text='Z cancels: 日本 \u2028 "quoted"')),
        ("dpo/a", Reviewed(rating=3, milliseconds=4_000)),
        ("dpo/a", Reviewed(rating=1)),
        ("dpo/a", Unreviewed(nonce="n5")),
    ]
    for n, (name, payload) in enumerate(happened, 1):
        store.append(me, name, payload, now=NOW + timedelta(days=n), nonce=f"n{n}")


def test_a_record_comes_back_whole_on_another_machine_and_only_once(
    stores: tuple[Store, Store],
) -> None:
    here, there = stores
    me, you = learner(here), learner(there)
    fill(here, me)
    data = json.dumps(here.export(me)).encode()
    entries = transfer.read(data)
    assert there.append_all(you, entries, now=NOW) == 6
    assert there.append_all(you, entries, now=NOW) == 0
    assert here.append_all(me, entries, now=NOW) == 0
    one, other = here.events(me), there.events(you)
    assert [(e.kind, e.item, e.at, e.nonce, e.text) for e in one] == [
        (e.kind, e.item, e.at, e.nonce, e.text) for e in other
    ]
    assert Reviews.of(one).cards.keys() == Reviews.of(other).cards.keys()
    again, twice = here.export(me), there.export(you)
    assert [{**e, "id": 0} for e in again["events"]] == [{**e, "id": 0} for e in twice["events"]]


def test_many_are_written_together_or_not_at_all(stores: tuple[Store, Store]) -> None:
    here, _ = stores
    me = learner(here)
    good, bad = Entry("dpo/a", Read(), "a"), Entry("DPO", Read(), "b")
    with pytest.raises(Exception, match="an item such as"):
        here.append_all(me, [good, bad], now=NOW)
    assert here.events(me) == ()
    twice = [Entry("dpo/a", Read(), "a"), Entry("dpo/b", Read(), "a")]
    assert here.append_all(me, twice, now=NOW) == 1
    assert here.events(me)[0].item == "dpo/a"


def changed(**values: object) -> bytes:
    """A record whose one event has other values."""
    event = {
        "id": 1, "kind": "read", "item": "dpo/why", "nonce": "n",
        "at": "2026-03-01T12:00:00+00:00", "payload": {},
    }  # fmt: skip
    events = [{k: v for k, v in (event | values).items() if v is not None}]
    return record(events=events)


def record(**values: object) -> bytes:
    """A record with other values."""
    return json.dumps({"format": "surprisal-record", "version": 1, "events": []} | values).encode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a record: it is no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (changed()[:-9], "no JSON"),
        (b"[]", "not a record from here"),
        (record(format="other"), "not a record from here"),
        (record(version=2), "version 2; this Surprisal reads version 1"),
        (record(events={}), "no list of events"),
        (record(events=[7]), "Event 1 of the record cannot be read"),
        (changed(kind="dreamt"), "'dreamt' is of a newer version"),
        (changed(item="../x"), "an item such as"),
        (changed(nonce=""), "A nonce has 1 to 100"),
        (changed(nonce="x" * 101), "A nonce has 1 to 100"),
        (changed(nonce=None), "'nonce' is missing"),
        (changed(payload=[]), "no object"),
        (changed(kind="reviewed", payload={"rating": 9}), "less than or equal to 4"),
        (changed(at="2026-03-01T12:00:00"), "no time zone"),
        (changed(at="9999-12-31T12:00:00+00:00"), "no such year"),
        (changed(at="yesterday"), "Invalid isoformat"),
    ],
)
def test_what_is_no_record_is_refused_in_words(data: bytes, says: str) -> None:
    with pytest.raises(UploadError, match=says):
        transfer.read(data)


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(transfer.read(changed())) == 1
    monkeypatch.setattr(transfer, "MAX_EVENTS", 0)
    with pytest.raises(UploadError, match="1 events; 0 are read"):
        transfer.read(changed())
    monkeypatch.setattr(transfer, "MAX_FILE", 10)
    with pytest.raises(UploadError, match="MB are read"):
        transfer.read(changed())


def test_tables_hold_what_counts(stores: tuple[Store, Store]) -> None:
    here, _ = stores
    me = learner(here)
    fill(here, me)
    past = Record.of(here.events(me))
    (row,) = csv.DictReader(transfer.reviews_csv(past.reviews).splitlines())
    assert row == {
        "card": "dpo/a", "at": "2026-03-05T12:00:00+00:00", "day": "2026-03-05", "rating": "3",
        "milliseconds": "4000", "where": "here", "stage": "new",
    }  # fmt: skip
    (row,) = csv.DictReader(transfer.answers_csv(past).splitlines())
    assert (row["question"], row["probabilities"], row["right"]) == ("dpo/q", "0.25 0.75", "0")
    assert float(row["bits"]) == pytest.approx(-1)


# Decks of a selection


@pytest.fixture(scope="module")
def course() -> LoadedCourse:
    """Return the course that ships."""
    return load_course()


def chosen(
    course: LoadedCourse, selection: Selection = EVERYTHING, lesson: str | None = None
) -> list[str]:
    """The items of a selection's cards."""
    found = notes(course, lesson=lesson, base_url=None, selection=selection)
    return [f"{note.lesson.id}/{note.card.id}" for note in found]


def test_a_deck_holds_what_was_selected(course: LoadedCourse) -> None:
    every = chosen(course)
    assert chosen(course, Selection(topic="dpo")) == [
        f"{lesson.id}/{card.id}"
        for lesson in course.lessons.values()
        for card in lesson.cards
        if card.topic == "dpo"
    ]
    assert chosen(course, Selection(without=frozenset(every[:2]))) == every[2:]
    assert chosen(course, Selection(only=frozenset(every[3:5]))) == every[3:5]
    assert all(name.startswith("kl/") for name in chosen(course, lesson="kl"))
    with pytest.raises(DeckError, match="nothing fits this selection"):
        chosen(course, Selection(topic="nothing"))


def test_a_deck_without_pictures_holds_none_and_keeps_places_and_guids(
    course: LoadedCourse,
) -> None:
    full = deck.build_apkg(course, epoch=0)
    plain = deck.build_apkg(course, epoch=0, selection=Selection(pictures=False))
    assert b"\x89PNG" in full
    assert b"\x89PNG" not in plain
    some = notes(course, lesson=None, base_url=None, selection=Selection(topic="dpo"))
    places = {note.card.id: note.place for note in notes(course, lesson=None, base_url=None)}
    assert all(note.place == places[note.card.id] for note in some)
    assert b"surprisal" in deck.build_tsv(course, epoch=0, selection=Selection(topic="dpo"))


def test_only_what_was_missed(course: LoadedCourse) -> None:
    syllabus = Syllabus.of(course)
    (question, (section, objective)) = next(iter(syllabus.questions.items()))
    card = list(syllabus.cards)[-1]
    entries: list[tuple[str, Payload]] = [
        (question, Answered(probabilities=(0.1, 0.9), right=0)),
        (card, Reviewed(rating=1)),
        (list(syllabus.cards)[-2], Reviewed(rating=3)),
    ]
    found = missed(_reviews(entries), syllabus)
    assert found == {card} | {
        name
        for name, place in syllabus.cards.items()
        if place.section == section or (objective and place.objective == objective)
    }
    assert chosen(course, Selection(only=found))


def _reviews(entries: list[tuple[str, Payload]]) -> Reviews:
    return Reviews.of(
        Event(n, LearnerId(1), p.kind, name, NOW, f"n{n}", to_json(p))
        for n, (name, p) in enumerate(entries, 1)
    )


def test_what_is_fresh_is_what_the_record_does_not_hold(stores: tuple[Store, Store]) -> None:
    store, me = stores[0], learner(stores[0])
    entries = [Entry("dpo/a", Read(), f"n{n}") for n in (1, 2, 2, 3)]
    store.append_all(me, entries[:1], now=datetime.now(UTC))
    fresh = transfer.fresh(entries, store.events(me))
    assert [entry.nonce for entry in fresh] == ["n2", "n3"]
    assert store.append_all(me, entries, now=datetime.now(UTC)) == len(fresh)
