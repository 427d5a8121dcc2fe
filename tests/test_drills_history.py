"""Reviews made in the real Anki come back, once; what is no such file is refused and named."""

import io
import json
import sqlite3
import struct
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
import zstandard
from anki.collection import (
    Collection,
    ExportAnkiPackageOptions,
    ImportAnkiPackageOptions,
    ImportAnkiPackageRequest,
)
from anki.decks import DeckId

from content.load import LoadedCourse, load_course
from drills import __main__ as command
from drills import deck, history
from drills.errors import UploadError
from drills.events import Event, LearnerId, Reviewed, to_json
from drills.reviews import Learnt, Reviews
from drills.schedule import Phase
from drills.store import Store, new_token
from tests.small_course import write_course

if TYPE_CHECKING:
    from anki.cards import Card

DAY_MS = 86_400_000
KNOWN = {("guid-1", 0): "dpo/a", ("guid-1", 1): "dpo/a-gap-2"}
Rating = Literal[1, 2, 3, 4]


class Anki:
    """A learner's collection that schedules by FSRS, in UTC."""

    def __init__(self, folder: Path, apkg: bytes) -> None:
        folder.mkdir()
        self.folder = folder
        self.collection = Collection(str(folder / "collection.anki2"))
        self.collection.set_config("fsrs", val=True)
        (folder / "deck.apkg").write_bytes(apkg)
        request = ImportAnkiPackageRequest(
            package_path=str(folder / "deck.apkg"), options=ImportAnkiPackageOptions()
        )
        self.collection.import_anki_package(request)
        (deck_id,) = {card.did for card in self.cards()}
        self.collection.decks.select(deck_id)

    def cards(self) -> "list[Card]":
        """Return all cards, in their order."""
        return [
            self.collection.get_card(each) for each in self.collection.find_cards("", order=True)
        ]

    def answer(self, card: "Card", rating: Rating) -> None:
        """Answer a card as its scheduler does when it is shown."""
        card.load()
        card.start_timer()
        self.collection.sched.answerCard(card, rating)

    def pass_days(self, days: int) -> None:
        """Let everything have happened so many days earlier."""
        database = self.collection.db
        assert database
        database.execute("update revlog set id = id - ?", days * DAY_MS)
        for name, data in database.execute("select id, data from cards"):
            kept = json.loads(data or "{}")
            if "lrt" in kept:
                kept["lrt"] -= days * DAY_MS // 1000
            database.execute("update cards set data = ? where id = ?", json.dumps(kept), name)
        database.execute("update cards set due = due - ? where queue = 2", days)

    def export(self, *, legacy: bool) -> bytes:
        """Export everything with its scheduling."""
        options = ExportAnkiPackageOptions(
            with_scheduling=True, with_deck_configs=True, with_media=True, legacy=legacy
        )
        path = self.folder / "export.apkg"
        self.collection.export_anki_package(out_path=str(path), options=options, limit=None)
        return path.read_bytes()

    def export_all(self, *, legacy: bool) -> bytes:
        """Export the whole collection; Anki closes it meanwhile."""
        path = self.folder / "export.colpkg"
        self.collection.export_collection_package(str(path), include_media=True, legacy=legacy)
        return path.read_bytes()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> LoadedCourse:
    """Return a course of a few cards."""
    return load_course(write_course(tmp_path_factory.mktemp("course") / "course"))


@pytest.fixture
def anki(tmp_path: Path, course: LoadedCourse) -> Iterator[Anki]:
    """Return a collection with the course's deck."""
    made = Anki(tmp_path / "anki", deck.build_apkg(course, epoch=1_795_219_200))
    yield made
    made.collection.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return an empty record."""
    opened = Store(f"sqlite:///{tmp_path}/record.sqlite3")
    opened.migrate()
    yield opened
    opened.dispose()


def studied(anki: Anki) -> None:
    """Study over a month: learn, forget, recall, with days between."""
    for ratings, days in (((4, 3, 4), 9), ((3, 3, 2), 2), ((1, 3), 1), ((3, 2), 0)):
        for card, rating in zip(anki.cards(), ratings, strict=False):
            anki.answer(card, rating)  # type: ignore[arg-type]
            time.sleep(0.002)  # Anki's log has one line a millisecond
        anki.pass_days(days)


@pytest.mark.parametrize("legacy", [True, False], ids=["legacy", "modern"])
def test_reviews_come_back_and_cards_are_due_on_the_day_anki_says(
    anki: Anki,
    course: LoadedCourse,
    store: Store,
    legacy: bool,  # noqa: FBT001
) -> None:
    studied(anki)
    found = history.read(anki.export(legacy=legacy), history.known(course))
    assert len(found.reviews) == 10
    now = datetime.now(UTC)
    me = store.ensure_learner(new_token(), now=now)
    entries = found.entries(Reviews())
    assert store.append_all(me, entries, now=now) == 10
    assert store.append_all(me, entries, now=now) == 0
    state = Reviews.of(store.events(me))
    today = state.wishes.days.day(now)
    assert [card.ord for card in anki.cards()] == [0, 0, 1]  # the last two ask for two gaps
    for card in anki.cards():
        agree(anki, card, state.cards[history.known(course)[card.note().guid, card.ord]], today)


def agree(anki: Anki, card: "Card", learnt: Learnt, today: int) -> None:
    """Hold what is known of a card here against what Anki knows."""
    memory = anki.collection.compute_memory_state(card.id)
    assert memory.stability == pytest.approx(learnt.card.stability, rel=1e-3)
    assert memory.difficulty == pytest.approx(learnt.card.difficulty, rel=1e-3)
    assert (card.queue == 2) == (learnt.card.phase is Phase.REVIEW)
    if card.queue == 2:
        unfuzzed = learnt.card.interval.days
        fuzz = card.ivl - unfuzzed
        assert abs(fuzz) <= max(0, round(1 + 0.15 * max(0, unfuzzed - 2.5)))
        assert card.due - anki.collection.sched.today + today == learnt.due_day + fuzz


def test_a_card_set_back_to_new_starts_anew_here_too(
    anki: Anki, course: LoadedCourse, store: Store
) -> None:
    studied(anki)
    known, now = history.known(course), datetime.now(UTC)
    me = store.ensure_learner(new_token(), now=now)
    again, never, _ = anki.cards()
    names = [known[card.note().guid, card.ord] for card in (again, never)]
    for name in names:  # of reviews made here Anki knows nothing
        store.append(me, name, Reviewed(rating=4), now=now - timedelta(days=40))

    def bring() -> Reviews:
        found = history.read(anki.export(legacy=False), known)
        entries = found.entries(Reviews.of(store.events(me)))
        store.append_all(me, entries, now=now)
        assert store.append_all(me, entries, now=now) == 0
        return Reviews.of(store.events(me))

    assert len(bring().cards[names[0]].log) == 5
    anki.collection.sched.schedule_cards_as_new([again.id, never.id])
    time.sleep(0.002)
    anki.answer(again, 4)
    state = bring()
    again.load()
    agree(anki, again, state.cards[names[0]], state.wishes.days.day(datetime.now(UTC)))
    assert len(state.cards[names[0]].log) == 1
    assert names[1] not in state.cards
    assert names[1] in state.queued


def test_a_review_ahead_of_its_day_counts_and_one_to_cram_does_not(
    anki: Anki, course: LoadedCourse
) -> None:
    studied(anki)
    before = len(history.read(anki.export(legacy=False), history.known(course)).reviews)
    for counts in (True, False):
        ahead = anki.collection.sched.get_or_create_filtered_deck(DeckId(0))
        ahead.name, ahead.config.reschedule = f"ahead {counts}", counts
        ahead.config.search_terms[0].search = "prop:due>2"
        made = DeckId(anki.collection.sched.add_or_update_filtered_deck(ahead).id)
        anki.collection.sched.rebuild_filtered_deck(made)
        anki.collection.decks.select(made)
        (card, *_) = (each for each in anki.cards() if each.did == made)
        anki.answer(card, 3)
        time.sleep(0.002)
        anki.collection.sched.empty_filtered_deck(made)
    found = history.read(anki.export(legacy=False), history.known(course))
    assert len(found.reviews) == before + 1
    state = Reviews().after_all(
        Event(n, LearnerId(1), "reviewed", e.item, datetime.now(UTC), e.nonce, to_json(e.payload))
        for n, e in enumerate(found.entries(Reviews()))
    )
    card.load()
    name = history.known(course)[card.note().guid, card.ord]
    agree(anki, card, state.cards[name], state.wishes.days.day(datetime.now(UTC)))


@pytest.mark.parametrize("legacy", [True, False], ids=["legacy", "modern"])
def test_a_whole_collection_is_read_too(anki: Anki, course: LoadedCourse, legacy: bool) -> None:  # noqa: FBT001
    studied(anki)
    one = history.read(anki.export(legacy=legacy), history.known(course))
    whole = history.read(anki.export_all(legacy=legacy), history.known(course))
    assert whole.reviews == one.reviews
    anki.collection = Collection(str(anki.folder / "collection.anki2"))


def test_the_deck_itself_holds_no_reviews(course: LoadedCourse) -> None:
    apkg = deck.build_apkg(course, epoch=1_795_219_200)
    with pytest.raises(UploadError, match="tick 'Include scheduling information'"):
        history.read(apkg, history.known(course))


# Files made by hand


def collection(*rows: tuple[object, ...], extra: str = "") -> bytes:
    """A collection with these lines in its log: moment, card, grade, time, kind and factor."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(
            "create table notes (id, guid); create table cards (id, nid, ord);"
            "create table revlog (id, cid, ease, time, type, factor);"
            "insert into notes values (1, 'guid-1'), (2, 'other');"
            "insert into cards values (10, 1, 0), (11, 1, 1), (20, 2, 0);" + extra
        )
        graded = [(*row, 2_500)[:6] for row in rows]
        database.executemany("insert into revlog values (?, ?, ?, ?, ?, ?)", graded)
        database.commit()
        return database.serialize()


def packed(data: bytes, name: str = "collection.anki21", **others: bytes) -> bytes:
    """An archive with a collection in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
        for other, content in others.items():
            archive.writestr(other, content)
    return file.getvalue()


GOOD = (1_772_366_400_000, 10, 3, 4_000, 1)


def test_only_grades_of_the_courses_cards_count() -> None:
    rows = [
        GOOD,
        (GOOD[0] + 1, 10, 0, 0, 4),  # given a date by hand, and reviewed since
        (GOOD[0] + 2, 10, 3, 0, 3, 0),  # crammed
        (GOOD[0] + 3, 10, 0, 0, 5),  # rescheduled
        (GOOD[0] + 4, 11, 3, 0, 1),  # the second gap
        (GOOD[0] + 5, 20, 3, 0, 1),  # another deck
        (GOOD[0] + 6, 10, "3", 0, 1),  # as nobody writes it
        (-5, 10, 3, 0, 1),
        (GOOD[0] + 7, 10, 1, 10**9, 2),
        (GOOD[0] + 8, 11, 2, 0, 3),  # reviewed early
        (GOOD[0] + 9, 11, 0, 0, 4),  # given a date by hand
    ]
    found = history.read(packed(collection(*rows)), KNOWN)
    said = [(r.item, r.at_ms - GOOD[0], r.rating) for r in found.reviews]
    assert said == [
        ("dpo/a", 0, 3), ("dpo/a-gap-2", 4, 3), ("dpo/a", 7, 1), ("dpo/a-gap-2", 8, 2)
    ]  # fmt: skip
    assert (found.elsewhere, found.moved, found.ungraded) == (1, 1, 2)
    assert [r.payload.milliseconds for r in found.reviews] == [4_000, 0, 3_600_000, 0]
    assert found.reviews[0].nonce == f"anki-guid-1-0-{GOOD[0]}"


def test_the_newest_form_of_the_collection_is_read() -> None:
    new = zstandard.compress(collection(GOOD))
    stub = collection((GOOD[0], 20, 1, 1, 1))
    both = packed(new, "collection.anki21b", **{"collection.anki2": stub})
    assert len(history.read(both, KNOWN).reviews) == 1


def locked(data: bytes) -> bytes:
    """The archive with the mark of encryption on its members."""
    changed = bytearray(data)
    for head, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        place = data.index(head) + at
        changed[place] |= 1
    return bytes(changed)


def declared(data: bytes, size: int) -> bytes:
    """The archive with a lie about how much its member unpacks to."""
    changed = bytearray(data)
    for head, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = data.index(head) + at
        changed[place : place + 4] = struct.pack("<I", size)
    return bytes(changed)


ENDLESS = (
    "drop table revlog; create view revlog as with recursive n(i) as"
    " (select 1 union all select i + 1 from n) select i as id, 10 as cid, 3 as ease, 1 as time,"
    " 1 as type, 2500 as factor from n;"
)


def view() -> bytes:
    """A collection whose log is a query without end."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(collection())
        database.executescript(ENDLESS)
        return database.serialize()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: b"", "not an Anki export"),
        (lambda: b"PK\x03\x04 and nothing", "not an Anki export"),
        (lambda: packed(collection(GOOD))[:-40], "not an Anki export"),
        (lambda: packed(b"x" * 100, "../../collection.anki21"), "no collection in this archive"),
        (lambda: packed(b"x" * 100, "media"), "no collection in this archive"),
        (lambda: packed(b"x" * 100), "is damaged"),
        (lambda: packed(collection(GOOD)[:3000]), "cannot be read"),
        (lambda: packed(view()), "no collection of Anki's"),
        (lambda: packed(collection(GOOD, extra="drop table cards;")[:0] or _plain_database()),
         "no collection of Anki's"),
        (lambda: packed(collection((GOOD[0], 20, 3, 1, 1))), "1 reviews, none of a card of this"),
        (lambda: packed(collection()), "holds no reviews"),
        (lambda: locked(packed(collection(GOOD))), "locked by a password"),
        (lambda: declared(packed(collection(GOOD)), 2**32 - 2), "more than 512 MB"),
        (lambda: packed(zstandard.compress(collection(GOOD))[:-9], "collection.anki21b"),
         "not an Anki export|cannot be read|is damaged"),
        (lambda: packed(collection(GOOD), "collection.anki21b"), "not an Anki export"),
    ],
)  # fmt: skip
def test_what_is_no_export_is_refused_in_words(
    make: Callable[[], bytes], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(UploadError, match=says):
        history.read(make(), KNOWN)
    assert list(tmp_path.iterdir()) == []


def _plain_database() -> bytes:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("create table t (x)")
        return database.serialize()


@pytest.mark.parametrize("name", ["collection.anki21", "collection.anki21b"])
def test_a_bomb_is_stopped_while_it_unpacks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_COLLECTION", 2**20)
    zeros = bytes(3 * 2**20)
    bomb = packed(zstandard.compress(zeros) if name.endswith("b") else zeros, name)
    assert len(bomb) < 10_000
    with pytest.raises(UploadError, match="has more than 1 MB"):
        history.read(bomb, KNOWN)


def test_too_much_is_refused_before_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_FILE", 100)
    with pytest.raises(UploadError, match="Export the course's deck alone"):
        history.read(packed(collection(GOOD)), KNOWN)
    monkeypatch.undo()
    monkeypatch.setattr(history, "MAX_REVIEWS", 1)
    with pytest.raises(UploadError, match="more than 1 reviews"):
        history.read(packed(collection(GOOD, (GOOD[0] + 1, 10, 3, 1, 1))), KNOWN)


def test_the_command_lists_reviews_and_takes_them_into_a_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], store: Store
) -> None:
    course = load_course()
    (lesson, *_) = course.lessons.values()
    card = lesson.cards[0]
    at = int((datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta()).timestamp() * 1000)
    data = collection((at, 10, 3, 4_000, 1), extra=(
        f"update notes set guid = '{deck.guid(card.id)}' where id = 1;"))  # fmt: skip
    file = tmp_path / "export.apkg"
    file.write_bytes(packed(data))
    assert command.main(["history", str(file)]) == 0
    row = f"{lesson.id}/{card.id}\t2026-03-01T12:00:00.000+00:00\t3\t4000\n"
    assert capsys.readouterr().out == row
    now = datetime.now(UTC)
    me = store.ensure_learner(new_token(), now=now)
    code = store.recovery_code(me, now=now)
    url = f"sqlite:///{tmp_path}/record.sqlite3"
    for new in ("1 entry joined", "0 entries joined"):
        assert command.main(["history", str(file), "--record", url, "--code", code]) == 0
        assert new in capsys.readouterr().out
    assert len(store.events(me)) == 1
    assert command.main(["history", str(file), "--record", url]) == 1
    assert "and the recovery code of the learner" in capsys.readouterr().err
    assert command.main(["history", str(tmp_path / "none.apkg")]) == 1
    assert "cannot read" in capsys.readouterr().err
