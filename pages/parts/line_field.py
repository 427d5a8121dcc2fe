"""The field for one typed line: set as a formula while it is typed, judged on Enter."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import streamlit as st

from drills.events import MAX_TYPED
from pages.parts import formulas, state
from pages.parts.inline_html import inline_html
from pages.parts.packing import packed

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "surprisal_line_field",
    html="<div class='line-field'></div>\n",
    css=(_HERE / "line_field.css").read_text("utf-8"),
    js=(_HERE / "line_field.js").read_text("utf-8"),
)
_LABELS = {
    "check": "Check",
    "said": "You typed:",
    "unread": "This is not a whole line yet.",
    "empty": "What you type appears here as a formula. Enter checks it.",
}
HELP = """Three spellings of one line:

```text
r = beta*log(pi/ref) + beta*log Z
r = β·ln(π/π_ref) + β·ln Z
r = \\beta \\log \\frac{\\pi}{\\pi_{ref}} + \\beta \\log Z
```

Functions are `log`, `exp`, `sqrt` and `sigma`, the sigmoid. Powers are written `x^2`, the \
responses `r_w` and `r_l`. A form of your own is as good as any: what counts is what it says."""


@dataclass(frozen=True)
class Typed:
    """A line that was sent to be checked; the nonce keeps it from being recorded twice."""

    text: str
    nonce: str


def ask(name: str, label: str, *, key: str) -> Typed | None:
    """Draw the field; return what was sent in this run. A new `name` empties the field."""
    draft = _of(state.get(key, default={}).get("draft"), name)
    data = {
        "name": name,
        "label": label,
        "most": MAX_TYPED,
        "echo": echo(draft.text) if draft else "",
        "labels": _LABELS,
    }
    said = _COMPONENT(
        key=key,
        data=packed(data),
        on_draft_change=lambda: None,
        on_check_change=lambda: None,
    )
    return _of(said.check, name)


def help_() -> None:
    """Draw how lines are typed, shut."""
    with st.popover("How to type", icon=":material/keyboard:"):
        st.markdown(HELP)


def echo(text: str) -> str:
    """Return what was typed as MathML; empty if it cannot be read."""
    errors = import_module("engine.algebra.tokens")
    try:
        line, _ = import_module("engine.algebra.reader").parse(text)
    except errors.ReadError:
        return ""
    return inline_html(f"${formulas.natural(line.latex)}$")


def _of(said: object, name: str) -> Typed | None:
    """Read what the browser sent; what is about another line, or no line at all, is nothing."""
    if not isinstance(said, dict) or said.get("name") != name:
        return None
    text, nonce = said.get("text"), said.get("nonce", "")
    if not isinstance(text, str) or not isinstance(nonce, str):
        return None
    return Typed(_storable(text)[:MAX_TYPED], nonce[:64])


def _storable(text: str) -> str:
    """The text without halves of characters, from a broken paste."""
    return text.encode("utf-8", "replace").decode("utf-8")
