"""GRPO: advantages, pulls and clipping against hand values, enumeration and autograd."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine import grpo
from engine.errors import RangeError, ShapeError

RATES = [0.0, 0.01, 0.05, 0.5, 0.9, 1.0]
TWO_OF_EIGHT = torch.tensor([[1.0, 1, 0, 0, 0, 0, 0, 0]], dtype=torch.float64)


def _rewards(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def test_two_right_out_of_eight_by_hand() -> None:
    found = grpo.advantages(TWO_OF_EIGHT)[0]
    assert found[0].item() == pytest.approx(math.sqrt(3), abs=1e-15)
    assert found[-1].item() == pytest.approx(-1 / math.sqrt(3), abs=1e-15)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=9))
def test_advantages_are_what_numpy_says_of_either_convention(values: list[float]) -> None:
    rewards = np.array(values)
    if rewards.std() < 1e-3:
        return
    for correction in (0, 1):
        exact = (rewards - rewards.mean()) / rewards.std(ddof=correction)
        found = grpo.advantages(_rewards(values), correction=correction)[0].numpy()
        np.testing.assert_allclose(found, exact, atol=1e-9)
        wrong = (rewards - rewards.mean()) / rewards.std(ddof=1 - correction)
        assert not np.allclose(found, wrong, rtol=1e-6)


@pytest.mark.parametrize("size", [2, 3, 8, 64])
def test_the_conventions_differ_by_one_factor_for_all_groups_of_a_size(size: int) -> None:
    rewards = grpo.groups(0.5, size)[0]
    factor = math.sqrt((size - 1) / size)
    population, sample = (grpo.advantages(rewards, correction=each) for each in (0, 1))
    torch.testing.assert_close(sample, population * factor)
    assert not torch.allclose(sample, population)


def test_torch_divides_by_one_less_unless_told() -> None:
    pair = _rewards([1, 0])
    assert pair.std().item() == pytest.approx(math.sqrt(0.5))
    assert grpo.advantages(pair).tolist() == [[1.0, -1.0]]


def test_a_group_that_agrees_has_no_advantages_where_plain_division_makes_up_some() -> None:
    agreed = _rewards([1, 1, 1], [0, 0, 0], [0.1, 0.1, 0.1])
    for rewards in (agreed, agreed * 1e6):
        assert bool((grpo.advantages(rewards) == 0).all())
    divided = grpo.centered(agreed) / agreed.std(dim=-1, correction=0, keepdim=True)
    assert not bool(divided.abs().lt(0.5).all())  # 0/0, or rounding errors over rounding errors


@given(st.floats(0.001, 1000), st.floats(-10, 10))
def test_dividing_forgets_the_scale_of_the_reward_and_centering_keeps_it(
    scale: float, shift: float
) -> None:
    moved = TWO_OF_EIGHT * scale + shift
    torch.testing.assert_close(
        grpo.advantages(moved), grpo.advantages(TWO_OF_EIGHT), rtol=1e-6, atol=1e-6
    )
    torch.testing.assert_close(
        grpo.centered(moved), scale * grpo.centered(TWO_OF_EIGHT), rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_groups_are_binomial(rate: float, size: int) -> None:
    rewards, chances = grpo.groups(rate, size)
    exact = [math.comb(size, k) * rate**k * (1 - rate) ** (size - k) for k in range(size + 1)]
    np.testing.assert_allclose(chances.numpy(), exact, atol=1e-12)
    assert rewards.sum(dim=-1).tolist() == list(range(size + 1))


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.9])
def test_the_expected_pull_is_the_sum_over_all_sequences_of_answers(rate: float) -> None:
    for advantages_of in (grpo.advantages, grpo.centered):
        total = 0.0
        for group in itertools.product((0.0, 1.0), repeat=5):
            chance = math.prod(rate if answer else 1 - rate for answer in group)
            scores = np.array(group) - rate
            total += chance * float(np.mean(advantages_of(_rewards([*group]))[0].numpy() * scores))
        assert grpo.expected_pull(rate, 5, advantages_of).item() == pytest.approx(total, abs=1e-12)


@given(st.floats(0.01, 0.99), st.integers(2, 32))
def test_centered_pull_is_the_slope_of_the_success_rate_up_to_one_factor(
    rate: float, size: int
) -> None:
    odds = torch.tensor(math.log(rate / (1 - rate)), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(torch.sigmoid(odds), odds)
    found = grpo.expected_pull(rate, size, grpo.centered).item()
    assert found == pytest.approx((1 - 1 / size) * slope.item(), rel=1e-9)
    assert found != pytest.approx(slope.item(), rel=1e-3)


@pytest.mark.parametrize("size", [4, 8, 64])
def test_divided_pull_is_not_proportional_to_the_slope_and_still_peaks_at_even_odds(
    size: int,
) -> None:
    rates = [0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99]
    pulls = [grpo.expected_pull(rate, size, grpo.advantages).item() for rate in rates]
    shares = [pull / (rate * (1 - rate)) for pull, rate in zip(pulls, rates, strict=True)]
    assert max(pulls) == pulls[3]
    assert pulls[:4] == sorted(pulls[:4])
    assert pulls == pytest.approx(pulls[::-1], rel=1e-9)
    assert max(shares) > 1.05 * min(shares) == pytest.approx(1.05 * shares[3], rel=1e-9)


@given(st.floats(0.01, 0.99))
def test_in_groups_of_two_and_of_three_division_only_rescales(rate: float) -> None:
    for size, deviation in ((2, 1 / 2), (3, math.sqrt(2) / 3)):
        divided, centered = (
            grpo.expected_pull(rate, size, each).item() for each in (grpo.advantages, grpo.centered)
        )
        assert divided == pytest.approx(centered / deviation, rel=1e-9)


def test_the_clipped_objective_is_flat_only_where_its_push_would_go_too_far() -> None:
    ratio = torch.tensor([0.5, 0.79, 1.0, 1.19, 1.21, 1.3], dtype=torch.float64, requires_grad=True)
    for advantage, flat in ((1.0, [0, 0, 0, 0, 1, 1]), (-1.0, [1, 1, 0, 0, 0, 0])):
        gain = grpo.clipped(ratio, torch.full_like(ratio, advantage), low=0.2, high=0.2)
        (slope,) = torch.autograd.grad(gain.sum(), ratio)
        assert (slope == 0).tolist() == [bool(each) for each in flat]


def test_raising_the_upper_bound_changes_nothing_below() -> None:
    ratio = torch.linspace(0.5, 1.19, 50, dtype=torch.float64)
    for advantage in (torch.ones(50).double(), -torch.ones(50).double()):
        plain = grpo.clipped(ratio, advantage, low=0.2, high=0.2)
        torch.testing.assert_close(grpo.clipped(ratio, advantage, low=0.2, high=0.28), plain)
    wide = torch.full((1,), 1.25, dtype=torch.float64)
    up = torch.ones_like(wide)
    assert grpo.clipped(wide, up, low=0.2, high=0.28).item() == 1.25
    assert grpo.clipped(wide, up, low=0.2, high=0.2).item() == 1.2


def test_token_weights_are_those_of_the_written_out_loss() -> None:
    lengths = [3, 5]
    logits = [torch.zeros(n, dtype=torch.float64, requires_grad=True) for n in lengths]
    advantage = grpo.advantages(_rewards([1, 0]))
    loss = sum(advantage[0, i] * logits[i].mean() for i in range(2)) / 2
    assert isinstance(loss, Tensor)
    slopes = torch.autograd.grad(loss, logits)
    weights = grpo.token_weights(advantage, _rewards([3, 5]))[0]
    for slope, weight in zip(slopes, weights, strict=True):
        torch.testing.assert_close(slope, weight.expand_as(slope))
    assert weights[1].item() != pytest.approx(-weights[0].item())


def test_what_has_no_answer_is_refused() -> None:
    with pytest.raises(RangeError, match="success rate"):
        grpo.groups(5, 8)
    with pytest.raises(RangeError, match="at least 1"):
        grpo.groups(0.5, 0)
    with pytest.raises(RangeError, match="at least 2"):
        grpo.advantages(_rewards([1]), correction=1)
    with pytest.raises(RangeError, match="finite"):
        grpo.centered(_rewards([1, math.inf]))
    with pytest.raises(ShapeError):
        grpo.centered(torch.tensor([1.0, 0.0]))
    with pytest.raises(RangeError, match="high"):
        grpo.clipped(torch.ones(1), torch.ones(1), low=0.2, high=0)
    with pytest.raises(RangeError, match="length"):
        grpo.token_weights(_rewards([1, 0]), _rewards([1, 0]))
