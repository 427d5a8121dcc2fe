"""A lesson: predict, read, derive, run, recall. One module draws every lesson.

Text below a prediction stays shut until the learner commits. An address that names a section, or
a line of the derivation, opens the section it names.
"""

from collections.abc import Callable

import streamlit as st

from content.markdown import Directive, Prose, Section
from pages import labs, resources
from pages.parts import blocks, derivation, header, learner, predict, program, quiz, reading
from pages.parts.place import Place

BLOCKS: dict[str, Callable[[Directive, Place], None]] = {
    "callout": blocks.callout,
    "history": blocks.history,
    "paper": blocks.paper,
    "figure": blocks.drawing,
    "sources": blocks.sources,
    "program": program.draw,
    "derivation": lambda block, place: derivation.draw(block.argument, place),
    "lab": lambda block, place: _lab(block.argument, place),
    "quiz": lambda _block, place: quiz.draw(place),
}


def draw(lesson_id: str) -> None:
    """Draw the lesson with this id."""
    course = resources.course()
    place = Place(course, course.lessons[lesson_id], learner.current())
    header.draw(place)
    header.let_it_paint()
    shut = False
    for section in place.lesson.sections:
        if shut and not reading.asked_for(section, place):
            continue
        if shut:
            reading.opened_by_link()
        shut = not _section(section, place) or shut
    reading.go_to_section(place)
    if shut:
        reading.shut_below()
    else:
        reading.end(place)


def _section(section: Section, place: Place) -> bool:
    """Draw a section up to its first prediction that is not committed; False if it ended there."""
    if section.title:
        st.header(place.words(section.title), anchor=section.id)
    asked = []
    for block in section.blocks:
        if isinstance(block, Directive) and block.name == "predict":
            choice = place.lesson.predictions[block.argument]
            if not predict.commit(choice, place):
                return False
            asked.append(choice)
            continue
        _block(block, place)
        if _gives_away(block) and not _lab_predicted(section, place):
            return False
    for choice in asked:
        predict.again(choice, place)
    return True


def _block(block: Prose | Directive, place: Place) -> None:
    if isinstance(block, Prose):
        blocks.text(block, place)
    else:
        BLOCKS[block.name](block, place)


def _gives_away(block: Prose | Directive) -> bool:
    """Whether it is a lab whose outcome the text after it may tell; not one that shows it first."""
    if not isinstance(block, Directive) or block.name != "lab":
        return False
    return labs.load(block.argument).LAB.first is None


def _lab_predicted(section: Section, place: Place) -> bool:
    """Whether all that the lab asks is committed; the text after it would give it away."""
    asked = place.lesson.asked_by_labs(section.id)
    return all(predict.committed(choice, place) for choice in asked)


def _lab(lab: str, place: Place) -> None:
    """Draw a lab inside the lesson; one that runs by itself waits until it is opened."""
    module = labs.load(lab)
    if module.LAB.first is None:
        module.draw(place)
        return
    shut = st.expander(
        module.LAB.title, icon=":material/science:", on_change="rerun", key=f"open-{lab}"
    )
    if shut.open:
        with shut:
            module.draw(place)
