"""What fails when an assumption goes, and that it is computed rather than told."""

import math
from dataclasses import replace

import numpy as np
import pytest

from engine.algebra.breaks import Break, BrokenResult
from engine.algebra.derivations import derivation
from engine.algebra.line import SIZES
from engine.algebra.worlds import World3, quantities
from engine.errors import EngineError

DPO = derivation("dpo")
BREAKS = {way.id: way for way in DPO.breaks}
WORLD = World3.default()


def failing(result: BrokenResult) -> set[str]:
    return {row.line for row in result.rows if not row.sides.holds}


def test_there_are_three_ways_to_break_the_derivation() -> None:
    assert list(BREAKS) == ["drop-beta", "two-prompts", "zero-reference"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", DPO.breaks, ids=lambda way: way.id)
def test_the_failing_line_is_refuted_by_the_machinery_that_proves_lines(
    way: Break, size: int
) -> None:
    assert way.check(size).outcome == "refuted"
    assert way.failing.id in way.touches


@pytest.mark.parametrize("way", DPO.breaks, ids=lambda way: way.id)
def test_lines_that_fail_are_lines_the_break_touches_and_watched_lines_hold(way: Break) -> None:
    result = way.evaluate(WORLD)
    assert failing(result) <= set(way.touches)
    assert not failing(result) & {line.id for line in way.watched}
    assert way.failing.id in failing(result)
    assert result.sentence.endswith(".")


def test_dropping_beta_shifts_every_reward_alike_and_no_margin() -> None:
    result = BREAKS["drop-beta"].evaluate(WORLD)
    shift = (WORLD.beta - 1) * quantities(WORLD).log_partition
    rewards = [row.sides.difference for row in result.rows if row.line == "reward"]
    assert rewards == pytest.approx([shift] * 3)
    assert result.residual == "(β − 1) log Z(x)"
    assert result.residual_value == pytest.approx(shift)
    assert failing(result) == {"reward"}
    assert {row.line for row in result.rows} >= {"difference", "canceled", "likelihood", "loss"}
    assert f"{abs(shift):.3f}" in result.sentence


def test_at_beta_one_the_dropped_beta_does_not_show_and_the_sentence_says_so() -> None:
    result = BREAKS["drop-beta"].evaluate(replace(WORLD, beta=1.0))
    assert failing(result) == set()
    assert result.residual_value == pytest.approx(0)
    assert "does not show" in result.sentence


def test_the_direction_of_the_slip_follows_the_world() -> None:
    above = replace(WORLD, beta=2.0)
    assert "too low" in BREAKS["drop-beta"].evaluate(above).sentence
    assert "too high" in BREAKS["drop-beta"].evaluate(WORLD).sentence


def test_two_prompts_leave_the_difference_of_their_log_partitions() -> None:
    second = replace(WORLD, rewards=(2.0, -1.0, 0.3), reference=(0.2, 0.2, 0.6))
    result = BREAKS["two-prompts"].evaluate(WORLD, second=second)
    rest = WORLD.beta * (_log_partition(WORLD) - _log_partition(second))
    assert result.residual == "β log Z(x_1) − β log Z(x_2)"
    assert result.residual_value == pytest.approx(rest)
    assert failing(result) == {"canceled", "likelihood"}


def test_two_prompts_with_one_z_cancel_by_accident() -> None:
    result = BREAKS["two-prompts"].evaluate(WORLD, second=WORLD)
    assert failing(result) == set()
    assert "by accident" in result.sentence


def test_a_zero_in_the_reference_leaves_the_reward_without_a_value_there_only() -> None:
    result = BREAKS["zero-reference"].evaluate(WORLD)
    rewards = {row.sides.response: row.sides for row in result.rows if row.line == "reward"}
    assert math.isnan(rewards[0].right)
    assert rewards[1].holds
    assert rewards[2].holds
    assert result.residual == "undefined"
    assert math.isnan(result.residual_value)


def test_a_policy_on_a_zero_of_the_reference_pays_an_infinite_divergence() -> None:
    sides = {row.line: row.sides for row in BREAKS["zero-reference"].evaluate(WORLD).rows}
    assert sides["objective"].left == -math.inf
    assert sides["gibbs"].left == math.inf
    assert sides["attained"].holds
    assert math.isfinite(sides["attained"].left)
    assert sides["gradient"].left == 0


def test_the_optimum_is_zero_where_the_reference_is() -> None:
    rows = BREAKS["zero-reference"].evaluate(WORLD).rows
    best = [row.sides.left for row in rows if row.line == "optimum"]
    weights = np.array([0.0, *WORLD.reference[1:]]) * np.exp(np.array(WORLD.rewards) / WORLD.beta)
    assert best == pytest.approx((weights / weights.sum()).tolist())


def test_the_zero_break_counts_the_lines_it_loses() -> None:
    result = BREAKS["zero-reference"].evaluate(WORLD)
    assert f"{len(failing(result))} of {len(DPO.lines)} lines" in result.sentence
    assert failing(result) == set(BREAKS["zero-reference"].touches)


def test_a_break_that_breaks_nothing_is_an_error_not_a_verdict() -> None:
    harmless = replace(BREAKS["drop-beta"], lines=(DPO.line("reward"),))
    assert harmless.check(3).outcome == "proved"
    with pytest.raises(EngineError, match="a broken line"):
        harmless.evaluate(WORLD)


def _log_partition(world: World3) -> float:
    weights = np.array(world.reference) * np.exp(np.array(world.rewards) / world.beta)
    return float(np.log(weights.sum()))
