"""The record taken along: as JSON, which can be brought back anywhere, and as tables.

What `Store.export` gives is read here as if a stranger had written it: bounded, each event held
against its model, refused as a whole with the event named that is at fault. Nonces are kept, so
that a record brought twice, or where it partly is already, changes nothing twice.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from drills.errors import DrillsError, UploadError
from drills.events import (
    KINDS,
    LATEST_MS,
    Answered,
    Belief,
    Event,
    Predicted,
    Repredicted,
    check_item,
)
from drills.record import Record
from drills.reviews import Done, Reviews
from drills.store import MAX_NONCE, Entry

FORMAT, VERSION = "surprisal-record", 1
MAX_FILE = 256 * 2**20  # bytes
MAX_EVENTS = 1_000_000
_LATEST = datetime.fromtimestamp(LATEST_MS / 1000, UTC)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_REVIEWS = ("card", "at", "day", "rating", "milliseconds", "where", "stage")
_ANSWERS = ("kind", "question", "at", "probabilities", "right", "bits", "hint")


def read(data: bytes) -> list[Entry]:
    """Return the events of a downloaded record, in its order, ready for `Store.append_all`.

    Raises:
        UploadError: it is no such record, of a newer version, damaged, or too large.
    """
    if len(data) > MAX_FILE:
        raise UploadError(
            f"The file has {len(data) / 2**20:,.0f} MB; {MAX_FILE // 2**20} MB are read. Choose "
            f"the record that you downloaded here."
        )
    events = _events(_parsed(data))
    if len(events) > MAX_EVENTS:
        raise UploadError(f"The record has {len(events):,} events; {MAX_EVENTS:,} are read.")
    return [_entry(number, event) for number, event in enumerate(events, start=1)]


def fresh(entries: Iterable[Entry], events: Iterable[Event[Any]]) -> list[Entry]:
    """Return the entries that a record with these events does not hold, each once."""
    known = {event.nonce for event in events}
    found = {entry.nonce: entry for entry in entries if entry.nonce not in known}
    return list(found.values())


def reviews_csv(reviews: Reviews) -> str:
    """Return all reviews that count, oldest first: one row each, the stage before it with it."""
    found = sorted(
        (done.at_ms, done.id, name, done)
        for name, learnt in reviews.cards.items()
        for done in learnt.log
    )
    return _table(_REVIEWS, [_review(name, done) for _, _, name, done in found])


def answers_csv(record: Record) -> str:
    """Return all stated beliefs, oldest first; probabilities are parted by spaces."""
    kinds: tuple[type[Belief], ...] = (Predicted, Repredicted, Answered)
    found = sorted((event for kind in kinds for event in record.all(kind)), key=lambda e: e.id)
    return _table(_ANSWERS, [_answer(event) for event in found])


def _review(card: str, done: Done) -> tuple[object, ...]:
    day = date.fromordinal(done.day).isoformat()
    at = done.at.isoformat()
    return (card, at, day, done.rating, done.milliseconds, done.where, done.stage)


def _answer(event: Event[Belief]) -> tuple[object, ...]:
    said, at = event.payload, event.at.isoformat()
    stated = " ".join(f"{probability:.6g}" for probability in said.probabilities)
    return (event.kind, event.item, at, stated, said.right, f"{said.bits:.6g}", int(said.hint))


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([head, *rows])
    return file.getvalue()


def _parsed(data: bytes) -> Any:  # noqa: ANN401  # whatever JSON holds
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # both the encoding and the JSON
        raise UploadError(
            "The file is not a record: it is no JSON, or was cut off. Download the record again."
        ) from error


def _events(record: Any) -> list[Any]:  # noqa: ANN401
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise UploadError("The file is not a record from here. Choose the JSON you downloaded.")
    if record.get("version") != VERSION:
        raise UploadError(
            f"The record has version {str(record.get('version'))[:20]}; this Surprisal reads "
            f"version {VERSION}. Update it, then bring the record again."
        )
    events = record.get("events")
    if not isinstance(events, list):
        raise UploadError("The record has no list of events. Download it again.")
    return events


def _entry(number: int, event: Any) -> Entry:  # noqa: ANN401
    try:
        return _checked(event)
    except (DrillsError, KeyError, TypeError, ValueError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else error
        raise UploadError(
            f"Event {number} of the record cannot be read: {what} Nothing was taken in."
        ) from error


def _checked(event: Any) -> Entry:  # noqa: ANN401
    kind, nonce, payload = str(event["kind"]), event["nonce"], event["payload"]
    if kind not in KINDS:
        raise DrillsError(f"{kind[:40]!r} is of a newer version. Update Surprisal.")
    if not isinstance(nonce, str) or not 1 <= len(nonce) <= MAX_NONCE:
        raise DrillsError(f"A nonce has 1 to {MAX_NONCE} characters.")
    if not isinstance(payload, dict):
        raise DrillsError("What it says is no object.")
    at = datetime.fromisoformat(str(event["at"]))
    if at.tzinfo is None or not _EARLIEST <= at <= _LATEST:
        raise DrillsError(f"Its moment {str(at)[:40]!r} has no time zone or lies in no such year.")
    return Entry(check_item(str(event["item"])), KINDS[kind](**payload), nonce, at)
