"""How the figures of the lessons look: one palette in, a matplotlib Figure out, no pyplot.

They are drawn for a column 390 pixels wide and upwards. Lines are named where they end, and
told apart by their dashes as well as by their colors.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# STIX ships with matplotlib. 17 points in a figure 6 inches wide are 15 pixels in 390.
TYPE: dict[str, Any] = {"fontfamily": "STIXGeneral", "fontsize": 17, "math_fontfamily": "stix"}


@dataclass(frozen=True)
class Palette:
    """One color for each meaning, as `#RRGGBB`."""

    policy: str
    reference: str
    reward: str
    chosen: str
    rejected: str
    text: str
    background: str
    grid: str
    unit: str | None = None  # "nats" or "bits", if a reader wants one; else each figure's own


LIGHT = Palette(
    policy="#0072B2",
    reference="#7A7A7A",
    reward="#E69F00",
    chosen="#009E73",
    rejected="#D55E00",
    text="#22201C",
    background="#FBFAF7",
    grid="#DDD8CC",
)
DARK = Palette(
    policy="#56B4E9",
    reference="#A0A0A0",
    reward="#F0C04A",
    chosen="#2FCB9B",
    rejected="#F08A4B",
    text="#E8E4DA",
    background="#16181B",
    grid="#363A40",
)


def svg(figure: Figure) -> str:
    """The figure as SVG; the same figure gives the same text, letters are drawn as outlines."""
    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "surprisal", "svg.fonttype": "path"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def png(figure: Figure, *, dots_per_inch: int = 144) -> bytes:
    """The figure as PNG, for decks."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dots_per_inch, metadata={"Software": None})
    return file.getvalue()


def unit(palette: Palette, *, usual: str) -> str:
    """The unit in which a figure shows information: the reader's, else the one it usually has."""
    return palette.unit or usual


def size(palette: Palette, *, usual: str) -> float:
    """That unit in nats: what a drawn amount is divided by to be told, a told one multiplied by."""
    return math.log(2) if unit(palette, usual=usual) == "bits" else 1.0


def amounts(nats: Sequence[float], palette: Palette, *, usual: str) -> list[float]:
    """Quantities of information in that unit."""
    return [value / size(palette, usual=usual) for value in nats]


def blank(palette: Palette, *, height: float, width: float = 6) -> Figure:
    """An empty figure in inches, in the palette's paper; axes are laid out to fit their words."""
    figure = Figure(figsize=(width, height), facecolor=palette.background)
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    return figure


def frame(axes: Axes, palette: Palette) -> None:
    """Axes without a box: quiet horizontal lines, no tick marks, the house's type."""
    axes.set_facecolor(palette.background)
    axes.grid(axis="y", color=palette.grid, linewidth=1)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=8, labelcolor=palette.text)
    axes.spines[:].set_visible(False)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontfamily(TYPE["fontfamily"])
        label.set_fontsize(TYPE["fontsize"])


def words(palette: Palette) -> dict[str, Any]:
    """Keywords for any text: `axes.set_xlabel("margin (nats)", **words(palette))`."""
    return {"color": palette.text, **TYPE}


def title(palette: Palette) -> dict[str, Any]:
    """Keywords for the title of axes, which says what to see."""
    return {**words(palette), "loc": "left", "pad": 14, "fontsize": 18}


def spread(heights: Sequence[float], *, gap: float) -> list[float]:
    """The same heights, moved apart as little as it takes to keep `gap` between neighbors."""
    order = np.argsort(heights, kind="stable").tolist()
    clusters: list[list[float]] = []
    for rank, index in enumerate(order):
        clusters.append([heights[index] - rank * gap])
        while len(clusters) > 1 and np.mean(clusters[-2]) > np.mean(clusters[-1]):
            clusters[-2:] = [clusters[-2] + clusters[-1]]
    level = [float(np.mean(cluster)) for cluster in clusters for _ in cluster]
    ranks = np.argsort(order, kind="stable").tolist()
    return [level[rank] + rank * gap for rank in ranks]
