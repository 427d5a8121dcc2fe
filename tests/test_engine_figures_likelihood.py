"""The figures of likelihood: they draw what the mathematics says, and say it in words."""

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from content.load import load_course
from engine.figures import likelihood as drawn
from engine.figures import style

LOOKS = [pytest.param(style.LIGHT, id="light"), pytest.param(style.DARK, id="dark")]
BOTH = [drawn.underflow, drawn.counting_peak]
ALT = {figure.function: figure.alt for figure in load_course().lessons["likelihood"].head.figures}


def words(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.findobj(Text) if text.get_text()}


def curves(figure: Figure, panel: int) -> list[Line2D]:
    lines = figure.axes[panel].get_lines()
    return [line for line in lines if line.get_linewidth() == 3]


def points(line: Line2D) -> list[tuple[float, float]]:
    across, up = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    return list(zip(across.tolist(), up.tolist(), strict=True))


def test_products_end_where_numpy_ends_them() -> None:
    figure = drawn.underflow(style.LIGHT)
    for kind in (np.float32, np.float64):
        running = np.cumprod(np.full(400, 0.1, kind))
        zero = int(np.argmax(running == 0)) + 1
        assert f"{np.dtype(kind).name}:\n0 at {zero}" in words(figure)
        assert any(points(line)[-1][0] == zero for line in curves(figure, 0))


def test_the_sum_goes_on_to_the_end() -> None:
    total = points(curves(drawn.underflow(style.LIGHT), 0)[0])
    ends = [*total[0], *total[-1]]
    assert ends == pytest.approx([0, 0, 400, -400], abs=1e-9)


def test_both_peaks_stand_at_the_share_of_the_counts() -> None:
    figure = drawn.counting_peak(style.LIGHT)
    for panel in range(2):
        (curve,) = curves(figure, panel)
        across, height = max(points(curve), key=lambda point: point[1])
        assert across == pytest.approx(0.75, abs=0.005)
        exact = 27 / 256 if panel == 0 else math.log(27 / 256)
        assert height == pytest.approx(exact, abs=1e-4)
    assert {"0.105", "−2.25"} <= words(figure)


@pytest.mark.parametrize("draw", BOTH)
def test_the_text_for_the_blind_states_the_drawn_numbers(
    draw: Callable[[style.Palette], Figure],
) -> None:
    named = [text for text in words(draw(style.LIGHT)) if re.search(r"\d\.\d\d|0 at \d+", text)]
    numbers = [re.findall(r"[−\d.]+", text)[-1] for text in named]
    assert [number for number in numbers if number not in {"0.05"}]
    told = re.sub(r"[{}`]|nats", " ", ALT[draw.__name__]).split()
    assert [number for number in numbers if number not in {*told, "0.05"}] == []


@pytest.mark.parametrize("palette", LOOKS)
@pytest.mark.parametrize("draw", BOTH)
def test_words_have_the_color_of_text(
    draw: Callable[[style.Palette], Figure], palette: style.Palette
) -> None:
    shown = [text for text in draw(palette).findobj(Text) if text.get_text()]
    assert {text.get_color() for text in shown if text.get_visible()} == {palette.text}


def test_computations_differ_in_more_than_color() -> None:
    lines = curves(drawn.underflow(style.LIGHT), 0)
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 3
    assert len({line.get_linestyle() for line in lines}) == 3
