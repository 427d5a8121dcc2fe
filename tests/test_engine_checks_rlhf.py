"""What the claims of the lesson on RLHF call, against numbers worked out another way."""

import math

import pytest

from engine.checks import rlhf as checks
from engine.errors import EngineError, RangeError
from engine.recompute import recompute

SHARES, PROXY, GOLD = [0.6, 0.39, 0.01], [1.0, 2.0, 3.0], [1.0, 2.0, 0.0]


def tilted(beta: float) -> list[float]:
    weights = [share * math.exp(r / beta) for share, r in zip(SHARES, PROXY, strict=True)]
    return [weight / sum(weights) for weight in weights]


@pytest.mark.parametrize("beta", [0.1, 0.3, 2.0])
def test_identities_hold_for_every_beta(beta: float) -> None:
    assert checks.gap_in_value_identity(50, 4, beta, 7) < 1e-12
    assert checks.distance_after_natural_step(50, 4, beta, 7) < 1e-12


@pytest.mark.parametrize("beta", [0.1, 0.25, 1.0, 10.0])
def test_gold_of_the_optimum_by_enumeration(beta: float) -> None:
    exact = sum(share * gold for share, gold in zip(tilted(beta), GOLD, strict=True))
    found = checks.gold_of_optimum(SHARES, PROXY, GOLD, beta)
    assert found == pytest.approx(exact, abs=1e-12)
    wrong = sum(share * gold for share, gold in zip(tilted(1 / beta), GOLD, strict=True))
    if beta != 1:
        assert found != pytest.approx(wrong, abs=1e-2), "β divides; it does not multiply"


def test_gold_rises_and_falls_and_the_proxy_rises_as_beta_falls() -> None:
    betas = [10 * 0.9**k for k in range(45)]
    gold = [checks.gold_of_optimum(SHARES, PROXY, GOLD, beta) for beta in betas]
    proxy = [checks.gold_of_optimum(SHARES, PROXY, PROXY, beta) for beta in betas]
    assert proxy == sorted(proxy)
    top = gold.index(max(gold))
    assert 0 < top < len(gold) - 1
    assert gold[: top + 1] == sorted(gold[: top + 1])
    assert gold[top:] == sorted(gold[top:], reverse=True)
    assert gold[-1] < 0.01 < checks.gold_of_reference(SHARES, GOLD) == pytest.approx(1.38)


def test_ascent_dwells_on_the_careful_reply_before_it_finds_flattery() -> None:
    careful = [checks.probability_after_ascent(1, SHARES, PROXY, 0.25, k) for k in (0, 50, 5000)]
    assert careful[1] > 0.9 > careful[2] > careful[0]
    assert careful[2] == pytest.approx(tilted(0.25)[1], abs=1e-9)
    gold = [checks.gold_after_ascent(SHARES, PROXY, GOLD, 0.25, k) for k in (0, 50, 5000)]
    assert gold[1] > 1.9 > gold[0] > gold[2]
    assert gold[2] == pytest.approx(checks.gold_of_optimum(SHARES, PROXY, GOLD, 0.25), abs=1e-9)


@pytest.mark.parametrize("curvature", [0.1, 0.25, 1.0])
def test_the_gaussian_form_holds_for_every_curvature(curvature: float) -> None:
    assert checks.gap_in_gaussian_form(curvature) < 1e-10


def test_the_gaussian_at_its_peak_at_zero_and_beyond() -> None:
    assert checks.gold_gain_of_gaussian(0.5, 0.25) == pytest.approx(1, abs=1e-12)
    assert checks.divergence_of_gaussian(0.5, 0.25) == pytest.approx(2, abs=1e-12)
    assert checks.gold_gain_of_gaussian(0.25, 0.25) == pytest.approx(0, abs=1e-12)
    assert checks.gold_gain_of_gaussian(0.1, 0.25) == pytest.approx(-15, abs=1e-11)


@pytest.mark.parametrize("draws", [1, 8, 16, 256])
def test_best_of_n_on_three_replies_by_hand(draws: int) -> None:
    plain, flattery = 0.6**draws, 1 - 0.99**draws
    careful = 1 - plain - flattery
    for response, exact in enumerate((plain, careful, flattery)):
        found = checks.probability_in_best_of_n(response, SHARES, PROXY, draws)
        assert found == pytest.approx(exact, abs=1e-12)
    gold = checks.gold_of_best_of_n(SHARES, PROXY, GOLD, draws)
    assert gold == pytest.approx(plain + 2 * careful, abs=1e-12)
    exact = sum(
        after * math.log(after / before)
        for after, before in zip((plain, careful, flattery), SHARES, strict=True)
    )
    found = checks.divergence_of_best_of_n(SHARES, PROXY, draws)
    assert found == pytest.approx(exact, abs=1e-12)
    assert found <= checks.bound_of_best_of_n(draws) + 1e-12


def test_the_bound_is_never_passed_and_the_wrong_one_is() -> None:
    assert checks.excess_over_bound(100, 5, 11) < 1e-12
    assert checks.slack_in_best_of_n(2, 2) == pytest.approx(0.0623351, abs=1e-7)
    assert 0 < checks.slack_in_best_of_n(10_000, 16) < 1e-6
    # A bound that forgets to count a draw would be passed: log(n − 1) − (n−2)/(n−1) at n = 2 is 0.
    assert checks.divergence_of_best_of_n([0.5, 0.5], [0.0, 1.0], 2) > 0.1


def test_clipped_updates_add_up() -> None:
    end = checks.probability_after_clipped_updates(0.01, 0.2, 22)
    assert end == pytest.approx(math.exp(math.log(0.01) + 22 * math.log(1.2)), abs=1e-12)
    exact = end * math.log(end / 0.01) + (1 - end) * math.log((1 - end) / 0.99)
    found = checks.divergence_after_clipped_updates(0.01, 0.2, 22)
    assert found == pytest.approx(exact, abs=1e-12)
    assert found > 10 * math.log(1.2), "far beyond what one update allows"
    with pytest.raises(
        RangeError, match="every ratio"
    ):  # the others fall to 0.754 of what they had
        checks.probability_after_clipped_updates(0.01, 0.2, 23)
    assert checks.divergence_after_clipped_updates(0.01, 0.2, 0) == 0


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        (
            "probability_after_clipped_updates",
            {"start": 0.5, "clip": 1, "updates": 2},
            "within 0 and 2",
        ),
        ("probability_after_clipped_updates", {"start": 0, "clip": 1, "updates": 2}, "above 0"),
        (
            "probability_in_best_of_n",
            {"response": 3, "reference": SHARES, "reward": PROXY, "draws": 2},
            "from 0 to 2",
        ),
        ("gold_of_reference", {"reference": SHARES, "gold": [1.0]}, "shape"),
        ("bound_of_best_of_n", {"draws": 0}, "at least 1"),
        (
            "gold_of_optimum",
            {"reference": SHARES, "proxy": PROXY, "gold": GOLD, "beta": 0},
            "above 0",
        ),
    ],
)
def test_a_check_refuses_what_has_no_answer(
    function: str, arguments: dict[str, object], says: str
) -> None:
    with pytest.raises(EngineError, match=says):
        recompute(function, arguments)
