"""One or two distributions shaped by hand: bars to drag, and what they amount to, as areas.

The browser computes while a bar moves; the server hears of it once, when it is let go.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Literal

import streamlit as st

from content.units import Unit
from pages.parts import state, units
from pages.parts.packing import packed

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "surprisal_shaper",
    html="<div class='shaper'></div>\n",
    css=(_HERE / "shaper.css").read_text("utf-8"),
    js=(_HERE / "shaper.js").read_text("utf-8"),
)
OUTCOMES = "ABCDEFGH"
_LABELS = {
    "uniform": "Uniform",
    "undo": "Undo",
    "reset": "Reset",
    "swap": "Swap",
    "fewer": "One outcome less",
    "more": "One outcome more",
    "shape": "Drag the bars. The others give way in proportion.",
    "surprisal": "surprisal",
    "percent": "percent",
    "impossible": "impossible",
    "never": "It never comes.",
    "most": "at most",
    "options": "as many as {} equally likely outcomes",
    "reads entropy": "Width is probability, height is surprisal, area is entropy.",
    "reads kl": "Width is {}, height is the log-ratio: the area above the line minus that below.",
    "endless": "{} says what {} calls impossible.",
}


@dataclass(frozen=True)
class Shape:
    """A distribution to be shaped."""

    symbol: str  # p
    title: str  # in a word or two
    role: Literal["policy", "reference"]
    usual: str  # weights, as `engine.experiments.weights` reads them: where *Reset* leads
    weights: str  # those that stand


def draw(
    shapes: Sequence[Shape],
    shaped: Callable[[list[str]], None],
    *,
    key: str,
    resizable: bool = False,
) -> None:
    """Draw one shape, to see its entropy, or two, to see their divergence both ways.

    Args:
        shapes: as many outcomes in each.
        shaped: called with the weights of each, as text, when a learner has changed them.
        key: of the widget.
        resizable: whether outcomes can be added and taken away.
    """
    drawn = tuple(shapes)
    if not readable([shape.weights for shape in drawn], len(drawn)):
        drawn = tuple(replace(shape, weights=shape.usual) for shape in drawn)
    _COMPONENT(
        key=key,
        data=_data(drawn, key, units.of_information(), resizable=resizable),
        on_shaped_change=partial(_tell, shaped, key, len(drawn)),
    )


def readable(texts: Sequence[object], count: int = 1) -> bool:
    """Whether these are so many distributions over the same outcomes."""
    if len(texts) != count or not all(isinstance(text, str) for text in texts):
        return False
    weights, errors = (import_module(f"engine.{it}") for it in ("experiments.weights", "errors"))
    try:
        return len({len(weights.read(text)) for text in texts}) == 1
    except errors.EngineError:
        return False


@lru_cache(maxsize=512)
def _data(shapes: tuple[Shape, ...], key: str, unit: Unit, *, resizable: bool) -> bytes:
    return packed(
        {
            "name": key,
            "unit": unit,
            "shapes": [asdict(shape) for shape in shapes],
            "outcomes": list(OUTCOMES),
            "resizable": resizable,
            "labels": _LABELS,
        }
    )


def _tell(shaped: Callable[[list[str]], None], key: str, count: int) -> None:
    """Pass on what the browser sent when a bar was let go; anything else is nothing."""
    said = state.get(key, default={}).get("shaped")
    texts = said.get("texts") if isinstance(said, dict) else None
    if isinstance(texts, list) and readable(texts, count):
        shaped(texts)
