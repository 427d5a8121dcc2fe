"""Temperature and truncation: powers by hand, slopes by differences, nuclei by enumeration."""

import math
from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine.distributions import entropy
from engine.errors import EngineError, RangeError, ShapeError
from engine.temperature import entropy_response, entropy_slope, nucleus, temper, top_k

weights = st.lists(st.floats(0.01, 10), min_size=2, max_size=6)


def table(values: list[float]) -> Tensor:
    """One row of log-probabilities in proportion to the values."""
    return torch.tensor([values], dtype=torch.float64).log().log_softmax(dim=-1)


@settings(deadline=None)
@given(values=weights, temperature=st.floats(0.2, 5))
def test_tempering_raises_probabilities_to_one_over_t(
    values: list[float], temperature: float
) -> None:
    powers = [value ** (1 / temperature) for value in values]
    expected = [power / sum(powers) for power in powers]
    got = temper(table(values), temperature=temperature).exp()[0].tolist()
    assert got == pytest.approx(expected, abs=1e-12)


def test_multiplying_by_the_temperature_is_refused() -> None:
    row = table([0.6, 0.3, 0.1])
    got = temper(row, temperature=0.5).exp()[0].tolist()
    assert got == pytest.approx([36 / 46, 9 / 46, 1 / 46], abs=1e-12)
    wrong = torch.softmax(row * 0.5, dim=-1)[0].tolist()
    assert got != pytest.approx(wrong, abs=0.1)


def test_a_temperature_of_one_changes_nothing_and_the_ends_are_greedy_and_uniform() -> None:
    row = table([0.6, 0.3, 0.1])
    torch.testing.assert_close(temper(row, temperature=1), row)
    assert temper(row, temperature=0.01).exp()[0].tolist() == pytest.approx([1, 0, 0], abs=1e-12)
    assert temper(row, temperature=1e9).exp()[0].tolist() == pytest.approx([1 / 3] * 3, abs=1e-8)


@settings(deadline=None)
@given(values=weights, temperature=st.floats(0.1, 10))
def test_the_order_never_changes(values: list[float], temperature: float) -> None:
    row = table(values)
    before, after = row[0], temper(row, temperature=temperature)[0]
    for one, other in combinations(range(len(values)), 2):
        assert (before[one] - before[other]) * (after[one] - after[other]) >= 0


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_the_slope_of_entropy_is_the_variance_over_t_cubed(temperature: float) -> None:
    logits = torch.tensor([[2.0, 0.5, -1.0, 0.0], [1.0, 1.0, 1.0, 1.0]], dtype=torch.float64)
    step = 1e-5
    above, below = (
        entropy(temper(logits, temperature=temperature + sign * step)) for sign in (1, -1)
    )
    measured = (above - below) / (2 * step)
    got = entropy_slope(logits, temperature=temperature)
    torch.testing.assert_close(got, measured, atol=1e-8, rtol=1e-6)
    assert got[1].item() == pytest.approx(0, abs=1e-15)
    if temperature != 1:
        squared = got[0].item() * temperature
        assert measured[0].item() != pytest.approx(squared, rel=0.1), "T² is refused"


def test_heat_raises_entropy_and_cold_lowers_it() -> None:
    row = table([0.6, 0.3, 0.1])
    found = [entropy(temper(row, temperature=t)).item() for t in (0.1, 0.5, 1, 2, 10)]
    assert found == sorted(found)
    assert found[-1] < math.log(3)


@settings(deadline=None)
@given(values=weights, seed=st.integers(0, 99))
def test_entropy_answers_a_push_with_minus_the_covariance(values: list[float], seed: int) -> None:
    row = table(values)
    generator = torch.Generator().manual_seed(seed)
    push = torch.randn(row.shape, generator=generator, dtype=torch.float64)
    step = 1e-5
    above, below = (entropy((row + sign * step * push).log_softmax(-1)) for sign in (1, -1))
    measured = ((above - below) / (2 * step)).item()
    got = entropy_response(row, push).item()
    assert got == pytest.approx(measured, abs=1e-7)
    if abs(got) > 1e-6:
        assert -got != pytest.approx(measured, abs=1e-7), "the sign matters"


def test_temperature_is_a_push_along_minus_z_over_t_squared() -> None:
    logits = torch.tensor([[2.0, 0.5, -1.0]], dtype=torch.float64)
    at = temper(logits, temperature=0.7)
    slope = entropy_slope(logits, temperature=0.7)
    torch.testing.assert_close(slope, entropy_response(at, -logits / 0.7**2))


def test_top_k_keeps_the_likeliest_and_the_first_of_equals() -> None:
    row = table([0.1, 0.4, 0.2, 0.2, 0.1])
    assert top_k(row, k=3).exp()[0].tolist() == pytest.approx([0, 0.5, 0.25, 0.25, 0])
    assert top_k(row, k=1).exp()[0].tolist() == [0, 1, 0, 0, 0]
    assert top_k(table([1, 1, 1]), k=1).exp()[0].tolist() == [1, 0, 0]
    torch.testing.assert_close(top_k(row, k=9), row)


@settings(deadline=None)
@given(values=weights, mass=st.floats(0.05, 0.99))
def test_the_nucleus_is_the_smallest_set_that_reaches_the_mass(
    values: list[float], mass: float
) -> None:
    row = table(values)
    shares = row.exp()[0].tolist()
    kept = [index for index, log in enumerate(nucleus(row, mass=mass)[0].tolist()) if log > -1e9]
    enough = [
        size
        for size in range(1, len(shares) + 1)
        if any(sum(chosen) >= mass - 1e-12 for chosen in combinations(shares, size))
    ]
    assert len(kept) == enough[0]
    assert sum(shares[index] for index in kept) >= mass - 1e-9
    scaled = nucleus(row, mass=mass).exp().sum().item()
    assert scaled == pytest.approx(1, abs=1e-12)


def test_a_threshold_on_single_probabilities_is_no_nucleus() -> None:
    row = table([0.5, 0.3, 0.15, 0.05])
    kept = int((~torch.isneginf(nucleus(row, mass=0.9))).sum())
    assert kept == 3
    assert kept != sum(share >= 0.9 for share in row.exp()[0].tolist())
    assert int((~torch.isneginf(nucleus(row, mass=0.5))).sum()) == 1, "a reached mass is enough"
    torch.testing.assert_close(nucleus(row, mass=1), row)


@settings(deadline=None)
@given(values=weights, k=st.integers(1, 6), mass=st.floats(0.05, 1))
def test_truncation_never_raises_entropy(values: list[float], k: int, mass: float) -> None:
    row = table(values)
    for cut in (top_k(row, k=k), nucleus(row, mass=mass)):
        assert entropy(cut).item() <= entropy(row).item() + 1e-12


def test_what_has_no_answer_is_refused() -> None:
    row = table([0.5, 0.5])
    with pytest.raises(RangeError, match="temperature"):
        temper(row, temperature=0)
    with pytest.raises(RangeError, match="k to be at least 1"):
        top_k(row, k=0)
    for mass in (0.0, 1.1, math.nan):
        with pytest.raises(RangeError, match="mass"):
            nucleus(row, mass=mass)
    with pytest.raises(RangeError, match="sum"):
        nucleus(row.exp(), mass=0.9)
    with pytest.raises(ShapeError):
        temper(row[0], temperature=1)
    with pytest.raises(EngineError, match="finite"):
        entropy_response(table([1, 0]), row)
