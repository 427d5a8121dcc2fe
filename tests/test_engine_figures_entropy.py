"""The figures of the entropy lesson: they draw what the mathematics says, and say it in words."""

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from content.load import load_course
from engine.figures import entropy as drawn
from engine.figures import style

LOOKS = [pytest.param(style.LIGHT, id="light"), pytest.param(style.DARK, id="dark")]
BOTH = [drawn.tempering, drawn.collapse]
ALT = {figure.id: figure.alt for figure in load_course().lessons["entropy"].head.figures}


def words(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.findobj(Text) if text.get_text()}


def curves(figure: Figure, panel: int) -> list[Line2D]:
    return [line for line in figure.axes[panel].get_lines() if line.get_linewidth() == 3]


def heights(line: Line2D) -> list[float]:
    return [float(value) for value in np.asarray(line.get_ydata())]


def test_tempering_ends_where_powers_say() -> None:
    powers = [share ** (1 / 3) for share in (0.6, 0.3, 0.1)]
    shares = [power / sum(powers) for power in powers]
    spread = -sum(share * math.log2(share) for share in shares)
    found = words(drawn.tempering(style.LIGHT))
    for name, share in zip(("wrong", "right", "other"), shares, strict=True):
        assert f"{name} {share:.2f}" in found
    assert f"{spread:.2f}" in found
    assert f"{spread * math.log(2):.2f}" not in found, "nats would be refused"


def test_in_tempering_curves_never_cross_and_entropy_only_rises() -> None:
    figure = drawn.tempering(style.LIGHT)
    wrong, right, other = (heights(line) for line in curves(figure, 0))
    assert all(a > b > c for a, b, c in zip(wrong, right, other, strict=True))
    (spread,) = curves(figure, 1)
    assert heights(spread) == sorted(heights(spread))
    assert heights(spread)[-1] < math.log2(3)


def test_collapse_ends_where_a_loop_of_its_own_ends() -> None:
    shares = np.array([0.3, 0.6, 0.1])
    reward = np.array([0.0, 1.0, 1.0])
    for _ in range(200):
        grown = shares * np.exp(shares * (reward - shares @ reward))
        shares = grown / grown.sum()
    found = words(drawn.collapse(style.LIGHT))
    for name, share in zip(("wrong", "common", "rare"), shares.tolist(), strict=True):
        assert f"{name} {share:.2f}" in found
    assert f"alone {-(shares * np.log2(shares)).sum():.2f}" in found
    assert "bonus 1.05" in found


def test_in_collapse_the_bonus_dips_and_recovers_as_the_text_for_the_blind_says() -> None:
    alone, helped = (heights(line) for line in curves(drawn.collapse(style.LIGHT), 1))
    assert alone == sorted(alone, reverse=True)
    assert alone[0] == helped[0] == pytest.approx(1.30, abs=5e-3)
    assert min(helped) == pytest.approx(0.70, abs=5e-3)
    assert helped[-1] > helped[helped.index(min(helped))] + 0.3


@pytest.mark.parametrize("draw", BOTH)
def test_the_text_for_the_blind_states_the_drawn_numbers(
    draw: Callable[[style.Palette], Figure],
) -> None:
    for text in words(draw(style.LIGHT)):
        number = re.search(r"\d\.\d\d$", text)
        if number:
            assert number[0] in ALT[draw.__name__], f"{text} is drawn and not told"


@pytest.mark.parametrize("palette", LOOKS)
@pytest.mark.parametrize("draw", BOTH)
def test_words_have_the_color_of_text(
    draw: Callable[[style.Palette], Figure], palette: style.Palette
) -> None:
    shown = [text for text in draw(palette).findobj(Text) if text.get_text()]
    assert {text.get_color() for text in shown if text.get_visible()} == {palette.text}


@pytest.mark.parametrize("draw", BOTH)
def test_curves_of_a_panel_differ_in_more_than_color(
    draw: Callable[[style.Palette], Figure],
) -> None:
    figure = draw(style.LIGHT)
    for panel in range(2):
        lines = curves(figure, panel)
        assert len({line.get_linestyle() for line in lines}) == len(lines)
