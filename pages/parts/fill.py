"""Fill in: the last lines of a derivation are blank; first their rule, then the line itself."""

import random
from typing import TYPE_CHECKING

import streamlit as st

from drills import rounds
from drills.rounds import Filling
from pages.parts import derivation, formulas, line_field, proof, verdicts
from pages.parts.proof import Proof
from pages.parts.quiet import quiet

if TYPE_CHECKING:
    from engine.algebra.line import Line

CHOICES = 4  # rules to choose from
BLANK = ":gray[. . .]"
_COUNTED = ("no", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def draw(work: Proof) -> None:
    """Draw the derivation with its blanks, and what is asked for the first of them."""
    now = rounds.filling(work.attempts, work.ids, begun=work.begun)
    quiet(f"{_blanks(now.blank)}. One more is left out each time you need no hint.")
    for number, line in enumerate(work.lines, start=1):
        _shown(number, line, now)
        if line.id == now.at:
            with st.container(key="blank"):
                _blank(work, line, now)
    _form(work, now)
    if now.complete:
        _finished(work, now)


def _blanks(count: int) -> str:
    counted = _COUNTED[count] if count < len(_COUNTED) else str(count)
    return f"{counted} line{'s are' if count > 1 else ' is'} left out, from the end"


def _shown(number: int, line: "Line", now: Filling) -> None:
    """Draw a line: as it stands in the derivation, as it was typed, or blank."""
    if line.id not in now.blanks:
        proof.numbered(number, line.rule, formulas.of(line.typed), note=line.typed_note)
    elif line.id in now.filled:
        mark = f"{line.rule} :green[:material/check:]"
        proof.numbered(number, mark, formulas.recorded(now.filled[line.id]))
    else:
        proof.numbered(number, line.rule if line.id in now.ruled else "", BLANK)


def _blank(work: Proof, line: "Line", now: Filling) -> None:
    """Ask for the rule of a blank, and then for the line."""
    if line.id not in now.ruled:
        _rule(work, line, now)
        return
    proof.note(line)
    typed = line_field.ask(f"{line.id}-{now.number}", "The line", key=work.key("field"))
    hint = now.hints.get(line.id, 0)
    if typed is not None:
        verdict = proof.judged(line.typed, typed.text)
        work.keep_line(line.id, typed, verdict, hint=hint)
    _latest(work, line)
    with st.container(horizontal=True, vertical_alignment="center"):
        line_field.help_()
        proof.more(work, line, max(hint, 1))
    proof.hints(work, line, hint, start=1)


def _latest(work: Proof, line: "Line") -> None:
    """Draw the verdict on the latest attempt, if it was about this line and not right."""
    latest = work.latest
    if latest is None or latest.outcome == "equivalent" or latest.line != line.id:
        return
    proof.verdict(work, line.id, said=(line.typed, latest.typed))


def _form(work: Proof, now: Filling) -> None:
    """Say what the form of the line that was accepted last lacks."""
    latest = work.latest
    if latest is None or latest.form or latest.typed != now.filled.get(latest.line):
        return
    wanted = work.derivation.line(latest.line).typed
    verdicts.right(proof.judged(wanted, latest.typed))


def _rule(work: Proof, line: "Line", now: Filling) -> None:
    options = rules(work, line, now.number)
    key = work.key(f"rule-{line.id}-{now.number}")
    asked = "Which rule leads to this line?"
    chosen = st.radio(asked, options, index=None, format_func=derivation.tex, key=key)
    attempts = [each for each in work.attempts if each.way == "fill"]
    before = attempts[-1] if attempts else None
    if st.button("Check", key=f"{key}-check", disabled=chosen is None):
        right = chosen == line.rule
        outcome = "equivalent" if right else "different"
        if work.keep(line.id, asked="rule", typed=str(chosen), outcome=outcome):
            proof.redraw()
    elif before and before.asked == "rule" and before.line == line.id and chosen == before.typed:
        st.markdown(":red[:material/close:] That rule leads to another line of this derivation.")


def rules(work: Proof, line: "Line", round_: int) -> list[str]:
    """Return the rule of a line among others of the derivation, in an order of the round's."""
    others = [each.rule for each in work.derivation.lines if each.rule != line.rule]
    order = random.Random(f"{work.item}/{line.id}/{round_}")
    some = order.sample(others, min(CHOICES - 1, len(others)))
    options = [*some, line.rule]
    order.shuffle(options)
    return options


def _finished(work: Proof, now: Filling) -> None:
    following = now.next()
    most = following.blank == now.blank and now.clean
    said = "Every line but the first is yours." if most else "All blanks are filled."
    st.markdown(f":green[:material/check:] **{said}**")
    label = "Once more" if following.blank == now.blank else f"With {following.blank} lines blank"
    work.again(label, now.number + 1)
