"""Spot the error: one line went wrong by a known slip; mark it, then repair it."""

import random
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

import streamlit as st

from drills import rounds
from drills.rounds import Spotting
from pages.parts import derivation, formulas, line_field, proof, spot
from pages.parts.proof import Proof
from pages.parts.quiet import quiet

if TYPE_CHECKING:
    from engine.algebra.line import Line
    from engine.algebra.slips import Slip


def draw(work: Proof) -> None:
    """Draw the derivation with its wrong line, and what is asked of the learner."""
    now = rounds.spotting(work.attempts, work.ids, begun=work.begun)
    slip = _slip(work.derivation.id, f"{spot.seed(work.place.learner)}/{now.number}")
    line = work.lines[slip.place]
    quiet("One of these lines is wrong. The first is right.")
    for number, each in enumerate(work.lines, start=1):
        _shown(number, each, slip, now)
    with st.container(key="spotting"):
        if now.complete:
            _finished(work, slip, now)
        elif now.marked is None:
            _mark(work, line, now)
        else:
            _repair(work, line, now)


@lru_cache(maxsize=256)
def _slip(name: str, seed: str) -> "Slip":
    lines = [line.typed for line in derivation.load(name).typed]
    generator = random.Random(f"{name}/{seed}")
    found: Slip = import_module("engine.algebra.slips").slip(lines, generator=generator)
    return found


def _shown(number: int, line: "Line", slip: "Slip", now: Spotting) -> None:
    """Draw a line; the one that was marked shows what was wrong and, in the end, what is right."""
    wrong = number - 1 == slip.place
    formula = formulas.inline(slip.line.latex) if wrong else formulas.of(line.typed)
    if not (wrong and now.marked):
        proof.numbered(number, line.rule, formula, note=line.typed_note)
        return
    proof.numbered(number, f"{line.rule} :red[:material/close:]", formula)
    if now.repaired is not None:
        mended = formulas.recorded(now.repaired)
        st.markdown(f":small[:gray[Repaired :green[:material/check:]]]  \n{mended}")


def _mark(work: Proof, line: "Line", now: Spotting) -> None:
    options = list(range(1, len(work.lines)))
    key = work.key(f"mark-{now.number}")
    chosen = st.radio(
        "Which line is wrong?",
        options,
        index=None,
        format_func=lambda place: f"{place + 1} · {derivation.tex(work.lines[place].rule)}",
        key=key,
    )
    if st.button("Check", key=f"{key}-check", disabled=chosen is None):
        marked = work.ids[chosen or 0]
        outcome = "equivalent" if marked == line.id else "different"
        if work.keep(line.id, asked="place", typed=marked, outcome=outcome):
            proof.redraw()
    _missed(work, chosen)


def _missed(work: Proof, chosen: int | None) -> None:
    """Say it of a right line that was marked, as long as it is picked."""
    attempts = [each for each in work.attempts if each.way == "spot"]
    last = attempts[-1] if attempts else None
    if not chosen or last is None or (last.asked, last.outcome) != ("place", "different"):
        return
    if last.typed == work.ids[chosen]:
        st.markdown(":red[:material/close:] That line is right. Look for another.")


def _repair(work: Proof, line: "Line", now: Spotting) -> None:
    st.markdown(":green[:material/check:] **That is the line.** Now put it right.")
    proof.note(line)
    hint = now.hints.get(line.id, 0)
    typed = line_field.ask(f"{line.id}-{now.number}", "The line, put right", key=work.key("field"))
    if typed is not None:
        work.keep_line(line.id, typed, proof.judged(line.typed, typed.text), hint=hint)
    latest = work.latest
    if latest is not None and latest.line == line.id and latest.outcome != "equivalent":
        proof.verdict(work, line.id, said=(line.typed, latest.typed))
    with st.container(horizontal=True, vertical_alignment="center"):
        line_field.help_()
        proof.more(work, line, max(hint, 1))
    proof.hints(work, line, hint, start=1)


def _finished(work: Proof, slip: "Slip", now: Spotting) -> None:
    st.markdown(f":green[:material/check:] **Repaired.** What went wrong: {slip.mistake.sentence}")
    work.again("Another one", now.number + 1)
