"""What all sessions of one process share: the course, the learners' record, the decks."""

import logging
import time
from functools import cache, lru_cache
from pathlib import Path

from content.load import LoadedCourse, load_course
from drills.errors import DrillsError
from drills.store import Store, default_url
from pages.settings import settings


def course() -> LoadedCourse:
    """Return the course, read again when one of its files has changed.

    Raises:
        ContentError: with every fault in the folder.
    """
    folder = settings().content
    return _load(folder, _changes(folder or _shipped(), int(time.monotonic())))


def deck_url(loaded: LoadedCourse) -> str:
    """Return the address that cards link to."""
    return settings().public_url or str(loaded.course.url)


@cache
def store() -> Store:
    """Return the record, its tables brought up to date on the first call."""
    opened = Store(settings().database_url or default_url())
    opened.migrate()
    return opened


def reachable_store() -> Store | None:
    """Return the record, or None while its database cannot be reached."""
    try:
        return store()
    except DrillsError as error:
        logging.getLogger(__name__).error("The record cannot be opened: %s", error)
        return None


def record_reachable() -> bool:
    """Say whether progress can be kept just now."""
    opened = reachable_store()
    return opened is not None and opened.reachable()


def deck(lesson: str, form: str, *, epoch: int) -> tuple[str, bytes]:
    """Return the file name and bytes of a deck; the lesson `course` is the whole course.

    Raises:
        DrillsError: if there is no such lesson.
    """
    from drills import deck as decks

    loaded = course()
    which = None if lesson == "course" else lesson
    build = {"apkg": decks.build_apkg, "tsv": decks.build_tsv}[form]
    data = build(loaded, lesson=which, epoch=epoch, base_url=deck_url(loaded))
    return decks.file_name(loaded, which, form), data


@lru_cache(maxsize=1)
def _load(folder: Path | None, changed: frozenset[tuple[Path, int]]) -> LoadedCourse:
    del changed  # part of the key only: an edited file makes a new entry
    return load_course(folder)


@lru_cache(maxsize=1)
def _changes(folder: Path, _second: int) -> frozenset[tuple[Path, int]]:
    """Look at the files once a second, however many pages ask: which are there, changed when."""
    files = [*folder.glob("*.yaml"), *folder.glob("lessons/*/*")]
    return frozenset((file, _changed(file)) for file in files)


def _changed(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:  # gone again, as the temporary files of editors are
        return 0


def _shipped() -> Path:
    return Path(__file__).parent.parent / "content"
