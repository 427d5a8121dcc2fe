"""The belief widget: a probability for every option, set by hand, always summing to one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from drills import score
from pages.parts.inline_html import inline_html

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "surprisal_belief",
    html="<div class='belief'></div>\n",
    css=(_HERE / "belief.css").read_text("utf-8"),
    js=(_HERE / "belief.js").read_text("utf-8"),
)
SURE_PERCENT = (50, 70, 90, 99)
_LABELS = {
    "commit": "Commit",
    "none": "No idea",
    "sure": "Pick one above, and be this sure of it:",
    "legend": "How probable is each answer?",
    "right": "This is the right answer.",
    "key": "Thin outline: before reading. Solid: now.",
    "note": "No answer can go below 1 %: being certain and wrong would cost infinitely many bits.",
}


@dataclass(frozen=True)
class Committed:
    """What the learner committed: a percentage per option, None for "no idea"; and its id."""

    percents: tuple[float, ...] | None
    nonce: str


def ask(options: Sequence[str], *, key: str, commit_label: str = "Commit") -> Committed | None:
    """Draw the options with their sliders; return what was committed in this run, if anything."""
    data = {
        "name": key,
        "options": [inline_html(option) for option in options],
        "sure": SURE_PERCENT,
        "labels": _LABELS | {"commit": commit_label},
    }
    said = _COMPONENT(key=key, data=data, on_commit_change=lambda: None).commit
    return _committed(said, len(options)) if said else None


def tell(
    options: Sequence[str],
    probabilities: Sequence[float],
    *,
    key: str,
    right: int | None = None,
    first: Sequence[float] | None = None,
) -> None:
    """Draw what was believed; `right` marks the answer, `first` is the belief before reading."""
    told = {
        "right": right,
        "percents": score.to_percent(probabilities),
        "first": score.to_percent(first) if first else None,
    }
    data = {
        "name": key,
        "options": [inline_html(option) for option in options],
        "told": told,
        "labels": _LABELS,
    }
    _COMPONENT(key=key, data=data)


def _committed(said: object, options: int) -> Committed | None:
    """Read what the browser sent; what does not have the shape of a belief is no answer."""
    if not isinstance(said, dict) or not isinstance(said.get("nonce"), str):
        return None
    nonce = said["nonce"][:64]
    percents = said.get("percents")
    if percents is None:
        return Committed(None, nonce)
    if not isinstance(percents, list) or len(percents) != options:
        return None
    if not all(isinstance(p, int | float) and 0 <= p <= 100 for p in percents):
        return None
    return Committed(tuple(map(float, percents)), nonce)
