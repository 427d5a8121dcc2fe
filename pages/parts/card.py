"""A card as it is reviewed: one face, then the other, and buttons that never move."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from content.load import AskedCard
from content.schema import Card
from drills.queue import LEECH, Due
from drills.schedule import AGAIN, EASY, GOOD, HARD
from pages.parts import faces, figure, keys, prose, used_in
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.showing import Showing

HEIGHT = 420  # pixels of the face; what is longer scrolls in it
HEIGHT_WITH_FIGURE = 640  # from the start, so that the buttons stay where they are
STYLE = Path(__file__).parent / "card.css"
FIGURE = 400  # pixels it may be wide: all of it is seen beside the answer
ROW = 72  # pixels of the buttons under it
KEYS = "Space or Enter turns the card, then presses the grade in bold. Digits grade, Z undoes."
NO_BREAK = "\N{NO-BREAK SPACE}"
NAMES = {AGAIN: "Again", HARD: "Hard", GOOD: "Good", EASY: "Easy"}
OFFERED = {"four": (AGAIN, HARD, GOOD, EASY), "two": (AGAIN, GOOD)}
_BECAUSE = {
    "read": "its section was read",
    "missed": "a question about it was missed",
    "chosen": "by choice",
    "reviewed": "",
}


class Asked(NamedTuple):
    """A card that is due, and where it belongs."""

    due: Due
    place: Place
    what: AskedCard

    @property
    def item(self) -> str:
        """What the record calls it."""
        return self.due.item

    @property
    def card(self) -> Card:
        """The entry of the course that it is, or is a gap of."""
        return self.what.card

    def named(self) -> str:
        """Return it by what it asks, with the way to its section."""
        asked = faces.of(self.what, self.place).asked
        return f"{asked} :small[{section_link(self.place, self.card.section)}]"


def of(due: Due, place: Place) -> Asked | None:
    """Return the card that is due; None if the course has dropped it."""
    _, _, name = due.item.partition("/")
    found = place.lesson.asked.get(name)
    return Asked(due, place, found) if found else None


def draw(asked: Asked, showing: Showing) -> bool:
    """Draw the card and its buttons; return whether it was graded in this run."""
    with frame(showing, HEIGHT_WITH_FIGURE if asked.card.figure else HEIGHT):
        eyebrow(asked.due, asked.place)
        _faces(asked, turned=showing.turned)
    with row(showing):
        if showing.turned:
            rating = grades(asked.due, asked.place, showing)
        else:
            rating = None
            _turn(showing)
    return graded(rating, asked.place, showing)


def frame(showing: Showing, height: int) -> AbstractContextManager[object]:
    """Return the place of the face, anew for each card: the next one begins at its top."""
    return st.container(border=True, height=height, key=showing.key("face"))


def row(showing: Showing) -> AbstractContextManager[object]:
    """Return the place of the buttons: as tall before a card is turned as after, and in view."""
    st.html(STYLE)
    return st.container(height=ROW, border=False, key=f"{showing.scope}-row")


def eyebrow(due: Due, place: Place) -> None:
    """Say which lesson a card is of, what it is to the learner, and why it is here."""
    why = "it was missed" if due.line else _BECAUSE[due.because]
    said = [place.plain(place.lesson.head.short), f"{due.group}{f', {why}' if why else ''}"]
    if due.lapses >= LEECH:
        said.append(f":orange[a leech: forgotten {due.lapses} times]")
    quiet(" · ".join(said))


def _faces(asked: Asked, *, turned: bool) -> None:
    both = faces.of(asked.what, asked.place)
    if not turned:
        st.markdown(both.asked)
        return
    st.markdown(both.answered if both.in_place else f"{both.asked}\n\n---\n\n{both.answered}")
    if both.why:
        st.markdown(f":gray[{both.why}]" if _plain(both.why) else both.why)
    _figure(asked.card, asked.place)
    own_note(asked.due, asked.place)
    _leads(asked)


def _plain(text: str) -> bool:
    """Whether all of it can be set gray: no color, link or list of its own."""
    return not any(sign in text for sign in ":[]\n")


def _figure(card: Card, place: Place) -> None:
    for drawn in (each for each in place.lesson.head.figures if each.id == card.figure):
        with st.container(width=FIGURE):
            figure.draw(drawn.function, alt=place.plain(drawn.alt))


def own_note(due: Due, place: Place) -> None:
    """Draw what the learner noted about the card."""
    note = place.learner.record.reviews.notes.get(due.item)
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


def graded(rating: int | None, place: Place, showing: Showing) -> bool:
    """Record a grade, if there is one; return whether it is on disk."""
    who = place.learner
    buttons = who.record.reviews.wishes.buttons
    return rating is not None and showing.grade(who, rating, buttons=buttons)


def _turn(showing: Showing) -> None:
    key = showing.key("turn")
    turn = showing.turn_by_hand
    st.button("Show answer", key=key, width="stretch", shortcut="Space", on_click=turn)
    keys.press({"Enter": key}, key=f"{showing.scope}-keys")


def grades(due: Due, place: Place, showing: Showing, *, given: bool = False) -> int | None:
    """Draw the grades, each with its interval; return the one that was pressed.

    What was `given` instead of recalled can only come again.
    """
    reviews = place.learner.record.reviews
    offered = (AGAIN,) if given else OFFERED[reviews.wishes.buttons]
    outcomes = reviews.options(due.item, showing.at)
    suggested = AGAIN if given else showing.suggested or GOOD
    chosen, pressed = None, showing.key(f"grade-{suggested}")
    with st.container(horizontal=True, wrap=False, gap="xsmall"):
        for rating in offered:
            name = f"**{NAMES[rating]}**" if rating == suggested else NAMES[rating]
            label = f"{name} :small[{outcomes[rating].label.replace(' ', NO_BREAK)}]"
            key = showing.key(f"grade-{rating}")
            if st.button(label, key=key, width="stretch", wrap=True):
                chosen = rating
    digits = {str(number): showing.key(f"grade-{each}") for number, each in enumerate(offered, 1)}
    if len(offered) == len(OFFERED["two"]):  # 3 is Good there too
        digits[str(GOOD)] = showing.key(f"grade-{GOOD}")
    keys.press({**digits, "Enter": pressed, " ": pressed}, key=f"{showing.scope}-keys")
    return chosen
