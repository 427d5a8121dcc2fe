"""Reviews made in Anki, brought back: an export is read, shown and merged on confirmation."""

from functools import partial

import streamlit as st

from drills import telling
from pages import resources
from pages.parts import bringing
from pages.parts.bringing import Brought, Shelf
from pages.parts.learner import Learner

HOW = (
    "In Anki choose *File, Export*, tick *Include scheduling information*, leave media out, and "
    f"bring the .apkg or .colpkg here, up to {bringing.MAX_MB} MB. Each review counts once, "
    "however often a file is brought; cards that you have suspended or edited in Anki stay as they "
    "are, here and there."
)


@st.fragment
def draw(who: Learner) -> None:
    """Draw how it is done, the uploader and what came of it."""
    st.markdown(HOW)
    read = partial(_read, who)
    bringing.draw(who, Shelf("anki", "An export from Anki (.apkg or .colpkg)", read))


def _read(who: Learner, data: bytes) -> Brought:
    from drills import history  # it loads genanki, which only this needs

    found = history.read(data, history.known(resources.course()))
    return Brought(tuple(found.entries(who.record.reviews)), telling.anki(found))
