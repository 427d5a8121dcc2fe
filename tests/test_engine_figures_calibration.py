"""The figures of calibration and drift: they draw, and say, what the engine computes."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, StepPatch
from matplotlib.text import Text

from content.load import load_course
from content.schema import Figure as Entry
from engine import drift
from engine.checks import calibration as checks
from engine.figures import calibration, style

LOOKS = [pytest.param(style.LIGHT, id="light"), pytest.param(style.DARK, id="dark")]


def _words(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.findobj(Text) if text.get_text()}


def _entry(name: str) -> Entry:
    (found,) = (
        each for each in load_course().lessons["calibration"].head.figures if each.id == name
    )
    return found


def test_reliability_states_the_errors_that_the_claims_state() -> None:
    words = _words(calibration.reliability(style.LIGHT))
    for fitted in ("before", "after"):
        error = checks.ece_on_fresh_questions(3, 2000, 1, fitted)
        assert f"ECE {error:.3f}" in words
        assert f"ECE {error:.3f}" in _entry("reliability").alt
    fitted_on_others = f"{checks.best_temperature(3, 2000, 'drawn', 1):.2f}"
    assert any(f"$T$ = {fitted_on_others}" in word for word in words)


def test_reliability_draws_dots_under_the_diagonal_before_and_near_it_after() -> None:
    gaps = []
    for axes in calibration.reliability(style.LIGHT).axes:
        (dots,) = (line for line in axes.get_lines() if line.get_marker() == "o")
        gaps.append(torch.tensor(dots.get_xdata()) - torch.tensor(dots.get_ydata()))
    assert bool((gaps[0] > 0).all())
    assert not bool((gaps[1] > 0).all())
    assert gaps[1].abs().median() < gaps[0].abs().median() / 5


def test_the_drift_figure_draws_what_swapping_gives() -> None:
    upper, lower = calibration.score_drift(style.LIGHT).axes
    drawn = [patch.get_data()[0].sum() for patch in upper.findobj(StepPatch)]
    assert drawn == [500, 500]
    observed = checks.score_divergence(500, 0.4, 1)
    (line,) = lower.get_lines()
    assert np.asarray(line.get_xdata())[0] == pytest.approx(observed)
    bars = [bar for bar in lower.findobj(Rectangle) if bar is not lower.patch]
    assert sum(bar.get_height() for bar in bars) == 999
    assert max(bar.get_x() for bar in bars if bar.get_height()) < observed
    assert f"tuned {observed:.3f}" in _words(calibration.score_drift(style.LIGHT))
    assert f"{{nats}}`{observed:.4f}`" in _entry("score-drift").alt


def test_base_and_tuned_differ_in_more_than_color() -> None:
    upper, _ = calibration.score_drift(style.LIGHT).axes
    assert len({patch.get_linestyle() for patch in upper.patches}) == 2
    assert {"base", "tuned"} <= _words(calibration.score_drift(style.LIGHT))


@pytest.mark.parametrize("palette", LOOKS)
def test_base_is_drawn_as_reference_and_tuned_as_policy(palette: style.Palette) -> None:
    upper, _ = calibration.score_drift(palette).axes
    colors = [patch.get_edgecolor() for patch in upper.patches]
    assert colors == [to_rgba(palette.reference), to_rgba(palette.policy)]


def test_what_the_alternative_text_says_of_the_histograms_holds() -> None:
    generator = torch.Generator().manual_seed(1)
    base, tuned = drift.memo_scores(500, shift=0.4, generator=generator)
    assert (tuned < 0.4).sum() < (base < 0.4).sum()
    assert (tuned > 0.7).sum() > (base > 0.7).sum()
    null = drift.swapped(base, tuned, rounds=999, generator=generator)
    assert ((null > 0.001) & (null < 0.008)).double().mean() > 0.9
    assert null.max() < 0.017


@pytest.mark.parametrize("palette", LOOKS)
def test_words_have_the_color_of_text(palette: style.Palette) -> None:
    for draw in (calibration.reliability, calibration.score_drift):
        words = [text for text in draw(palette).findobj(Text) if text.get_text()]
        assert {text.get_color() for text in words if text.get_visible()} == {palette.text}
