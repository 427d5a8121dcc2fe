"""Every number the course states, computed again; and the functions that compute it, checked."""

import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from content.load import LoadedCourse, load_course
from content.schema import Claim
from engine import examples, policies, preferences, train
from engine.checks import preferences as checks
from engine.errors import EngineError, RangeError
from engine.recompute import names, recompute

COURSE = load_course()
CLAIMS = [
    pytest.param(claim, id=f"{lesson.id}/{claim.id}")
    for lesson in COURSE.lessons.values()
    for claim in lesson.claims.values()
]
TABLE = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
ALIKE = [[1.0, 0.0], [1.2, -0.1], [-1.0, 0.0]]
EXAMPLE = {"reference": [0.5, 0.3, 0.2], "reward": [0.0, 0.1, 0.2]}


def _agrees(claim: Claim, got: float) -> bool:
    return abs(got - claim.value) <= claim.tolerance


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_recomputes(claim: Claim) -> None:
    got = recompute(claim.function, claim.arguments)
    assert _agrees(claim, got), f"stated {claim.value}, computed {got}"


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_that_is_off_in_its_third_digit_is_refused(claim: Claim) -> None:
    got = recompute(claim.function, claim.arguments)
    wrong = claim.value + max(5e-3 * abs(claim.value), 2 * claim.tolerance)
    assert not _agrees(claim.model_copy(update={"value": wrong}), got)


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_is_shown_is_the_value_rounded(claim: Claim) -> None:
    shown = re.search(r"[-−]?\d+(\.\d+)?(e-\d+)?", claim.shown)
    assert shown, claim.shown
    number = shown[0].replace("−", "-")
    if claim.shown.startswith("below"):
        assert claim.value == 0
        assert claim.tolerance <= float(number)
    else:
        digits = len(number.partition(".")[2])
        assert round(claim.value, digits) == float(number)
        assert claim.tolerance < 10.0**-digits


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_is_shown_ends_in_its_unit(claim: Claim) -> None:
    unit = claim.shown.rpartition(" ")[2]
    if unit.isalpha() and unit not in {"below"}:
        assert unit.rstrip("s") in claim.unit


def test_no_check_is_left_without_a_claim() -> None:
    used = {
        claim.function for lesson in COURSE.lessons.values() for claim in lesson.claims.values()
    }
    assert used == set(names())


def test_errata_that_name_a_claim_name_one_that_exists() -> None:
    for erratum in COURSE.errata:
        if erratum.claim:
            assert COURSE.claim(erratum.claim)


@given(
    margin=st.floats(-300, 300),
    beta=st.floats(0.01, 5),
)
def test_the_weight_is_the_sigmoid_of_minus_beta_h(margin: float, beta: float) -> None:
    exact = 1 / (1 + math.exp(beta * margin)) if beta * margin < 700 else 0.0
    assert checks.gradient_weight(margin, beta) == pytest.approx(exact, rel=1e-9, abs=1e-300)
    if abs(beta * margin) > 1e-6:
        assert checks.gradient_weight(margin, beta) != pytest.approx(1 - exact, abs=1e-9)


@given(beta=st.floats(0.01, 5))
def test_the_loss_at_the_reference_is_one_bit_for_every_beta(beta: float) -> None:
    assert checks.dpo_loss(0, beta) == pytest.approx(math.log(2), abs=1e-15)
    assert checks.dpo_loss_in_bits(0, beta) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("reference", [[0.5, 0.5], [0.5, 0.3, 0.2], [0.01, 0.98, 0.01]])
def test_the_pull_at_the_reference_is_half_of_beta(reference: list[float]) -> None:
    assert checks.pull_on_chosen_logit(reference, 0.3) == pytest.approx(0.15, abs=1e-12)


@pytest.mark.parametrize("beta", [0.1, 0.7, 1.0, 3.0])
def test_the_residual_is_beta_minus_one_times_log_z(beta: float) -> None:
    log_z = math.log(
        sum(
            share * math.exp(reward / beta)
            for share, reward in zip(EXAMPLE["reference"], EXAMPLE["reward"], strict=True)
        )
    )
    assert checks.log_partition(**EXAMPLE, beta=beta) == pytest.approx(log_z, abs=1e-12)
    residual = checks.residual_without_beta(**EXAMPLE, beta=beta)
    assert residual == pytest.approx((beta - 1) * log_z, abs=1e-12)


def test_at_beta_one_the_slip_cannot_be_seen() -> None:
    assert checks.residual_without_beta(**EXAMPLE, beta=1.0) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("beta", [0.05, 0.1, 1.0])
def test_the_value_of_the_optimum_is_beta_log_z(beta: float) -> None:
    exact = beta * checks.log_partition(**EXAMPLE, beta=beta)
    assert checks.value_of_optimum(**EXAMPLE, beta=beta) == pytest.approx(exact, abs=1e-12)


def test_the_divergence_grows_as_beta_falls_and_never_passes_its_limit() -> None:
    found = [checks.divergence_of_optimum(**EXAMPLE, beta=beta) for beta in (1, 0.1, 0.01, 0.001)]
    assert found == sorted(found)
    assert found[-1] == pytest.approx(-math.log(0.2), abs=1e-12)


def test_in_a_table_the_chosen_response_never_falls_and_with_alike_features_always() -> None:
    for features, sign in ((TABLE, 1), (ALIKE, -1)):
        run = list(examples.one_pair(features, beta=0.1, rate=1, steps=200))
        chosen = torch.stack([step.policy[0, 0] for step in run]).diff()
        margin = torch.tensor([step.margin for step in run]).diff()
        assert bool((sign * chosen > 0).all())
        assert bool((margin > 0).all())


def test_one_feature_per_response_is_a_table() -> None:
    flat = torch.full((1, 3), 1 / 3, dtype=torch.float64).log()
    world = preferences.World(torch.zeros_like(flat), flat)
    table = policies.Tabular.at_reference(world)
    ends = []
    shared = policies.SharedFeatures(torch.eye(3, dtype=torch.float64).unsqueeze(0), flat)
    for policy in (table, shared):
        run = train.dpo(
            world, preferences.one_pair(), policy=policy, beta=0.1, optimizer="adam", steps=20
        )
        ends.append(list(run)[-1].policy)
    torch.testing.assert_close(*ends)


@pytest.mark.parametrize("beta", [0.1, 1.0, 10.0])
def test_labels_that_never_disagree_leave_no_finite_margin(beta: float) -> None:
    run = examples.one_pair(TABLE, beta=beta, rate=1 / beta**2, steps=300)
    reached = torch.tensor([beta * step.margin for step in run])
    assert bool((reached.diff() > 0).all())
    assert reached[-1] > 5
    assert checks.dpo_loss(reached[-1].item() / beta, beta) > 0


@given(tau=st.floats(0.01, 10))
def test_ipo_stops_at_one_over_two_tau(tau: float) -> None:
    assert checks.ipo_margin(tau) == pytest.approx(1 / (2 * tau), rel=1e-12)


@pytest.mark.parametrize("beta", [0.05, 0.1, 1.0])
def test_training_lands_on_the_optimum_for_every_beta(beta: float) -> None:
    for seed in range(3):
        assert checks.distance_after_training(3, 4, beta, seed) < 1e-10
        assert checks.implicit_reward_error(3, 4, beta, seed) < 1e-6


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        ("dpo_loss", {"margin": 0, "beta": 0}, "above 0"),
        ("dpo_loss", {"margin": math.nan, "beta": 1}, "NaN"),
        ("optimal_probability", {"response": 3, "beta": 1, **EXAMPLE}, "from 0 to 2"),
        ("log_partition", {"reference": [0.5, 0.6], "reward": [0, 1], "beta": 1}, "sum to 1"),
        ("lines_of_program", {"program": "os"}, "dpo_from_scratch"),
        ("ipo_margin", {"tau": -1}, "above 0"),
    ],
)
def test_a_check_refuses_what_has_no_answer(
    function: str, arguments: dict[str, object], says: str
) -> None:
    with pytest.raises(EngineError, match=says):
        recompute(function, arguments)


def test_a_response_is_counted_from_zero() -> None:
    with pytest.raises(RangeError, match="Count from 0"):
        checks.probability_after_descent(-1, TABLE, 0.1, 1, 2)


def test_the_course_is_loaded_once_and_has_claims() -> None:
    assert isinstance(COURSE, LoadedCourse)
    assert all(len(lesson.claims) >= 8 for lesson in COURSE.lessons.values())
