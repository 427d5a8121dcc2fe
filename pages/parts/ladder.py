"""The ladder of a lesson: predicted, read, recalled, derived or run, retained."""

import streamlit as st

from content.load import Lesson, LoadedCourse
from content.markdown import Directive
from content.schema import Choice, Synthesis
from drills.record import RETAINED_AFTER, Outline, Progress, Rung, progress
from pages.parts.place import Place
from pages.parts.quiet import quiet

NAMES = {"derived": "derived or run"}  # where the screen says more than the record
MEANING = {
    "predicted": "every prediction is committed, before the text that settles it",
    "read": "every section is read, which you say at the lesson's end",
    "recalled": (
        "for every question your latest answer has the right option in the lead, "
        "or your text half of the points"
    ),
    "derived": (
        "a derivation is stepped through to its last line or proved by typing, or a lab is run; in "
        "a lesson with neither, every claim is verified"
    ),
    "retained": (
        "every question, and every erratum that the lesson settles, is answered rightly again "
        f"{RETAINED_AFTER.days} days or more after your first answer to it; or every card of the "
        "lesson is recalled so long after its first review"
    ),
}


def draw(place: Place) -> None:
    """Draw the rungs in one quiet line."""
    quiet(line(place))


def line(place: Place) -> str:
    """Return the rungs as one line of Markdown."""
    return " · ".join(_rung(rung) for rung in rungs(of(place)))


def legend() -> None:
    """Draw what the rungs mean, shut."""
    with st.expander("What the rungs mean", icon=":material/help:"):
        st.markdown("\n".join(f"- **{name_of(name)}:** {MEANING[name]}." for name in MEANING))


def name_of(rung: str) -> str:
    """Return what the screen calls a rung of the record."""
    return NAMES.get(rung, rung)


def of(place: Place) -> Progress:
    """Return how far this learner is in this lesson."""
    return progress(place.learner.record, outline(place.lesson, place.course))


def rungs(reached: Progress) -> tuple[Rung, ...]:
    """Return the rungs from the lowest to the highest."""
    return (reached.predicted, reached.read, reached.recalled, reached.derived, reached.retained)


def outline(lesson: Lesson, course: LoadedCourse) -> Outline:
    """Return what the lesson offers, by id: what the rungs are counted against."""
    named = {kind: _arguments(lesson, kind) for kind in ("derivation", "lab")}
    return Outline(
        lesson=lesson.id,
        predictions=tuple(lesson.predictions),
        sections=tuple(section.id for section in lesson.sections),
        choices=tuple(q.id for q in lesson.questions if isinstance(q, Choice)),
        syntheses=tuple(q.id for q in lesson.questions if isinstance(q, Synthesis)),
        derivations=named["derivation"],
        labs=named["lab"],
        cards=tuple(lesson.asked),
        claims=tuple(lesson.claims),
        errata=tuple(e.id for e in course.errata if (e.claim or "").startswith(f"{lesson.id}/")),
    )


def _arguments(lesson: Lesson, directive: str) -> tuple[str, ...]:
    return tuple(
        block.argument
        for section in lesson.sections
        for block in section.blocks
        if isinstance(block, Directive) and block.name == directive
    )


def _rung(rung: Rung) -> str:
    icon = ":green[:material/check_circle:]" if rung.earned else ":material/radio_button_unchecked:"
    return f"{icon} {name_of(rung.name)} {rung.done}/{rung.of}"
