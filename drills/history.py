"""Reviews brought back from Anki: an export with scheduling, read as if it were hostile.

An `.apkg` or `.colpkg` is a zip that holds a SQLite database: `collection.anki21b` (compressed by
zstd) in files of today, `collection.anki21` or `collection.anki2` in older ones. Today's files also
hold a `collection.anki2` that only asks for an update; so the newest form is read.

Sizes are capped before and while something is unpacked, members are read by name and never written
under it, and SQLite opens a private copy that it cannot change. What cannot be read is refused in
words, and nothing of it is kept.
"""

import hashlib
import io
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import zstandard

from content.load import LoadedCourse
from drills import deck
from drills.errors import UploadError
from drills.events import LATEST_MS, MAX_ANSWER_MS, Queued, Reviewed, Unreviewed, item
from drills.reviews import Reviews
from drills.store import Entry

MAX_FILE = 256 * 2**20  # bytes of an export; pictures and sounds of other decks may be in it
MAX_COLLECTION = 512 * 2**20  # bytes of the database in it
MAX_REVIEWS = 500_000  # twenty years of seventy a day
_CHUNK = 2**20
_WINDOW = 2**27  # bytes that zstd may look back: what its highest level asks for, and no more
_FORMS = ("collection.anki21b", "collection.anki21", "collection.anki2")  # the newest first
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HEAD = b"SQLite format 3\x00"
_TABLES = {"cards", "notes", "revlog"}
_STEP, _STEPS = 100_000, 20_000  # of SQLite's machine: 2e9, some ten times what the caps allow
_LONGEST = 64 * 2**20  # bytes of one value: a note with everything in it
_GRADED = (0, 1, 2)  # revlog.type: learning, review, relearning
_FILTERED, _MANUAL = 3, 4  # in a filtered deck; by hand. What is left was rescheduled by Anki
_ROWS = """
select notes.guid, cards.ord, revlog.id, revlog.ease, revlog.time, revlog.type, revlog.factor
from revlog join cards on cards.id = revlog.cid join notes on notes.id = cards.nid
order by revlog.id
"""


Known = Mapping[tuple[str, int], str]  # GUID of a note, ordinal of its card -> lesson/card


class AnkiReview(NamedTuple):
    """One review in Anki of a card of the course."""

    item: str
    guid: str
    ordinal: int
    at_ms: int  # UTC
    rating: int
    milliseconds: int

    @property
    def nonce(self) -> str:
        """The same review has the same nonce, in whichever file it comes."""
        return f"anki-{self.guid}-{self.ordinal}-{self.at_ms}"

    @property
    def payload(self) -> Reviewed:
        """The review as an event."""
        spent = min(max(self.milliseconds, 0), MAX_ANSWER_MS)
        return Reviewed(rating=self.rating, milliseconds=spent, at_ms=self.at_ms, where="anki")


class _Row(NamedTuple):
    """One line of the log, with the note and the card it is about."""

    guid: str
    ordinal: int
    at_ms: int
    ease: int
    milliseconds: int
    kind: int
    factor: int

    @property
    def grades(self) -> bool:
        """Whether it is a review that counts: one to cram leaves the card as it was."""
        counts = self.kind in _GRADED or (self.kind == _FILTERED and self.factor != 0)
        return counts and 1 <= self.ease <= 4

    @property
    def resets(self) -> bool:
        """Whether it sets the card back to new, told apart as Anki does."""
        return self.kind == _MANUAL and self.ease == 0 and self.factor == 0

    @property
    def moves(self) -> bool:
        """Whether it gives the card another date and leaves its memory as it is."""
        return self.kind == _MANUAL and self.factor != 0


@dataclass(frozen=True)
class History:
    """What an export holds."""

    reviews: tuple[AnkiReview, ...]  # oldest first
    resets: Mapping[str, int]  # cards set back to new: when last, milliseconds since 1970, UTC
    moved: int  # cards whose date was set by hand and that were not reviewed since
    elsewhere: int  # lines on cards that are not of this course
    ungraded: int  # other lines that change nothing: crammed, rescheduled

    def entries(self, reviews: Reviews) -> list[Entry]:
        """Return what joins a record that stands at `reviews`.

        What was reviewed before a card was set back to new, in Anki or here, is taken back: then
        its memory is the one that Anki knows.
        """
        made = [Entry(each.item, each.payload, each.nonce) for each in self.reviews]
        made += [Entry(name, Queued(), f"anki-new-{_hash(name)}") for name in self._new()]
        return made + [
            Entry(name, Unreviewed(nonce=nonce), f"anki-reset-{_hash(nonce)}")
            for name, nonce in self._before_resets(reviews)
        ]

    def _new(self) -> list[str]:
        """Return the cards that are new again: they stay among those to be reviewed."""
        latest = {each.item: each.at_ms for each in self.reviews}
        return [name for name, at in self.resets.items() if latest.get(name, 0) < at]

    def _before_resets(self, reviews: Reviews) -> Iterator[tuple[str, str]]:
        for each in self.reviews:
            if each.at_ms < self.resets.get(each.item, 0):
                yield each.item, each.nonce
        for name, at in self.resets.items():
            for done in reviews.cards[name].log if name in reviews.cards else ():
                if done.at_ms < at:
                    yield name, done.nonce


def known(course: LoadedCourse) -> Known:
    """Return what each card of the course's decks is called here."""
    return {
        (deck.guid(asked.card.id), max(0, asked.gap - 1)): item(lesson.id, name)
        for lesson in course.lessons.values()
        for name, asked in lesson.asked.items()
    }


def read(file: Path | bytes, known: Known) -> History:
    """Return the reviews of an Anki export.

    Args:
        file: the `.apkg` or `.colpkg`, or its bytes.
        known: the cards of the course, as `known` gives them.

    Raises:
        UploadError: not an export with scheduling, of another deck only, damaged, or too large.
    """
    with tempfile.TemporaryDirectory(prefix="surprisal-") as folder:
        copy = Path(folder) / "collection"
        with _opened(file) as stream, copy.open("wb") as out:
            _unpack(stream, out)
        rows = _rows(copy)
    return _sorted(rows, known)


def _opened(file: Path | bytes) -> IO[bytes]:
    size = len(file) if isinstance(file, bytes) else file.stat().st_size
    if size > MAX_FILE:
        raise UploadError(
            f"The file has {size / 2**20:,.0f} MB; {MAX_FILE // 2**20} MB are read. Export the "
            f"course's deck alone, without media."
        )
    return io.BytesIO(file) if isinstance(file, bytes) else file.open("rb")


def _unpack(stream: IO[bytes], out: IO[bytes]) -> None:
    """Write the collection in an archive to a file of ours."""
    try:
        with zipfile.ZipFile(stream) as archive:
            member = _member(archive)
            with archive.open(member) as packed:
                plain = _plain(packed, member.filename)
                _copy(plain, out)
    except UploadError:
        raise
    except (zipfile.BadZipFile, zlib.error, zstandard.ZstdError, EOFError) as error:
        raise UploadError(
            "The file is not an Anki export, or was cut off on its way. Export the deck again "
            "with scheduling information, and choose that file."
        ) from error
    except (NotImplementedError, RuntimeError, OSError, ValueError, OverflowError) as error:
        raise UploadError(
            f"The file is no archive that Anki writes ({error}). Export the deck again."
        ) from error


def _member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the newest form of the collection; its name is one of ours, whatever else is there."""
    names = set(archive.namelist())
    form = next((each for each in _FORMS if each in names), None)
    if form is None:
        raise UploadError(
            "There is no collection in this archive. Choose an .apkg or .colpkg that Anki exported."
        )
    member = archive.getinfo(form)
    if member.flag_bits & 1:
        raise UploadError("The archive is locked by a password. Anki writes none; export again.")
    if member.compress_type not in _PACKED:
        raise UploadError("The archive is packed in a way that Anki does not use. Export again.")
    if member.file_size > MAX_COLLECTION:
        raise _too_large()
    return member


def _plain(packed: IO[bytes], name: str) -> Any:  # noqa: ANN401  # anything with `read`
    if not name.endswith("b"):
        return packed
    return zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(packed)


def _copy(plain: Any, out: IO[bytes]) -> None:  # noqa: ANN401
    """Copy up to the cap, whatever sizes the archive declares."""
    left = MAX_COLLECTION
    while chunk := plain.read(min(_CHUNK, left + 1)):
        left -= len(chunk)
        if left < 0:
            raise _too_large()
        out.write(chunk)


def _rows(copy: Path) -> list[tuple[Any, ...]]:
    """Return the log of a collection, joined to its notes."""
    with copy.open("rb") as file:
        if file.read(len(_HEAD)) != _HEAD:
            raise UploadError("The collection in this archive is damaged. Export the deck again.")
    address = f"{copy.as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            _guard(database)
            _check_tables(database)
            rows = database.execute(_ROWS).fetchmany(MAX_REVIEWS + 1)
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        raise UploadError(
            f"The collection in this archive cannot be read ({error}). In Anki, check the "
            f"database (Tools menu), then export again."
        ) from error
    if len(rows) > MAX_REVIEWS:
        raise UploadError(
            f"The file holds more than {MAX_REVIEWS:,} reviews. Export the course's deck alone."
        )
    return rows


def _guard(database: sqlite3.Connection) -> None:
    """Let a collection run nothing of its own, and no query forever."""
    steps = iter(range(_STEPS))
    database.set_progress_handler(lambda: next(steps, None) is None, _STEP)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA query_only = ON")


def _check_tables(database: sqlite3.Connection) -> None:
    """Refuse what has no such tables; a view of that name is none."""
    found = database.execute("select name from sqlite_master where type = 'table'").fetchall()
    if not {name for (name,) in found} >= _TABLES:
        raise UploadError("This database is no collection of Anki's. Choose an export from Anki.")


def _sorted(rows: Iterable[tuple[Any, ...]], known: Known) -> History:
    """Sort the log, oldest first, into what happened to the course's cards and what else is."""
    reviews, resets, moved = dict[str, AnkiReview](), dict[str, int](), set[str]()
    counts = {"elsewhere": 0, "ungraded": 0}
    for row in _whole(rows):
        name = known.get((row.guid, row.ordinal))
        if name is None:
            counts["elsewhere"] += 1
        elif row.moves:
            moved.add(name)
        elif row.resets:
            resets[name] = row.at_ms
            moved.discard(name)
        elif row.grades:
            review = AnkiReview(name, *row[:5])
            reviews[review.nonce] = review
            moved.discard(name)
        else:
            counts["ungraded"] += 1
    if not reviews:
        raise _nothing(counts["elsewhere"])
    return History(tuple(reviews.values()), resets, len(moved), **counts)


def _whole(rows: Iterable[tuple[Any, ...]]) -> Iterator[_Row]:
    """Yield the rows that are as Anki writes them: SQLite holds anything anywhere."""
    for guid, *numbers in rows:
        if isinstance(guid, str) and all(isinstance(each, int) for each in numbers):
            row = _Row(guid, *numbers)
            if 0 < row.at_ms <= LATEST_MS:
                yield row


def _nothing(elsewhere: int) -> UploadError:
    if elsewhere:
        return UploadError(
            f"The file holds {elsewhere:,} reviews, none of a card of this course. Export the "
            f"deck that came from here."
        )
    return UploadError(
        "The file holds no reviews. In Anki's export, tick 'Include scheduling information'."
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _too_large() -> UploadError:
    return UploadError(
        f"The collection in this archive has more than {MAX_COLLECTION // 2**20} MB. Export the "
        f"course's deck alone."
    )
