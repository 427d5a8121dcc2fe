"""Surprisal against probability, read off under the pointer, a finger or the arrow keys."""

from functools import lru_cache
from pathlib import Path

import streamlit as st

from content.units import Unit
from pages.parts import units
from pages.parts.packing import packed

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "surprisal_curve",
    html="<div class='curve'></div>\n",
    css=(_HERE / "surprise_curve.css").read_text("utf-8"),
    js=(_HERE / "surprise_curve.js").read_text("utf-8"),
)
_LABELS = {
    "slider": "Probability of what happened",
    "surprisal": "surprisal",
    "tosses": "as surprising as {} fair coins that all fall as called",
    "halve": "Halve p",
    "double": "Double p",
    "axis": "probability p",
}


def draw(*, key: str) -> None:
    """Draw the curve of −log p, with a point on it that follows the reader."""
    _COMPONENT(key=key, data=_data(units.of_information()))


@lru_cache(maxsize=2)
def _data(unit: Unit) -> bytes:
    return packed({"unit": unit, "labels": _LABELS})
