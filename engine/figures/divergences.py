"""Figures of KL divergence."""

from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine import distributions, gaussians
from engine.figures import style

_OUTCOMES = ("A", "B", "C")
_BASE = torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64).log()
_TUNED = torch.tensor([[0.02, 0.18, 0.8]], dtype=torch.float64).log()
_TARGET = gaussians.TwoHumps(offset=2, deviation=0.5)
_EDGE = 5.0  # of the axis on either side, in units of the target's axis


def one_object(palette: style.Palette) -> Figure:
    """The log-ratios of three outcomes, as RLHF, DPO and distillation use them.

    In the first and the last panel a bar's width is its weight and its height the log-ratio, so
    that the signed area is a KL divergence. In the middle one nothing is weighed.
    """
    figure = style.blank(palette, height=10.4)
    first, second, third = figure.subplots(3, 1, sharey=True)
    _draw_average(first, _TUNED, _BASE, palette.policy, palette)
    _draw_pair(second, palette)
    _draw_average(third, _BASE, _TUNED, palette.reference, palette)
    _title(first, r"RLHF: KL(policy$\Vert$reference)", _TUNED, _BASE, palette)
    second.set_title(f"DPO: the margin is {_told(_margin(), palette)}", **style.title(palette))
    _title(third, r"Distillation: KL(teacher$\Vert$student)", _BASE, _TUNED, palette)
    first.set_xlabel("probability under the policy", labelpad=8, **style.words(palette))
    third.set_xlabel("probability under the teacher", labelpad=8, **style.words(palette))
    return figure


def two_directions(palette: style.Palette) -> Figure:
    """A Gaussian fitted to two humps: by forward KL, and by reverse KL from two starts."""
    figure = style.blank(palette, height=7.6)
    upper, lower = figure.subplots(2, 1, sharex=True)
    forward = gaussians.forward_fit(_TARGET)
    mode = gaussians.reverse_fit(_TARGET, gaussians.Gaussian(1.5, 1))
    center = gaussians.reverse_fit(_TARGET, gaussians.Gaussian(0, 1))
    _draw_target(upper, palette, at=(-2, 0.43))
    _draw_fit(upper, forward, "solid", palette)
    _draw_target(lower, palette, at=(-2, 0.43))
    _draw_fit(lower, mode, "solid", palette)
    _draw_fit(lower, center, "dotted", palette)
    upper.text(0, 0.235, "forward fit", ha="center", **style.words(palette))
    _name_fit(lower, (2, 0.84), "on a hump", mode, palette)
    _name_fit(lower, (0, 0.26), "in between", center, palette)
    upper.set_title("Forward: it covers both humps", **style.title(palette))
    lower.set_title("Reverse: one hump, or stuck in between", **style.title(palette))
    lower.set_xlabel("$x$", labelpad=8, **style.words(palette))
    return figure


def _draw_average(
    axes: Axes, first: torch.Tensor, second: torch.Tensor, color: str, palette: style.Palette
) -> None:
    """Bars side by side on the unit interval: as wide as the weight, as high as the log-ratio."""
    widths = first.exp()[0].tolist()
    heights = (first - second)[0].tolist()
    left = 0.0
    _frame(axes, palette)
    for name, width, height in zip(_OUTCOMES, widths, heights, strict=True):
        axes.bar(left, height, width, align="edge", color=color, **_bar(palette, height))
        _name_bar(axes, (left + width / 2, height), f"{name} {_signed(height, palette)}", palette)
        left += width
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], labels=["0", "0.5", "1"])


def _draw_pair(axes: Axes, palette: style.Palette) -> None:
    """Two bars of one width, since nothing is weighed: the rejected outcome and the chosen one."""
    _frame(axes, palette)
    gaps = (_TUNED - _BASE)[0].tolist()
    pair = (
        (0.25, gaps[0], "A rejected", palette.rejected),
        (0.75, gaps[2], "C chosen", palette.chosen),
    )
    for place, height, name, color in pair:
        axes.bar(place, height, 0.16, color=color, **_bar(palette, height))
        _name_bar(axes, (place, height), f"{name} {_signed(height, palette)}", palette)
    _draw_margin(axes, (gaps[0], gaps[2]), palette)
    axes.set_xlim(0, 1)
    axes.set_xticks([])


def _draw_margin(axes: Axes, ends: tuple[float, float], palette: style.Palette) -> None:
    """An arrow from the rejected log-ratio up to the chosen one, between the two bars."""
    low, high = ends
    for level, start in ((low, 0.33), (high, 0.67)):
        axes.plot([start, 0.5], [level, level], color=palette.text, linewidth=1, zorder=4)
    arrow = {
        "arrowstyle": "->",
        "color": palette.text,
        "linewidth": 1.5,
        "shrinkA": 0,
        "shrinkB": 0,
    }
    axes.annotate("", (0.5, high), (0.5, low), arrowprops=arrow, zorder=5)
    axes.text(
        0.52,
        -1.9,
        f"margin {(high - low) / _size(palette):.2f}",
        va="center",
        **style.words(palette),
    )


def _bar(palette: style.Palette, height: float) -> dict[str, Any]:
    """Bars below zero are hatched, so that a minus is seen without color."""
    hatch = "//" if height < 0 else ""
    return {"edgecolor": palette.background, "linewidth": 1, "hatch": hatch, "zorder": 3}


def _name_bar(axes: Axes, end: tuple[float, float], label: str, palette: style.Palette) -> None:
    place, height = end
    side = "left" if place < 0.1 else "center"
    offset = 0.18 if height > 0 else -0.18
    above = "bottom" if height > 0 else "top"
    axes.text(
        place if side == "center" else 0,
        height + offset,
        label,
        ha=side,
        va=above,
        **style.words(palette),
    )


def _title(
    axes: Axes, words: str, first: torch.Tensor, second: torch.Tensor, palette: style.Palette
) -> None:
    area = distributions.kl(first, second).item()
    axes.set_title(f"{words}, {_told(area, palette)}", **style.title(palette))


def _margin() -> float:
    gaps = (_TUNED - _BASE)[0].tolist()
    return float(gaps[2] - gaps[0])


def _size(palette: style.Palette) -> float:
    return style.size(palette, usual="nats")


def _told(nats: float, palette: style.Palette) -> str:
    return f"{nats / _size(palette):.2f} {style.unit(palette, usual='nats')}"


def _signed(nats: float, palette: style.Palette) -> str:
    return f"{nats / _size(palette):+.2f}".replace("-", "−")


def _frame(axes: Axes, palette: style.Palette) -> None:
    axes.set_ylim(-4.3, 4.3)
    axes.set_yticks([-3 * _size(palette), 0, 3 * _size(palette)], labels=["−3", "0", "3"])
    axes.set_ylabel(f"log-ratio ({style.unit(palette, usual='nats')})", **style.words(palette))
    style.frame(axes, palette)
    axes.axhline(0, color=palette.text, linewidth=1.2, zorder=4)


def _draw_target(axes: Axes, palette: style.Palette, *, at: tuple[float, float]) -> None:
    x = _axis()
    height = _TARGET.log_density(x).exp()
    axes.set_xlim(-_EDGE, _EDGE)
    axes.set_ylim(0, 1.05)
    axes.set_xticks([-4, -2, 0, 2, 4], labels=["−4", "−2", "0", "2", "4"])
    axes.set_yticks([0, 0.4, 0.8], labels=["0", "0.4", "0.8"])
    style.frame(axes, palette)
    axes.fill_between(x.numpy(), height.numpy(), color=palette.reference, alpha=0.25, linewidth=0)
    axes.plot(x, height, color=palette.reference, linestyle="dashed", linewidth=3, zorder=3)
    axes.text(*at, "target", ha="center", **style.words(palette))


def _draw_fit(axes: Axes, fit: gaussians.Gaussian, dashes: str, palette: style.Palette) -> None:
    x = _axis()
    height = gaussians.log_normal(x, fit.mean, fit.deviation).exp()
    axes.plot(x, height, color=palette.policy, linestyle=dashes, linewidth=3, zorder=4)


def _name_fit(
    axes: Axes,
    place: tuple[float, float],
    name: str,
    fit: gaussians.Gaussian,
    palette: style.Palette,
) -> None:
    """The name of a reverse fit, with the divergence at which it rests."""
    rest = gaussians.reverse_divergence(_TARGET, fit)
    label = f"{name}\nKL {rest / _size(palette):.2f}"
    paper = {"facecolor": palette.background, "linewidth": 0, "pad": 1}
    axes.text(*place, label, ha="center", linespacing=1.25, bbox=paper, **style.words(palette))


def _axis() -> torch.Tensor:
    return torch.linspace(-_EDGE, _EDGE, 401, dtype=torch.float64)
