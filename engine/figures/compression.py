"""Figures of codes: what blocks save, and what reading a source wrongly costs."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine import coding
from engine.checks import compression
from engine.figures import style

_COIN = [9, 1]
_LONGEST_BLOCK = 8
_SOURCE = [4, 2, 1, 1]
_SYMBOLS, _EVERY, _SEED = 1000, 50, 2
_TALLEST = {"blocks": 1.55, "messages": 2800}  # where the vertical axes end, in bits
_LABEL_GAP = 0.085  # least distance of two line names, as a share of the axis


def block_codes(palette: style.Palette) -> Figure:
    """Bits per toss of the best prefix code for blocks of 1 to 8 tosses of a 9:1 coin."""
    figure = style.blank(palette, height=5)
    axes = figure.subplots()
    _frame_blocks(axes, palette)
    blocks = range(1, _LONGEST_BLOCK + 1)
    floor = compression.bits_at_best([each / sum(_COIN) for each in _COIN])
    bound = [floor + 1 / block for block in blocks]
    rates = [coding.block_rate(_COIN, block) for block in blocks]
    axes.plot(blocks, bound, color=palette.text, linestyle="dotted", linewidth=3, zorder=3)
    marks: dict[str, Any] = {"marker": "o", "markersize": 8, "clip_on": False}
    axes.plot(blocks, rates, color=palette.policy, linewidth=3, zorder=4, **marks)
    line = [floor] * _LONGEST_BLOCK
    axes.plot(blocks, line, color=palette.reference, linestyle="dashed", linewidth=3, zorder=2)
    ends = {"$H+1/n$": bound[-1], "$H$": floor, "best code": rates[-1]}
    names = [f"{name} {end:.3f}" for name, end in ends.items()]
    colors = (palette.text, palette.reference, palette.policy)
    _name_ends(axes, names, list(ends.values()), colors, palette)
    axes.set_title("Bits per toss, coded in blocks", **style.title(palette))
    axes.set_xlabel("tosses in a block, $n$", labelpad=8, **style.words(palette))
    return figure


def wrong_models(palette: style.Palette) -> Figure:
    """Length of the arithmetic coder's message as a sequence grows, under three models."""
    figure = style.blank(palette, height=5)
    axes = figure.subplots()
    _frame_messages(axes, palette)
    symbols = coding.draw(_SOURCE, _SYMBOLS, seed=_SEED)
    counts = range(0, _SYMBOLS + 1, _EVERY)
    models = _models(palette)
    ends = []
    for _, weights, color, dashes in models:
        model = coding.fixed(weights)
        lengths = [float(len(coding.encode(symbols[:count], model))) for count in counts]
        axes.plot(counts, lengths, color=color, linestyle=dashes, linewidth=3, zorder=3)
        ends.append(lengths[-1])
    names = [f"{model[0]} {end:.0f}" for model, end in zip(models, ends, strict=True)]
    _name_ends(axes, names, ends, [model[2] for model in models], palette)
    axes.set_title("Bits sent for the same symbols", **style.title(palette))
    axes.set_xlabel("symbols", labelpad=8, **style.words(palette))
    return figure


def _models(palette: style.Palette) -> tuple[tuple[str, list[int], str, str], ...]:
    """Name, weights, color and dashes of the source itself, an even and a reversed model."""
    return (
        ("source", _SOURCE, palette.reference, "dashed"),
        ("even", [1, 1, 1, 1], palette.text, "dotted"),
        ("reversed", _SOURCE[::-1], palette.policy, "solid"),
    )


def _name_ends(
    axes: Axes,
    names: Sequence[str],
    ends: Sequence[float],
    colors: Sequence[str],
    palette: style.Palette,
) -> None:
    """A dot where each line ends, and a thin stroke from there to the line's name."""
    left, right = axes.get_xlim()
    gap = _LABEL_GAP * axes.get_ylim()[1]
    stroke, word = (right + share * (right - left) for share in (0.05, 0.07))
    places = style.spread(ends, gap=gap)
    for name, end, place, color in zip(names, ends, places, colors, strict=True):
        axes.plot([right, stroke], [end, place], color=color, linewidth=1.5, clip_on=False)
        axes.plot(right, end, "o", color=color, markersize=8, clip_on=False, zorder=5)
        axes.text(word, place, name, va="center", **style.words(palette))


def _frame_blocks(axes: Axes, palette: style.Palette) -> None:
    axes.set_xlim(1, _LONGEST_BLOCK)
    axes.set_ylim(0, _TALLEST["blocks"])
    axes.set_xticks(range(1, _LONGEST_BLOCK + 1))
    axes.set_yticks([0, 0.5, 1, 1.5], labels=["0", "0.5", "1", "1.5"])
    style.frame(axes, palette)


def _frame_messages(axes: Axes, palette: style.Palette) -> None:
    axes.set_xlim(0, _SYMBOLS)
    axes.set_ylim(0, _TALLEST["messages"])
    axes.set_xticks([0, 500, 1000], labels=["0", "500", "1000"])
    axes.set_yticks([0, 1000, 2000], labels=["0", "1000", "2000"])
    style.frame(axes, palette)
