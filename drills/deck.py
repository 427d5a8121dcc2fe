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
from contextlib import closing
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from genanki.card import Card as AnkiCard
from genanki.deck import Deck
from genanki.model import Model
from genanki.note import Note
from genanki.package import Package
from genanki.util import guid_for

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
    decks = _decks(course, notes, times)
    pictures = sorted({note.picture for note in notes if note.picture})
    return _archive(_collection(decks, newest=max(times)), pictures)


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


class _Note(Note):
    """A note that carries the time of its own last change; its fields are known to be HTML."""

    changed: int

    def _check_invalid_html_tags_in_fields(self) -> None:
        """Trust `drills.anki_html`, which the tests hold to it; the search would cost a fifth."""

    def write_to_db(
        self, cursor: sqlite3.Cursor, timestamp: float, deck_id: int, id_gen: Iterator[int]
    ) -> None:
        del timestamp
        super().write_to_db(cursor, self.changed, deck_id, id_gen)


def _decks(course: LoadedCourse, notes: Sequence[AnkiNote], times: Sequence[int]) -> list[Deck]:
    decks: dict[str, Deck] = {}
    for note, guid, changed in zip(notes, _guids(notes), times, strict=True):
        if note.lesson.id not in decks:
            decks[note.lesson.id] = _deck(course, note.lesson)
        decks[note.lesson.id].add_note(_note(note, guid, changed))
    return list(decks.values())


def _deck(course: LoadedCourse, lesson: Lesson) -> Deck:
    return Deck(_deck_id(course, lesson), anki_notes.deck_name(course, lesson))


def _note(note: AnkiNote, guid: str, changed: int) -> _Note:
    made = _Note(note_type(note.card.kind), list(note.fields), guid=guid, due=note.place)
    made.tags, made.changed = note.tags, changed
    made.cards = [AnkiCard(ordinal) for ordinal in note.ordinals]
    return made


def guid(card_id: str) -> str:
    """Return what Anki knows a card's note by."""
    return str(guid_for(NAMESPACE, card_id))


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


def _collection(decks: list[Deck], *, newest: int) -> bytes:
    with closing(sqlite3.connect(":memory:")) as database:
        Package(decks).write_to_db(database.cursor(), newest, count(newest * 1000))
        database.commit()
        data = bytearray(database.serialize())
    data[_SQLITE_VERSION] = bytes(4)
    return bytes(data)


def _archive(collection: bytes, pictures: Sequence[Picture]) -> bytes:
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
