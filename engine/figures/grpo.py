"""Figures of learning from groups of answers, and of two losses for robot policies."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine import flow_matching, grpo
from engine.figures import style

_EVEN, _HARD = 0.5, 0.05  # success rates where the curves begin and end
_GROUP = 8
_SIZES = (64, 8, 3)
_DEMONSTRATIONS = (-1.0, 1.0)
_NOISE = (-2.0, -1.3, -0.7, -0.2, 0.2, 0.7, 1.3, 2.0)
_STEPS = 50


def pull_by_difficulty(palette: style.Palette) -> Figure:
    """Mean pull and relative weight of a prompt, from even odds to a success rate of 5%.

    Enumerated over all groups: 8 answers above; 64, 8 and 3 below. The weight is the pull with
    division over the pull without, set to 1 at even odds.
    """
    figure = style.blank(palette, height=7.4)
    upper, lower = figure.subplots(2, 1, sharex=True)
    rates = [float(rate) for rate in np.linspace(_EVEN, _HARD, 91)]
    _draw_pulls(upper, rates, palette)
    _draw_weights(lower, rates, palette)
    upper.set_title("Hard prompts pull less, either way", **style.title(palette))
    lower.set_title("Division raises them against even ones", **style.title(palette))
    lower.set_xlabel("success rate on the prompt", labelpad=8, **style.words(palette))
    return figure


def flow_to_actions(palette: style.Palette) -> Figure:
    """Paths of the best flow from noise to two demonstrated actions, and the mean action.

    Two demonstrations, −1 and +1, equally likely; Euler steps along the exact velocity.
    """
    figure = style.blank(palette, height=4.6)
    axes = figure.subplots()
    actions = torch.tensor(_DEMONSTRATIONS, dtype=torch.float64)
    paths = flow_matching.transport(torch.tensor(_NOISE).double(), actions, steps=_STEPS)
    times = np.linspace(0, 1, _STEPS + 1)
    axes.plot(times, paths.numpy(), color=palette.policy, linewidth=2.2, zorder=3)
    mean = actions.mean().item()
    axes.plot([0, 1], [mean, mean], color=palette.text, linestyle="dashed", linewidth=3, zorder=3)
    _frame_flow(axes, palette)
    landings = sorted({round(end, 6) for end in paths[-1].tolist()})
    ends = [(f"flow {_signed(end)}", end, palette.policy) for end in landings]
    _name_ends(axes, [*ends, (f"mean {mean:.0f}", mean, palette.text)], palette, at=1, gap=0.4)
    return figure


def _draw_pulls(axes: Axes, rates: Sequence[float], palette: style.Palette) -> None:
    """The mean pull of a group of eight with and without division by the deviation."""
    curves = (
        ("divided", palette.policy, "solid", grpo.advantages),
        ("centered", palette.text, "dashed", grpo.centered),
    )
    ends = []
    for name, color, dashes, advantages_of in curves:
        heights = [grpo.expected_pull(rate, _GROUP, advantages_of).item() for rate in rates]
        axes.plot(rates, heights, color=color, linestyle=dashes, linewidth=3, zorder=3)
        ends.append((f"{name} {heights[-1]:.2f}", heights[-1], color))
    _frame_rates(axes, palette, top=0.5, ticks={0: "0", 0.25: "0.25", 0.5: "0.5"})
    _name_ends(axes, ends, palette, at=_HARD, gap=0.075)


def _draw_weights(axes: Axes, rates: Sequence[float], palette: style.Palette) -> None:
    """What division adds to a prompt's weight against a prompt at even odds, by group size."""
    looks = ((palette.policy, "solid"), (palette.policy, "dashed"), (palette.reference, "dotted"))
    ends = []
    for size, (color, dashes) in zip(_SIZES, looks, strict=True):
        weights = np.array([_weight(rate, size) for rate in rates])
        heights = weights / weights[0]
        axes.plot(rates, heights, color=color, linestyle=dashes, linewidth=3, zorder=3)
        ends.append((f"$G = {size}$: {heights[-1]:.2f}", float(heights[-1]), color))
    _frame_rates(axes, palette, top=2.3, ticks={0: "0", 1: "1", 2: "2"})
    _name_ends(axes, ends, palette, at=_HARD, gap=0.3)


def _weight(rate: float, size: int) -> float:
    divided, centered = (
        grpo.expected_pull(rate, size, advantages_of).item()
        for advantages_of in (grpo.advantages, grpo.centered)
    )
    return divided / centered


def _name_ends(
    axes: Axes,
    ends: Sequence[tuple[str, float, str]],
    palette: style.Palette,
    *,
    at: float,
    gap: float,
) -> None:
    """A dot where each line ends, and a thin stroke from there to the line's name."""
    left, right = axes.get_xlim()
    width = right - left
    places = style.spread([end for _, end, _ in ends], gap=gap)
    for (name, end, color), place in zip(ends, places, strict=True):
        stroke = ([at, at + 0.05 * width], [end, place])
        axes.plot(*stroke, color=color, linewidth=1.5, clip_on=False, zorder=4)
        axes.plot(at, end, "o", color=color, markersize=8, clip_on=False, zorder=5)
        axes.text(at + 0.07 * width, place, name, va="center", **style.words(palette))


def _frame_rates(
    axes: Axes, palette: style.Palette, *, top: float, ticks: dict[float, str]
) -> None:
    axes.set_xlim(_EVEN, _HARD)
    axes.set_ylim(-0.02 * top, 1.04 * top)
    axes.set_xticks([0.5, 0.25, 0.05], labels=["0.5", "0.25", "0.05"])
    axes.set_yticks(list(ticks), labels=list(ticks.values()))
    style.frame(axes, palette)


def _frame_flow(axes: Axes, palette: style.Palette) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(-2.1, 2.1)
    axes.set_xticks([0, 0.5, 1], labels=["noise", "0.5", "action"])
    axes.set_yticks([-2, -1, 0, 1, 2], labels=["−2", "−1", "0", "1", "2"])
    style.frame(axes, palette)
    axes.set_title("Every path ends at a demonstration", **style.title(palette))
    axes.set_xlabel("time along the flow", labelpad=8, **style.words(palette))


def _signed(value: float) -> str:
    return f"{value:+.0f}".replace("-", "−")
