"""Anki decks out: what they hold, how they update, and the downloads."""

import streamlit as st

from pages import resources
from pages.parts import deck_links
from pages.parts.quiet import quiet

ABOUT = """
Import the .apkg file in Anki (*File, Import*). Do it again when the course has changed: cards that
changed are updated, cards you edited yourself and that did not change here stay as you left them,
and no review is lost. Each card names its source and links to its section.

The text file is for editors and other programs. In Anki it goes over the deck without doubles.
"""


def draw() -> None:
    """Draw the decks of the course."""
    course = resources.course()
    st.title("Anki decks", anchor=False)
    st.markdown(ABOUT)
    if len(course.lessons) > 1:
        st.subheader("The whole course", anchor=False)
        deck_links.draw(course)
    for lesson in course.lessons.values():
        st.subheader(lesson.head.title, anchor=False)
        quiet(f"`{course.course.deck}::{lesson.head.title}`")
        deck_links.draw(course, lesson.id)
