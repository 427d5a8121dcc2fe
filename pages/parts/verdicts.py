"""What became of a typed line: its own sentence, numbers that tell it apart, a caret."""

from importlib import import_module
from typing import TYPE_CHECKING

import streamlit as st

from pages.parts import formulas, numerals
from pages.parts.quiet import quiet

if TYPE_CHECKING:
    from engine.algebra.contrast import Contrast
    from engine.algebra.verdict import Counterexample, Verdict

FREE = "This does not count."
_SIDES = {
    "both": ("what is asked for", "what you typed"),
    "typed": ("your left side", "your right side"),
    "expected": ("left side asked for", "right side asked for"),
}


def draw(verdict: "Verdict", text: str, contrast: "Contrast | None" = None) -> None:
    """Draw the verdict on a line that was typed as `text`, in the world that `contrast` tells."""
    if verdict.outcome == "equivalent":
        right(verdict)
    elif verdict.outcome == "unreadable":
        _unreadable(verdict, text)
    elif verdict.outcome == "undecided":
        _free(verdict.sentence)
    else:
        _different(verdict, contrast)


def right(verdict: "Verdict", *, said: str = "Right.") -> None:
    """Say that the line is right, and what its form lacks."""
    more = f" {formulas.words(verdict.note)}" if verdict.note else ""
    st.markdown(f":green[:material/check:] **{said}**{more}")


def follows() -> None:
    """Say that the line before was rewritten."""
    st.markdown(":green[:material/check:] **It follows.** It says the same as the line before.")


def _different(verdict: "Verdict", contrast: "Contrast | None") -> None:
    st.markdown(f":red[:material/close:] {formulas.words(verdict.sentence)}")
    clash = contrast.clash if contrast and contrast.clash else verdict.counterexample
    if clash is not None:
        _numbers(clash, formulas.words(contrast.where) if contrast else "At random numbers:")


def _numbers(clash: "Counterexample", where: str) -> None:
    """Draw which point it is, and below it the two numbers that should be one."""
    at = (f"{formulas.of(name)} = {numerals.told(at)}" for name, at in sorted(clash.values.items()))
    point = ", ".join(each.replace(" = ", "\u00a0=\u00a0") for each in at)
    quiet(f"{where} {point}")
    head, cells = " | ".join(_SIDES[clash.of]), " | ".join(_both(clash.expected, clash.typed))
    st.markdown(f"| {head} |\n|:--|:--|\n| {cells} |")


def _both(one: float | None, other: float | None) -> tuple[str, str]:
    """Return two values with as many digits as it takes to tell them apart."""
    for digits in (4, 8, 12, 16):
        told = _value(one, digits), _value(other, digits)
        if told[0] != told[1]:
            break
    return told


def _value(value: float | None, digits: int) -> str:
    return "no value" if value is None else numerals.told(value, digits=digits)


def _unreadable(verdict: "Verdict", text: str) -> None:
    error = import_module("engine.algebra.tokens").ReadError(
        verdict.sentence, verdict.position or 0
    )
    _free(verdict.sentence)
    st.code(error.caret(text), language=None)


def _free(sentence: str) -> None:
    """Say what was not judged, and that it costs nothing."""
    said = sentence.replace("This does not count against you.", "").strip()
    st.markdown(f":material/help: {said} :gray[{FREE}]")
