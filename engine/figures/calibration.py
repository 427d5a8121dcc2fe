"""Figures of calibration and drift."""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from engine import calibration, drift
from engine.figures import style

_QUESTIONS = 2000
_FACTOR = 3.0
_BINS = 10
_MEMOS = 500
_SHIFT = 0.4
_ROUNDS = 999


def reliability(palette: style.Palette) -> Figure:
    """Reliability of a model whose logits are three times too large, before and after scaling.

    The temperature is fitted on 2,000 questions and drawn on 2,000 others.
    """
    generator = torch.Generator().manual_seed(1)
    held_out, fresh = (
        calibration.overconfident_answers(_QUESTIONS, 4, factor=_FACTOR, generator=generator)
        for _ in range(2)
    )
    best = calibration.fit_temperature(held_out.logits, held_out.labels)
    figure = style.blank(palette, height=9.4)
    upper, lower = figure.subplots(2, 1, sharex=True)
    _draw_reliability(upper, fresh.graded(1.0), palette)
    _draw_reliability(lower, fresh.graded(best), palette)
    upper.set_title("As trained: confidence outruns accuracy", **style.title(palette))
    lower.set_title(f"Divided by $T$ = {best:.2f}: near the diagonal", **style.title(palette))
    lower.set_xlabel("stated confidence", labelpad=8, **style.words(palette))
    return figure


def score_drift(palette: style.Palette) -> Figure:
    """Scores of two scorers for the same memos, and their divergence among those of chance."""
    generator = torch.Generator().manual_seed(1)
    base, tuned = drift.memo_scores(_MEMOS, shift=_SHIFT, generator=generator)
    null = drift.swapped(base, tuned, rounds=_ROUNDS, generator=generator)
    figure = style.blank(palette, height=8.2)
    upper, lower = figure.subplots(2, 1)
    _draw_scores(upper, base, tuned, palette)
    _draw_null(lower, null, drift.jensen_shannon(base, tuned), palette)
    upper.set_title("500 memos, scored twice", **style.title(palette))
    lower.set_title("Divergence, and what swapping gives", **style.title(palette))
    return figure


def _draw_reliability(axes: Axes, graded: tuple[Tensor, Tensor], palette: style.Palette) -> None:
    """A dot per bin with Wilson's interval, against the diagonal, and the error in words."""
    found = calibration.reliability(*graded, calibration.equal_width(graded[0], _BINS))
    axes.set_xlim(0.2, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xticks([0.25, 0.5, 0.75, 1], labels=["0.25", "0.5", "0.75", "1"])
    axes.set_yticks([0, 0.5, 1], labels=["0", "0.5", "1"])
    style.frame(axes, palette)
    axes.plot([0.2, 1], [0.2, 1], color=palette.reference, linewidth=2, linestyle="dashed")
    axes.vlines(found.stated, found.low, found.high, color=palette.policy, linewidth=3)
    axes.plot(found.stated, found.came_true, "o", color=palette.policy, markersize=9)
    axes.set_ylabel("share right", **style.words(palette))
    axes.text(0.23, 0.9, f"ECE {found.ece:.3f}", va="center", **style.words(palette))
    axes.text(0.87, 0.95, "calibrated", ha="right", va="center", **style.words(palette))


def _draw_scores(axes: Axes, base: Tensor, tuned: Tensor, palette: style.Palette) -> None:
    """Two histograms as outlines, each named at its highest step."""
    lines = (("base", base, palette.reference, "dashed"), ("tuned", tuned, palette.policy, "solid"))
    edges = np.linspace(0, 1, drift.BINS + 1)
    for name, scores, color, dashes in lines:
        counts = np.histogram(scores.numpy(), edges)[0]
        axes.stairs(counts, edges, color=color, linestyle=dashes, linewidth=3)
        axes.text(*_PLACES[name], name, **style.words(palette))
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], labels=["0", "0.5", "1"])
    axes.set_yticks([0, 40, 80], labels=["0", "40", "80"])
    axes.set_xlabel("score", labelpad=4, **style.words(palette))
    axes.set_ylabel("memos", **style.words(palette))
    style.frame(axes, palette)


_PLACES = {"base": (0.13, 60), "tuned": (0.86, 72)}


def _draw_null(axes: Axes, null: Tensor, observed: float, palette: style.Palette) -> None:
    axes.hist(null.numpy(), bins=24, color=palette.reference)
    axes.axvline(observed, color=palette.policy, linewidth=3)
    axes.set_xlim(0, 1.15 * observed)
    size, unit = style.size(palette, usual="nats"), style.unit(palette, usual="nats")
    axes.set_xticks([0, 0.01 * size, 0.02 * size], labels=["0", "0.01", "0.02"])
    axes.set_yticks([0, 80, 160], labels=["0", "80", "160"])
    axes.set_xlabel(f"Jensen-Shannon divergence ({unit})", labelpad=8, **style.words(palette))
    axes.set_ylabel("rounds", **style.words(palette))
    style.frame(axes, palette)
    axes.text(0.24, 0.78, "999 swaps", transform=axes.transAxes, **style.words(palette))
    label = f"tuned {observed / size:.3f}"
    axes.text(observed * 0.98, axes.get_ylim()[1] * 0.5, label, ha="right", **style.words(palette))
