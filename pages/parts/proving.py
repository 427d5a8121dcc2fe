"""Prove: only the goal and the last line are given; every line that follows is accepted."""

from typing import TYPE_CHECKING

import streamlit as st

from drills import rounds
from drills.events import Attempted
from drills.rounds import Proving
from pages.parts import derivation, formulas, line_field, proof, state, verdicts
from pages.parts.line_field import Typed
from pages.parts.proof import Proof
from pages.parts.quiet import quiet

if TYPE_CHECKING:
    from engine.algebra.line import Line


def draw(work: Proof) -> None:
    """Draw the proof so far, and the field for its next line."""
    now = rounds.proving(work.attempts, work.ids, begun=work.begun)
    st.markdown(f"**Goal.** {derivation.tex(work.derivation.goal)}")
    first = work.lines[0]
    given = formulas.of(first.typed)
    proof.numbered(1, f"{first.rule} · given", given, note=first.typed_note)
    _chain(work, now)
    if now.at is None:
        _finished(work, now)
        return
    _next(work, work.derivation.line(now.at), now)


def _chain(work: Proof, now: Proving) -> None:
    """Draw what was typed, numbered as in the derivation; intermediate lines have no number."""
    number = 1
    for step in now.steps:
        formula = formulas.recorded(step.typed)
        if step.rewriting:
            st.markdown(f":small[:gray[Rewritten]]  \n{formula}")
            continue
        number += 1
        mark = f"{work.derivation.line(step.line).rule} :green[:material/check:]"
        proof.numbered(number, mark, formula)


def _next(work: Proof, line: "Line", now: Proving) -> None:
    hint = now.hints.get(line.id, 0)
    last = now.steps[-1].typed if now.steps else work.lines[0].typed
    quiet(f"{len(work.ids) - 1 - now.reached} to go. {formulas.words(line.typed_note)}")
    label = "The next line, or the last one rewritten"
    typed = line_field.ask(f"{line.id}-{now.number}", label, key=work.key("field"))
    if typed is not None:
        _check(work, line, (last, typed), hint=hint)
    _latest(work, line, last, now)
    with st.container(horizontal=True, vertical_alignment="center"):
        line_field.help_()
        proof.more(work, line, hint)
        _undo(work, line, now)
    proof.hints(work, line, hint)


def _check(work: Proof, line: "Line", said: tuple[str, Typed], *, hint: int) -> None:
    last, typed = said
    step = proof.followed(last, line.typed, typed.text)
    if step.kind == "repeated":
        state.put(work.key("repeated"), value=typed.text)
        return
    state.drop(work.key("repeated"))
    rewriting = step.kind == "rewriting"
    work.keep_line(line.id, typed, step.verdict, hint=hint, rewriting=rewriting)


def _latest(work: Proof, line: "Line", last: str, now: Proving) -> None:
    """Draw what became of the latest line that was typed."""
    latest = work.latest
    if latest is None:
        return
    if state.get(work.key("repeated")):
        quiet(proof.REPEATED)
    elif latest.outcome == "equivalent":
        if now.steps and latest == now.steps[-1]:
            _accepted(work, latest)
    elif latest.line == line.id:
        step = proof.followed(last, line.typed, latest.typed)
        at, asked = (work.ids[now.reached], last) if step.behind else (line.id, line.typed)
        proof.verdict(work, at, said=(asked, latest.typed), verdict=step.verdict)


def _accepted(work: Proof, latest: Attempted) -> None:
    if latest.rewriting:
        verdicts.follows()
        return
    wanted = work.derivation.line(latest.line).typed
    verdicts.right(proof.judged(wanted, latest.typed))


def _undo(work: Proof, line: "Line", now: Proving) -> None:
    if not now.can_undo:
        return
    clicked = st.button("Undo", type="tertiary", icon=":material/undo:", key=work.key("undo"))
    if clicked and work.keep(line.id, asked="undo"):
        proof.redraw()


def _finished(work: Proof, now: Proving) -> None:
    given = any(grade >= 3 for grade in now.hints.values())
    said = "Proved, with lines that were given." if given else "Proved."
    last = proof.judged(work.lines[-1].typed, now.steps[-1].typed)
    verdicts.right(last, said=said)
    st.markdown(derivation.tex(work.lines[-1].reading))
    work.again("Prove it once more", now.number + 1)
