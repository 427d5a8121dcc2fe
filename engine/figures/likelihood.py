"""Figures of likelihood: where a product of probabilities ends, and where counts put the peak."""

import math
from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine import likelihood
from engine.figures import style

_PROBABILITY = 0.1  # of each token
_TOKENS = 400
_FLOOR = -445.0  # powers of ten, where the figure puts a product of exactly 0
_YES, _NO = 3, 1  # what followed: the token in question, and another


def underflow(palette: style.Palette) -> Figure:
    """The logarithm of a product of equal probabilities, in three ways of computing it.

    Two products in floating point drop to zero; the sum of logarithms goes on.
    """
    figure = style.blank(palette, height=5.6)
    axes = figure.subplots()
    axes.set_xlim(0, _TOKENS)
    axes.set_ylim(_FLOOR - 12, 10)
    labels = ["1", *_powers(100, 200, 300, 400), "0"]
    axes.set_xticks([0, 100, 200, 300, 400])
    axes.set_yticks([0, -100, -200, -300, -400, _FLOOR], labels=labels)
    style.frame(axes, palette)
    tokens = list(range(_TOKENS + 1))
    total = [token * math.log10(_PROBABILITY) for token in tokens]
    axes.plot(tokens, total, color=palette.policy, linewidth=3, zorder=3)
    axes.plot(tokens[-1], total[-1], "o", color=palette.policy, markersize=8, clip_on=False)
    name = "sum\nof logs"
    axes.text(_TOKENS, total[-1] + 62, name, ha="right", **style.words(palette))
    _draw_product(axes, palette, torch.float64, "dashed")
    _draw_product(axes, palette, torch.float32, "dotted")
    axes.set_title("The sum goes on; the products end at 0", **style.title(palette))
    axes.set_xlabel("tokens of probability 0.1", labelpad=8, **style.words(palette))
    return figure


def counting_peak(palette: style.Palette) -> Figure:
    """Likelihood and log-likelihood of three successes and one failure, against the probability."""
    figure = style.blank(palette, height=6.9)
    upper, lower = figure.subplots(2, 1, sharex=True)
    shares = torch.linspace(0.002, 0.998, 250, dtype=torch.float64)
    logs = _YES * shares.log() + _NO * (1 - shares).log()
    best = _YES / (_YES + _NO)
    top = math.log(best) * _YES + math.log(1 - best) * _NO
    upper.set_ylim(-0.004, 0.135)
    upper.set_yticks([0, 0.05, 0.1], labels=["0", "0.05", "0.1"])
    _draw_peak(upper, palette, (shares.tolist(), logs.exp().tolist()), (best, math.exp(top)))
    (low,), (highest,) = (style.amounts([each], palette, usual="nats") for each in (-8.2, top))
    lower.set_ylim(low, 0)
    heights = style.amounts(logs.tolist(), palette, usual="nats")
    _draw_peak(lower, palette, (shares.tolist(), heights), (best, highest))
    upper.set_title("Likelihood: highest where the counts say", **style.title(palette))
    lower.set_title(
        f"Log-likelihood ({style.unit(palette, usual='nats')}): the same place",
        **style.title(palette),
    )
    lower.set_xlabel("probability of cat after the", labelpad=8, **style.words(palette))
    return figure


def _powers(*exponents: int) -> list[str]:
    return [f"10$^{{-{exponent}}}$" for exponent in exponents]


def _draw_product(axes: Axes, palette: style.Palette, precision: torch.dtype, dashes: str) -> None:
    """The product as far as this precision holds it, then its fall to zero, named there."""
    zero = likelihood.tokens_until_zero(_PROBABILITY, precision=precision)
    last = (zero - 1) * math.log10(_PROBABILITY)
    color = palette.text if dashes == "dashed" else palette.reference
    axes.plot([0, zero - 1], [0, last], color=color, linestyle=dashes, linewidth=3, zorder=4)
    fall = ([zero - 1, zero], [last, _FLOOR])
    axes.plot(*fall, color=color, linestyle=dashes, linewidth=3, zorder=4)
    axes.plot(zero, _FLOOR, "o", color=color, markersize=8, clip_on=False, zorder=5)
    name = f"{str(precision).rpartition('.')[2]}:\n0 at {zero}"
    side = "right" if dashes == "dashed" else "left"
    place = zero - 12 if side == "right" else zero + 12
    axes.text(place, _FLOOR + 4, name, ha=side, va="bottom", **style.words(palette))


def _draw_peak(
    axes: Axes,
    palette: style.Palette,
    curve: tuple[Sequence[float], Sequence[float]],
    peak: tuple[float, float],
) -> None:
    """One curve with its highest point marked, and a gray line down to the share of the counts."""
    style.frame(axes, palette)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], labels=["0", "1/4", "1/2", "3/4", "1"])
    axes.axvline(peak[0], color=palette.reference, linewidth=1.2, linestyle="dashed", zorder=2)
    axes.plot(*curve, color=palette.policy, linewidth=3, zorder=3)
    axes.plot(*peak, "o", color=palette.policy, markersize=8, zorder=5)
    digits = 3 if abs(peak[1]) < 1 else 2
    label = f"{peak[1]:.{digits}f}".replace("-", "−")
    gap = 0.05 * (axes.get_ylim()[1] - axes.get_ylim()[0])
    axes.text(peak[0] - 0.03, peak[1] + gap, label, ha="right", **style.words(palette))
