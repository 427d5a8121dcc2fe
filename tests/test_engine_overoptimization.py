"""The Gaussian example: closed forms against integrals that do not know them."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import overoptimization
from engine.errors import RangeError


@settings(deadline=None)
@given(beta=st.floats(0.1, 50), curvature=st.floats(0, 2))
def test_closed_forms_are_the_integrals(beta: float, curvature: float) -> None:
    spent, gain = overoptimization.integrated(beta, curvature=curvature)
    mean = overoptimization.mean_of_optimum(beta)
    assert overoptimization.divergence(mean) == pytest.approx(spent, abs=1e-9)
    found = overoptimization.gold_gain(overoptimization.divergence(mean), curvature=curvature)
    assert found == pytest.approx(gain, abs=1e-8)
    assert found == pytest.approx(mean - curvature * mean**2, abs=1e-9)
    assert overoptimization.proxy_gain(spent) == pytest.approx(mean, abs=1e-9)


def test_the_form_without_its_root_of_two_is_refused() -> None:
    spent, gain = overoptimization.integrated(0.5, curvature=0.25)
    d = math.sqrt(spent)
    assert gain == pytest.approx(d * (math.sqrt(2) - 0.5 * d), abs=1e-12)
    assert gain != pytest.approx(d * (1 - 0.5 * d), abs=1e-3)
    assert gain != pytest.approx(d * (math.sqrt(2) - 0.5 * math.log(d)), abs=1e-3), "that is RL's"


@settings(deadline=None)
@given(curvature=st.floats(0.05, 2))
def test_the_peak_is_where_it_is_said_to_be(curvature: float) -> None:
    peak = overoptimization.divergence_at_peak(curvature=curvature)
    highest = overoptimization.gold_gain(peak, curvature=curvature)
    assert highest == pytest.approx(1 / (4 * curvature), rel=1e-12)
    for other in (0.9 * peak, 1.1 * peak):
        assert overoptimization.gold_gain(other, curvature=curvature) < highest
    assert overoptimization.gold_gain(4 * peak, curvature=curvature) == pytest.approx(0, abs=1e-9)


def test_gold_rises_peaks_and_falls_while_the_proxy_only_rises() -> None:
    steps = [0.1 * k for k in range(91)]
    proxy = [overoptimization.proxy_gain(each) for each in steps]
    gold = [overoptimization.gold_gain(each, curvature=0.25) for each in steps]
    assert proxy == sorted(proxy)
    top = gold.index(max(gold))
    assert gold[: top + 1] == sorted(gold[: top + 1])
    assert gold[top:] == sorted(gold[top:], reverse=True)
    assert steps[top] == pytest.approx(2)
    assert gold[-1] < 0


def test_without_curvature_proxy_and_gold_are_one() -> None:
    gold = overoptimization.gold_gain(3, curvature=0)
    assert gold == pytest.approx(overoptimization.proxy_gain(3), abs=1e-12)
    with pytest.raises(RangeError, match="curvature"):
        overoptimization.divergence_at_peak(curvature=0)


@pytest.mark.parametrize("beta", [0.0, -1.0, math.nan])
def test_beta_must_be_above_zero(beta: float) -> None:
    with pytest.raises(RangeError, match="β"):
        overoptimization.mean_of_optimum(beta)
    with pytest.raises(RangeError, match="β"):
        overoptimization.integrated(beta, curvature=0.25)
