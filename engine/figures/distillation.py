"""Figures of distillation: what T² does to a gradient, and what soft targets save."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine.checks import distillation
from engine.figures import style

_TEACHER = [4.0, 2.0, 0.0, -2.0, -4.0]  # logits
_STUDENT = [2.0, 3.0, 0.0, -1.0, -4.0]
_HOTTEST = 20
_MEMOS = (20, 40, 80, 160, 320, 640, 1280)
_RUNS = 10
_LABEL_GAP = 0.085  # least distance of two line names, as a share of the axis
_NAMES = ("likeliest", "drawn", "soft")  # of the kinds of target, in the order drawn


def temperature_squared(palette: style.Palette) -> Figure:
    """Length of the soft targets' gradient against temperature, bare and times T²."""
    figure = style.blank(palette, height=5)
    axes = figure.subplots()
    axes.set_xlim(1, _HOTTEST)
    axes.set_ylim(0, 1)
    axes.set_xticks([1, 5, 10, 15, 20])
    axes.set_yticks([0, 0.5, 1], labels=["0", "0.5", "1"])
    style.frame(axes, palette)
    heats = np.linspace(1, _HOTTEST, 96).tolist()
    pair = _STUDENT, _TEACHER
    scaled = [distillation.scaled_gradient_length(*pair, heat) for heat in heats]
    bare = [distillation.soft_gradient_length(*pair, heat) for heat in heats]
    limit = [distillation.limit_length(*pair)] * len(heats)
    axes.plot(heats, scaled, color=palette.policy, linewidth=3, zorder=4)
    axes.plot(heats, limit, color=palette.reference, linestyle="dashed", linewidth=3, zorder=2)
    axes.plot(heats, bare, color=palette.text, linestyle="dotted", linewidth=3, zorder=3)
    ends = {"times $T^2$": scaled[-1], "limit": limit[-1], "bare": bare[-1]}
    colors = palette.policy, palette.reference, palette.text
    names = [f"{name} {end:.2f}" for name, end in ends.items()]
    _name_ends(axes, names, list(ends.values()), colors, palette)
    axes.set_title("Length of the gradient", **style.title(palette))
    axes.set_xlabel("temperature $T$", labelpad=8, **style.words(palette))
    return figure


def hard_and_soft(palette: style.Palette) -> Figure:
    """Divergence of a small scorer from its teacher against memos, for three kinds of target."""
    figure = style.blank(palette, height=5.4)
    axes = figure.subplots()
    _frame_scorers(axes, palette)
    kinds = {
        "likeliest": (palette.text, "dotted"),
        "sampled": (palette.text, "dashed"),
        "soft": (palette.policy, "solid"),
    }
    ends = []
    for kind, (color, dashes) in kinds.items():
        heights = [distillation.scorer_divergence(kind, memos, _RUNS) for memos in _MEMOS]
        axes.plot(_MEMOS, heights, color=color, linestyle=dashes, linewidth=3, zorder=3)
        ends.append(heights[-1])
    size, unit = style.size(palette, usual="nats"), style.unit(palette, usual="nats")
    names = [f"{name} {end / size:.2f}" for name, end in zip(_NAMES, ends, strict=True)]
    _name_ends(axes, names, ends, [color for color, _ in kinds.values()], palette)
    axes.set_title(f"Divergence from the teacher ({unit})", **style.title(palette))
    axes.set_xlabel("memos graded by the teacher", labelpad=8, **style.words(palette))
    return figure


def _frame_scorers(axes: Axes, palette: style.Palette) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(_MEMOS[0], _MEMOS[-1])
    axes.set_ylim(0.045, 2)
    axes.set_xticks([20, 80, 320, 1280], labels=["20", "80", "320", "1280"])
    size = style.size(palette, usual="nats")
    told = ("0.1", "0.5", "1", "2") if size < 1 else ("0.05", "0.1", "0.5", "1")
    axes.set_yticks([float(each) * size for each in told], labels=told)
    axes.minorticks_off()
    style.frame(axes, palette)


def _name_ends(
    axes: Axes,
    names: Sequence[str],
    ends: Sequence[float],
    colors: Sequence[str],
    palette: style.Palette,
) -> None:
    """A dot where each line ends, and a thin stroke from there to the line's name."""
    shares = [_share(axes, end) for end in ends]
    places = style.spread(shares, gap=_LABEL_GAP)
    for name, share, place, color in zip(names, shares, places, colors, strict=True):
        stroke: dict[str, Any] = {
            "color": color,
            "transform": axes.transAxes,
            "clip_on": False,
            "zorder": 5,
        }
        axes.plot([1, 1.05], [share, place], linewidth=1.5, **stroke)
        axes.plot(1, share, "o", markersize=8, **stroke)
        at = axes.transAxes
        axes.text(1.07, place, name, va="center", transform=at, **style.words(palette))


def _share(axes: Axes, height: float) -> float:
    """Where a height lies on its axis, as a share of the way up."""
    bottom, top = axes.get_ylim()
    points = axes.transData.transform([(1, bottom), (1, height), (1, top)])
    low, here, high = (float(point[1]) for point in points)
    return (here - low) / (high - low)
