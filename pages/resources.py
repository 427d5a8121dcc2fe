"""What all sessions of one process share: the course, the learners' record, the decks."""

import logging
import time
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from content.load import ContentError, LoadedCourse, load_course
from drills.errors import DrillsError
from drills.queue import Syllabus
from drills.store import Store, default_url
from pages.settings import settings

if TYPE_CHECKING:
    from drills.anki_notes import Selection


def course() -> LoadedCourse:
    """Return the course, read again when one of its files has changed.

    While an edit has faults, the last good course stays: nobody is put out in mid-lesson.

    Raises:
        ContentError: with every fault in the folder, if it was never good.
    """
    loaded = _latest()
    if isinstance(loaded, LoadedCourse):
        _good[:] = [loaded]
    elif not _good:
        raise ContentError(loaded.faults)  # anew: one that is kept would gather every traceback
    return _good[0]


def faults() -> ContentError | None:
    """Return what is wrong with the files as they are now, None if nothing is."""
    loaded = _latest()
    return None if isinstance(loaded, LoadedCourse) else loaded


def syllabus() -> Syllabus:
    """Return what the course offers to review; made anew when the course was edited."""
    loaded = course()
    if not (_syllabus and _syllabus[0][0] is loaded):
        _syllabus[:] = [(loaded, Syllabus.of(loaded))]
    return _syllabus[0][1]


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


def selected(selection: "Selection", form: str, *, lesson: str | None, epoch: int) -> bytes:
    """Return a deck of these cards of a lesson, or of the whole course.

    Raises:
        DrillsError: if nothing is selected.
    """
    from drills import deck as decks

    loaded = course()
    build = {"apkg": decks.build_apkg, "tsv": decks.build_tsv}[form]
    url = deck_url(loaded)
    return build(loaded, lesson=lesson, epoch=epoch, base_url=url, selection=selection)


_syllabus: list[tuple[LoadedCourse, Syllabus]] = []  # of the latest course
_good: list[LoadedCourse] = []  # the last course without faults, if there was one


def _latest() -> LoadedCourse | ContentError:
    folder = settings().content
    return _load(folder, _changes(folder or _shipped(), int(time.monotonic())))


@lru_cache(maxsize=1)
def _load(folder: Path | None, changed: frozenset[tuple[Path, int]]) -> LoadedCourse | ContentError:
    del changed  # part of the key only: an edited file makes a new entry
    try:
        return load_course(folder)
    except ContentError as error:
        return error


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
