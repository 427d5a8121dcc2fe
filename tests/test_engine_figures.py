"""Figures: they draw what the mathematics says, alike each time, legibly in light and dark."""

import ast
import inspect
import math
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from content.load import load_course
from engine import figures
from engine.errors import EngineError
from engine.figures import preferences, style

LOOKS = [pytest.param(style.LIGHT, id="light"), pytest.param(style.DARK, id="dark")]
SHOWN = [
    pytest.param(figure.function, id=f"{lesson.id}/{figure.id}")
    for lesson in load_course().lessons.values()
    for figure in lesson.head.figures
]


def _words(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.findobj(Text) if text.get_text()}


def _luminance(color: str) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return float(np.dot([0.2126, 0.7152, 0.0722], parts))


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("function", SHOWN)
@pytest.mark.parametrize("palette", LOOKS)
def test_every_figure_of_the_course_is_drawn(function: str, palette: style.Palette) -> None:
    drawn = style.svg(figures.draw(function, palette))
    assert ET.fromstring(drawn).tag.endswith("svg")
    assert len(drawn) < 100_000


@pytest.mark.parametrize("function", SHOWN)
def test_a_figure_is_the_same_each_time_and_another_in_the_dark(function: str) -> None:
    light = [style.svg(figures.draw(function, style.LIGHT)) for _ in range(2)]
    assert light[0] == light[1]
    assert light[0] != style.svg(figures.draw(function, style.DARK))
    assert "<dc:date>" not in light[0]


def test_png_is_the_same_each_time() -> None:
    images = [style.png(preferences.displacement(style.LIGHT), dots_per_inch=40) for _ in range(2)]
    assert images[0] == images[1]
    assert images[0].startswith(b"\x89PNG")


def test_displacement_shows_what_the_softmax_says_at_half_a_nat() -> None:
    words = _words(preferences.displacement(style.LIGHT))
    table = {"chosen": 0.25, "third": 0.0, "rejected": -0.25}
    shared = {"chosen": -2.0, "third": 2.0, "rejected": -2.5}  # along (−0.2, 0.1), ten times
    for logits in (table, shared):
        total = sum(math.exp(logit) for logit in logits.values())
        for name, logit in logits.items():
            assert f"{name} {math.exp(logit) / total:.2f}" in words


def test_the_caption_for_the_blind_states_the_drawn_numbers() -> None:
    words = _words(preferences.displacement(style.LIGHT))
    (figure,) = load_course().lessons["dpo"].head.figures
    for word in words:
        name, _, number = word.partition(" ")
        if name in {"chosen", "third", "rejected"} and number:
            assert number in figure.alt, f"{word} is drawn and not told"


@pytest.mark.parametrize("palette", LOOKS)
def test_words_stand_out_and_lines_can_be_seen(palette: style.Palette) -> None:
    assert _contrast(palette.text, palette.background) >= 7
    for color in (palette.policy, palette.reference, palette.chosen, palette.rejected):
        assert _contrast(color, palette.background) >= 3


@pytest.mark.parametrize("palette", LOOKS)
def test_words_have_the_color_of_text(palette: style.Palette) -> None:
    figure = preferences.displacement(palette)
    words = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert {text.get_color() for text in words} == {palette.text}


def test_lines_differ_in_more_than_color() -> None:
    for axes in preferences.displacement(style.LIGHT).axes:
        curves = [line for line in axes.get_lines() if line.get_linewidth() == 3]
        assert len({line.get_linestyle() for line in curves}) == len(curves) == 3


def test_an_unknown_figure_is_told() -> None:
    with pytest.raises(EngineError, match="displacement"):
        figures.draw("blank", style.LIGHT)


@pytest.mark.parametrize("function", [*figures.functions().values(), style.blank])
def test_pyplot_is_never_imported(function: Callable[..., Figure]) -> None:
    tree = ast.parse(inspect.getsource(sys.modules[function.__module__]))
    found = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", ""), *(alias.name for alias in node.names)]
    }
    assert not any("pyplot" in name for name in found if name)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_names_keep_their_distance_and_their_order(heights: list[float]) -> None:
    placed = style.spread(heights, gap=0.125)
    order = np.argsort(heights, kind="stable")
    gaps = np.diff(np.array(placed)[order])
    assert (gaps >= 0.125 - 1e-9).all()
    assert np.mean(placed) == pytest.approx(np.mean(heights), abs=1e-9)


def test_names_that_stand_apart_stay_where_they_are() -> None:
    assert style.spread([0.9, 0.1, 0.5], gap=0.125) == pytest.approx([0.9, 0.1, 0.5])
