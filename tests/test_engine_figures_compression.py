"""The figures on codes draw what the coder sends, and their captions for the blind say it."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from content.load import load_course
from engine import coding
from engine.figures import compression, style

ALT = {figure.id: figure.alt for figure in load_course().lessons["cross-entropy"].head.figures}
DRAWN = [compression.block_codes, compression.wrong_models]


def words(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.findobj(Text) if text.get_text()}


def curves(figure: Figure) -> list[tuple[list[float], list[float]]]:
    (axes,) = figure.axes
    return [
        (np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist())
        for line in axes.get_lines()
        if line.get_linewidth() == 3
    ]


def test_the_block_code_lies_between_entropy_and_bound() -> None:
    bound, code, floor = curves(compression.block_codes(style.LIGHT))
    assert code[0] == bound[0] == floor[0] == list(range(1, 9))
    entropy = -(0.9 * math.log2(0.9) + 0.1 * math.log2(0.1))
    assert floor[1] == pytest.approx([entropy] * 8, abs=1e-12)
    for n, low, here, high in zip(code[0], floor[1], code[1], bound[1], strict=True):
        assert low <= here < high == pytest.approx(entropy + 1 / n)
    assert code[1][1] == pytest.approx(0.645)


def test_each_line_ends_where_its_message_ends() -> None:
    drawn = compression.wrong_models(style.LIGHT)
    symbols = coding.draw([4, 2, 1, 1], 1000, seed=2)
    lengths = [[1, 2, 3, 3], [2, 2, 2, 2], [3, 3, 2, 1]]
    for (_, heights), per_symbol in zip(curves(drawn), lengths, strict=True):
        assert heights[0] == 0
        assert heights[-1] == sum(per_symbol[symbol] for symbol in symbols)


@pytest.mark.parametrize(("name", "function"), [("block-codes", 0), ("wrong-models", 1)])
def test_the_caption_for_the_blind_states_the_drawn_numbers(name: str, function: int) -> None:
    ends = [word.split()[-1] for word in words(DRAWN[function](style.LIGHT)) if len(word) < 20]
    numbers = [end for end in ends if end.replace(".", "").isdigit() and len(end) > 3]
    assert len(numbers) >= 3
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
