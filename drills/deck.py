"""The course's cards as files for Anki: `.apkg` through genanki, and a table of text.

What holds, and why (tried against Anki itself):

- A note is known by its GUID, made from the card's id and never from its text.
- Anki takes a note over when the file's is newer. So each note carries the time its own text last
  changed: an edited card is updated, and what a learner wrote into another one stays.
- The same cards give the same bytes, whenever and wherever they are exported: no clock, no
  temporary files, fixed dates in the archive, no compression (its bytes differ between versions).
- Templates and style travel with the note types and are taken over when TEMPLATES_CHANGED moves.
"""

# mypy: disable-error-code="no-untyped-call"
# (genanki has no annotations)

import hashlib
import io
import json
import sqlite3
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from genanki.deck import Deck
from genanki.model import Model
from genanki.package import Package
from genanki.util import BASE91_TABLE

from content.load import Lesson, LoadedCourse
from content.schema import Card
from drills import anki_notes, tsv
from drills.anki_notes import (
    BASIC,
    BASIC_FIELDS,
    CLOZE,
    CLOZE_FIELDS,
    EVERYTHING,
    AnkiNote,
    Picture,
    Selection,
)
from drills.errors import DeckError

NAMESPACE = "surprisal"  # of the GUIDs; never to change
BASIC_ID, CLOZE_ID = 1_684_305_127, 1_684_305_128  # of the note types; never to change
TEMPLATES_CHANGED = 1_795_219_200  # Unix seconds; to be moved on with every edit of the templates
YEAR_9999 = 253_402_300_799  # Unix seconds; milliseconds given by mistake are beyond it
_ARCHIVE_DATE = (1980, 1, 1, 0, 0, 0)
_SQLITE_VERSION = slice(96, 100)  # of the file's head: which SQLite wrote it
# Rows as genanki writes them; its Note and Card take nearly twice as long.
_NOTE = """INSERT INTO notes (id, guid, mid, mod, tags, flds, sfld, usn, csum, flags, data)
           VALUES (?, ?, ?, ?, ?, ?, ?, -1, 0, 0, '')"""
_CARD = """INSERT INTO cards (id, nid, did, ord, mod, due, usn, type, queue, ivl, factor, reps,
                              lapses, left, odue, odid, flags, data)
           VALUES (?, ?, ?, ?, ?, ?, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '')"""


def build_apkg(
    course: LoadedCourse,
    *,
    lesson: str | None = None,
    epoch: int,
    base_url: str | None = None,
    selection: Selection = EVERYTHING,
) -> bytes:
    """Return the `.apkg` of a lesson, or of the whole course: one deck for each lesson.

    Args:
        course: the loaded course.
        lesson: the id of the lesson; None for all.
        epoch: Unix seconds stamped on each note whose text is newer than the committed record.
        base_url: where the cards' links lead; by default the address in course.yaml.
        selection: which of the cards, and whether with their pictures.

    Raises:
        DeckError: no such lesson, no card selected, an id that stands twice, a cloze without a gap.
    """
    if not 0 <= epoch <= YEAR_9999:
        raise DeckError(f"expected Unix seconds, from 0 to {YEAR_9999} (year 9999), got {epoch}")
    notes = anki_notes.notes(course, lesson=lesson, base_url=base_url, selection=selection)
    times = [_changed(course, note.card, epoch) for note in notes]
    pictures = sorted({note.picture for note in notes if note.picture})
    return _archive(_collection(course, notes, times), pictures)


def build_tsv(
    course: LoadedCourse,
    *,
    lesson: str | None = None,
    epoch: int,
    base_url: str | None = None,
    selection: Selection = EVERYTHING,
) -> bytes:
    """Return the cards as UTF-8 tab-separated values for Anki's text import.

    Called as `build_apkg` is, and raises what it raises; a table holds no times, so that `epoch`
    changes nothing.
    """
    del epoch
    notes = anki_notes.notes(course, lesson=lesson, base_url=base_url, selection=selection)
    decks = [anki_notes.deck_name(course, note.lesson) for note in notes]
    return tsv.table(notes, guids=_guids(notes), decks=decks).encode()


def file_name(course: LoadedCourse, lesson: str | None, suffix: str) -> str:
    """Return what to call the file: "surprisal-dpo.apkg", or "surprisal.apkg" for all lessons.

    Raises:
        DeckError: there is no such lesson.
    """
    parts = [NAMESPACE] if lesson is None else [NAMESPACE, anki_notes.chosen(course, lesson)[0].id]
    return f"{'-'.join(parts)}.{suffix.removeprefix('.')}"


class _Model(Model):
    """A note type that is newer than a learner's only when its templates are."""

    def to_json(self, timestamp: float, deck_id: int) -> dict[str, Any]:
        del timestamp
        return dict(super().to_json(TEMPLATES_CHANGED, deck_id))


def _decks(course: LoadedCourse, notes: Sequence[AnkiNote]) -> dict[str, Deck]:
    """Return the deck of each lesson that has notes, with its note types and no note yet."""
    decks: dict[str, Deck] = {}
    for note in notes:
        if note.lesson.id not in decks:
            decks[note.lesson.id] = _deck(course, note.lesson)
        decks[note.lesson.id].add_model(note_type(note.card.kind))
    return decks


def _deck(course: LoadedCourse, lesson: Lesson) -> Deck:
    return Deck(_deck_id(course, lesson), anki_notes.deck_name(course, lesson))


def guid(card_id: str) -> str:
    """Return what Anki knows a card's note by, as genanki's slower `guid_for` makes it."""
    hashed = hashlib.sha256(f"{NAMESPACE}__{card_id}".encode()).digest()
    number, digits, base = int.from_bytes(hashed[:8]), "", len(BASE91_TABLE)
    while number:
        digits = BASE91_TABLE[number % base] + digits
        number //= base
    return digits


def _guids(notes: Sequence[AnkiNote]) -> list[str]:
    """Return the GUID of each note; Anki would import two notes of one GUID without a word."""
    guids = [guid(note.card.id) for note in notes]
    if len(set(guids)) < len(guids):
        twins = sorted(_twice(note.card.id for note in notes))
        raise DeckError(f"expected each card id once in the course, got twice: {', '.join(twins)}")
    return guids


def _changed(course: LoadedCourse, card: Card, epoch: int) -> int:
    """Return when the card's text last changed, Unix seconds; never before an earlier record."""
    recorded = course.changed(card)
    if recorded is not None:
        return int(recorded.timestamp())
    stale = course.stamps.get(card.id)
    return max(epoch, int(stale.changed.timestamp()) + 1) if stale else epoch


def _deck_id(course: LoadedCourse, lesson: Lesson) -> int:
    """Return a stable number that JavaScript holds exactly; learners' decks match by name."""
    name = f"{NAMESPACE}/{course.course.deck}/{lesson.id}"
    return (1 << 40) + int.from_bytes(hashlib.sha256(name.encode()).digest()[:5])


@cache
def note_type(kind: str) -> Model:
    """Return the note type of "basic" or "cloze" cards."""
    basic = kind == "basic"
    fields = BASIC_FIELDS if basic else CLOZE_FIELDS
    return _Model(
        BASIC_ID if basic else CLOZE_ID,
        BASIC if basic else CLOZE,
        fields=[{"name": name} for name in fields],
        templates=[_card_template(kind)],
        css=_template("card.css"),
        model_type=_Model.FRONT_BACK if basic else _Model.CLOZE,
        sort_field_index=fields.index("CardID"),
    )


def _card_template(kind: str) -> dict[str, str]:
    front, back = _template(f"{kind}_front.html"), _template(f"{kind}_back.html")
    return {"name": kind.capitalize(), "qfmt": front, "afmt": back}


def _template(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text("utf-8")


def _collection(course: LoadedCourse, notes: Sequence[AnkiNote], times: Sequence[int]) -> bytearray:
    decks, newest = _decks(course, notes), max(times)
    with closing(sqlite3.connect(":memory:")) as database:
        Package(list(decks.values())).write_to_db(database.cursor(), newest, count())
        with _without_indexes(database):
            _write(database, notes, times, decks)
        database.commit()
        data = bytearray(database.serialize())
    data[_SQLITE_VERSION] = bytes(4)
    return data


@contextmanager
def _without_indexes(database: sqlite3.Connection) -> Iterator[None]:
    """Make the indexes anew at the end, which is faster than to keep them row by row."""
    named = "SELECT name, sql FROM sqlite_master WHERE type = 'index'"
    indexes = database.execute(named).fetchall()
    for name, _ in indexes:
        database.execute(f"DROP INDEX {name}")
    yield
    for _, create in indexes:
        database.execute(create)


def _write(
    database: sqlite3.Connection,
    notes: Sequence[AnkiNote],
    times: Sequence[int],
    decks: dict[str, Deck],
) -> None:
    ids = count(max(times) * 1000)
    rows, cards = [], []
    for note, guid, changed in zip(notes, _guids(notes), times, strict=True):
        number, type_id = next(ids), note_type(note.card.kind).model_id
        tags, fields = f" {' '.join(note.tags)} ", "\x1f".join(note.fields)
        rows.append((number, guid, type_id, changed, tags, fields, note.card.id))
        deck_id = decks[note.lesson.id].deck_id
        for ordinal in note.ordinals:
            cards.append((next(ids), number, deck_id, ordinal, changed, note.place))
    database.executemany(_NOTE, rows)
    database.executemany(_CARD, cards)


def _archive(collection: bytearray, pictures: Sequence[Picture]) -> bytes:
    """Pack the collection and its pictures: files named by number, and a list of their names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_member("collection.anki2"), collection)
        names = {str(number): picture.name for number, picture in enumerate(pictures)}
        archive.writestr(_member("media"), json.dumps(names))
        for number, picture in enumerate(pictures):
            archive.writestr(_member(str(number)), _read(picture))
    return file.getvalue()


def _read(picture: Picture) -> bytes:
    try:
        return picture.path.read_bytes()
    except OSError as error:
        raise DeckError(f"the picture {picture.path} cannot be read: {error.strerror}") from error


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _ARCHIVE_DATE)
    member.create_system = 3  # Unix, wherever it is written
    member.external_attr = 0o644 << 16
    return member


def _twice(ids: Iterable[str]) -> set[str]:
    return {each for each, times in Counter(ids).items() if times > 1}
