"""One Gaussian, two humps: where each direction ends, from where, and what a step too far does."""

import math

import pytest
import torch
from torch import Tensor

from engine import experiments, gaussians
from engine.errors import DivergenceError, EngineError
from engine.experiments.modes import Experiment, Settings, Step, build
from engine.gaussians import Gaussian, TwoHumps

TARGET = TwoHumps(2.0, 0.5)


def last(**values: object) -> tuple[Experiment, Step]:
    built = build(Settings.read(values))
    *_others, end = built.run()
    return built, end


def places() -> Tensor:
    return torch.tensor([[0.3, 0.1], [2.0, -0.7], [-1.5, 0.9]], dtype=torch.float64)


def test_forward_covers_both_humps() -> None:
    built, end = last(direction="forward", steps=400, learning_rate=0.2)
    assert end.means[0] == pytest.approx(0, abs=1e-6)
    assert end.deviations[0] == pytest.approx(2.06155, abs=5e-6)
    assert end.deviations[0] == pytest.approx(math.sqrt(2**2 + 0.5**2), abs=1e-9)
    assert end.divergences_nats[0] == pytest.approx(built.forward_fit.divergence_nats, abs=1e-9)
    assert end.deviations[0] != pytest.approx(0.5, abs=1), "the width of one hump is not the answer"


@pytest.mark.parametrize("start", [1.0, -1.0])
def test_reverse_settles_on_the_hump_it_started_near(start: float) -> None:
    built, end = last(start_mean=start)
    assert end.means[0] == pytest.approx(2 * math.copysign(1, start), abs=1e-3)
    assert end.deviations[0] == pytest.approx(0.5, abs=1e-3)
    assert end.divergences_nats[0] == pytest.approx(math.log(2), abs=2e-4)
    fit = built.fits[0]
    assert (end.means[0], end.deviations[0]) == pytest.approx((fit.mean, fit.deviation), abs=1e-6)


def test_from_the_center_reverse_stays_in_a_worse_minimum() -> None:
    built, end = last(start_mean=0.0)
    assert end.means[0] == pytest.approx(0, abs=1e-9)
    assert end.divergences_nats[0] == pytest.approx(built.fits[0].divergence_nats, abs=1e-9)
    assert end.divergences_nats[0] > 1.8 > math.log(2)
    here = Gaussian(end.means[0], end.deviations[0])
    assert min(gaussians.reverse_curvature(TARGET, here)) > 0, "a minimum, and no saddle"


def test_several_starts_find_both_humps_and_the_center_and_say_which_is_best() -> None:
    built, end = last(starts=7, start_mean=0.0)
    assert len(end.means) == 7
    assert {round(mean) for mean in end.means} == {-2, 0, 2}
    assert built.best != 0
    assert end.divergences_nats[built.best] == pytest.approx(min(end.divergences_nats), abs=1e-6)
    assert built.start_means[0] == 0
    assert last(starts=1, start_mean=0.7)[0].start_means == (0.7,)


def test_forward_finds_the_same_from_every_start() -> None:
    _, end = last(direction="forward", starts=5, steps=400, learning_rate=0.2)
    assert end.means == pytest.approx([0] * 5, abs=1e-6)


def test_both_directions_are_told_at_every_step() -> None:
    for direction in ("forward", "reverse"):
        step = next(build(Settings(direction=direction)).run())
        student = Gaussian(step.means[0], step.deviations[0])
        both = [
            gaussians.forward_divergence(TARGET, student),
            gaussians.reverse_divergence(TARGET, student),
        ]
        told = [step.divergences_nats[0], step.others_nats[0]]
        assert told == pytest.approx(both if direction == "forward" else both[::-1], abs=1e-10)


def test_slopes_are_those_of_automatic_differentiation() -> None:
    moving = places().requires_grad_()
    mean, log_deviation = moving[:, :1], moving[:, 1:]
    z = torch.linspace(-12, 12, 4001, dtype=torch.float64)
    x = mean + log_deviation.exp() * z
    log_q = gaussians.log_normal(x, mean, log_deviation.exp())
    reverse = torch.trapezoid(log_q.exp() * (log_q - TARGET.log_density(x)), x).sum()
    grid = torch.linspace(-10, 10, 8001, dtype=torch.float64)
    log_p = TARGET.log_density(grid)
    crossed = gaussians.log_normal(grid, mean, log_deviation.exp())
    forward = torch.trapezoid(log_p.exp() * (log_p - crossed), grid).sum()
    found = gaussians.forward_slopes(TARGET, places()), gaussians.reverse_slopes(TARGET, places())
    for total, (value, slope) in zip((forward, reverse), found, strict=True):
        (expected,) = torch.autograd.grad(total, moving, retain_graph=True)
        torch.testing.assert_close(slope, expected, atol=1e-9, rtol=1e-9)
        assert value.sum().item() == pytest.approx(total.item(), abs=1e-9)
    assert not torch.allclose(found[0][1], found[1][1])


def test_one_hump_makes_the_directions_agree() -> None:
    ends = [
        last(direction=direction, offset=0.0, deviation=1.0, start_mean=0.5, steps=300)[1]
        for direction in ("forward", "reverse")
    ]
    for end in ends:
        assert end.divergences_nats[0] == pytest.approx(0, abs=1e-9)
        assert end.deviations[0] == pytest.approx(1, abs=1e-6)


def test_a_step_too_far_is_told_with_the_last_good_one() -> None:
    built = build(
        Settings(offset=4, deviation=0.2, start_mean=5, start_deviation=0.2, learning_rate=1)
    )
    seen: list[Step] = []
    with pytest.raises(DivergenceError, match="smaller steps") as caught:
        seen.extend(built.run())
    assert f"step was step {len(seen) - 1}" in str(caught.value)
    assert all(math.isfinite(step.divergences_nats[0]) for step in seen)


def test_densities_are_normalized_and_the_run_repeats_to_the_last_bit() -> None:
    built = build(Settings(steps=20, starts=3))
    x = torch.tensor(built.axis)
    for density in (built.target_density, built.density(0.5, 0.8)):
        assert torch.trapezoid(torch.tensor(density), x).item() == pytest.approx(1, abs=1e-6)
    runs = [list(build(Settings(steps=20, starts=3)).run()) for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(runs[0]) == built.length == 21


def test_it_is_found_by_name_and_refuses_what_is_out_of_range() -> None:
    assert experiments.build("modes", {"direction": "forward"}).settings == Settings("forward")
    for bad in ({"direction": "sideways"}, {"deviation": 0}, {"starts": 8}, {"start_mean": "x"}):
        with pytest.raises(EngineError):
            Settings.read(bad)
