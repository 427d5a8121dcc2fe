"""Reading on: which section the address asks for, what stays shut, and the end of a lesson."""

import streamlit as st

from content.markdown import Directive, Section
from content.schema import Choice, Objective, Synthesis
from drills.events import Answered, Read
from pages.parts import deck_links, derivation, links, scroll, units
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.saving import save


def asked_for(section: Section, place: Place) -> bool:
    """Say whether the address names this section, or a line of a derivation in it."""
    if st.query_params.get("section") == section.id:
        return True
    blocks = (block for block in section.blocks if isinstance(block, Directive))
    names = (block.argument for block in blocks if block.name == "derivation")
    return any(derivation.addressed(name, place) for name in names)


def go_to_section(place: Place) -> None:
    """Bring the section that the address names into view; say so if there is none of that name."""
    named = st.query_params.get("section")
    if named is None:
        return
    if named in {section.id for section in place.lesson.sections}:
        scroll.to(named, here=place.lesson.id)
    else:
        quiet(":material/link_off: Your link names a section that this lesson does not have.")


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
    st.header("What the lesson was for", anchor="end")
    st.markdown("\n\n".join(_ability(each, place) for each in place.lesson.head.objectives))
    _finish(place)
    deck_links.draw(place.course, place.lesson.id)
    _next(place)


def _ability(objective: Objective, place: Place) -> str:
    """Return what the learner can do, or what to read again, with the evidence for it."""
    asked = [q for q in place.lesson.questions if q.objective == objective.id]
    events = [place.learner.record.first(Answered, place.item(q.id)) for q in asked]
    answers = [event.payload.bits for event in events if event is not None]
    bits = sum(answers)
    icon = ":green[:material/check_circle:]" if bits > 0 else ":material/radio_button_unchecked:"
    evidence = f"{units.scored(bits)} from {len(answers)} answered" if answers else "not asked yet"
    again = f"; read *{_where(asked[0], place)}* again" if answers and bits <= 0 else ""
    return f"{icon} {place.words(objective.text)} :gray[{evidence}{again}]"


def _where(question: Choice | Synthesis, place: Place) -> str:
    return place.words(place.lesson.section(question.section).title)


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
    for after in lessons[lessons.index(place.lesson.id) + 1 :][:1]:
        title = place.course.lessons[after].head.title
        links.draw(after, f"Next: {title}", icon=":material/arrow_forward:")
