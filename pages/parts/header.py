"""The head of a lesson: where it stands, what it promises, what it takes, three figures."""

import streamlit as st

from pages.parts import claim, ladder
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.quiz import bits_to_earn


def draw(place: Place) -> None:
    """Draw everything above the first section."""
    head = place.lesson.head
    quiet(_eyebrow(place))
    st.title(head.title, anchor=False)
    st.markdown(f"*{place.words(head.promise)}*")
    quiet(f"{_strip(place)}  \n{ladder.line(place)}")
    claim.figures(
        [(key, place.course.claim(key, lesson=place.lesson.id)) for key in head.key_figures], place
    )


def _eyebrow(place: Place) -> str:
    course = place.course.course
    where = f"{course.series} · Chapter {course.chapter:02d}, {course.title}"
    lessons = list(place.course.lessons)
    if len(lessons) == 1:
        return where
    return f"{where} · Lesson {lessons.index(place.lesson.id) + 1} of {len(lessons)}"


def _strip(place: Place) -> str:
    lesson = place.lesson
    parts = [
        f"about {lesson.head.minutes} minutes",
        f"{bits_to_earn(lesson.questions):.1f} bits to earn",
        f"{len(lesson.cards)} cards to keep",
    ]
    return " · ".join(parts)
