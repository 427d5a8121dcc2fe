"""A card that asks for a line of a derivation: it is typed, judged, and then graded."""

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

import streamlit as st

from drills.queue import Due
from drills.reviews import Line as Missed
from drills.schedule import AGAIN, GOOD
from pages.parts import card, derivation, formulas, line_field, proof, state, verdicts
from pages.parts.line_field import Typed
from pages.parts.place import Place
from pages.parts.proof import Proof
from pages.parts.quiet import quiet
from pages.parts.showing import Showing

if TYPE_CHECKING:
    from engine.algebra.line import Line
    from engine.algebra.steps import Step

HEIGHT = 590  # pixels of the face: the verdict on a typed line has its place from the start
KEYS = "Enter checks the line, then presses the grade in bold. Digits grade, Z undoes."


class Wanted(NamedTuple):
    """A line that is asked for, and the one it follows."""

    work: Proof
    line: "Line"
    before: "Line"
    number: int  # of the line before, counted from 1


class AskedLine(NamedTuple):
    """A card that is due and asks for a line."""

    due: Due
    place: Place
    wanted: Wanted

    @property
    def item(self) -> str:
        """What the record calls it."""
        return self.due.item

    def named(self) -> str:
        """Return it by its derivation and its number, with the way there."""
        wanted = self.wanted
        return f"Line {wanted.number + 1} of {link(wanted)}"


def of(due: Due, missed: Missed, places: dict[str, Place]) -> AskedLine | None:
    """Return the card that asks for a missed line; None if the course has dropped the line."""
    lesson, _, name = missed.derivation.partition("/")
    place = places.get(name)
    if place is None or place.lesson.id != lesson:
        return None
    wanted = line_of(Proof(derivation.load(name), place, "review"), missed.line)
    return AskedLine(due, place, wanted) if wanted else None


def line_of(work: Proof, name: str) -> Wanted | None:
    """Return a line with what it follows; None if it is the first, or there is none such."""
    number = work.ids.index(name) if name in work.ids else 0
    return Wanted(work, work.lines[number], work.lines[number - 1], number) if number else None


def link(wanted: Wanted) -> str:
    """Return a link to where the whole derivation is proved."""
    name = wanted.work.derivation.id
    query = urlencode({"derivation": name, "way": "prove"})
    return f"[{derivation.load(name).title}](/prove?{query})"


def draw(asked: AskedLine, showing: Showing) -> bool:
    """Draw the card and its buttons; return whether it was graded in this run."""
    with card.frame(showing, HEIGHT):
        card.eyebrow(asked.due, asked.place)
        face(asked.wanted, showing)
        if showing.turned:
            card.own_note(asked.due, asked.place)
    rating, given = None, was_given(showing)
    with card.row(showing):
        if showing.turned:
            rating = card.grades(asked.due, asked.place, showing, given=given)
        else:
            give(asked.wanted, showing, width="stretch")
    return card.graded(rating, asked.place, showing)


def face(wanted: Wanted, showing: Showing) -> None:
    """Draw what is asked, the field, and what became of the line that was typed."""
    st.markdown(f"**Goal.** {derivation.tex(wanted.work.derivation.goal)}")
    before = wanted.before
    proof.numbered(wanted.number, before.rule, formulas.of(before.typed), note=before.typed_note)
    step = _latest(wanted, showing)
    solved = step is not None and step.kind == "next"
    if was_given(showing) or solved:
        _answer(wanted, step if solved else None, showing)
        return
    proof.note(wanted.line)
    typed = line_field.ask(showing.nonce, "The next line", key=f"{showing.scope}-field")
    if typed is not None:
        _check(wanted, showing, typed)
    _said(step, wanted, showing)
    with st.container(horizontal=True):
        line_field.help_()
        if showing.turned:
            give(wanted, showing, width="content")


def give(wanted: Wanted, showing: Showing, *, width: str) -> None:
    """Draw the button that gives the line, which then counts as not recalled."""
    key = showing.key(f"give-{width}")
    label = "Show the line"
    help_ = "It then comes again soon."
    pressed = st.button(label, key=key, width=width, help=help_)  # type: ignore[arg-type]
    if not (pressed and showing.settled):
        return
    if wanted.work.keep(wanted.line.id, asked="hint", hint=3):
        state.put(showing.key("given"), value=True)
        showing.turn(AGAIN)
        proof.redraw()


def was_given(showing: Showing) -> bool:
    """Whether the line was shown before it was typed."""
    return bool(state.get(showing.key("given"), default=False))


def _latest(wanted: Wanted, showing: Showing) -> "Step | None":
    """Return what became of the line typed last while the card is shown."""
    text = state.get(showing.key("typed"))
    if text is None:
        return None
    return proof.followed(wanted.before.typed, wanted.line.typed, text)


def _check(wanted: Wanted, showing: Showing, typed: Typed) -> None:
    """Record a typed line, and suggest a grade where it was judged."""
    step = proof.followed(wanted.before.typed, wanted.line.typed, typed.text)
    if step.kind != "repeated":
        rewriting = step.kind == "rewriting"
        kept = wanted.work.keep_typed(
            wanted.line.id, typed, step.verdict, hint=0, rewriting=rewriting
        )
        if not kept:
            return
    state.put(showing.key("typed"), typed.text)
    if step.kind == "next":
        showing.turn(GOOD)
    elif step.verdict.outcome == "different":
        showing.turn(AGAIN)
    proof.redraw()


def _said(step: "Step | None", wanted: Wanted, showing: Showing) -> None:
    """Say what became of a line that is not yet the one asked for."""
    if step is None:
        return
    if step.kind == "repeated":
        quiet(proof.REPEATED)
    elif step.kind == "rewriting":
        verdicts.follows()
    else:
        line = wanted.before if step.behind else wanted.line
        said = line.typed, str(state.get(showing.key("typed")))
        proof.verdict(wanted.work, line.id, said=said, verdict=step.verdict)


def _answer(wanted: Wanted, step: "Step | None", showing: Showing) -> None:
    """Draw the line: as it was typed, or as the derivation has it."""
    line, number = wanted.line, wanted.number + 1
    if step is None:
        proof.numbered(number, line.rule, formulas.of(line.typed), note=line.typed_note)
    else:
        typed = formulas.recorded(str(state.get(showing.key("typed"))))
        proof.numbered(number, f"{line.rule} :green[:material/check:]", typed)
        verdicts.right(step.verdict)
    st.markdown(f":gray[{derivation.tex(line.reading)}]")
    quiet(f"The whole derivation: {link(wanted)}")
