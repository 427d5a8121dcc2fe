"""Deck export against bare genanki, which is given the finished notes to write."""

# mypy: disable-error-code="no-untyped-call"
# (genanki has no annotations)

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

from genanki.deck import Deck
from genanki.model import Model
from genanki.note import Note
from genanki.package import Package
from genanki.util import guid_for

from content import stamps
from content.load import LoadedCourse, load_course
from content.schema import BasicCard, Card
from drills import anki_notes, deck
from tests.bench.measure import Seconds, interleaved

CARDS = 10_000
EPOCH = 1_795_219_200  # Unix seconds


class PeerNote(NamedTuple):
    """One of our notes, all but its GUID worked out: what genanki is given."""

    kind: str
    card: str
    place: int
    fields: list[str]
    tags: list[str]


def ratio() -> Seconds:
    """Return (ours, the peer's) seconds from CARDS cards to a file.

    Ours converts their Markdown and finds out which of them changed since they were stamped, as it
    must the first time that a loaded course is exported; the peer is handed the HTML. Both make
    GUIDs and write the same fields, tags, places and pictures, without compression.
    """
    course = many_cards(CARDS)
    notes = anki_notes.notes(course, lesson=None, base_url=None)
    given = [
        PeerNote(note.card.kind, note.card.id, note.place, list(note.fields), note.tags)
        for note in notes
    ]
    pictures = sorted({str(note.picture.path) for note in notes if note.picture})
    with TemporaryDirectory() as folder:
        ours, peer = Path(folder, "ours.apkg"), Path(folder, "peer.apkg")
        return interleaved(
            lambda: _seconds(lambda: export(course, ours)),
            lambda: _seconds(lambda: bare_genanki(given, pictures, peer)),
            rounds=15,
            warm_up=2,
        )


def export(course: LoadedCourse, out: Path) -> None:
    """Write the deck as the command does, which remembers nothing of an earlier export."""
    deck.note_type.cache_clear()
    out.write_bytes(deck.build_apkg(replace(course), epoch=EPOCH))


def bare_genanki(notes: list[PeerNote], pictures: list[str], out: Path) -> None:
    """Write the same notes by genanki alone, as its README does."""
    made = Deck(EPOCH, "peer")
    models = {kind: _plain_model(kind) for kind in ("basic", "cloze")}
    for note in notes:
        model, guid = models[note.kind], guid_for("peer", note.card)
        made.add_note(Note(model, note.fields, tags=note.tags, guid=guid, due=note.place))
    Package(made, pictures).write_to_file(out, timestamp=EPOCH)


def many_cards(count: int) -> LoadedCourse:
    """Return the shipped course with `count` cards: its own in turn, no two texts alike."""
    course = load_course()
    shipped = [(lesson.id, card) for lesson in course.lessons.values() for card in lesson.cards]
    made: dict[str, list[Card]] = {name: [] for name in course.lessons}
    for number, (name, card) in enumerate(islice(cycle(shipped), count)):
        made[name].append(_numbered(card, number))
    lessons = {
        name: replace(lesson, cards=tuple(made[name])) for name, lesson in course.lessons.items()
    }
    return _stamped(replace(course, lessons=lessons))


def _stamped(course: LoadedCourse) -> LoadedCourse:
    """Return the course with each of its cards on record as it is."""
    return replace(course, stamps=stamps.renewed(course, datetime.fromtimestamp(EPOCH, UTC)))


def _numbered(card: Card, number: int) -> Card:
    """Return the card under another id, its first text and its explanation told apart."""
    texts = ("question", "why") if isinstance(card, BasicCard) else ("text", "extra")
    changed = {name: f"{getattr(card, name)} ({number})" for name in texts}
    return card.model_copy(update={"id": f"{card.id}-{number}", **changed})


def _plain_model(kind: str) -> Model:
    ours = deck.note_type(kind)
    return Model(
        ours.model_id,
        ours.name,
        fields=ours.fields,
        templates=ours.templates,
        css=ours.css,
        model_type=ours.model_type,
    )


def _seconds(run: Callable[[], None]) -> float:
    start = perf_counter()
    run()
    return perf_counter() - start
