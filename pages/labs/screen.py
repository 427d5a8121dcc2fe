"""All labs, and one of them on the whole screen for the projector: `/lab?id=dpo`."""

from importlib import import_module
from types import ModuleType

import streamlit as st

from content.load import Lesson, LoadedCourse
from content.markdown import Directive
from pages import resources
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
    labs = _labs(course)
    named = st.query_params.get("id", "")
    if named not in labs:
        _list(labs)
        return
    links.draw("lab", "All labs", icon=":material/arrow_back:")
    st.title(_lab(named).title, anchor=False)
    st.markdown(_lab(named).promise)
    _module(named).draw(Place(course, labs[named], learner.current()))


def _list(labs: dict[str, Lesson]) -> None:
    st.title("Labs", anchor=False)
    if not labs:
        st.markdown("This course has no lab yet. Once a lesson does, it can be opened here.")
        return
    st.markdown(ABOUT)
    for name, lesson in labs.items():
        with st.container(key=f"lab-{name}", gap="xxsmall"):
            links.draw("lab", f"**{_lab(name).title}**", icon=":material/science:", id=name)
            quiet(f"{_lab(name).promise} From the lesson *{lesson.head.short}*.")


def _lab(name: str) -> Lab:
    lab: Lab = _module(name).LAB
    return lab


def _module(name: str) -> ModuleType:
    return import_module(f"pages.labs.{name.replace('-', '_')}")


def _labs(course: LoadedCourse) -> dict[str, Lesson]:
    return {
        block.argument: lesson
        for lesson in course.lessons.values()
        for section in lesson.sections
        for block in section.blocks
        if isinstance(block, Directive) and block.name == "lab"
    }
