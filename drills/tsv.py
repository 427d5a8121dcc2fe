"""The deck as a table of tab-separated values: Anki's text import, and every spreadsheet.

The columns stand in the order of the note type's fields, because Anki maps them by their order.
Every cell is quoted: unquoted, a `#` that starts a row drops the row and a `"` swallows the rest.

A row of gaps is written as a question and its answer, with the GUID of its note. Over the deck
Anki then leaves the note as it is ("conflicting": it has the other note type); where the note
types are unknown, it becomes a plain card like the others. A column of note types would update
both kinds, but Anki skips each row whose note type it does not know, which in a collection
without the deck is every row.
"""

from collections.abc import Iterable, Sequence

from drills.anki_html import Cloze
from drills.anki_notes import BASIC, AnkiNote

_HEAD = "#separator:tab\n#html:true\n#notetype:{notetype}\n{deck}\n#guid column:1\n{tags}\n"
_COLUMNS = 8  # guid, the six written fields, tags


def table(notes: Iterable[AnkiNote], *, guids: Sequence[str], decks: Sequence[str]) -> str:
    """Return the file's text; `guids` and `decks` hold the GUID and the deck of each note.

    One deck is named in the head; several take a column before the tags.
    """
    several = len(set(decks)) > 1
    head = _HEAD.format(
        notetype=BASIC,
        deck=f"#deck column:{_COLUMNS}" if several else f"#deck:{decks[0]}",
        tags=f"#tags column:{_COLUMNS + several}",
    )
    rows = [
        _row(guid, *_fields(note), *([deck] if several else []), " ".join(note.tags))
        for note, guid, deck in zip(notes, guids, decks, strict=True)
    ]
    return head + "".join(rows)


def _fields(note: AnkiNote) -> tuple[str, ...]:
    """Return Question, Answer, Why, Source, SourceURL, CardID."""
    first, second, *rest = note.text
    if isinstance(first, Cloze):
        return (first.shut, first.filled, str(second), note.source, note.link, note.card.id)
    return (first, str(second), *map(str, rest), note.source, note.link, note.card.id)


def _row(*cells: str) -> str:
    return "\t".join(f'"{cell.replace(chr(34), 2 * chr(34))}"' for cell in cells) + "\n"
