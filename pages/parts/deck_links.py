"""Download links of a deck: the routes in `app.py` serve them."""

import streamlit as st

from content.load import LoadedCourse


def draw(course: LoadedCourse, lesson: str | None = None) -> None:
    """Draw both forms of a lesson's deck, or of the whole course's."""
    lessons = [course.lessons[lesson]] if lesson else list(course.lessons.values())
    cards = sum(len(each.asked) for each in lessons)
    name = lesson or "course"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.link_button(
            f"{cards} cards for Anki (.apkg)", f"/decks/{name}.apkg", icon=":material/download:"
        )
        st.link_button("As text (.tsv)", f"/decks/{name}.tsv", icon=":material/download:")
