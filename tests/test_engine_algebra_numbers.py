"""Both sides of every line in numbers, held against plain NumPy."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.algebra.derivations import derivation
from engine.algebra.line import Line
from engine.algebra.worlds import Quantities, Triple, World3, evaluate, quantities
from engine.errors import RangeError, ShapeError

DPO = derivation("dpo")
SEEDS = range(20)
Row = NDArray[np.float64]


def world(seed: int) -> World3:
    generator = np.random.default_rng(seed)
    rewards = tuple(generator.normal(0, 1.5, 3).tolist())
    reference = tuple(generator.uniform(0.02, 1, 3).tolist())
    policy = tuple(generator.uniform(0.02, 1, 3).tolist())
    return World3.weighed(math.exp(generator.uniform(-2, 1)), rewards, reference, policy)


def arrays(numbers: World3) -> tuple[Row, Row, Row]:
    return np.array(numbers.rewards), np.array(numbers.reference), np.array(numbers.policy)


def optimum(numbers: World3) -> tuple[float, Row]:
    """Z and π*, by definition."""
    r, q, _ = arrays(numbers)
    weights = q * np.exp(r / numbers.beta)
    return float(weights.sum()), weights / weights.sum()


def kl(p: Row, q: Row) -> float:
    return float(np.sum(p * (np.log(p) - np.log(q))))


def objective(numbers: World3, p: Row) -> float:
    r, q, _ = arrays(numbers)
    return float(p @ r - numbers.beta * kl(p, q))


def loss(numbers: World3, p: Row) -> float:
    _, q, _ = arrays(numbers)
    ratio = np.log(p) - np.log(q)
    return float(np.log1p(np.exp(-numbers.beta * (ratio[0] - ratio[1]))))


def loss_gradient(numbers: World3) -> Row:
    """By central differences in the three logits, not by any formula."""
    theta, step = np.log(np.array(numbers.policy)), 1e-5

    def at(logits: Row) -> float:
        return loss(numbers, np.exp(logits) / np.exp(logits).sum())

    shifts = np.eye(3) * step
    return np.array([(at(theta + s) - at(theta - s)) / (2 * step) for s in shifts])


@pytest.mark.parametrize("line", DPO.lines, ids=lambda line: line.id)
def test_a_line_holds_in_every_world_for_every_response(line: Line) -> None:
    for seed in SEEDS:
        for response in range(3):
            sides = evaluate(line, world(seed), response=response)
            assert sides.holds, (seed, sides)
            assert sides.relation in "=≥≤"
            if sides.relation == "=":
                assert sides.difference == pytest.approx(0, abs=1e-9)


LEFT: dict[str, Callable[[World3], float]] = {
    "objective": lambda w: objective(w, np.array(w.policy)),
    "sum": lambda w: objective(w, np.array(w.policy)),
    "normalizer": lambda w: 1.0,
    "rewritten": lambda w: objective(w, np.array(w.policy)),
    "gibbs": lambda w: kl(np.array(w.policy), optimum(w)[1]),
    "bound": lambda w: objective(w, np.array(w.policy)),
    "attained": lambda w: objective(w, optimum(w)[1]),
    "optimum": lambda w: float(optimum(w)[1][0]),
    "logs": lambda w: math.log(optimum(w)[1][0] / w.reference[0]),
    "reward": lambda w: w.rewards[0],
    "comparison": lambda w: 1 / (1 + math.exp(w.rewards[1] - w.rewards[0])),
    "difference": lambda w: w.rewards[0] - w.rewards[1],
    "canceled": lambda w: w.rewards[0] - w.rewards[1],
    "likelihood": lambda w: 1 / (1 + math.exp(w.rewards[1] - w.rewards[0])),
    "loss": lambda w: loss(w, np.array(w.policy)),
}
RIGHT: dict[str, Callable[[World3], float]] = {
    **LEFT,
    "stationary": lambda w: w.beta * math.log(optimum(w)[0]) - w.beta,
    "gibbs": lambda w: 0.0,
    "bound": lambda w: w.beta * math.log(optimum(w)[0]),
    "attained": lambda w: w.beta * math.log(optimum(w)[0]),
}


def test_the_sides_are_what_plain_arithmetic_says() -> None:
    for seed in SEEDS:
        numbers = world(seed)
        for name, truth in LEFT.items():
            assert evaluate(DPO.line(name), numbers).left == pytest.approx(truth(numbers)), name
        for name, truth in RIGHT.items():
            assert evaluate(DPO.line(name), numbers).right == pytest.approx(truth(numbers)), name


def test_the_gradient_is_that_of_finite_differences_and_zero_off_the_pair() -> None:
    for seed in SEEDS:
        numbers = world(seed)
        measured = loss_gradient(numbers)
        for logit in range(3):
            sides = evaluate(DPO.line("gradient"), numbers, response=logit)
            assert sides.left == pytest.approx(measured[logit], abs=1e-8)
            assert sides.response == logit
        assert quantities(numbers).gradient[2] == pytest.approx(0, abs=1e-12)


def test_the_slope_at_the_optimum_is_that_of_finite_differences() -> None:
    numbers, step = World3.default(), 1e-6
    _, best = optimum(numbers)
    r, q, _ = arrays(numbers)
    for response in range(3):
        shift = np.eye(3)[response] * step

        def at(p: Row) -> float:
            return float(p @ r - numbers.beta * np.sum(p * np.log(p / q)))

        slope = (at(best + shift) - at(best - shift)) / (2 * step)
        sides = evaluate(DPO.line("stationary"), numbers, response=response)
        assert sides.left == pytest.approx(slope, abs=1e-7)


def test_the_quantities_beside_a_line_are_what_plain_arithmetic_says() -> None:
    for seed in SEEDS:
        numbers = world(seed)
        r, q, p = arrays(numbers)
        Z, best = optimum(numbers)
        implicit = numbers.beta * np.log(p / q)
        expected = Quantities(
            partition=Z,
            log_partition=math.log(Z),
            value=numbers.beta * math.log(Z),
            optimum=triple(best),
            objective=objective(numbers, p),
            expected_reward=float(p @ r),
            kl_reference=kl(p, q),
            kl_optimum=kl(p, best),
            implicit_rewards=triple(implicit),
            reward_margin=float(r[0] - r[1]),
            implicit_margin=float(implicit[0] - implicit[1]),
            preference=1 / (1 + math.exp(r[1] - r[0])),
            model_preference=math.exp(-loss(numbers, p)),
            loss=loss(numbers, p),
            gradient=triple(loss_gradient(numbers)),
        )
        got = quantities(numbers)
        for name in Quantities.__dataclass_fields__:
            assert getattr(got, name) == pytest.approx(getattr(expected, name), abs=1e-8), name


def triple(row: Row) -> Triple:
    return float(row[0]), float(row[1]), float(row[2])


def test_at_the_reference_the_loss_is_log_two_and_the_pull_half_beta() -> None:
    flat = (0.5, 0.3, 0.2)
    numbers = World3(beta=0.1, rewards=(1.0, 0.0, 0.0), reference=flat, policy=flat)
    assert quantities(numbers).loss == pytest.approx(math.log(2))
    assert quantities(numbers).gradient == pytest.approx((-0.05, 0.05, 0.0))


def test_the_objective_at_the_optimum_beats_every_other_policy() -> None:
    numbers = World3.default()
    generator = np.random.default_rng(5)
    for weights in generator.dirichlet((1, 1, 1), 200):
        assert objective(numbers, weights) <= quantities(numbers).value + 1e-12


def test_extreme_sliders_stay_numbers() -> None:
    for beta in (0.05, 20.0):
        numbers = World3(beta, (3.0, -3.0, 3.0), (1e-6, 0.5, 0.499999), (0.999998, 1e-6, 1e-6))
        for line in DPO.lines:
            sides = evaluate(line, numbers)
            assert sides.holds, (beta, line.id, sides)
            assert math.isfinite(sides.left)


GOOD = (0.3, 0.5, 0.2)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((0.0, (1.0, 0.0, 0.0), GOOD, GOOD), "β above 0"),
        ((-1.0, (1.0, 0.0, 0.0), GOOD, GOOD), "price of one nat"),
        ((math.nan, (1.0, 0.0, 0.0), GOOD, GOOD), "β above 0"),
        ((1.0, (math.inf, 0.0, 0.0), GOOD, GOOD), "finite rewards"),
        ((0.01, (9.0, 0.0, 0.0), GOOD, GOOD), "smaller rewards or a larger β"),
        ((1.0, (1.0, 0.0, 0.0), (0.0, 0.5, 0.5), GOOD), "the reference.*Break it"),
        ((1.0, (1.0, 0.0, 0.0), GOOD, (0.5, 0.5, 0.5)), "sum to 1 for the policy"),
        ((1.0, (1.0, 0.0, 0.0), GOOD, (math.nan, 0.5, 0.5)), "the policy"),
    ],
)
def test_numbers_without_meaning_are_refused_in_words(
    numbers: tuple[float, Triple, Triple, Triple], words: str
) -> None:
    with pytest.raises(RangeError, match=words):
        World3(*numbers)


def test_a_world_has_three_responses() -> None:
    with pytest.raises(ShapeError, match="three rewards"):
        World3(1.0, (1.0, 2.0), GOOD, GOOD)  # type: ignore[arg-type]
    with pytest.raises(RangeError, match="response 0, 1 or 2"):
        evaluate(DPO.lines[0], World3.default(), response=3)


def test_slider_weights_are_scaled_and_zero_weights_refused() -> None:
    scaled = World3.weighed(1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 2.0), (3.0, 1.0, 1.0))
    assert scaled.reference == (0.25, 0.25, 0.5)
    assert scaled.policy == pytest.approx((0.6, 0.2, 0.2))
    with pytest.raises(RangeError, match="positive weights for the policy"):
        World3.weighed(1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0))
