"""Figures of RLHF: what the gold reward does while the proxy is optimized."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine import best_of_n, overoptimization
from engine.figures import style

_CURVATURE = 0.25  # c in the gold reward y − c y²
_WIDEST_NATS = 9.0  # the divergence at which the Gaussian's curves end
_DRAWS = np.unique(np.rint(np.geomspace(1, 1024, 81)).astype(int))  # from 1 to 1,024
_REFERENCE, _PROXY, _GOLD = [0.6, 0.39, 0.01], [1.0, 2.0, 3.0], [1.0, 2.0, 0.0]
_LABEL_GAP = 0.11  # least distance of two line names, as a share of the axes' height


def overoptimization_curves(palette: style.Palette) -> Figure:
    """Proxy and gold reward of the Gaussian optimum, from their start, against its divergence.

    The horizontal axis has a square-root scale, as in Gao et al. 2022: the proxy is a straight
    line there and the gold reward a parabola.
    """
    figure = style.blank(palette, height=5.0)
    axes = figure.subplots()
    spent = np.linspace(0, np.sqrt(_WIDEST_NATS), 121) ** 2
    proxy = [overoptimization.proxy_gain(each) for each in spent]
    gold = [overoptimization.gold_gain(each, curvature=_CURVATURE) for each in spent]
    axes.set_xlim(0, np.sqrt(_WIDEST_NATS))
    axes.set_ylim(-1.2, 4.5)
    _draw(axes, np.sqrt(spent), proxy, (palette.reward, "dashed"))
    _draw(axes, np.sqrt(spent), gold, (palette.text, "solid"))
    _name(axes, {"proxy": (proxy[-1], palette.reward), "gold": (gold[-1], palette.text)}, palette)
    _draw_peak(axes, palette)
    axes.set_xticks(
        np.sqrt(_size(palette) * np.array([0, 1, 2, 4, 8])), labels=["0", "1", "2", "4", "8"]
    )
    axes.set_yticks([0, 2, 4], labels=["0", "2", "4"])
    style.frame(axes, palette)
    axes.set_title("The proxy climbs on; the gold turns", **style.title(palette))
    unit = style.unit(palette, usual="nats")
    axes.set_xlabel(f"divergence from the reference ({unit})", labelpad=8, **style.words(palette))
    return figure


def best_of_three(palette: style.Palette) -> Figure:
    """Best-of-n on three replies: rewards above, divergence and its bound below, against n."""
    figure = style.blank(palette, height=7.4)
    upper, lower = figure.subplots(2, 1, sharex=True)
    spent, proxy, gold = _kept()
    places = np.log2(_DRAWS)
    _draw(upper, places, proxy, (palette.reward, "dashed"))
    _draw(upper, places, gold, (palette.text, "solid"))
    bound = [best_of_n.bound(int(draws)) for draws in _DRAWS]
    _draw(lower, places, bound, (palette.reference, "dotted"))
    _draw(lower, places, spent, (palette.policy, "solid"))
    _draw_frames(upper, lower, palette)
    _name(upper, {"proxy": (proxy[-1], palette.reward), "gold": (gold[-1], palette.text)}, palette)
    _name(
        lower,
        {"formula": (bound[-1], palette.reference), "actual": (spent[-1], palette.policy)},
        palette,
        size=_size(palette),
    )
    return figure


def _kept() -> tuple[list[float], list[float], list[float]]:
    """Divergence, proxy and gold of what best-of-n keeps, for each n."""
    proxy, gold, shares = (
        torch.tensor([row], dtype=torch.float64) for row in (_PROXY, _GOLD, _REFERENCE)
    )
    spent, earned, worth = [], [], []
    for draws in _DRAWS.tolist():
        policy = best_of_n.policy(proxy, shares.log(), draws=draws).exp()
        spent.append(best_of_n.divergence(proxy, shares.log(), draws=draws).item())
        earned.append((policy * proxy).sum().item())
        worth.append((policy * gold).sum().item())
    return spent, earned, worth


def _draw(axes: Axes, x: np.ndarray, y: Sequence[float], look: tuple[str, str]) -> None:
    color, dashes = look
    axes.plot(x, y, color=color, linestyle=dashes, linewidth=3, zorder=3)


def _size(palette: style.Palette) -> float:
    return style.size(palette, usual="nats")


def _name(
    axes: Axes, ends: dict[str, tuple[float, str]], palette: style.Palette, *, size: float = 1.0
) -> None:
    """Each curve's name beside its end, with its last value, moved apart where they would touch.

    What is drawn is told divided by `size`.
    """
    right, (low, high) = axes.get_xlim()[1], axes.get_ylim()
    height = high - low
    heights = [end for end, _ in ends.values()]
    for (name, (end, color)), place in zip(
        ends.items(), style.spread(heights, gap=_LABEL_GAP * height), strict=True
    ):
        axes.plot(right, end, "o", color=color, markersize=8, clip_on=False, zorder=5)
        axes.plot([right, 1.04 * right], [end, place], color=color, linewidth=1.5, clip_on=False)
        label = f"{name} {end / size:.2f}".replace("-", "−")
        axes.text(1.06 * right, place, label, va="center", **style.words(palette))


def _draw_peak(axes: Axes, palette: style.Palette) -> None:
    peak = overoptimization.divergence_at_peak(curvature=_CURVATURE)
    height = overoptimization.gold_gain(peak, curvature=_CURVATURE)
    axes.plot(np.sqrt(peak), height, "o", color=palette.text, markersize=8, zorder=5)
    axes.text(
        np.sqrt(peak),
        height - 0.25,
        f"peak {height:.2f}",
        ha="center",
        va="top",
        **style.words(palette),
    )


def _draw_frames(upper: Axes, lower: Axes, palette: style.Palette) -> None:
    upper.set_xlim(0, 10)
    upper.set_ylim(-0.1, 3.2)
    lower.set_ylim(-0.2, 6.4)
    upper.set_yticks([0, 1, 2, 3], labels=["0", "1", "2", "3"])
    lower.set_yticks(_size(palette) * np.array([0, 2, 4, 6]), labels=["0", "2", "4", "6"])
    lower.set_xticks([0, 4, 8, 10], labels=["1", "16", "256", "1,024"])
    for axes in (upper, lower):
        style.frame(axes, palette)
    upper.set_title("Expected reward of the reply kept", **style.title(palette))
    unit = style.unit(palette, usual="nats")
    lower.set_title(f"Divergence from the reference ({unit})", **style.title(palette))
    lower.set_xlabel("draws $n$", labelpad=8, **style.words(palette))
