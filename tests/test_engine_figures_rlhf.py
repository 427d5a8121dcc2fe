"""The figures of RLHF draw what the mathematics says, and their words say what is drawn."""

import math
import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from content.load import load_course
from engine.figures import rlhf, style

LOOKS = [pytest.param(style.LIGHT, id="light"), pytest.param(style.DARK, id="dark")]
FIGURES = {"gaussian": rlhf.overoptimization_curves, "kept": rlhf.best_of_three}
ALT = {figure.id: figure.alt for figure in load_course().lessons["rlhf"].head.figures}


def _words(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.findobj(Text) if text.get_text()}


def _curves(figure: Figure, axes: int) -> list[np.ndarray]:
    lines = figure.axes[axes].get_lines()
    return [np.asarray(line.get_xydata()) for line in lines if line.get_linewidth() == 3]


def test_the_gaussian_curves_are_a_line_and_a_parabola_in_the_root() -> None:
    proxy, gold = _curves(rlhf.overoptimization_curves(style.LIGHT), 0)
    d = gold[:, 0]
    assert d[-1] == pytest.approx(3)
    np.testing.assert_allclose(proxy[:, 1], math.sqrt(2) * d, atol=1e-12)
    np.testing.assert_allclose(gold[:, 1], math.sqrt(2) * d - 0.5 * d**2, atol=1e-12)
    assert d[gold[:, 1].argmax()] ** 2 == pytest.approx(2, abs=0.1)


def test_best_of_three_draws_what_enumeration_says() -> None:
    figure = rlhf.best_of_three(style.LIGHT)
    (proxy, gold), (bound, spent) = _curves(figure, 0), _curves(figure, 1)
    draws = 2 ** gold[:, 0]
    plain, flattery = 0.6**draws, 1 - 0.99**draws
    careful = 1 - plain - flattery
    np.testing.assert_allclose(gold[:, 1], plain + 2 * careful, atol=1e-9)
    np.testing.assert_allclose(proxy[:, 1], plain + 2 * careful + 3 * flattery, atol=1e-9)
    np.testing.assert_allclose(bound[:, 1], np.log(draws) - 1 + 1 / draws, atol=1e-12)
    assert bool((spent[:, 1] <= bound[:, 1] + 1e-12).all())
    assert spent[-1, 1] == pytest.approx(-math.log(0.01), abs=1e-3)


def test_what_the_description_of_best_of_three_says_is_drawn() -> None:
    figure = rlhf.best_of_three(style.LIGHT)
    (_, gold), (_, spent) = _curves(figure, 0), _curves(figure, 1)
    top = gold[gold[:, 1].argmax()]
    assert top[1] == pytest.approx(1.83, abs=0.01)
    assert 2 ** top[0] == pytest.approx(8, abs=2)
    late = spent[spent[:, 0] >= 9][:, 1]  # from 512 draws on
    assert late.max() - late.min() < 0.1


@pytest.mark.parametrize("name", FIGURES)
def test_every_number_beside_a_curve_is_told_to_who_cannot_see_it(name: str) -> None:
    found = [
        number
        for words in _words(FIGURES[name](style.LIGHT))
        for number in re.findall(r"[a-z]+ (−?\d+\.\d\d)$", words)
    ]
    assert len(found) >= 3
    for number in found:
        assert number in ALT[name], f"{number} is drawn and not told"


@pytest.mark.parametrize("name", FIGURES)
def test_curves_differ_in_more_than_color(name: str) -> None:
    for axes in FIGURES[name](style.LIGHT).axes:
        curves = [line for line in axes.get_lines() if line.get_linewidth() == 3]
        assert len({line.get_linestyle() for line in curves}) == len(curves) == 2


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("palette", LOOKS)
def test_words_have_the_color_of_text(name: str, palette: style.Palette) -> None:
    words = [text for text in FIGURES[name](palette).findobj(Text) if text.get_text()]
    assert {text.get_color() for text in words if text.get_visible()} == {palette.text}
