"""A card as it is reviewed: one face, then the other, and buttons that never move."""

from typing import NamedTuple

import streamlit as st

from content.schema import Card
from drills.queue import LEECH, Due
from drills.schedule import AGAIN, EASY, GOOD, HARD
from pages.parts import faces, figure, keys, prose, used_in
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.showing import Showing

HEIGHT = 400  # pixels of the face; what is longer scrolls in it
ROW = 72  # pixels of the buttons under it
KEYS = "Space or Enter turns the card, then presses the grade in bold. The digits grade, Z undoes."
NO_BREAK = "\N{NO-BREAK SPACE}"
NAMES = {AGAIN: "Again", HARD: "Hard", GOOD: "Good", EASY: "Easy"}
OFFERED = {"four": (AGAIN, HARD, GOOD, EASY), "two": (AGAIN, GOOD)}
_BECAUSE = {
    "read": "its section was read",
    "missed": "something about it was missed",
    "chosen": "by choice",
    "reviewed": "",
}


class Asked(NamedTuple):
    """A card that is due, and where it belongs."""

    due: Due
    card: Card
    place: Place


def draw(asked: Asked, showing: Showing) -> bool:
    """Draw the card and its buttons; return whether it was graded in this run."""
    with st.container(border=True, height=HEIGHT, key=f"{showing.scope}-face"):
        eyebrow(asked.due, asked.place)
        _faces(asked, turned=showing.turned)
    return buttons(asked, showing)


def buttons(asked: Asked, showing: Showing) -> bool:
    """Draw the row under a card; return whether a grade was recorded."""
    with st.container(height=ROW, border=False, key=f"{showing.scope}-row"):
        if showing.turned:
            return _grades(asked, showing)
        _turn(showing)
    return False


def eyebrow(due: Due, place: Place) -> None:
    """Say which lesson a card is of, what it is to the learner, and why it is here."""
    why = _BECAUSE[due.because]
    said = [place.plain(place.lesson.head.short), f"{due.group}{f', {why}' if why else ''}"]
    if due.lapses >= LEECH:
        said.append(f":orange[a leech: forgotten {due.lapses} times]")
    quiet(" · ".join(said))


def _faces(asked: Asked, *, turned: bool) -> None:
    both = faces.of(asked.card, asked.place)
    if not turned:
        st.markdown(both.asked)
        return
    st.markdown(both.answered if both.in_place else f"{both.asked}\n\n---\n\n{both.answered}")
    if both.why:
        st.markdown(f":gray[{both.why}]" if _plain(both.why) else both.why)
    _figure(asked.card, asked.place)
    _own_note(asked)
    _leads(asked)


def _plain(text: str) -> bool:
    """Whether all of it can be set gray: no color, link or list of its own."""
    return not any(sign in text for sign in ":[]\n")


def _figure(card: Card, place: Place) -> None:
    for drawn in (each for each in place.lesson.head.figures if each.id == card.figure):
        figure.draw(drawn.function, alt=place.plain(drawn.alt))


def _own_note(asked: Asked) -> None:
    note = asked.place.learner.record.reviews.notes.get(asked.due.item)
    if note:
        st.markdown(f":small[:gray[Your note]]  \n{note}")


def _leads(asked: Asked) -> None:
    """Draw the way to the section that teaches it, and to the source."""
    place, card = asked.place, asked.card
    source = prose.cite(card.source, course=place.course)
    quiet(f"{section_link(place, card.section)} · Source: {source}")


def section_link(place: Place, section: str) -> str:
    """Return a link to a section of the lesson, by its title."""
    title = place.plain(place.lesson.section(section).title or place.lesson.head.title)
    return f"[{title}]({used_in.link(place.lesson, section)})"


def named(name: str, place: Place) -> str:
    """Return a card by what it asks, with the way to its section."""
    _, _, own = name.partition("/")
    found = next(each for each in place.lesson.cards if each.id == own)
    return f"{faces.of(found, place).asked} :small[{section_link(place, found.section)}]"


def _turn(showing: Showing) -> None:
    key = showing.key("turn")
    st.button(
        "Show answer", key=key, width="stretch", shortcut="Space", on_click=showing.turn_by_hand
    )
    keys.press({"Enter": key}, key=f"{showing.scope}-keys")


def _grades(asked: Asked, showing: Showing) -> bool:
    who = asked.place.learner
    reviews = who.record.reviews
    offered = OFFERED[reviews.wishes.buttons]
    outcomes = reviews.options(asked.due.item, showing.at)
    suggested = showing.suggested or GOOD
    graded, pressed = None, showing.key(f"grade-{suggested}")
    with st.container(horizontal=True, wrap=False, gap="xsmall"):
        for rating in offered:
            name = f"**{NAMES[rating]}**" if rating == suggested else NAMES[rating]
            label = f"{name} :small[{outcomes[rating].label.replace(' ', NO_BREAK)}]"
            key = showing.key(f"grade-{rating}")
            if st.button(label, key=key, width="stretch", wrap=True):
                graded = rating
    digits = {str(place): showing.key(f"grade-{each}") for place, each in enumerate(offered, 1)}
    also = {str(GOOD): showing.key(f"grade-{GOOD}")}  # where there are two, as where there are four
    keys.press({**also, **digits, "Enter": pressed, " ": pressed}, key=f"{showing.scope}-keys")
    return graded is not None and showing.grade(who, graded, buttons=reviews.wishes.buttons)
