"""Scores, reliability and temperature: against hand values, enumeration and published intervals."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine import calibration
from engine.distributions import kl
from engine.errors import EngineError, RangeError, ShapeError


def row(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def draw(number: int, outcomes: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(number, outcomes, dtype=torch.float64, generator=generator)
    return (2 * logits).log_softmax(dim=1)


def expected(loss: Tensor, belief: Tensor) -> float:
    """Average a loss over outcomes, given one row per outcome."""
    return float((loss * belief).sum())


def test_losses_by_hand() -> None:
    log_q = torch.stack([row(0.7, 0.2, 0.1), row(0, 1, 0)]).log()
    happened = torch.tensor([0, 1])
    torch.testing.assert_close(calibration.log_loss(log_q, happened), row(-math.log(0.7), 0.0))
    torch.testing.assert_close(
        calibration.brier_loss(log_q, happened), row(0.3**2 + 0.2**2 + 0.1**2, 0.0)
    )


def test_what_was_ruled_out_costs_infinitely_much_or_two() -> None:
    sure = row(1, 0).log().unsqueeze(0)
    assert calibration.log_loss(sure, torch.tensor([1])).item() == math.inf
    assert calibration.brier_loss(sure, torch.tensor([1])).item() == 2


def test_both_losses_are_least_at_honesty_and_their_excess_is_known() -> None:
    outcomes = torch.arange(3)
    for log_p, log_q in zip(draw(200, 3, 1), draw(200, 3, 2), strict=True):
        belief, stated = log_p.exp(), log_q.exp()
        excess = {
            name: expected(loss(log_q.expand(3, 3), outcomes), belief)
            - expected(loss(log_p.expand(3, 3), outcomes), belief)
            for name, loss in (("log", calibration.log_loss), ("brier", calibration.brier_loss))
        }
        divergence = kl(log_p.unsqueeze(0), log_q.unsqueeze(0)).item()
        assert excess["log"] == pytest.approx(divergence, abs=1e-12)
        assert excess["brier"] == pytest.approx((stated - belief).square().sum().item(), abs=1e-12)
        assert min(excess.values()) > 0


def test_the_reverse_divergence_is_not_the_excess() -> None:
    log_p, log_q = draw(200, 3, 1), draw(200, 3, 2)
    assert (kl(log_p, log_q) - kl(log_q, log_p)).abs().mean().item() > 0.1


def test_absolute_error_is_least_away_from_honesty() -> None:
    stated = torch.linspace(0, 1, 101, dtype=torch.float64)
    absolute = 0.7 * (1 - stated) + 0.3 * stated
    assert stated[absolute.argmin()].item() == 1.0
    brier = 0.7 * (1 - stated).square() + 0.3 * stated.square()
    assert stated[brier.argmin()].item() == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("forecast", "bins", "expects"),
    [(0.0, 10, 0), (0.05, 10, 0), (0.7, 10, 7), (0.29, 100, 29), (1.0, 10, 9), (0.999, 1, 0)],
)
def test_equal_width_by_hand(forecast: float, bins: int, expects: int) -> None:
    assert calibration.equal_width(row(forecast), bins).item() == expects


def test_equal_mass_shares_out_and_keeps_ties_together() -> None:
    spread = torch.rand(100, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    assert torch.bincount(calibration.equal_mass(spread, 5)).tolist() == [20] * 5
    tied = row(0.3, 0.3, 0.3, 0.3, 0.9)
    assert calibration.equal_mass(tied, 5).tolist() == [0, 0, 0, 0, 4]


def test_a_tie_cut_in_two_would_depend_on_the_order() -> None:
    forecast, came_true = torch.full((10,), 0.5, dtype=torch.float64), row(*[1] * 5, *[0] * 5)
    cut = torch.arange(10) // 5
    honest = calibration.reliability(forecast, came_true, calibration.equal_mass(forecast, 2))
    assert honest.ece == 0
    assert calibration.reliability(forecast, came_true, cut).ece == 0.5
    mixed = came_true[torch.tensor([0, 5, 1, 6, 2, 7, 3, 8, 4, 9])]
    assert calibration.reliability(forecast, mixed, cut).ece == pytest.approx(0.1)


def test_ece_by_hand_and_not_without_weights() -> None:
    forecast, came_true = row(0.9, 0.9, 0.9, 0.2), row(1, 1, 0, 0)
    found = calibration.reliability(forecast, came_true, calibration.equal_width(forecast, 10))
    gaps = (0.9 - 2 / 3, 0.2)
    assert found.ece == pytest.approx(0.75 * gaps[0] + 0.25 * gaps[1])
    assert found.ece != pytest.approx(sum(gaps) / 2, abs=1e-3)
    assert found.count.tolist() == [1, 3]


def test_the_mean_forecast_is_compared_and_not_the_middle_of_the_bin() -> None:
    forecast, came_true = row(0.91, 0.91), row(1, 1)
    found = calibration.reliability(forecast, came_true, calibration.equal_width(forecast, 10))
    assert found.ece == pytest.approx(0.09)
    assert found.ece != pytest.approx(0.05)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_ece_lies_between_the_overall_gap_and_one(pairs: list[tuple[float, bool]]) -> None:
    forecast, came_true = row(*(f for f, _ in pairs)), row(*(float(c) for _, c in pairs))
    for bin_of in (calibration.equal_width(forecast, 7), calibration.equal_mass(forecast, 7)):
        ece = calibration.reliability(forecast, came_true, bin_of).ece
        overall = abs(float(forecast.mean() - came_true.mean()))
        assert overall - 1e-9 <= ece <= 1 + 1e-9


def test_wilson_against_the_equation_that_defines_it() -> None:
    hits, trials = row(0, 1, 9, 50, 10), row(10, 10, 10, 100, 10)
    low, high = calibration.wilson(hits, trials)
    for end in (low, high):
        error = (end * (1 - end) / trials).sqrt()
        inside = (end > 1e-12) & (end < 1 - 1e-12)
        away = (hits / trials - end).abs() / error.clamp_min(1e-300)
        torch.testing.assert_close(away[inside], torch.full_like(away[inside], calibration.Z_95))
    assert low[0].item() == pytest.approx(0, abs=1e-12)
    assert high[4].item() == pytest.approx(1, abs=1e-12)


def test_wilson_at_no_hits_is_known_and_the_plain_interval_is_not_it() -> None:
    _, high = calibration.wilson(row(0), row(10))
    assert high.item() == pytest.approx(calibration.Z_95**2 / (10 + calibration.Z_95**2))
    assert high.item() > 0.2  # the plain interval, rate ± 1.96 standard errors, has no width here


@pytest.mark.parametrize("factor", [0.2, 1.0, 3.0, 12.0])
def test_the_temperature_is_the_factor(factor: float) -> None:
    world = _world(factor)
    assert calibration.fit_temperature(world.logits, world.truth) == pytest.approx(factor, rel=1e-9)


def test_the_temperature_is_least_loss_on_a_grid() -> None:
    world = _world(3.0)
    found = calibration.fit_temperature(world.logits, world.labels)

    def loss(temperature: float) -> float:
        log_q = (world.logits / temperature).log_softmax(dim=1)
        return calibration.log_loss(log_q, world.right).mean().item()

    around = [loss(found * scale) for scale in (0.9, 0.99, 1.01, 1.1)]
    assert min(around) > loss(found)
    assert found == pytest.approx(3, abs=0.3)
    assert found != pytest.approx(1 / 3, abs=0.3)


def test_temperature_keeps_first_choices_and_mends_the_error() -> None:
    world = _world(3.0)
    before, after = world.graded(1.0), world.graded(3.0)
    assert torch.equal(before[1], after[1])
    errors = [
        calibration.reliability(*graded, calibration.equal_width(graded[0], 10)).ece
        for graded in (before, after)
    ]
    assert errors[0] > 0.2
    assert errors[1] < 0.05


def test_logits_without_a_best_temperature_are_refused() -> None:
    logits = torch.tensor([[2.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    always_first = row(1, 0).log().expand(2, 2)
    never_first = row(0, 1).log().expand(2, 2)
    for truth in (always_first, never_first):
        with pytest.raises(RangeError, match="better than chance and not perfectly"):
            calibration.fit_temperature(logits, truth)


def test_what_has_no_answer_is_refused() -> None:
    log_q = draw(2, 3, 1)
    for wrong in (torch.tensor([0, 3]), torch.tensor([-1, 0])):
        with pytest.raises(RangeError, match="from 0 to 2"):
            calibration.brier_loss(log_q, wrong)
    with pytest.raises(ShapeError):
        calibration.log_loss(log_q, torch.tensor([0]))
    with pytest.raises(RangeError, match="not percents"):
        calibration.equal_width(row(70), 10)
    with pytest.raises(EngineError, match="bins"):
        calibration.equal_mass(row(0.5), 0)


def _world(factor: float) -> calibration.Answers:
    generator = torch.Generator().manual_seed(4)
    return calibration.overconfident_answers(2000, 4, factor=factor, generator=generator)


@pytest.mark.parametrize("factor", [0.2, 1.0, 3.0, 12.0])
def test_lbfgs_finds_the_factor_and_agrees_with_newton(factor: float) -> None:
    world = _world(factor)
    exact = calibration.fit_temperature_by_lbfgs(world.logits, world.truth)
    assert exact == pytest.approx(factor, rel=1e-9)
    drawn = calibration.fit_temperature_by_lbfgs(world.logits, world.labels)
    assert drawn == pytest.approx(calibration.fit_temperature(world.logits, world.labels), rel=1e-8)
    assert torch.equal((world.logits / drawn).argmax(dim=1), world.logits.argmax(dim=1))


@pytest.mark.parametrize("start", [0.05, 1.0, 3.0, 50.0])
def test_each_start_descends_to_the_same_temperature(start: float) -> None:
    world = _world(3.0)
    steps = list(calibration.descend_temperature(world.logits, world.truth, start=start, steps=20))
    assert len(steps) == 21
    assert steps[0].temperature == pytest.approx(start)
    assert steps[-1].temperature == pytest.approx(3, abs=1e-6)
    losses = [step.loss_nats for step in steps]
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(losses))


def test_the_slope_in_log_temperature_is_that_of_automatic_differentiation() -> None:
    world = _world(3.0)
    (first,) = calibration.descend_temperature(world.logits, world.labels, start=1.7, steps=0)
    place = torch.tensor(math.log(1.7), dtype=torch.float64, requires_grad=True)
    log_q = (world.logits / place.exp()).log_softmax(dim=1)
    loss = calibration.log_loss(log_q, world.right).mean()
    (slope,) = torch.autograd.grad(loss, place)
    assert first.slope_nats == pytest.approx(slope.item(), abs=1e-12)
    assert first.slope_nats != pytest.approx(slope.item() / 1.7, abs=1e-3), "per log T, not per T"
    with pytest.raises(RangeError, match="temperature"):
        calibration.descend_temperature(world.logits, world.labels, start=0, steps=3)


def test_the_debiased_square_is_right_on_average_and_the_plain_one_too_large() -> None:
    stated, truth, each = 0.8, 0.6, 6
    debiased = plain = 0.0
    for hits in range(each + 1):  # every outcome of one bin, by the binomial distribution
        weight = math.comb(each, hits) * truth**hits * (1 - truth) ** (each - hits)
        forecast = torch.full((each,), stated, dtype=torch.float64)
        came_true = (torch.arange(each) < hits).double()
        found = calibration.reliability(forecast, came_true, torch.zeros(each, dtype=torch.long))
        debiased += weight * found.squared_debiased
        plain += weight * found.squared
    assert debiased == pytest.approx((stated - truth) ** 2, abs=1e-12)
    assert plain == pytest.approx((stated - truth) ** 2 + truth * (1 - truth) / each, abs=1e-12)
    lonely = calibration.reliability(row(0.2, 0.9), row(0, 1), torch.tensor([0, 1]))
    with pytest.raises(RangeError, match="fewer bins"):
        _ = lonely.squared_debiased
