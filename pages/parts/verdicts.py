"""What became of a typed line: its own sentence, numbers that tell it apart, a caret."""

from importlib import import_module
from typing import TYPE_CHECKING

import streamlit as st

from pages.parts import formulas, numerals

if TYPE_CHECKING:
    from engine.algebra.verdict import Counterexample, Verdict

FREE = "This does not count."
_SIDES = {
    "both": ("what is asked for", "what you typed"),
    "typed": ("your left side", "your right side"),
    "expected": ("left side asked for", "right side asked for"),
}


def draw(verdict: "Verdict", text: str) -> None:
    """Draw the verdict on a line that was typed as `text`."""
    if verdict.outcome == "equivalent":
        right(verdict)
    elif verdict.outcome == "unreadable":
        _unreadable(verdict, text)
    elif verdict.outcome == "undecided":
        _free(verdict.sentence)
    else:
        _different(verdict)


def right(verdict: "Verdict", *, said: str = "Right.") -> None:
    """Say that the line is right, and what its form lacks."""
    more = f" {verdict.note}" if verdict.note else ""
    st.markdown(f":green[:material/check:] **{said}**{more}")


def _different(verdict: "Verdict") -> None:
    st.markdown(f":red[:material/close:] {verdict.sentence}")
    if verdict.counterexample is not None:
        _numbers(verdict.counterexample)


def _numbers(clash: "Counterexample") -> None:
    """Draw the point, and the two numbers that should be one."""
    names = {name: formulas.of(name) for name in sorted(clash.values)}
    head = [*names.values(), *_SIDES[clash.of]]
    cells = [numerals.told(clash.values[name]) for name in names]
    cells += [_value(clash.expected), _value(clash.typed)]
    rows = "\n".join(f"| {name} | {cell} |" for name, cell in zip(head, cells, strict=True))
    st.markdown(f"| value of | here |\n|:--|--:|\n{rows}")


def _value(value: float | None) -> str:
    return "no value" if value is None else numerals.told(value)


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
