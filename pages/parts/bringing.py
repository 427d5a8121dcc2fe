"""Something brought from elsewhere: chosen, read as a stranger's, shown, and taken in on a word."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from drills import telling, transfer
from drills.errors import DrillsError
from drills.store import Entry
from pages.parts import state
from pages.parts.learner import Learner
from pages.parts.quiet import quiet

MAX_MB = 64  # as `maxUploadSize`; a collection without media holds decades of reviews in it


@dataclass(frozen=True)
class Brought:
    """What a file holds."""

    entries: tuple[Entry, ...]
    beside: str = ""  # a sentence on what else is in it and stays out


@dataclass(frozen=True)
class Shelf:
    """One kind of file that is taken in."""

    key: str
    label: str
    read: Callable[[bytes], Brought]  # raises DrillsError, in the learner's words


@dataclass(frozen=True)
class _Looked:
    """A file of this tab that was looked into."""

    file: str
    brought: Brought | None
    refused: str = ""
    added: int | None = None  # entries that were taken in


def draw(who: Learner, shelf: Shelf) -> None:
    """Draw the uploader, and below it what was found and what can be done."""
    # No filter by type: phones know no .apkg and would gray it out. What it is, reading shows.
    file = st.file_uploader(shelf.label, key=f"bring-{shelf.key}", max_upload_size=MAX_MB)
    if file is None:
        quiet("Nothing is taken in before you have seen what the file holds.")
        return
    looked = _look(file, shelf)
    if looked.brought is None:
        st.error(f"{looked.refused} Your record is as it was.", icon=":material/error:")
    elif looked.added is not None:
        st.success(telling.added(looked.added), icon=":material/check:")
    else:
        _ask(who, shelf, looked, looked.brought)


def _ask(who: Learner, shelf: Shelf, looked: _Looked, brought: Brought) -> None:
    """Say what is new, and take it in on confirmation."""
    new = transfer.fresh(brought.entries, who.events)
    st.markdown(telling.brought(brought.entries, new))
    if brought.beside:
        quiet(brought.beside)
    if not new:
        return
    if st.button(f"Add {len(new):,} to my record", icon=":material/add:", key=f"add-{shelf.key}"):
        try:
            added = who.bring(new)
        except DrillsError as error:
            st.error(f"{error} Nothing was added.", icon=":material/error:")
            return
        state.put(_key(shelf), _Looked(looked.file, brought, added=added))
        st.rerun(scope="app")


def _look(file: UploadedFile, shelf: Shelf) -> _Looked:
    """Return what is in a file, read once a tab."""
    before: _Looked | None = state.get(_key(shelf))
    if before is not None and before.file == file.file_id:
        return before
    try:
        with st.spinner("Reading the file"):
            looked = _Looked(file.file_id, shelf.read(file.getvalue()))
    except DrillsError as error:
        looked = _Looked(file.file_id, None, refused=str(error))
    state.put(_key(shelf), looked)
    return looked


def _key(shelf: Shelf) -> str:
    return f"brought-{shelf.key}"
