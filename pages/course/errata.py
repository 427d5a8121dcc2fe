"""What the sources get wrong: the claim as often made, what is right, and where that stands."""

import streamlit as st

from content.load import LoadedCourse
from content.schema import Erratum
from pages import resources
from pages.parts import claim, learner, prose
from pages.parts.place import Place
from pages.parts.quiet import quiet

ABOUT = "Statements that popular texts on this subject repeat, and what is right instead."


def draw() -> None:
    """Draw every erratum, with *verify* where a computation settles it."""
    course = resources.course()
    st.title("Errata of the field", anchor=False)
    st.markdown(ABOUT)
    for number, erratum in enumerate(course.errata, start=1):
        with st.container(border=True, key=f"erratum-{erratum.id}"):
            _erratum(number, erratum, course)


def _erratum(number: int, erratum: Erratum, course: LoadedCourse) -> None:
    st.markdown(f"{number} · *Often written:* {prose.field(erratum.often_written, course=course)}")
    st.markdown(f"**Right:** {prose.field(erratum.right, course=course)}")
    quiet(f"Source: {prose.cite(erratum.source, course=course)}")
    if erratum.claim:
        lesson = course.lessons[erratum.claim.partition("/")[0]]
        settled = course.claim(erratum.claim)
        place = Place(course, lesson, learner.current())
        claim.verify([(erratum.claim, settled)], place, key=f"erratum-{erratum.id}")
