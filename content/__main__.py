"""`python -m content [FOLDER]`: check a course, stamp its cards, or tell what it covers."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from content import coverage, stamps
from content.load import HERE, ContentError, LoadedCourse, load_course


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if the course is free of faults, 1 if not."""
    options = _options(arguments)
    try:
        course = load_course(options.folder)
    except ContentError as error:
        _print_faults(error, options.folder)
        return 1
    if options.stamp:
        return _stamp(course, options.epoch or datetime.now(UTC).replace(microsecond=0))
    if options.coverage:
        return _cover(course)
    say(_summary(course))
    _note_unstamped(course)
    return 0


def say(line: str) -> None:
    """Print a line, whatever the terminal can show of it."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m content",
        description="Check a course folder and list every fault as path:line: message.",
        epilog="Exit status: 0 if the course is free of faults, 1 if it is not, 2 for wrong usage.",
    )
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        type=Path,
        nargs="?",
        default=HERE,
        help="a folder with a course.yaml; by default the course that comes with Surprisal",
    )
    parser.add_argument(
        "--stamp",
        action="store_true",
        help=f"record in {stamps.LOCK} when each card last changed; run it after editing cards",
    )
    parser.add_argument(
        "--coverage",
        action="store_true",
        help="print what meets each objective and what each formula rests on; 1 if any is unmet",
    )
    parser.add_argument(
        "--epoch",
        metavar="N",
        type=_time,
        help="with --stamp: the time to record, in seconds since 1970 UTC; by default the clock's",
    )
    options = parser.parse_args(arguments)
    if options.epoch and not options.stamp:
        parser.error("--epoch goes with --stamp")
    return options


def _time(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(f"expected whole seconds, not {text!r}") from None


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _print_faults(error: ContentError, folder: Path) -> None:
    for fault in error.faults:
        say(str(fault))
    files = len({fault.path for fault in error.faults})
    say(f"{_count(len(error.faults), 'fault')} in {_count(files, 'file')} of {folder}")


def _summary(course: LoadedCourse) -> str:
    lessons = course.lessons.values()
    counts = (
        _count(len(lessons), "lesson"),
        _count(sum(len(lesson.questions) for lesson in lessons), "question"),
        _count(sum(len(lesson.cards) for lesson in lessons), "card"),
        _count(sum(len(lesson.claims) for lesson in lessons), "claim"),
        _count(len(course.sources), "source"),
    )
    return "ok: " + ", ".join(counts)


def _cover(course: LoadedCourse) -> int:
    for line in coverage.table(course):
        say(line)
    return 0 if coverage.percent(course) == 100 else 1


def _note_unstamped(course: LoadedCourse) -> None:
    cards = [card for lesson in course.lessons.values() for card in lesson.cards]
    stale = [card for card in cards if course.changed(card) is None]
    gone = set(course.stamps) - {card.id for card in cards}
    if stale or gone:
        what = f"{_count(len(stale), 'card')} to stamp, {_count(len(gone), 'stamp')} to drop"
        say(f"note: {stamps.LOCK} is not up to date ({what}); run python -m content --stamp")


def _stamp(course: LoadedCourse, now: datetime) -> int:
    found = stamps.renewed(course, now)
    try:
        stamps.write(course.folder, found)
    except OSError as error:
        say(f"{stamps.LOCK} cannot be written: {error.strerror}; it is as it was")
        return 1
    new = len(found.keys() - course.stamps.keys())
    kept = sum(course.stamps.get(name) == stamp for name, stamp in found.items())
    changed = len(found) - new - kept
    say(f"stamped {_count(len(found), 'card')}: {new} new, {changed} changed, {kept} unchanged")
    return 0


if __name__ == "__main__":
    sys.exit(main())
