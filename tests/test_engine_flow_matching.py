"""Flow matching: the exact velocity against regression, closed forms and a brute-force mean."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine import flow_matching
from engine.errors import RangeError, ShapeError

BOTH = torch.tensor([-1.0, 1.0], dtype=torch.float64)


def _row(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@given(st.floats(-3, 3), st.floats(0, 0.9))
def test_the_velocity_toward_two_actions_has_a_closed_form(place: float, time: float) -> None:
    action = math.tanh(time * place / (1 - time) ** 2)
    exact = (action - place) / (1 - time)
    found = flow_matching.velocity(_row(place), time, BOTH).item()
    assert found == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("time", [0.2, 0.4, 0.5])
def test_the_velocity_is_what_regression_on_samples_finds(time: float) -> None:
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(400_000, generator=generator, dtype=torch.float64)
    action = BOTH[torch.randint(2, (400_000,), generator=generator)]
    place = (1 - time) * noise + time * action
    near = (place - 0.3).abs() < 0.02
    found = (action - noise)[near].mean().item()
    exact = flow_matching.velocity(_row(0.3), time, BOTH).item()
    spread = (action - noise)[near].std().item() / math.sqrt(int(near.sum()))
    assert abs(found - exact) < 5 * spread + 0.05
    toward_the_nearest = (1 - 0.3) / (1 - time)
    assert abs(found - toward_the_nearest) > 5 * spread + 0.05


def test_toward_one_action_the_path_is_straight_and_nothing_is_left_of_the_loss() -> None:
    path = flow_matching.transport(_row(-1.5, 0.4), _row(2.0), steps=10)
    straight = torch.linspace(0, 1, 11, dtype=torch.float64).unsqueeze(1)
    torch.testing.assert_close(path, (1 - straight) * _row(-1.5, 0.4) + straight * 2)
    assert flow_matching.least_loss(_row(2.0)).item() == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize("steps", [10, 100])
def test_every_noise_but_zero_lands_on_a_demonstration_and_none_on_the_mean(steps: int) -> None:
    noise = _row(-2.0, -0.7, -0.2, 0.2, 0.3, 1.3, 2.0)
    ends = flow_matching.transport(noise, BOTH, steps=steps)[-1]
    torch.testing.assert_close(ends, noise.sign(), atol=1e-9, rtol=0)
    assert not bool((ends - BOTH.mean()).abs().lt(0.5).any())


def test_the_flow_keeps_the_shares_of_three_actions() -> None:
    quantiles = (torch.arange(3000, dtype=torch.float64) + 0.5) / 3000
    noise = math.sqrt(2) * torch.erfinv(2 * quantiles - 1)
    ends = flow_matching.transport(noise, _row(-1.0, 0.5, 2.0), steps=400)[-1]
    for action in (-1.0, 0.5, 2.0):
        share = (ends - action).abs().lt(0.01).double().mean().item()
        assert share == pytest.approx(1 / 3, abs=0.02)


def test_the_least_loss_is_the_mean_of_samples_and_every_other_velocity_loses_more() -> None:
    generator = torch.Generator().manual_seed(2)
    times = torch.rand(400, generator=generator).tolist()
    best, worse = [], []
    for time in times:
        noise = torch.randn(2000, generator=generator, dtype=torch.float64)
        action = BOTH[torch.randint(2, (2000,), generator=generator)]
        place = (1 - time) * noise + time * action
        guess = flow_matching.velocity(place, time, BOTH)
        best.append((guess - (action - noise)).square().mean())
        worse.append((guess + 0.3 - (action - noise)).square().mean())
    least = flow_matching.least_loss(BOTH).item()
    assert torch.stack(best).mean().item() == pytest.approx(least, abs=0.06)
    assert torch.stack(worse).mean().item() == pytest.approx(least + 0.09, abs=0.06)


def test_the_least_loss_has_units_of_action_squared() -> None:
    least = flow_matching.least_loss(BOTH).item()
    assert least == pytest.approx(1.017601656876, abs=1e-10)
    assert least != pytest.approx(math.log(2), abs=0.1)


def test_what_has_no_answer_is_refused() -> None:
    with pytest.raises(RangeError, match="time"):
        flow_matching.velocity(_row(0.0), 1.0, BOTH)
    with pytest.raises(RangeError, match="at least 1"):
        flow_matching.transport(_row(0.0), BOTH, steps=0)
    with pytest.raises(ShapeError, match="floating"):
        flow_matching.least_loss(torch.tensor([1, 2]))
