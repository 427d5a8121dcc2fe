"""The head of a lesson: where it stands, what it promises, what it takes, three figures."""

import time

import streamlit as st

from pages.parts import claim, ladder, state, units
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.quiz import bits_to_earn

PAUSE_SECONDS = 0.03  # a little more than the interval at which Streamlit sends what is drawn


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


def let_it_paint() -> None:
    """On a visitor's first run, let the head leave before the rest is drawn.

    All that a run draws at once is painted at once, and the formulas of a lesson take the browser
    a tenth of a second. With this pause the title is on the screen while they are being set.
    """
    if state.get("head-painted") is None:
        state.put("head-painted", value=True)
        time.sleep(PAUSE_SECONDS)


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
        f"{units.from_bits(bits_to_earn(lesson.questions)):.1f} {units.of_scores()} to earn",
        f"{len(lesson.asked)} cards to keep",
    ]
    return " · ".join(parts)
