"""What the KL lesson's claims call, held against closed forms and hand values."""

import math

import pytest
import torch

from engine import estimators
from engine.checks import divergences as checks
from engine.errors import EngineError
from engine.recompute import recompute

BASE, TUNED = [0.5, 0.3, 0.2], [0.02, 0.18, 0.8]


def by_hand(first: list[float], second: list[float]) -> float:
    return sum(a * math.log(a / b) for a, b in zip(first, second, strict=True) if a)


@pytest.mark.parametrize(("first", "second"), [(TUNED, BASE), (BASE, TUNED), ([0.2, 0.8, 0], BASE)])
def test_divergence_by_hand(first: list[float], second: list[float]) -> None:
    assert checks.divergence(first, second) == pytest.approx(by_hand(first, second), abs=1e-14)


def test_the_order_matters_and_zeros_in_the_second_are_infinite() -> None:
    assert checks.divergence(BASE, TUNED) > checks.divergence(TUNED, BASE) + 0.5
    assert checks.divergence(BASE, [0.625, 0.375, 0]) == math.inf
    assert checks.divergence([0.625, 0.375, 0], BASE) == pytest.approx(-math.log(0.8))


def test_a_tenth_of_a_small_probability_adds_half_of_log_ten() -> None:
    small = [checks.divergence([0.5, 0.5], [10.0**-k, 1 - 10.0**-k]) for k in (6, 7)]
    assert small[1] - small[0] == pytest.approx(math.log(10) / 2, abs=1e-6)


def test_a_detour_can_be_shorter_and_a_stop_at_the_start_changes_nothing() -> None:
    ends = {"first": [0.5, 0.5], "last": [0.1, 0.9]}
    straight = checks.divergence([0.5, 0.5], [0.1, 0.9])
    assert checks.divergence_by_way_of([0.25, 0.75], **ends) < straight / 2
    assert checks.divergence_by_way_of([0.5, 0.5], **ends) == pytest.approx(straight)


def test_log_ratios_and_margin() -> None:
    assert checks.log_ratio(0, TUNED, BASE) == pytest.approx(-math.log(25))
    assert checks.log_ratio(2, TUNED, BASE) == pytest.approx(math.log(4))
    assert checks.margin_of_pair(2, 0, TUNED, BASE) == pytest.approx(math.log(100))
    assert checks.margin_of_pair(0, 2, TUNED, BASE) == pytest.approx(-math.log(100))


def test_a_softmax_never_rules_out() -> None:
    for gap in (1, 30, 700, 5000):
        expected = gap + math.log1p(math.exp(-gap))
        assert checks.surprisal_of_least_likely([0, -gap]) == pytest.approx(expected, rel=1e-14)


def test_shares_in_the_gap() -> None:
    normal = torch.distributions.Normal(0.0, math.sqrt(4.25))
    share = (2 * normal.cdf(torch.tensor(1.0, dtype=torch.float64)) - 1).item()
    assert checks.forward_fit_between(2, 0.5) == pytest.approx(share, abs=1e-7)
    hump = torch.distributions.Normal(torch.tensor(2.0).double(), 0.5)
    edges = hump.cdf(torch.tensor([1.0, -1.0]).double())
    assert checks.target_between(2, 0.5) == pytest.approx((edges[0] - edges[1]).item(), abs=1e-12)
    assert checks.forward_fit_deviation(2, 0.5) ** 2 == pytest.approx(4.25)
    assert checks.forward_fit_deviation(2, 0.5) != pytest.approx(2, abs=0.05)


def test_the_start_decides_where_reverse_kl_rests() -> None:
    near, far = (checks.reverse_fit_divergence(start, 2, 0.5) for start in (1.5, 0))
    assert near == pytest.approx(math.log(2), abs=2e-4)
    assert far > near + 1
    assert checks.reverse_fit_divergence(-1.5, 2, 0.5) == pytest.approx(near, abs=1e-9)


def test_estimates() -> None:
    for name in ("k1", "k3"):
        assert checks.estimate_mean(name, TUNED, BASE) == pytest.approx(by_hand(TUNED, BASE))
    assert checks.estimate_mean("k2", TUNED, BASE) < by_hand(TUNED, BASE) - 0.05
    noise = [checks.estimate_deviation(name, TUNED, BASE) for name in ("k1", "k2", "k3")]
    assert noise == [pytest.approx(v, abs=5e-4) for v in (0.940, 0.690, 2.839)]


def test_slopes_in_closed_form() -> None:
    forward = [q - p for q, p in zip(TUNED, BASE, strict=True)]
    reverse = [
        q * (math.log(q / p) - by_hand(TUNED, BASE)) for q, p in zip(TUNED, BASE, strict=True)
    ]
    for outcome in range(3):
        slopes = [checks.slope_as_loss(name, outcome, TUNED, BASE) for name in ("k1", "k2", "k3")]
        assert slopes == [
            pytest.approx(v, abs=1e-12) for v in (0, reverse[outcome], forward[outcome])
        ]


def test_gaps_vanish_for_the_right_pairing_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.loss_gradient_gap(50, 4, 0) < 1e-12
    swapped = {"k1": estimators.k1, "k2": estimators.k3, "k3": estimators.k2}
    monkeypatch.setattr(checks, "_ESTIMATORS", swapped)
    assert checks.loss_gradient_gap(50, 4, 0) > 0.1


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        ("divergence", {"first": [0.5, 0.6], "second": [0.5, 0.5]}, "sum to 1"),
        ("log_ratio", {"outcome": 3, "first": TUNED, "second": BASE}, "from 0 to 2"),
        ("estimate_mean", {"estimator": "k4", "source": TUNED, "other": BASE}, "k1, k2, k3"),
        ("reverse_fit_divergence", {"start": 0, "offset": 2, "deviation": 0}, "above 0"),
    ],
)
def test_a_check_refuses_what_has_no_answer(
    function: str, arguments: dict[str, object], says: str
) -> None:
    with pytest.raises(EngineError, match=says):
        recompute(function, arguments)
