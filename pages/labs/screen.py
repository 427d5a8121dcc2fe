"""All labs, and one of them on the whole screen for the projector: `/lab?id=dpo`."""

import streamlit as st

from content.load import Lesson, LoadedCourse
from content.markdown import Directive
from pages import labs, resources
from pages.parts import learner, links
from pages.parts.lab_frame import Lab
from pages.parts.place import Place
from pages.parts.quiet import quiet

ABOUT = (
    "Every claim about training, run in front of you. Each lab asks what you expect, runs, and "
    "asks again."
)


def draw() -> None:
    """Draw the lab that the address names, or the list of them."""
    course = resources.course()
    lessons = _lessons(course)
    named = st.query_params.get("id", "")
    if named not in lessons:
        _list(lessons)
        return
    links.draw("lab", "All labs", icon=":material/arrow_back:")
    st.title(_lab(named).title, anchor=False)
    st.markdown(_lab(named).promise)
    labs.load(named).draw(Place(course, lessons[named], learner.current()))


def _list(lessons: dict[str, Lesson]) -> None:
    st.title("Labs", anchor=False)
    if not lessons:
        st.markdown("This course has no lab yet. Once a lesson does, it can be opened here.")
        return
    st.markdown(ABOUT)
    for name, lesson in lessons.items():
        with st.container(key=f"lab-{name}", gap="xxsmall"):
            links.draw("lab", f"**{_lab(name).title}**", icon=":material/science:", id=name)
            quiet(f"{_lab(name).promise} From the lesson *{lesson.head.short}*.")


def _lab(name: str) -> Lab:
    lab: Lab = labs.load(name).LAB
    return lab


def _lessons(course: LoadedCourse) -> dict[str, Lesson]:
    return {
        block.argument: lesson
        for lesson in course.lessons.values()
        for section in lesson.sections
        for block in section.blocks
        if isinstance(block, Directive) and block.name == "lab"
    }
