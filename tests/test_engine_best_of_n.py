"""Best-of-n against the enumeration of all draws, its bound against ties of every kind."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from engine import best_of_n
from engine.errors import RangeError, ShapeError


def table(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def enumerated(reward: list[float], shares: list[float], draws: int) -> list[float]:
    """Return the exact distribution of the kept response, from every possible set of draws."""
    kept = [0.0] * len(shares)
    for drawn in itertools.product(range(len(shares)), repeat=draws):
        best = max(reward[each] for each in drawn)
        winners = [each for each in drawn if reward[each] == best]
        for winner in winners:
            kept[winner] += math.prod(shares[each] for each in drawn) / len(winners)
    return kept


@pytest.mark.parametrize("draws", [1, 2, 3, 5])
@pytest.mark.parametrize(
    ("reward", "shares"),
    [
        ([1.0, 2.0, 3.0], [0.6, 0.39, 0.01]),
        ([3.0, 1.0, 2.0], [0.2, 0.5, 0.3]),
        ([1.0, 2.0, 2.0, 0.5], [0.1, 0.2, 0.3, 0.4]),  # a tie at the top
        ([1.0, 1.0, 1.0], [0.2, 0.3, 0.5]),
        ([0.0, 5.0, 1.0], [0.4, 0.0, 0.6]),  # the best is never drawn
    ],
)
def test_against_the_enumeration_of_all_draws(
    draws: int, reward: list[float], shares: list[float]
) -> None:
    found = best_of_n.policy(table(reward), table(shares).log(), draws=draws).exp()
    torch.testing.assert_close(found, table(enumerated(reward, shares, draws)))


def test_two_fair_responses_and_two_draws_by_hand() -> None:
    reward, reference = table([0.0, 1.0]), table([0.5, 0.5]).log()
    torch.testing.assert_close(
        best_of_n.policy(reward, reference, draws=2).exp(), table([0.25, 0.75])
    )
    exact = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    found = best_of_n.divergence(reward, reference, draws=2).item()
    assert found == pytest.approx(exact, abs=1e-15)
    assert found < best_of_n.bound(2) - 0.06, "the formula as an equation is wrong here"


def test_prompts_do_not_mix() -> None:
    reward = table([1.0, 2.0, 3.0], [3.0, 2.0, 1.0])
    reference = table([0.6, 0.39, 0.01], [0.2, 0.3, 0.5]).log()
    both = best_of_n.divergence(reward, reference, draws=4)
    for row in range(2):
        alone = best_of_n.divergence(reward[row : row + 1], reference[row : row + 1], draws=4)
        assert both[row].item() == pytest.approx(alone.item(), abs=1e-14)


@pytest.mark.parametrize("draws", [2, 3, 16, 1000])
def test_the_bound_is_the_divergence_of_the_largest_of_n_uniform_numbers(draws: int) -> None:
    # Density n u^(n−1); with u = v^(1/n), v is uniform and the log-density log n + (1 − 1/n) log v.
    v = (torch.arange(1_000_000, dtype=torch.float64) + 0.5) / 1_000_000
    integral = (math.log(draws) + (1 - 1 / draws) * v.log()).mean().item()
    assert best_of_n.bound(draws) == pytest.approx(integral, abs=1e-6)
    in_bits_by_mistake = math.log2(draws) - (draws - 1) / draws
    assert best_of_n.bound(draws) != pytest.approx(in_bits_by_mistake, abs=1e-2)


def test_one_draw_is_the_reference() -> None:
    reference = table([0.6, 0.39, 0.01]).log()
    reward = table([1.0, 2.0, 3.0])
    torch.testing.assert_close(best_of_n.policy(reward, reference, draws=1), reference)
    assert best_of_n.bound(1) == 0


@pytest.mark.parametrize("draws", [2, 8, 64, 4096])
def test_finitely_many_responses_stay_strictly_below_the_bound(draws: int) -> None:
    generator = torch.Generator().manual_seed(draws)
    reward, logits = torch.randn(2, 300, 7, generator=generator, dtype=torch.float64)
    found = best_of_n.divergence(reward, logits.log_softmax(dim=-1), draws=draws)
    assert bool((found < best_of_n.bound(draws) - 1e-6).all())


def test_more_and_smaller_responses_approach_the_bound() -> None:
    gaps = []
    for responses in (10, 100, 1000, 10_000):
        reward = torch.arange(responses, dtype=torch.float64).unsqueeze(0)
        reference = torch.full_like(reward, 1 / responses).log()
        found = best_of_n.divergence(reward, reference, draws=16).item()
        gaps.append(best_of_n.bound(16) - found)
    assert gaps == sorted(gaps, reverse=True)
    assert 0 < gaps[-1] < 1e-6 < gaps[0]


def test_many_draws_end_at_the_surprisal_of_the_best_response() -> None:
    reward, reference = table([1.0, 2.0, 3.0]), table([0.6, 0.39, 0.01]).log()
    found = [best_of_n.divergence(reward, reference, draws=2**k).item() for k in range(30)]
    assert found == sorted(found)
    assert found[-1] == pytest.approx(-math.log(0.01), abs=1e-12)
    assert best_of_n.bound(2**29) > 19, "the formula goes on"


def test_a_tie_among_all_leaves_the_reference_alone() -> None:
    reference = table([0.2, 0.3, 0.5]).log()
    reward = torch.zeros_like(reference)
    assert best_of_n.divergence(reward, reference, draws=64).item() == pytest.approx(0, abs=1e-12)


GOOD = table([1.0, 2.0])
FAIR = table([0.5, 0.5]).log()


def test_what_has_no_answer_is_refused() -> None:
    with pytest.raises(RangeError, match="at least 1, got 0"):
        best_of_n.policy(GOOD, FAIR, draws=0)
    with pytest.raises(RangeError, match="at least 1"):
        best_of_n.bound(0)
    with pytest.raises(RangeError, match="Pass logarithms"):
        best_of_n.divergence(GOOD, FAIR.exp(), draws=2)
    with pytest.raises(RangeError, match="finite"):
        best_of_n.policy(table([math.nan, 1.0]), FAIR, draws=2)
    with pytest.raises(ShapeError, match="shape"):
        best_of_n.policy(table([1.0, 2.0, 3.0]), FAIR, draws=2)
