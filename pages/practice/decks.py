"""Anki, out and back: a deck of the cards you choose, and the reviews you made there."""

import streamlit as st

from pages import resources
from pages.parts import anki_back, deck_choice, deck_links, learner
from pages.parts.quiet import quiet

ABOUT = """
Import the .apkg file in Anki (*File, Import*). Do it again when the course has changed: cards that
changed are updated, cards you edited yourself and that did not change here stay as you left them,
and no review is lost. Each card names its source and links to its section.

The text file is for editors and other programs. In Anki it goes over the deck without doubles.
"""


def draw() -> None:
    """Draw the way out, and the way back."""
    who = learner.current()
    st.title("Anki decks", anchor=False)
    st.subheader("Out: cards for Anki", anchor=False)
    deck_choice.draw(who)
    with st.expander("How a deck updates", icon=":material/help:"):
        st.markdown(ABOUT)
    _fixed()
    st.subheader("Back: reviews from Anki", anchor=False)
    anki_back.draw(who)


def _fixed() -> None:
    """Draw the addresses under which whole decks always are, once they are asked for."""
    expander = st.expander(
        "Each lesson's deck, at a fixed address",
        icon=":material/link:",
        on_change="rerun",
        key="fixed-decks",
    )
    if not expander.open:
        return
    course = resources.course()
    with expander:
        if len(course.lessons) > 1:
            st.markdown("**The whole course**")
            deck_links.draw(course)
        for lesson in course.lessons.values():
            st.markdown(f"**{lesson.head.title}**")
            quiet(f"`{course.course.deck}::{lesson.head.title}`")
            deck_links.draw(course, lesson.id)
