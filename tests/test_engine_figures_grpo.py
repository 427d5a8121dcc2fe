"""The figures of the GRPO lesson draw what the engine computes, and say it in their captions."""

import re

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from content.load import load_course
from engine.checks import grpo as checks
from engine.figures import grpo as figures
from engine.figures import style

LOOKS = [pytest.param(style.LIGHT, id="light"), pytest.param(style.DARK, id="dark")]
ALL = [figures.pull_by_difficulty, figures.flow_to_actions]


def _words(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.findobj(Text) if text.get_text()}


def _heights(axes: Axes, linewidth: float) -> list[list[float]]:
    lines = [line for line in axes.get_lines() if line.get_linewidth() == linewidth]
    return [np.asarray(line.get_ydata(), dtype=float).tolist() for line in lines]


def test_the_ends_are_named_with_the_numbers_of_the_claims() -> None:
    words = _words(figures.pull_by_difficulty(style.LIGHT))
    assert f"divided {checks.mean_pull_divided(0.05, 8):.2f}" in words
    assert f"centered {checks.mean_pull_centered(0.05, 8):.2f}" in words
    for size in (64, 8, 3):
        assert f"$G = {size}$: {checks.favor_of_division(0.05, 0.5, size):.2f}" in words


def test_the_lines_start_at_even_odds_where_the_claims_put_them() -> None:
    upper, lower = figures.pull_by_difficulty(style.LIGHT).axes
    starts = [heights[0] for heights in _heights(upper, 3)]
    assert starts == pytest.approx(
        [checks.mean_pull_divided(0.5, 8), checks.mean_pull_centered(0.5, 8)], abs=1e-9
    )
    weights = [heights[0] for heights in _heights(lower, 3)]
    assert weights == pytest.approx([1, 1, 1], abs=1e-12)


def test_every_path_ends_at_a_demonstration_on_its_side() -> None:
    (axes,) = figures.flow_to_actions(style.LIGHT).axes
    paths = _heights(axes, 2.2)
    assert len(paths) == 8
    assert all(path[-1] == pytest.approx(1 if path[0] > 0 else -1, abs=1e-9) for path in paths)
    assert {"flow +1", "flow −1", "mean 0"} <= _words(figures.flow_to_actions(style.LIGHT))


def test_the_caption_for_the_blind_states_the_drawn_numbers() -> None:
    alts = {figure.function: figure.alt for figure in load_course().lessons["grpo"].head.figures}
    for draw in ALL:
        named = [
            word for word in _words(draw(style.LIGHT)) if re.match(r"divided|cent|\$G|flow", word)
        ]
        assert len(named) in {2, 5}
        for word in named:
            number = re.findall(r"[+−]?\d+(?:\.\d+)?", word)[-1]
            assert number in alts[draw.__name__], f"{word} is drawn and not told"


@pytest.mark.parametrize("palette", LOOKS)
@pytest.mark.parametrize("draw", ALL)
def test_words_have_the_color_of_text(draw: object, palette: style.Palette) -> None:
    assert callable(draw)
    words = [t for t in draw(palette).findobj(Text) if t.get_text() and t.get_visible()]
    assert {text.get_color() for text in words} == {palette.text}


def test_lines_differ_in_more_than_color() -> None:
    for axes in figures.pull_by_difficulty(style.LIGHT).axes:
        curves = [line for line in axes.get_lines() if line.get_linewidth() == 3]
        assert len({line.get_linestyle() for line in curves}) == len(curves)
