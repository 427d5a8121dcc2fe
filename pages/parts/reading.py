"""Reading on: which section the address asks for, what stays shut, and the end of a lesson."""

import streamlit as st

from content.markdown import Directive, Section
from content.schema import Objective
from drills.events import Answered, Read
from pages.parts import deck_links
from pages.parts.place import Place
from pages.parts.predict import signed
from pages.parts.quiet import quiet
from pages.parts.saving import save


def asked_for(section: Section) -> bool:
    """Say whether the address names this section, or a line of the derivation in it."""
    if st.query_params.get("section") == section.id:
        return True
    names = {block.name for block in section.blocks if isinstance(block, Directive)}
    return "line" in st.query_params and "derivation" in names


def opened_by_link() -> None:
    """Say why a section stands here although the text before it is shut."""
    quiet(
        ":material/link: Your link opened this section. What lies between stays shut until you "
        "commit above."
    )


def shut_below() -> None:
    """Say that there is more, and what opens it."""
    quiet(":material/lock: The lesson goes on here once you have committed. “No idea” counts.")


@st.fragment
def end(place: Place) -> None:
    """Draw the end: what the learner can do now, by what evidence, and what is next."""
    st.header("What you can do now", anchor="end")
    st.markdown("\n\n".join(_ability(each, place) for each in place.lesson.head.objectives))
    _finish(place)
    deck_links.draw(place.course, place.lesson.id)
    _next(place)


def _ability(objective: Objective, place: Place) -> str:
    answers = [
        (question, event)
        for question in place.lesson.questions
        if question.objective == objective.id
        and (event := place.learner.record.first(Answered, place.item(question.id)))
    ]
    bits = sum(event.payload.bits for _question, event in answers)
    icon = ":green[:material/check_circle:]" if bits > 0 else ":material/radio_button_unchecked:"
    evidence = f" :gray[{signed(bits)} bits from {len(answers)} asked]" if answers else ""
    return f"{icon} {place.words(objective.text)}{evidence}"


def _finish(place: Place) -> None:
    unread = [
        place.item(section.id)
        for section in place.lesson.sections
        if place.learner.record.latest(Read, place.item(section.id)) is None
    ]
    if not unread:
        quiet(":material/done_all: You have read this lesson to its end.")
        return
    pressed = st.button(
        "I have read to here", icon=":material/done_all:", key=f"end-{place.lesson.id}"
    )
    if pressed and all(save(place.learner, name, Read()) for name in unread):
        st.rerun(scope="app")


def _next(place: Place) -> None:
    lessons = list(place.course.lessons)
    after = lessons[lessons.index(place.lesson.id) + 1 :]
    if after:
        title = place.course.lessons[after[0]].head.title
        st.markdown(f"Next: [{title}](/{after[0]})")
