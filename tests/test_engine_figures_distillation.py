"""The figures on distillation draw what the formulas say; their captions for the blind say it."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from content.load import load_course
from engine.checks import distillation as checks
from engine.figures import distillation, style

ALT = {figure.id: figure.alt for figure in load_course().lessons["distillation"].head.figures}
DRAWN = [distillation.temperature_squared, distillation.hard_and_soft]


def words(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.findobj(Text) if text.get_text()}


def curves(figure: Figure) -> list[tuple[list[float], list[float]]]:
    (axes,) = figure.axes
    return [
        (np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist())
        for line in axes.get_lines()
        if line.get_linewidth() == 3
    ]


def length(temperature: float) -> float:
    """The gradient's length by plain arithmetic."""

    def soften(logits: list[float]) -> list[float]:
        powers = [math.exp(value / temperature) for value in logits]
        return [power / sum(powers) for power in powers]

    pair = soften([2, 3, 0, -1, -4]), soften([4, 2, 0, -2, -4])
    return math.dist(*pair) / temperature


def test_the_gradient_is_drawn_bare_scaled_and_in_the_limit() -> None:
    scaled, limit, bare = curves(distillation.temperature_squared(style.LIGHT))
    assert limit[1] == pytest.approx([math.sqrt(6) / 5] * len(limit[1]))
    for temperature, here, there in zip(bare[0], bare[1], scaled[1], strict=True):
        assert here == pytest.approx(length(temperature), abs=1e-12)
        assert there == pytest.approx(temperature**2 * length(temperature), abs=1e-12)
    assert scaled[1][-1] > limit[1][-1] > bare[1][-1]


def test_soft_stays_lowest_and_drawn_grades_come_close() -> None:
    likeliest, drawn, soft = curves(distillation.hard_and_soft(style.LIGHT))
    for low, middle, high in zip(soft[1], drawn[1], likeliest[1], strict=True):
        assert low < middle < high
    assert drawn[1][-1] < 1.1 * soft[1][-1]
    assert soft[1][1] == checks.scorer_divergence("soft", 40, 10)


@pytest.mark.parametrize(("name", "function"), [("temperature-squared", 0), ("hard-and-soft", 1)])
def test_the_caption_for_the_blind_states_the_drawn_numbers(name: str, function: int) -> None:
    ends = [word.rpartition(" ")[2] for word in words(DRAWN[function](style.LIGHT)) if " " in word]
    numbers = [end for end in ends if end.replace(".", "").isdigit()]
    assert len(numbers) == 3
    assert [number for number in numbers if number not in ALT[name]] == []


@pytest.mark.parametrize("palette", [style.LIGHT, style.DARK])
@pytest.mark.parametrize("draw", DRAWN)
def test_lines_differ_in_more_than_color_and_words_have_the_color_of_text(
    draw: Callable[[style.Palette], Figure], palette: style.Palette
) -> None:
    figure = draw(palette)
    (axes,) = figure.axes
    lines = [line for line in axes.get_lines() if line.get_linewidth() == 3]
    assert len({line.get_linestyle() for line in lines}) == len(lines) == 3
    shown = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert {text.get_color() for text in shown} == {palette.text}
