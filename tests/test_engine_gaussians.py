"""One Gaussian against two humps: closed forms, brute force, and the minimum that is none."""

import math

import pytest
import torch

from engine.errors import EngineError, RangeError
from engine.gaussians import (
    Gaussian,
    TwoHumps,
    forward_divergence,
    forward_fit,
    log_normal,
    reverse_curvature,
    reverse_divergence,
    reverse_fit,
    reverse_slopes,
)

TARGET = TwoHumps(offset=2, deviation=0.5)
ONE = TwoHumps(offset=0, deviation=1.5)  # two humps on one place: a plain normal


def normals(one: Gaussian, other: Gaussian) -> float:
    """Return KL(one‖other) in closed form."""
    ratio = one.deviation / other.deviation
    shift = (one.mean - other.mean) / other.deviation
    return (ratio**2 + shift**2 - 1) / 2 - math.log(ratio)


def test_density_by_hand_and_normalized() -> None:
    x = torch.linspace(-10, 10, 4001, dtype=torch.float64)
    assert torch.trapezoid(TARGET.log_density(x).exp(), x).item() == pytest.approx(1, abs=1e-12)
    at_zero = math.exp(-8) / (0.5 * math.sqrt(2 * math.pi))
    assert TARGET.log_density(torch.zeros(1).double()).exp().item() == pytest.approx(at_zero)
    assert log_normal(torch.tensor(0.0), 0, 1).item() == pytest.approx(-math.log(2 * math.pi) / 2)


@pytest.mark.parametrize("student", [Gaussian(0.3, 1.0), Gaussian(-2, 2.5), Gaussian(0, 1.5)])
def test_both_directions_against_the_closed_form_of_two_normals(student: Gaussian) -> None:
    target = Gaussian(0, 1.5)
    assert reverse_divergence(ONE, student) == pytest.approx(normals(student, target), abs=1e-12)
    assert forward_divergence(ONE, student) == pytest.approx(normals(target, student), abs=1e-10)


def test_the_forward_fit_has_mean_and_variance_of_the_target() -> None:
    fit = forward_fit(TARGET)
    assert fit.mean == 0
    assert fit.deviation == pytest.approx(2.06155, abs=5e-6)
    x = torch.linspace(-10, 10, 4001, dtype=torch.float64)
    second = torch.trapezoid(TARGET.log_density(x).exp() * x**2, x).item()
    assert fit.deviation**2 == pytest.approx(second, rel=1e-12)


def test_no_neighbor_of_the_forward_fit_is_better() -> None:
    fit = forward_fit(TARGET)
    least = forward_divergence(TARGET, fit)
    for mean, factor in ((0.01, 1), (-0.01, 1), (0, 1.01), (0, 0.99)):
        assert forward_divergence(TARGET, Gaussian(mean, factor * fit.deviation)) > least
    assert forward_divergence(TARGET, Gaussian(2, 0.5)) > 10, "on a hump forward KL is large"


def test_the_reverse_fit_takes_a_hump_at_about_log_two() -> None:
    right = reverse_fit(TARGET, Gaussian(1.5, 1))
    left = reverse_fit(TARGET, Gaussian(-3, 1))
    assert right.mean == pytest.approx(-left.mean, abs=1e-9)
    assert right.mean == pytest.approx(2, abs=1e-3)
    assert right.deviation == pytest.approx(0.5, abs=1e-3)
    assert reverse_divergence(TARGET, right) == pytest.approx(math.log(2), abs=2e-4)
    assert reverse_divergence(TARGET, right) < reverse_divergence(TARGET, Gaussian(2, 0.5))


def test_no_gaussian_on_a_grid_is_better_than_the_hump() -> None:
    least = reverse_divergence(TARGET, reverse_fit(TARGET, Gaussian(1.5, 1)))
    grid = [Gaussian(i / 10, 0.1 + j / 10) for i in range(41) for j in range(30)]
    assert min(reverse_divergence(TARGET, student) for student in grid) > least


def test_between_the_humps_lies_a_minimum_that_is_not_the_least() -> None:
    center = reverse_fit(TARGET, Gaussian(0, 1))
    assert center.mean == pytest.approx(0, abs=1e-9)
    assert center.deviation == pytest.approx(1.7364, abs=5e-5)
    assert reverse_divergence(TARGET, center) == pytest.approx(1.8712, abs=5e-5)
    assert reverse_curvature(TARGET, center)[0] > 0.3
    for mean, factor in ((0.1, 1), (-0.1, 1), (0, 1.05), (0, 0.95), (0.1, 0.95)):
        neighbor = Gaussian(mean, factor * center.deviation)
        assert reverse_divergence(TARGET, neighbor) > reverse_divergence(TARGET, center)


def test_it_is_a_minimum_and_not_the_saddle_that_narrower_students_meet() -> None:
    assert reverse_curvature(TARGET, Gaussian(0, 0.5))[0] < 0
    assert reverse_fit(TARGET, Gaussian(0.1, 0.3)).mean == pytest.approx(2, abs=1e-3)


def descended(start: Gaussian) -> float:
    """Return the mean where plain gradient descent by finite differences comes to rest."""
    mean, width = start.mean, math.log(start.deviation)

    def height(mean: float, width: float) -> float:
        return reverse_divergence(TARGET, Gaussian(mean, math.exp(width)))

    for _ in range(300):
        along = (height(mean + 1e-5, width) - height(mean - 1e-5, width)) / 2e-5
        across = (height(mean, width + 1e-5) - height(mean, width - 1e-5)) / 2e-5
        mean, width = mean - 0.05 * along, width - 0.05 * across
    return mean


@pytest.mark.parametrize("start", [Gaussian(0, 1), Gaussian(1.5, 1), Gaussian(-0.1, 0.3)])
def test_plain_descent_ends_in_the_same_place(start: Gaussian) -> None:
    assert reverse_fit(TARGET, start).mean == pytest.approx(descended(start), abs=1e-3)


def test_a_student_that_can_match_ends_at_one_place_in_both_directions() -> None:
    reverse, forward = reverse_fit(ONE, Gaussian(2, 0.7)), forward_fit(ONE)
    assert reverse.mean == pytest.approx(forward.mean, abs=1e-9)
    assert reverse.deviation == pytest.approx(forward.deviation, abs=1e-9)
    assert reverse_divergence(ONE, reverse) == pytest.approx(0, abs=1e-12)


def test_what_has_no_density_is_refused() -> None:
    with pytest.raises(RangeError, match="above 0"):
        Gaussian(0, 0)
    with pytest.raises(RangeError, match="above 0"):
        TwoHumps(2, -1)


def test_a_search_without_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.gaussians._NEWTON_STEPS", 1)
    monkeypatch.setattr("engine.gaussians._DESCENT_STEPS", 0)
    with pytest.raises(EngineError, match="Start nearer"):
        reverse_fit(TARGET, Gaussian(30, 1))


@pytest.mark.parametrize("start", [Gaussian(0, 1), Gaussian(1, 1), Gaussian(-5, 4)])
def test_narrow_humps_far_apart_have_a_minimum_too(start: Gaussian) -> None:
    target = TwoHumps(offset=4, deviation=0.2)
    fit = reverse_fit(target, start)
    assert min(reverse_curvature(target, fit)) > 0
    beside = torch.tensor([[fit.mean, math.log(fit.deviation)]], dtype=torch.float64)
    value, slope = reverse_slopes(target, beside)
    assert slope.abs().max().item() < 1e-7
    assert value.item() == pytest.approx(reverse_divergence(target, fit), abs=1e-9)
