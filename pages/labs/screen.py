"""A lab on the whole screen, for the projector: `/lab?id=dpo`, its settings in the address too."""

from importlib import import_module

import streamlit as st

from content.load import Lesson, LoadedCourse
from content.markdown import Directive
from pages import resources
from pages.parts import learner
from pages.parts.place import Place


def draw() -> None:
    """Draw the lab that the address names."""
    course = resources.course()
    labs = _labs(course)
    named = st.query_params.get("id", "")
    if named not in labs:
        st.title("Labs", anchor=False)
        for lab, lesson in labs.items():
            st.markdown(f"[{lesson.head.title}](/lab?id={lab})")
        return
    lesson = labs[named]
    st.title(f"{lesson.head.title}: the lab", anchor=False)
    import_module(f"pages.labs.{named}").draw(Place(course, lesson, learner.current()))


def _labs(course: LoadedCourse) -> dict[str, Lesson]:
    return {
        block.argument: lesson
        for lesson in course.lessons.values()
        for section in lesson.sections
        for block in section.blocks
        if isinstance(block, Directive) and block.name == "lab"
    }
