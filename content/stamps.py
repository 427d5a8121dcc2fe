"""When each card last changed: `cards.lock.yaml`, kept beside the course and committed with it.

Anki overwrites a learner's note only when the deck's note is newer, so a card must carry the time
its content changed and not the time the deck was built.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from content.explain import explain, shown
from content.files import Document, Reader
from content.markdown import Role, parts
from content.schema import Card, Source, Stamp, texts

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
    lesson = course.lesson_of(card)
    roles = list(_roles(card))
    cited = {role.target for role in roles if role.name == "cite"} | {card.source}
    stated = {role.target for role in roles if role.name == "claim"}
    seen = {
        "lesson": lesson,
        "card": card.model_dump(exclude={"objective"}, exclude_none=True),
        "sources": {key: _work(course.sources[key]) for key in cited if key in course.sources},
        "claims": {target: course.claim(target, lesson=lesson).shown for target in stated},
    }
    text = json.dumps(seen, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _roles(card: Card) -> Iterator[Role]:
    for _, text in texts(type(card), card.model_dump()):
        yield from (part for part in parts(text) if isinstance(part, Role))


def _work(source: Source) -> dict[str, object]:
    return source.model_dump(mode="json", exclude={"opened"}, exclude_none=True)


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
