"""Figures of entropy: what temperature moves, and what reward does to a policy's spread."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from engine import distributions, entropy_bonus, temperature
from engine.figures import style

_ANSWERS = (0.6, 0.3, 0.1)  # wrong, right, other: what the model says at T = 1
_TEMPERATURES = (0.02, 3.0)
_START = (0.3, 0.6, 0.1)  # wrong, right and common, right and rare
_REWARD = (0.0, 1.0, 1.0)
_BONUS = 0.1  # reward per nat
_STEPS = 200
_TOP_NATS = 1.5 * math.log(2)  # of the axis on which entropies are drawn
_LABEL_GAP = 0.125  # least distance of two line names, as a share of the height of the axes


@dataclass(frozen=True)
class _Curve:
    name: str
    color: str
    dashes: str
    heights: Sequence[float]


def tempering(palette: style.Palette) -> Figure:
    """Three probabilities and their entropy against temperature; the most likely answer is wrong.

    The order of the answers is the same at every temperature.
    """
    figure = style.blank(palette, height=6.9)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    dial = torch.linspace(*_TEMPERATURES, 150, dtype=torch.float64)
    table = _tempered(dial)
    answers = _named(("wrong", "right", "other"), table.exp(), palette)
    spread = _Curve("", palette.policy, "solid", _entropies(table, palette))
    _draw(upper, dial.tolist(), answers, palette)
    _draw(lower, dial.tolist(), [spread], palette)
    _draw_ceiling(lower, palette)
    upper.set_title("Probability: the order never changes", **style.title(palette))
    lower.set_title(
        f"Entropy ({_unit(palette)}): it rises toward its ceiling", **style.title(palette)
    )
    lower.set_xlabel("temperature $T$", labelpad=8, **style.words(palette))
    return figure


def collapse(palette: style.Palette) -> Figure:
    """Two right answers with equal reward: who keeps the probability, and what entropy does."""
    figure = style.blank(palette, height=6.9)
    upper, lower = figure.subplots(2, 1, sharex=True)
    steps = [float(step) for step in range(_STEPS + 1)]
    alone, helped = _run(0.0), _run(_BONUS)
    names = ("wrong", "common", "rare")
    _draw(upper, steps, _named(names, alone.exp(), palette), palette)
    curves = [
        _Curve("alone", palette.policy, "solid", _entropies(alone, palette)),
        _Curve("bonus", palette.text, "dashed", _entropies(helped, palette)),
    ]
    (top,) = style.amounts([_TOP_NATS], palette, usual="bits")
    _draw(lower, steps, curves, palette, top=top)
    upper.set_title("Reward alone: the rare right answer fades", **style.title(palette))
    lower.set_title(f"Entropy ({_unit(palette)}): alone, and with a bonus", **style.title(palette))
    lower.set_xlabel("gradient steps", labelpad=8, **style.words(palette))
    return figure


def _tempered(dial: Tensor) -> Tensor:
    """One row of log-probabilities for each temperature."""
    logits = torch.tensor([_ANSWERS], dtype=torch.float64).log()
    rows = [temperature.temper(logits, temperature=value) for value in dial.tolist()]
    return torch.cat(rows)


def _run(bonus: float) -> Tensor:
    """One row of log-probabilities for each step, the start first."""
    start = torch.tensor([_START], dtype=torch.float64).log()
    reward = torch.tensor([_REWARD], dtype=torch.float64)
    run = entropy_bonus.ascend(start, reward, bonus=bonus, rate=1.0, steps=_STEPS)
    return torch.cat(list(run))


def _unit(palette: style.Palette) -> str:
    return style.unit(palette, usual="bits")


def _entropies(table: Tensor, palette: style.Palette) -> list[float]:
    return style.amounts(distributions.entropy(table).tolist(), palette, usual="bits")


def _named(names: Sequence[str], table: Tensor, palette: style.Palette) -> list[_Curve]:
    """The first outcome gray and dashed, the second in the model's color, the third dotted."""
    looks = (
        (palette.reference, "dashed"),
        (palette.policy, "solid"),
        (palette.text, "dotted"),
    )
    return [
        _Curve(name, color, dashes, table[:, column].tolist())
        for column, (name, (color, dashes)) in enumerate(zip(names, looks, strict=True))
    ]


def _draw(
    axes: Axes,
    across: Sequence[float],
    curves: Sequence[_Curve],
    palette: style.Palette,
    *,
    top: float = 1.0,
) -> None:
    """Curves on common axes, each named at its end with the height it reaches."""
    highest = max(top, *(max(curve.heights) for curve in curves))
    axes.set_xlim(0, across[-1])
    axes.set_ylim(-0.02 * highest, 1.04 * highest)
    style.frame(axes, palette)
    ends = [curve.heights[-1] for curve in curves]
    for curve, end, place in zip(
        curves, ends, style.spread(ends, gap=_LABEL_GAP * highest), strict=True
    ):
        color, dashes = curve.color, curve.dashes
        axes.plot(across, curve.heights, color=color, linestyle=dashes, linewidth=3, zorder=3)
        _name_end(axes, curve, (across[-1], end), place)
        label = f"{curve.name} {end:.2f}".strip()
        axes.text(1.08 * across[-1], place, label, va="center", **style.words(palette))


def _name_end(axes: Axes, curve: _Curve, end: tuple[float, float], place: float) -> None:
    """A dot where the line ends, and a thin stroke from there to the line's name."""
    across, height = end
    stroke = ([across, 1.06 * across], [height, place])
    axes.plot(*stroke, color=curve.color, linewidth=1.5, clip_on=False, zorder=4)
    axes.plot(across, height, "o", color=curve.color, markersize=8, clip_on=False, zorder=5)


def _draw_ceiling(axes: Axes, palette: style.Palette) -> None:
    """The entropy of three equally likely answers, the logarithm of 3."""
    (ceiling,) = style.amounts([math.log(len(_ANSWERS))], palette, usual="bits")
    axes.set_ylim(-0.03, 1.25 * ceiling)
    axes.axhline(ceiling, color=palette.reference, linewidth=1.2, zorder=2)
    base = "$_2$" if _unit(palette) == "bits" else ""
    name = f"log{base} 3 = {ceiling:.2f}"
    axes.text(0.05, ceiling + 0.03, name, va="bottom", **style.words(palette))
