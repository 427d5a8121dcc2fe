"""Two files of scores that a learner brings: taken, read, and every fault told with its place.

A file stays in this tab's memory until it is replaced, removed, or the tab is closed.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

import streamlit as st

from pages.parts import state
from pages.parts.quiet import quiet

if TYPE_CHECKING:
    from engine.score_files import ScoreFile

Side = Literal["base", "tuned"]
MEGABYTES = 2
FORMATS = (
    "One row for each item: a score, or an id and a score, or the probabilities of all outcomes. "
    "CSV or text, with a header or without. The files stay in this tab and are not recorded."
)
_NOT_TEXT = "{}: expected text in UTF-8, got other bytes. Save the file as CSV, in UTF-8."


@dataclass(frozen=True)
class Brought:
    """A file as it was taken: what it holds, or what is wrong with it."""

    name: str
    scores: "ScoreFile | None"
    faults: tuple[str, ...]


def draw() -> None:
    """Draw a place for each file, and what became of it."""
    opened = any(brought(side) for side in get_args(Side))
    with st.expander("Compare scores of your own", icon=":material/upload_file:", expanded=opened):
        quiet(FORMATS)
        for side, column in zip(get_args(Side), st.columns(2), strict=True):
            with column:
                _place(side)
        if opened:
            st.button("Back to the example", on_click=remove, key="drift-remove")


def brought(side: Side) -> Brought | None:
    """Return the file on one side, if there is one."""
    found: Brought | None = state.get(f"drift-file-{side}")
    return found


def remove() -> None:
    """Forget both files."""
    for side in get_args(Side):
        state.drop(f"drift-file-{side}")
    state.put("drift-emptied", value=state.get("drift-emptied", default=0) + 1)


def take(side: Side, name: str, raw: bytes) -> None:
    """Read a file and keep what came of it."""
    state.put(f"drift-file-{side}", read(name, raw))


def read(name: str, raw: bytes) -> Brought:
    """Return a file as scores, or its faults in a learner's words."""
    from engine import score_files

    try:
        return Brought(name, score_files.parse(raw.decode("utf-8")), ())
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        return Brought(name, None, (_NOT_TEXT.format(f"Row {row}"),))
    except score_files.ScoreFileError as error:
        return Brought(name, None, tuple(str(error).split("\n")))


def _place(side: Side) -> None:
    key = f"drift-upload-{side}-{state.get('drift-emptied', default=0)}"
    st.file_uploader(
        f"Scores of the {side} scorer",
        type=["csv", "tsv", "txt"],
        key=key,
        max_upload_size=MEGABYTES,
        on_change=partial(_changed, side, key),
    )
    if found := brought(side):
        _tell(found)


def _changed(side: Side, key: str) -> None:
    """Take what was put there; a file that the learner takes away is forgotten."""
    given = state.get(key)
    if given is None:
        state.drop(f"drift-file-{side}")
    else:
        take(side, given.name, given.getvalue())


def _tell(found: Brought) -> None:
    name = found.name.replace("`", "'")
    if found.scores is not None:
        rows = found.scores
        st.markdown(f":material/check: `{name}`: {len(rows.rows):,} rows of {rows.kind}")
        return
    st.error(f"`{name}` cannot be read yet.", icon=":material/error:")
    st.text("\n".join(found.faults))
