"""When each card last changed: `cards.lock.yaml`, kept beside the course and committed with it.

Anki overwrites a learner's note only when the deck's note is newer, so a card must carry the time
its content changed and not the time the deck was built.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import to_json

from content.explain import explain, shown
from content.files import Document, Reader
from content.markdown import Role, parts
from content.schema import Card, Source, Stamp

if TYPE_CHECKING:
    from content.load import LoadedCourse

LOCK = "cards.lock.yaml"
_HEAD = "# When the content of each card last changed. Written by `python -m content --stamp`.\n"


@dataclass(frozen=True, slots=True)
class CardStamp:
    """The content of a card, and since when it is so."""

    digest: str  # SHA-256, 64 hexadecimal digits
    changed: datetime  # UTC


def digest(card: Card, course: "LoadedCourse") -> str:
    """SHA-256 over all that a learner sees of a card, with what its roles and source stand for."""
    lesson, fields = course.lesson_of(card), _seen(card)
    named: dict[str, set[str]] = {"cite": {card.source}, "claim": set()}
    for role in _roles(fields.values()):
        named.setdefault(role.name, set()).add(role.target)
    stated, cited = sorted(named["claim"]), sorted(named["cite"])
    seen = {
        "card": fields,
        "claims": {target: course.claim(target, lesson=lesson).shown for target in stated},
        "lesson": lesson,
        "sources": {key: course.works[key] for key in cited if key in course.works},
    }
    return hashlib.sha256(to_json(seen)).hexdigest()


def works(sources: Mapping[str, Source]) -> dict[str, dict[str, Any]]:
    """What a learner sees of each source."""
    return {key: _seen(source) for key, source in sources.items()}


def _seen(entry: Card | Source) -> dict[str, Any]:
    names = _names_seen(type(entry))
    return {name: value for name in names if (value := getattr(entry, name)) is not None}


@cache
def _names_seen(kind: type[Card | Source]) -> list[str]:
    """The fields that a learner sees, in one order, so that the same content hashes the same."""
    return sorted(kind.model_fields.keys() - {"objective", "opened"})


def _roles(texts: Iterable[str]) -> list[Role]:
    """The roles of texts that cite or claim; others are not parsed, which would take longest."""
    return [
        part
        for text in texts
        if "{cite}`" in text or "{claim}`" in text
        for part in parts(text)
        if isinstance(part, Role)
    ]


def read(reader: Reader) -> dict[str, CardStamp]:
    """The stamps of a course; none if it has not been stamped. Faults are left with the reader."""
    if not (reader.folder / LOCK).is_file():
        return {}
    document = reader.document(LOCK)
    if document is None or document.data is None:
        return {}
    if not isinstance(document.data, dict):
        reader.fault(LOCK, document.line(), f"expected card ids, not {shown(document.data)}")
        return {}
    found = {name: _stamp(reader, document, name) for name in document.data}
    return {name: stamp for name, stamp in found.items() if stamp}


def _stamp(reader: Reader, document: Document, name: str) -> CardStamp | None:
    try:
        stamp = Stamp.model_validate(document.data[name])
    except ValidationError as error:
        for place, message in explain(error, Stamp.model_fields):
            reader.fault(LOCK, document.line(name, *place), f"stamp of card `{name}`: {message}")
        return None
    return CardStamp(stamp.digest, stamp.time.astimezone(UTC))


def renewed(course: "LoadedCourse", now: datetime) -> dict[str, CardStamp]:
    """The stamps of every card: kept where the content is the same, `now` where it is not.

    A card that changed is stamped later than it was before, even if the clock says otherwise.
    """
    return {
        card.id: _renewed(course.stamps.get(card.id), course.digest(card), now)
        for lesson in course.lessons.values()
        for card in lesson.cards
    }


def _renewed(old: CardStamp | None, content: str, now: datetime) -> CardStamp:
    if old is None:
        return CardStamp(content, now)
    if old.digest == content:
        return old
    return CardStamp(content, max(now, old.changed + timedelta(seconds=1)))


def write(folder: Path, found: dict[str, CardStamp]) -> None:
    """Write the lock file whole or not at all; the same stamps give the same bytes."""
    lines = [
        f'{name}:\n  changed: "{stamp.changed:%Y-%m-%dT%H:%M:%SZ}"\n  digest: "{stamp.digest}"\n'
        for name, stamp in sorted(found.items())
    ]
    new = folder / f".{LOCK}.{os.getpid()}"
    try:
        new.write_text(_HEAD + "".join(lines), encoding="utf-8", newline="\n")
        new.replace(folder / LOCK)
    finally:
        new.unlink(missing_ok=True)
