"""Figures of the lessons, computed here and drawn without pyplot: a palette in, a Figure out.

They are drawn for a column 390 pixels wide and upwards. Lines are named where they end, and
told apart by their dashes as well as by their colors.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine import examples
from engine.train import Step

# STIX ships with matplotlib. 17 points in a figure 6 inches wide are 15 pixels in 390.
_TYPE: dict[str, Any] = {"fontfamily": "STIXGeneral", "fontsize": 17, "math_fontfamily": "stix"}
_LABEL_GAP = 0.125  # least distance of two line names, in units of probability
_WIDEST_NATS = 0.5  # the margin at which displacement ends


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


def displacement(palette: Palette) -> Figure:
    """Response probabilities as one pair's margin grows: in a table, and with shared features.

    Plain gradient descent at β = 0.1. The two rates only set how densely the margin is sampled;
    the curves do not depend on them.
    """
    figure = Figure(figsize=(6, 6.9), facecolor=palette.background)
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    upper, lower = figure.subplots(2, 1, sharex=True)
    table = examples.one_pair([[1, 0, 0], [0, 1, 0], [0, 0, 1]], beta=0.1, rate=0.25, steps=25)
    shared = examples.one_pair([[1, 0], [1.2, -0.1], [-1, 0]], beta=0.1, rate=10, steps=25)
    _draw_run(upper, table, palette)
    _draw_run(lower, shared, palette)
    upper.set_title("Table: the chosen response gains probability", **_title(palette))
    lower.set_title("Shared features: it loses nearly all of it", **_title(palette))
    lower.set_xlabel("margin $h$ (nats)", color=palette.text, labelpad=8, **_TYPE)
    return figure


def _draw_run(axes: Axes, run: Iterable[Step], palette: Palette) -> None:
    """Three probabilities against the margin, each named at its end."""
    steps = list(run)
    margins = [step.margin for step in steps]
    _draw_frame(axes, palette)
    styles = _styles(palette)
    ends = []
    for response, (_, color, dashes) in enumerate(styles):
        heights = [step.policy[0, response].exp().item() for step in steps]
        ends.append(float(np.interp(_WIDEST_NATS, margins, heights)))
        axes.plot(margins, heights, color=color, linestyle=dashes, linewidth=3, zorder=3)
    for (name, color, _), end, place in zip(styles, ends, _spread(ends), strict=True):
        _name_end(axes, end, place, color)
        label = f"{name} {end:.2f}"
        axes.text(1.08 * _WIDEST_NATS, place, label, color=palette.text, va="center", **_TYPE)


def _name_end(axes: Axes, end: float, place: float, color: str) -> None:
    """A dot where the line ends, and a thin stroke from there to the line's name."""
    stroke = ([_WIDEST_NATS, 1.06 * _WIDEST_NATS], [end, place])
    axes.plot(*stroke, color=color, linewidth=1.5, clip_on=False, zorder=4)
    axes.plot(_WIDEST_NATS, end, "o", color=color, markersize=8, clip_on=False, zorder=5)


def _styles(palette: Palette) -> tuple[tuple[str, str, str], ...]:
    """Name, color and dashes of the chosen, the rejected and the third response."""
    return (
        ("chosen", palette.chosen, "solid"),
        ("rejected", palette.rejected, "dashed"),
        ("third", palette.text, "dotted"),
    )


def _draw_frame(axes: Axes, palette: Palette) -> None:
    axes.set_facecolor(palette.background)
    axes.set_xlim(0, _WIDEST_NATS)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xticks([0, 0.25, 0.5], labels=["0", "0.25", "0.5"])
    axes.set_yticks([0, 1 / 3, 1], labels=["0", "1/3", "1"])
    axes.grid(axis="y", color=palette.grid, linewidth=1)
    axes.axhline(1 / 3, color=palette.reference, linewidth=1.2, zorder=2)
    axes.tick_params(length=0, pad=8, labelcolor=palette.text)
    axes.spines[:].set_visible(False)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontfamily(_TYPE["fontfamily"])
        label.set_fontsize(_TYPE["fontsize"])


def _title(palette: Palette) -> dict[str, Any]:
    return {"color": palette.text, "loc": "left", "pad": 14, **_TYPE, "fontsize": 18}


def _spread(heights: Sequence[float]) -> list[float]:
    """The same heights, moved apart as little as it takes to keep the gap between neighbors."""
    order = np.argsort(heights, kind="stable").tolist()
    clusters: list[list[float]] = []
    for rank, index in enumerate(order):
        clusters.append([heights[index] - rank * _LABEL_GAP])
        while len(clusters) > 1 and np.mean(clusters[-2]) > np.mean(clusters[-1]):
            clusters[-2:] = [clusters[-2] + clusters[-1]]
    level = [float(np.mean(cluster)) for cluster in clusters for _ in cluster]
    ranks = np.argsort(order, kind="stable").tolist()
    return [level[rank] + rank * _LABEL_GAP for rank in ranks]
