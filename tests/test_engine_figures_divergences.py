"""The KL figures: what is drawn and said is what the mathematics says."""

import math

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from content.load import load_course
from engine.figures import divergences, style

BASE, TUNED = (0.5, 0.3, 0.2), (0.02, 0.18, 0.8)
FIGURES = {figure.function: figure for figure in load_course().lessons["kl"].head.figures}
LOOKS = [pytest.param(style.LIGHT, id="light"), pytest.param(style.DARK, id="dark")]


def bars(axes: object) -> list[Rectangle]:
    return [bar for bar in axes.patches if isinstance(bar, Rectangle)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("panel", "first", "second"), [(0, TUNED, BASE), (2, BASE, TUNED)])
def test_width_is_weight_height_is_log_ratio_and_area_is_the_divergence(
    panel: int, first: tuple[float, ...], second: tuple[float, ...]
) -> None:
    axes = divergences.one_object(style.LIGHT).axes[panel]
    drawn = bars(axes)
    assert [bar.get_width() for bar in drawn] == pytest.approx(list(first))
    heights = [math.log(a / b) for a, b in zip(first, second, strict=True)]
    assert [bar.get_height() for bar in drawn] == pytest.approx(heights)
    area = sum(bar.get_width() * bar.get_height() for bar in drawn)
    assert f"{area:.2f} nats" in axes.get_title(loc="left")


def test_the_margin_is_the_chosen_log_ratio_minus_the_rejected() -> None:
    axes = divergences.one_object(style.LIGHT).axes[1]
    rejected, chosen = (bar.get_height() for bar in bars(axes))
    assert rejected == pytest.approx(-math.log(25))
    assert chosen == pytest.approx(math.log(4))
    assert f"{chosen - rejected:.2f} nats" in axes.get_title(loc="left")


def test_minus_is_seen_without_color() -> None:
    for axes in divergences.one_object(style.LIGHT).axes:
        for bar in bars(axes):
            assert bool(bar.get_hatch()) == bool(bar.get_height() < 0)


def test_curves_are_densities_with_the_stated_mean_and_deviation() -> None:
    upper, lower = divergences.two_directions(style.LIGHT).axes
    curves = [line for axes in (upper, lower) for line in axes.get_lines()]
    target, forward, _, mode, center = (np.array(line.get_xydata()) for line in curves)
    for curve, mean, deviation in (
        (target, 0, 2.0616),
        (mode, 1.9998, 0.5004),
    ):
        x, height = curve.T
        assert np.trapezoid(height, x) == pytest.approx(1, abs=1e-3)
        assert np.trapezoid(height * x, x) == pytest.approx(mean, abs=1e-3)
        spread = np.trapezoid(height * (x - mean) ** 2, x)
        assert math.sqrt(spread) == pytest.approx(deviation, abs=1e-3)
    for curve, deviation in ((forward, 2.0616), (center, 1.7364)):
        top = 1 / (deviation * math.sqrt(2 * math.pi))
        assert curve[:, 1].max() == pytest.approx(top, abs=1e-4)


def test_the_curves_of_one_panel_differ_in_more_than_color() -> None:
    for axes in divergences.two_directions(style.LIGHT).axes:
        lines = axes.get_lines()
        assert len({line.get_linestyle() for line in lines}) == len(lines)


@pytest.mark.parametrize("name", ["one_object", "two_directions"])
@pytest.mark.parametrize("palette", LOOKS)
def test_words_have_the_color_of_text(name: str, palette: style.Palette) -> None:
    figure = getattr(divergences, name)(palette)
    words = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert {text.get_color() for text in words} == {palette.text}


def test_the_captions_for_the_blind_state_the_drawn_numbers() -> None:
    for name, numbers in {
        "one_object": [
            "−3.22",
            "−0.51",
            "+1.39",
            "+3.22",
            "+0.51",
            "−1.39",
            "4.61",
            "0.95",
            "1.49",
        ],
        "two_directions": ["0.69", "1.87"],
    }.items():
        drawn = " ".join(
            t.get_text() for t in getattr(divergences, name)(style.LIGHT).findobj(Text)
        )
        for number in numbers:
            assert number in drawn
            assert number.lstrip("+") in FIGURES[name].alt
