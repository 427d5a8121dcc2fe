"""The course at a glance: what it promises, its lessons with the learner's ladder on each."""

import streamlit as st

from content.load import Lesson, LoadedCourse
from pages import resources
from pages.parts import ladder, learner, links
from pages.parts.learner import Learner
from pages.parts.place import Place
from pages.parts.predict import signed
from pages.parts.quiet import quiet
from pages.parts.quiz import bits_to_earn


def draw() -> None:
    """Draw the map of the course."""
    course = resources.course()
    who = learner.current()
    quiet(f"{course.course.series} · Chapter {course.course.chapter:02d}")
    st.title(course.course.title, anchor=False)
    st.markdown(f"*{course.course.promise}*")
    _status(course, who)
    for number, lesson in enumerate(course.lessons.values(), start=1):
        _lesson(number, Place(course, lesson, who))


def _status(course: LoadedCourse, who: Learner) -> None:
    if not who.events:
        st.markdown(
            "What is computed here can be checked in front of you: each derivation line by "
            "algebra, each number by computing it again, each claim about training by a run. "
            "Your answers are scored in bits, the unit the course is about."
        )
        return
    last = next((e.lesson for e in reversed(who.events) if e.lesson in course.lessons), None)
    earned = signed(who.record.bits_earned())
    st.markdown(f"**{earned} bits** earned")
    if last:
        links.draw(last, "Continue where you were", icon=":material/arrow_forward:")


def _lesson(number: int, place: Place) -> None:
    lesson = place.lesson
    with st.container(border=True, key=f"map-{lesson.id}"):
        st.subheader(f"{number} · {lesson.head.title}", anchor=False)
        st.markdown(place.words(lesson.head.promise))
        links.draw(lesson.id, "Open the lesson", icon=":material/menu_book:")
        ladder.draw(place)
        quiet(_facts(lesson))


def _facts(lesson: Lesson) -> str:
    bits = bits_to_earn(lesson.questions)
    return (
        f"about {lesson.head.minutes} minutes · {bits:.1f} bits to earn · {len(lesson.cards)} cards"
    )
