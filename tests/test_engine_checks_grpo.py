"""What the claims of the GRPO lesson call, each against a formula of its own and a near miss."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.checks import grpo as checks
from engine.errors import EngineError
from engine.recompute import recompute


@pytest.mark.parametrize("right", range(1, 8))
def test_advantages_of_a_group_of_eight_are_those_of_the_formula(right: int) -> None:
    share = right / 8
    up, down = math.sqrt((1 - share) / share), -math.sqrt(share / (1 - share))
    assert checks.group_advantage(right, 8, 1, 0) == pytest.approx(up, abs=1e-12)
    assert checks.group_advantage(right, 8, 0, 0) == pytest.approx(down, abs=1e-12)
    assert checks.group_advantage(right, 8, 1, 1) == pytest.approx(up * math.sqrt(7 / 8), abs=1e-12)
    assert checks.group_advantage(right, 8, 1, 1) != pytest.approx(up, abs=1e-3)


def test_one_right_answer_in_eight_is_seven_times_as_far_from_the_mean() -> None:
    ratio = checks.group_advantage(1, 8, 1, 0) / checks.group_advantage(1, 8, 0, 0)
    assert ratio == pytest.approx(-7, abs=1e-12)


@given(st.floats(0.01, 0.99), st.integers(2, 20))
def test_mean_pulls_are_binomial_sums(rate: float, size: int) -> None:
    count = np.arange(size + 1)
    chance = np.array([math.comb(size, k) for k in count])
    chance = chance * rate**count * (1 - rate) ** (size - count)
    variance = (count / size) * (1 - count / size)
    divided, centered = float(chance @ np.sqrt(variance)), float(chance @ variance)
    assert checks.mean_pull_divided(rate, size) == pytest.approx(divided, rel=1e-9)
    assert checks.mean_pull_centered(rate, size) == pytest.approx(centered, rel=1e-9)
    silent = rate**size + (1 - rate) ** size
    assert checks.silent_share(rate, size) == pytest.approx(silent, rel=1e-9)


def test_division_favors_the_ends_the_more_the_larger_the_group() -> None:
    alike, *found = [checks.favor_of_division(0.05, 0.5, size) for size in (3, 4, 8, 16, 64)]
    assert alike == pytest.approx(1, abs=1e-12)
    assert found == sorted(found)
    assert found[0] > 1.05
    endless = 0.5 / math.sqrt(0.05 * 0.95)  # one over the deviation, in groups without end
    assert found[-1] < endless
    assert checks.favor_of_division(0.05, 0.5, 512) == pytest.approx(endless, rel=2e-2)
    easy = checks.favor_of_division(0.95, 0.5, 8)
    assert easy == pytest.approx(checks.favor_of_division(0.05, 0.5, 8), rel=1e-9)


def test_a_hard_prompt_never_pulls_harder_than_an_even_one() -> None:
    for size in (2, 8, 64):
        even = checks.mean_pull_divided(0.5, size)
        assert all(checks.mean_pull_divided(rate, size) < even for rate in (0.01, 0.05, 0.2, 0.99))


def test_identities_hold_and_their_near_misses_do_not() -> None:
    assert checks.gap_of_group_pull(8) < 1e-12
    assert checks.gap_of_mean_pull(16) < 1e-12
    assert checks.gap_of_odds_shift() < 1e-12
    assert checks.gap_of_gaussian_surprisal() < 1e-12
    assert abs(checks.mean_pull_centered(0.3, 8) - 0.3 * 0.7) > 0.02  # 1 − 1/G forgotten
    assert abs(checks.mean_pull_divided(0.3, 8) - math.sqrt(0.3 * 0.7)) > 0.02  # mean of a root


@given(st.floats(0.001, 0.7), st.floats(0.05, 0.4))
def test_the_push_ends_at_one_plus_epsilon_times_the_probability(
    probability: float, bound: float
) -> None:
    found = checks.probability_where_push_ends(probability, 0.2, bound)
    assert found == pytest.approx(min(1.0, probability * (1 + bound)), rel=1e-9)


def test_a_token_that_cannot_reach_the_bound_is_pushed_to_one() -> None:
    assert checks.probability_where_push_ends(0.9, 0.2, 0.2) == 1
    assert checks.probability_where_push_ends(0.7, 0.2, 0.2) == pytest.approx(0.84, rel=1e-12)


def test_four_times_the_length_is_a_quarter_of_the_blame_per_token() -> None:
    short, long = (checks.weight_per_token(2, 8, 0, length) for length in (100, 400))
    assert short == pytest.approx(-1 / math.sqrt(3) / 800, rel=1e-12)
    assert short / long == pytest.approx(4, rel=1e-12)


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.5])
@pytest.mark.parametrize("beta", [0.1, 0.5, 2.0])
def test_success_at_the_optimum_is_the_tilted_reference(rate: float, beta: float) -> None:
    tilted = rate * math.exp(1 / beta)
    exact = tilted / (tilted + 1 - rate)
    assert checks.success_at_optimum(rate, beta) == pytest.approx(exact, rel=1e-12)
    assert checks.success_at_optimum(rate, beta) > rate


def test_the_optimum_beats_its_neighbors() -> None:
    def objective(success: float) -> float:
        divergence = success * math.log(success / 0.05) + (1 - success) * math.log(
            (1 - success) / 0.95
        )
        return success - 0.5 * divergence

    best = checks.success_at_optimum(0.05, 0.5)
    assert objective(best) > max(objective(best - 0.01), objective(best + 0.01))


@given(st.floats(-2, 2), st.floats(0.1, 3), st.integers(1, 9))
def test_divergence_of_actions_is_squared_shift_over_twice_the_variance(
    shift: float, deviation: float, dimensions: int
) -> None:
    exact = dimensions * shift**2 / (2 * deviation**2)
    found = checks.divergence_of_actions(shift, deviation, dimensions)
    assert found == pytest.approx(exact, rel=1e-9, abs=1e-12)


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=6))
def test_least_squared_error_is_at_the_mean(actions: list[float]) -> None:
    found = checks.action_with_least_squared_error(actions)
    assert found == pytest.approx(np.mean(actions), abs=1e-12)


def test_two_demonstrations_cost_a_coin_toss_over_bins_and_more_under_a_lopsided_policy() -> None:
    assert checks.least_cross_entropy([-1, 1]) == pytest.approx(math.log(2), abs=1e-15)
    lopsided = -(math.log(0.6) + math.log(0.4)) / 2
    assert checks.least_cross_entropy([-1, 1]) < lopsided


def test_flow_ends_at_a_demonstration_on_the_side_of_its_noise() -> None:
    assert checks.action_by_flow(0.3, [-1, 1], 10) == pytest.approx(1, abs=1e-9)
    assert checks.action_by_flow(-0.3, [-1, 1], 10) == pytest.approx(-1, abs=1e-9)
    assert checks.least_flow_loss([-2, 2]) != pytest.approx(
        checks.least_flow_loss([-1, 1]), abs=0.1
    )


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        (
            "group_advantage",
            {"right": 0, "size": 8, "reward": 1, "correction": 0},
            "answer of this",
        ),
        ("group_advantage", {"right": 9, "size": 8, "reward": 1, "correction": 0}, "from 0 to 8"),
        ("mean_pull_divided", {"rate": 1.5, "size": 8}, "success rate"),
        ("probability_where_push_ends", {"probability": 1, "low": 0.2, "high": 0.2}, "between"),
        ("weight_per_token", {"right": 2, "size": 8, "reward": 0, "length": 0}, "length"),
        ("success_at_optimum", {"rate": 0.05, "beta": 0}, "above 0"),
    ],
)
def test_a_check_refuses_what_has_no_answer(
    function: str, arguments: dict[str, object], says: str
) -> None:
    with pytest.raises(EngineError, match=says):
        recompute(function, arguments)
