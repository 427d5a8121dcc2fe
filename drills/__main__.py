"""`python -m drills apkg|tsv OUT`: the course's cards; `history FILE`: the reviews made in Anki."""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from content.faults import suggest
from content.load import ContentError, LoadedCourse, load_course
from drills import anki_notes, deck, history, optimize, telling
from drills.anki_notes import Selection
from drills.errors import DrillsError
from drills.events import LearnerId
from drills.queue import Syllabus, missed
from drills.reviews import Reviews
from drills.store import Store

DONE, FAILED = 0, 1  # exit codes; argparse's own is 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the deck asked for and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        sys.stdout.write(options.run(options))
    except ContentError as error:
        return _refuse(f"{error}\nNothing was written. `python -m content FOLDER` checks again.")
    except DrillsError as error:
        return _refuse(str(error))
    except OSError as error:
        reason, file = error.strerror or error, getattr(options, "out", None)
        if file is None:
            return _refuse(f"cannot read {options.file}: {reason}; name a file of yours")
        return _refuse(f"cannot write {file}: {reason}; name a file in a folder of yours")
    return DONE


def _export(options: argparse.Namespace) -> str:
    """Write the file and return what to say about it."""
    course = load_course(options.content)
    build = {"apkg": deck.build_apkg, "tsv": deck.build_tsv}[options.form]
    epoch = int(time.time()) if options.epoch is None else options.epoch
    chosen = _selection(options, course)
    data = build(course, lesson=options.lesson, epoch=epoch, selection=chosen)
    _write(options.out, data)
    cards = list(chosen.cards(anki_notes.chosen(course, options.lesson)))
    said = f"Wrote {options.out}: {_counted(len(cards))}, {len(data):,} bytes.\n"
    newer = len({card.id for card in cards if course.changed(card) is None})
    if newer and options.form == "apkg":
        said += f"{_counted(newer)} newer than the record: `python -m content --stamp` records.\n"
    return said


def _selection(options: argparse.Namespace, course: LoadedCourse) -> Selection:
    """Return which cards were asked for."""
    topics = anki_notes.topics(course)
    if options.topic not in (None, *topics):
        raise DrillsError(f"there is no topic `{options.topic}`{suggest(options.topic, topics)}")
    every = Selection(topic=options.topic, pictures=not options.no_figures)
    if not options.missed:
        return every
    with _record(options) as (store, learner):
        reviews = Reviews.of(store.events(learner))
    only = missed(reviews, Syllabus.of(course))
    return replace(every, only=only, without=reviews.suspended)


def _history(options: argparse.Namespace) -> str:
    """Return the reviews of an Anki export as a table; with a record, take them into it."""
    found = history.read(options.file, history.known(load_course(options.content)))
    if options.record is None:
        return "".join(_row(each) for each in found.reviews)
    with _record(options) as (store, learner):
        entries = found.entries(Reviews.of(store.events(learner)))
        new = store.append_all(learner, entries, now=datetime.now(UTC))
    said = f"Found {len(found.reviews):,} reviews. {telling.added(new)} {telling.anki(found)}"
    return said.rstrip() + "\n"


@contextmanager
def _record(options: argparse.Namespace) -> Iterator[tuple[Store, LearnerId]]:
    """Open the database that was named, and find the learner of the code."""
    if not (options.record and options.code):
        raise DrillsError(
            "Whose record? Give the database with --record and the recovery code of the learner "
            "with --code."
        )
    store = Store(options.record)
    try:
        yield store, store.recover(options.code, now=datetime.now(UTC))
    finally:
        store.dispose()


def _row(review: history.AnkiReview) -> str:
    at = datetime.fromtimestamp(review.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return f"{review.item}\t{at}\t{review.rating}\t{review.milliseconds}\n"


def _counted(cards: int) -> str:
    return f"{cards} card" if cards == 1 else f"{cards} cards"


def _write(out: Path, data: bytes) -> None:
    """Write the file whole or not at all; into a pipe or device, which holds no file, directly."""
    if out.exists() and not out.is_file():
        out.write_bytes(data)
        return
    out = out.resolve()
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(out)
    finally:
        with suppress(OSError):
            part.unlink()


def _refuse(message: str) -> int:
    sys.stderr.write(message + "\n")
    return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m drills",
        description="The course's cards as a file for Anki, and the reviews made there.",
        epilog="Exit status: 0 when done, 1 when not, 2 for wrong usage.",
    )
    forms = parser.add_subparsers(
        dest="form", required=True, metavar="apkg | tsv | history | optimize"
    )
    apkg = _form(forms.add_parser("apkg", help="an Anki deck, with style and links"))
    apkg.add_argument(
        "--epoch",
        type=int,
        metavar="N",
        help="Unix seconds stamped on notes whose text is newer than the record; default: now",
    )
    _form(forms.add_parser("tsv", help="a table of text, for Anki and spreadsheets"))
    back = forms.add_parser("history", help="reviews from an Anki export with scheduling")
    back.add_argument("file", type=Path, metavar="FILE", help="an .apkg or .colpkg")
    _whose(back, "the database to take them into; default: none, they are listed")
    _content(back)
    back.set_defaults(run=_history)
    best = forms.add_parser("optimize", help="parameters of FSRS from reviews on standard input")
    best.set_defaults(run=lambda _: optimize.answer(sys.stdin.read()))
    return parser


def _form(form: argparse.ArgumentParser) -> argparse.ArgumentParser:
    form.add_argument("out", type=Path, metavar="OUT", help="the file to write")
    form.add_argument("--lesson", metavar="ID", help="one lesson only; default: the whole course")
    form.add_argument("--topic", metavar="NAME", help="one topic only; default: all of them")
    form.add_argument("--no-figures", action="store_true", help="cards without their figures")
    form.add_argument(
        "--missed",
        action="store_true",
        help="only what the learner of --record and --code missed and has not suspended",
    )
    _whose(form, "the database that knows what was missed")
    _content(form)
    form.set_defaults(epoch=None, run=_export)
    return form


def _whose(form: argparse.ArgumentParser, record: str) -> None:
    form.add_argument("--record", metavar="URL", help=record)
    form.add_argument("--code", metavar="CODE", help="the recovery code of the learner")


def _content(form: argparse.ArgumentParser) -> None:
    form.add_argument(
        "--content",
        type=Path,
        metavar="FOLDER",
        default=os.environ.get("SURPRISAL_CONTENT") or None,
        help="the course; default: SURPRISAL_CONTENT, else the one that is shipped",
    )


if __name__ == "__main__":
    sys.exit(main())
