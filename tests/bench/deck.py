"""Deck export against bare genanki, which is given the finished notes to write."""

# mypy: disable-error-code="no-untyped-call"
# (genanki has no annotations)

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from genanki.deck import Deck
from genanki.model import Model
from genanki.note import Note
from genanki.package import Package
from genanki.util import guid_for

from content.load import CardStamp, LoadedCourse, load_course
from content.schema import BasicCard, Card
from drills import anki_notes, deck
from drills.anki_notes import AnkiNote
from tests.bench.measure import Seconds, interleaved

CARDS = 10_000
EPOCH = 1_795_219_200  # Unix seconds


def ratio() -> Seconds:
    """Return (ours, the peer's) seconds from CARDS cards to a file.

    Ours converts their Markdown, the peer is handed the HTML. Both make GUIDs and write the same
    fields, tags and places, without compression. Every card is on record; which of them changed is
    found out once for a loaded course, before the clock starts.
    """
    course = many_cards(CARDS)
    notes = anki_notes.notes(course, lesson=None, base_url=None)
    with TemporaryDirectory() as folder:
        ours, peer = Path(folder, "ours.apkg"), Path(folder, "peer.apkg")
        return interleaved(
            lambda: _seconds(lambda: export(course, ours)),
            lambda: _seconds(lambda: bare_genanki(notes, peer)),
            rounds=7,
            warm_up=2,
        )


def export(course: LoadedCourse, out: Path) -> None:
    """Write the deck as the command and the route do."""
    out.write_bytes(deck.build_apkg(course, epoch=EPOCH))


def bare_genanki(notes: list[AnkiNote], out: Path) -> None:
    """Write the same notes by genanki alone, as its README does."""
    made = Deck(EPOCH, "peer")
    models = {kind: _plain_model(kind) for kind in ("basic", "cloze")}
    for note in notes:
        model, guid = models[note.card.kind], guid_for("peer", note.card.id)
        made.add_note(Note(model, list(note.fields), tags=note.tags, guid=guid, due=note.place))
    Package(made).write_to_file(out, timestamp=EPOCH)


def many_cards(count: int) -> LoadedCourse:
    """Return the shipped course with `count` cards in its first lesson, no two texts alike."""
    course = load_course()
    lesson = next(iter(course.lessons.values()))
    cards = tuple(
        _numbered(lesson.cards[number % len(lesson.cards)], number) for number in range(count)
    )
    grown = replace(course, lessons={lesson.id: replace(lesson, cards=cards)})
    changed = datetime.fromtimestamp(EPOCH, UTC)
    stamps = {card.id: CardStamp(grown.digest(card), changed) for card in cards}
    return replace(grown, stamps=stamps)


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
