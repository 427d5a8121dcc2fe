"""Figures of preference training."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine import examples
from engine.figures import style
from engine.train import Step

_LABEL_GAP = 0.125  # least distance of two line names, in units of probability
_WIDEST_NATS = 0.5  # the margin at which displacement ends


def displacement(palette: style.Palette) -> Figure:
    """Response probabilities as one pair's margin grows: in a table, and with shared features.

    Plain gradient descent at β = 0.1. The two rates only set how densely the margin is sampled;
    the curves do not depend on them.
    """
    figure = style.blank(palette, height=6.9)
    upper, lower = figure.subplots(2, 1, sharex=True)
    table = examples.one_pair([[1, 0, 0], [0, 1, 0], [0, 0, 1]], beta=0.1, rate=0.25, steps=25)
    shared = examples.one_pair([[1, 0], [1.2, -0.1], [-1, 0]], beta=0.1, rate=10, steps=25)
    _draw_run(upper, table, palette)
    _draw_run(lower, shared, palette)
    upper.set_title("Table: the chosen response gains probability", **style.title(palette))
    lower.set_title("Shared features: it loses nearly all of it", **style.title(palette))
    lower.set_xlabel("margin $h$ (nats)", labelpad=8, **style.words(palette))
    return figure


def _draw_run(axes: Axes, run: Iterable[Step], palette: style.Palette) -> None:
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
    for (name, color, _), end, place in zip(
        styles, ends, style.spread(ends, gap=_LABEL_GAP), strict=True
    ):
        _name_end(axes, end, place, color)
        label = f"{name} {end:.2f}"
        axes.text(1.08 * _WIDEST_NATS, place, label, va="center", **style.words(palette))


def _name_end(axes: Axes, end: float, place: float, color: str) -> None:
    """A dot where the line ends, and a thin stroke from there to the line's name."""
    stroke = ([_WIDEST_NATS, 1.06 * _WIDEST_NATS], [end, place])
    axes.plot(*stroke, color=color, linewidth=1.5, clip_on=False, zorder=4)
    axes.plot(_WIDEST_NATS, end, "o", color=color, markersize=8, clip_on=False, zorder=5)


def _styles(palette: style.Palette) -> tuple[tuple[str, str, str], ...]:
    """Name, color and dashes of the chosen, the rejected and the third response."""
    return (
        ("chosen", palette.chosen, "solid"),
        ("rejected", palette.rejected, "dashed"),
        ("third", palette.text, "dotted"),
    )


def _draw_frame(axes: Axes, palette: style.Palette) -> None:
    axes.set_xlim(0, _WIDEST_NATS)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xticks([0, 0.25, 0.5], labels=["0", "0.25", "0.5"])
    axes.set_yticks([0, 1 / 3, 1], labels=["0", "1/3", "1"])
    style.frame(axes, palette)
    axes.axhline(1 / 3, color=palette.reference, linewidth=1.2, zorder=2)
