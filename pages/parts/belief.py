"""The belief widget: a probability for every option, set by hand, always summing to one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import streamlit as st

from drills import score
from pages.parts import units
from pages.parts.inline_html import inline_html
from pages.parts.packing import packed

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
    "gain": "if it is right",
    "right": "This is the right answer.",
    "key": "Thin outline: before reading. Solid: now.",
}
_NOTE = "No answer can go below 1%: being certain and wrong would cost infinitely many {}."


@dataclass(frozen=True)
class Committed:
    """What the learner committed: a percentage per option, None for "no idea"; and its id."""

    percents: tuple[float, ...] | None
    nonce: str


def ask(options: Sequence[str], *, key: str, commit_label: str = "Commit") -> Committed | None:
    """Draw the options with their sliders; return what was committed in this run, if anything."""
    data = _asked(tuple(options), key, commit_label, units.of_scores())
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
    before = score.to_percent(first) if first else None
    data = _told(tuple(options), key, score.to_percent(probabilities), right, before)
    _COMPONENT(key=key, data=data)


@lru_cache(maxsize=512)
def _asked(options: tuple[str, ...], key: str, commit_label: str, unit: str) -> bytes:
    labels = _LABELS | {"commit": commit_label, "unit": unit, "note": _NOTE.format(unit)}
    return packed({"name": key, "options": _html(options), "sure": SURE_PERCENT, "labels": labels})


@lru_cache(maxsize=512)
def _told(
    options: tuple[str, ...],
    key: str,
    percents: tuple[int, ...],
    right: int | None,
    first: tuple[int, ...] | None,
) -> bytes:
    told = {"right": right, "percents": percents, "first": first}
    return packed({"name": key, "options": _html(options), "told": told, "labels": _LABELS})


def _html(options: Sequence[str]) -> list[str]:
    return [inline_html(option) for option in options]


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
    if not all(isinstance(p, int | float) and 0 <= p <= 100 for p in percents) or not any(percents):
        return None
    return Committed(tuple(map(float, percents)), nonce)
