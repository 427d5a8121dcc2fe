"""`python -m drills apkg OUT` and `python -m drills tsv OUT`: the course's cards as a file."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from content.load import ContentError, load_course
from drills import anki_notes, deck
from drills.errors import DrillsError

DONE, FAILED = 0, 1  # exit codes; argparse's own is 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the deck asked for and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        sys.stdout.write(_export(options))
    except ContentError as error:
        return _refuse(f"{error}\nNothing was written. `python -m content FOLDER` checks again.")
    except DrillsError as error:
        return _refuse(str(error))
    except OSError as error:
        reason = error.strerror or error
        return _refuse(f"cannot write {options.out}: {reason}; name a file in a folder of yours")
    return DONE


def _export(options: argparse.Namespace) -> str:
    """Write the file and return what to say about it."""
    course = load_course(options.content)
    build = {"apkg": deck.build_apkg, "tsv": deck.build_tsv}[options.form]
    epoch = int(time.time()) if options.epoch is None else options.epoch
    data = build(course, lesson=options.lesson, epoch=epoch)
    _write(options.out, data)
    cards = [card for each in anki_notes.chosen(course, options.lesson) for card in each.cards]
    said = f"Wrote {options.out}: {_counted(len(cards))}, {len(data):,} bytes.\n"
    newer = sum(course.changed(card) is None for card in cards)
    if newer and options.form == "apkg":
        said += f"{_counted(newer)} newer than the record: `python -m content --stamp` records.\n"
    return said


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
        description="Write the course's cards as a file for Anki.",
        epilog="Exit status: 0 when written, 1 when not, 2 for wrong usage.",
    )
    forms = parser.add_subparsers(dest="form", required=True, metavar="apkg | tsv")
    apkg = _form(forms.add_parser("apkg", help="an Anki deck, with style and links"))
    apkg.add_argument(
        "--epoch",
        type=int,
        metavar="N",
        help="Unix seconds stamped on notes whose text is newer than the record; default: now",
    )
    _form(forms.add_parser("tsv", help="a table of text, for Anki and spreadsheets"))
    return parser


def _form(form: argparse.ArgumentParser) -> argparse.ArgumentParser:
    form.add_argument("out", type=Path, metavar="OUT", help="the file to write")
    form.add_argument("--lesson", metavar="ID", help="one lesson only; default: the whole course")
    form.add_argument(
        "--content",
        type=Path,
        metavar="FOLDER",
        default=os.environ.get("SURPRISAL_CONTENT") or None,
        help="the course; default: SURPRISAL_CONTENT, else the one that is shipped",
    )
    form.set_defaults(epoch=None)
    return form


if __name__ == "__main__":
    sys.exit(main())
