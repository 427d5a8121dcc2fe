"""The course at a glance: what it promises, the way through its lessons, where to go on."""

import streamlit as st

from pages import resources
from pages.parts import course_map, journey, ladder, learner
from pages.parts.journey import Journey
from pages.parts.quiet import quiet

WELCOME = (
    "What is computed here can be checked in front of you: each derivation line by algebra, each "
    "number by computing it again, each claim about training by a run. Before a text answers a "
    "question you say what you believe, and your answers are scored in bits, the unit the course "
    "is about. Nothing to install, no account; take the lessons in order, each builds on the one "
    "before."
)
DONE = (
    "You have been through every lesson. What is left is keeping it: answer a lesson's questions "
    "again a week or more after the first time, and its last rung fills."
)
MINUTES = (
    "Minutes left: those of a lesson times the share of its predictions, sections and questions "
    "that is not done yet. Bits: first answers count, the most is what certainty would have earned."
)


def draw() -> None:
    """Draw the map of the course."""
    course = resources.course()
    way = journey.of(course, learner.current())
    quiet(f"{course.course.series} · Chapter {course.course.chapter:02d}")
    st.title(course.course.title, anchor=False)
    st.markdown(f"*{course.course.promise}*")
    _say(way)
    course_map.draw(way)
    ladder.legend()
    quiet(MINUTES)


def _say(way: Journey) -> None:
    """Say what this is to who comes first, and what is left to who has done it all."""
    if way.last is None:
        st.markdown(WELCOME)
    elif way.next is None:
        st.markdown(DONE)
