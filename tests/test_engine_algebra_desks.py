"""The numbers beside every derivation: at a first visit, at the sliders' ends, against truth."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.algebra.derivation import Derivation
from engine.algebra.derivations import all_derivations, derivation
from engine.algebra.derivations.gaussian_moments import DESK as POINTS
from engine.algebra.desk import Desk, World
from engine.algebra.line import equal
from engine.algebra.outcomes import Score
from engine.algebra.worlds import Sides, Triple, World3, evaluate
from engine.errors import RangeError

ALL = list(all_derivations().values())
Vector = NDArray[np.float64]
UNEVEN: tuple[Triple, ...] = ((0, 0, 0), (1, 0, 0), (0, 0, 1), (1, 1, 0))


def ends(desk: Desk) -> Iterator[tuple[dict[str, float], dict[str, Triple]]]:
    """Every knob at an end, every row pushed to its ends in every way."""
    knobs = [[(knob.key, end) for end in knob.ends] for knob in desk.knobs]
    rows = [[(row.key, _between(row.bounds, shape)) for shape in UNEVEN] for row in desk.rows]
    for knob, row in itertools.product(itertools.product(*knobs), itertools.product(*rows)):
        yield dict(knob), dict(row)


def _between(bounds: tuple[float, float], shape: Triple) -> Triple:
    first, second, third = (bounds[0] + (bounds[1] - bounds[0]) * part for part in shape)
    return first, second, third


def picks(desk: Desk) -> list[dict[str, int]]:
    """Every choice of outcomes that a learner can make."""
    keys = [asked.key for asked in desk.asked if asked.key]
    return [dict(zip(keys, places, strict=True)) for places in _places(len(keys))]


def _places(count: int) -> list[tuple[int, ...]]:
    return list(itertools.product(range(3), repeat=count))


def world(name: str, knobs: dict[str, float], rows: dict[str, Triple]) -> World:
    return derivation(name).desk.world(knobs, rows)


def sides(name: str, at: World, **picked: int) -> Sides:
    course, _, line = name.partition("/")
    return derivation(course).desk.sides(derivation(course).line(line), at, picked)


def array(*numbers: float) -> Vector:
    return np.array(numbers, dtype=np.float64)


@pytest.mark.parametrize("course", ALL, ids=lambda course: course.id)
def test_both_sides_agree_in_the_world_of_a_first_visit(course: Derivation) -> None:
    at = course.desk.usual()
    for line, picked in itertools.product(course.lines, picks(course.desk)):
        found = course.desk.sides(line, at, picked)
        assert found.holds, (line.id, found)
        assert math.isfinite(found.left)


@pytest.mark.parametrize("course", ALL, ids=lambda course: course.id)
def test_both_sides_agree_at_the_ends_of_the_sliders(course: Derivation) -> None:
    for knobs, rows in ends(course.desk):
        if course.desk is POINTS and len(set(rows["x"])) == 1:
            continue
        at = course.desk.world(knobs, rows)
        for line, picked in itertools.product(course.lines, picks(course.desk)[:2]):
            found = course.desk.sides(line, at, picked)
            assert found.holds, (line.id, knobs, rows, found)
            assert math.isfinite(found.left)


@pytest.mark.parametrize("course", ALL, ids=lambda course: course.id)
def test_a_near_miss_shows_in_the_numbers_of_a_first_visit(course: Derivation) -> None:
    at = course.desk.usual()
    for line in course.lines:
        wrong = replace(line, relation=line.control.relation)
        held = [course.desk.sides(wrong, at, picked).holds for picked in picks(course.desk)]
        if line.relation.func is equal(0, 0).func:
            assert not all(held), line.id


@pytest.mark.parametrize("course", ALL, ids=lambda course: course.id)
def test_a_line_that_is_open_says_which_outcome_it_is_shown_for(course: Derivation) -> None:
    for line in course.lines:
        which = course.desk.which(line)
        known = {asked.indices[0] for asked in course.desk.asked if asked.open(line.relation)}
        assert bool(which) == bool(known)
        open_ones = {s for s in line.relation.free_symbols if s.is_integer}
        assert open_ones <= {i for asked in course.desk.asked for i in asked.indices}


@pytest.mark.parametrize("course", ALL, ids=lambda course: course.id)
def test_a_desk_starts_within_its_bounds_and_its_keys_are_its_own(course: Derivation) -> None:
    desk = course.desk
    keys = [knob.key for knob in desk.knobs] + [asked.key for asked in desk.asked if asked.key]
    keys += [f"{row.key}{place}" for row in desk.rows for place in range(3)]
    assert len(keys) == len(set(keys))
    assert "break" not in keys
    for knob in desk.knobs:
        assert knob.ends[0] <= knob.usual <= knob.ends[1]
        assert not knob.choices or knob.usual in knob.choices
    for row in desk.rows:
        assert all(row.bounds[0] <= number <= row.bounds[1] for number in row.usual)


def test_the_desk_of_dpo_is_the_world_it_always_was() -> None:
    course = derivation("dpo")
    at = course.desk.usual()
    assert isinstance(at, World3)
    usual = World3.default()
    assert (at.beta, at.rewards, at.policy) == (usual.beta, usual.rewards, usual.policy)
    assert at.reference == pytest.approx(usual.reference)
    for line in course.lines:
        found = course.desk.sides(line, at)
        assert (found.left, found.right) == (evaluate(line, at).left, evaluate(line, at).right)
    assert course.desk.which(course.line("reward")) == "the chosen response"
    assert course.desk.which(course.line("gradient")) == "the chosen response"
    assert course.desk.which(course.line("loss")) == ""
    assert course.desk.announced({"r": usual.rewards, "p": (0.3, 0.5, 0.2)}) == (
        "Reference, from the weights: 0.300, 0.500, 0.200. "
        "The policy in the numbers above: 0.45, 0.40, 0.15."
    )


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -1.0, 1.5])
def test_numbers_that_no_slider_gives_are_refused_in_words(wrong: float) -> None:
    with pytest.raises(RangeError, match=r"weight in p from 0\.01 to 1"):
        world("cross-entropy", {}, {"p": (wrong, 0.5, 0.5), "q": (0.5, 0.5, 0.5)})
    with pytest.raises(RangeError, match=r"answers from 0\.01 to 0\.99"):
        world("grpo-advantage", {"p": wrong}, {})


def test_points_that_are_all_the_same_are_refused_in_words() -> None:
    with pytest.raises(RangeError, match="not all the same"):
        POINTS.world({"mu": 0.0, "var": 1.0}, {"x": (1.0, 1.0, 1.0), "p": (0.5, 0.5, 0.5)})


def softmax(logits: Vector) -> Vector:
    weights = np.exp(logits - logits.max())
    normalized: Vector = weights / weights.sum()
    return normalized


def test_the_gradient_in_the_logits_is_that_of_finite_differences() -> None:
    z = array(0.7, -1.2, 2.1)
    at = world("logit-gradient", {}, {"z": (0.7, -1.2, 2.1)})
    for k in range(3):
        shift = np.eye(3)[k] * 1e-6
        up, down = (-np.log(softmax(z + s)[0]) for s in (shift, -shift))
        found = sides("logit-gradient/gradient", at, k=k)
        assert found.left == pytest.approx((up - down) / 2e-6, abs=1e-8)
        assert found.right == pytest.approx(softmax(z)[k] - (k == 0))


def test_entropies_and_divergences_are_what_plain_arithmetic_says() -> None:
    p, q = array(0.2, 0.3, 0.5), array(0.6, 0.3, 0.1)
    at = world("cross-entropy", {}, {"p": (0.2, 0.3, 0.5), "q": (0.6, 0.3, 0.1)})
    entropy, cross = -p @ np.log(p), -p @ np.log(q)
    assert sides("cross-entropy/entropy", at).left == pytest.approx(entropy)
    assert sides("cross-entropy/cross-entropy", at).left == pytest.approx(cross)
    assert sides("cross-entropy/divergence", at).left == pytest.approx(cross - entropy)
    even = world("max-entropy", {}, {"p": (0.2, 0.3, 0.5)})
    assert sides("max-entropy/gap", even).left == pytest.approx(math.log(3) - entropy)
    assert sides("max-entropy/attained", even).right == pytest.approx(math.log(3))


def test_the_means_of_the_estimators_are_what_plain_arithmetic_says() -> None:
    q, p = array(0.5, 0.3, 0.2), array(0.1, 0.3, 0.6)
    at = world("k3", {}, {"q": (0.5, 0.3, 0.2), "p": (0.1, 0.3, 0.6)})
    divergence = float(q @ np.log(q / p))
    for line in ("divergence", "mean-of-k1", "mean-of-k3"):
        assert sides(f"k3/{line}", at).left == pytest.approx(divergence)
        assert sides(f"k3/{line}", at).right == pytest.approx(divergence)
    samples = [sides("k3/never-negative", at, x=x).left for x in range(3)]
    assert samples == pytest.approx((p / q - 1 - np.log(p / q)).tolist())


def test_the_slope_of_the_lagrangian_is_that_of_finite_differences() -> None:
    beta, price = 0.5, 0.7
    r, q, p = array(1, 0.2, -0.6), array(0.3, 0.5, 0.2), array(0.45, 0.4, 0.15)
    rows = {"r": (1.0, 0.2, -0.6), "p": (0.3, 0.5, 0.2), "q": (0.45, 0.4, 0.15)}
    at = world("kl-optimum", {"beta": beta, "lambda": price}, rows)

    def lagrangian(policy: Vector) -> float:
        value = policy @ r - beta * policy @ np.log(policy / q)
        return float(value - price * (policy.sum() - 1))

    for y in range(3):
        shift = np.eye(3)[y] * 1e-6
        slope = (lagrangian(p + shift) - lagrangian(p - shift)) / 2e-6
        assert sides("kl-optimum/stationary", at, y=y).left == pytest.approx(slope, abs=1e-7)
    best = q * np.exp(r / beta) / (q @ np.exp(r / beta))
    found = [sides("kl-optimum/optimum", at, y=y).left for y in range(3)]
    assert found == pytest.approx(best.tolist())


@pytest.mark.parametrize(("right", "group"), [(1, 4), (2, 4), (7, 8), (1, 16), (99, 100)])
def test_the_advantages_are_those_of_a_group_written_out(right: int, group: int) -> None:
    rewards = array(*[1.0] * right, *[0.0] * (group - right))
    advantages = (rewards - rewards.mean()) / rewards.std()
    at = world("grpo-advantage", {"p": right / group}, {})
    assert sides("grpo-advantage/mean", at).left == pytest.approx(rewards.mean())
    assert sides("grpo-advantage/variance", at).left == pytest.approx(rewards.var())
    assert sides("grpo-advantage/advantage-right", at).right == pytest.approx(advantages[0])
    assert sides("grpo-advantage/advantage-wrong", at).right == pytest.approx(advantages[-1])
    assert sides("grpo-advantage/push", at).right == pytest.approx(np.abs(advantages).mean())
    assert np.abs(rewards - rewards.mean()).mean() == pytest.approx(2 * rewards.var())


def test_the_deviation_is_not_that_of_a_sample() -> None:
    rewards = array(1, 0, 0, 0)
    at = world("grpo-advantage", {"p": 0.25}, {})
    assert sides("grpo-advantage/deviation", at).left == pytest.approx(rewards.std())
    assert sides("grpo-advantage/deviation", at).left != pytest.approx(rewards.std(ddof=1))


def distilled(student: Vector, teacher: Vector, temperature: float) -> float:
    """The divergence of the student from the soft targets."""
    p, q = softmax(teacher / temperature), softmax(student / temperature)
    return float(p @ np.log(p / q))


def test_the_gradient_of_distillation_is_that_of_finite_differences() -> None:
    z, v = array(1.0, 0.5, -1.5), array(2.0, -1.0, -1.0)
    rows = {"z": (1.0, 0.5, -1.5), "v": (2.0, -1.0, -1.0)}
    at = world("distillation-gradient", {"T": 4.0}, rows)
    for k in range(3):
        shift = np.eye(3)[k] * 1e-5
        slope = (distilled(z + shift, v, 4.0) - distilled(z - shift, v, 4.0)) / 2e-5
        assert sides("distillation-gradient/gradient", at, k=k).left == pytest.approx(
            slope, abs=1e-9
        )


def test_the_limit_is_what_large_temperatures_come_close_to() -> None:
    z, v = array(1.0, 0.5, -1.5), array(2.0, -1.0, -1.0)
    rows = {"z": (1.0, 0.5, -1.5), "v": (2.0, -1.0, -1.0)}
    at = world("distillation-gradient", {"T": 4.0}, rows)
    for k in range(3):
        limit = sides("distillation-gradient/limit", at, k=k).left
        far = [T * (softmax(z / T) - softmax(v / T))[k] for T in (1e3, 1e4)]
        assert limit == pytest.approx((z - v)[k] / 3)
        assert [limit - near for near in far] == pytest.approx([0, 0], abs=2e-3)
        assert abs(limit - far[1]) < abs(limit - far[0]) / 5


def test_logits_of_a_desk_lose_their_mean() -> None:
    row = next(r for r in derivation("distillation-gradient").desk.rows if r.head is Score)
    assert row.values((3.0, 1.0, -1.0)) == (2.0, 0.0, -2.0)


def test_expected_brier_scores_are_those_of_enumeration() -> None:
    p, q = array(0.6, 0.3, 0.1), array(0.9, 0.08, 0.02)
    at = world("brier-proper", {}, {"p": (0.6, 0.3, 0.1), "q": (0.9, 0.08, 0.02)})
    scores = [float(((q - np.eye(3)[i]) ** 2).sum()) for i in range(3)]
    assert [sides("brier-proper/score", at, i=i).left for i in range(3)] == pytest.approx(scores)
    assert sides("brier-proper/expected", at).right == pytest.approx(float(p @ scores))
    assert sides("brier-proper/gap", at).right == pytest.approx(float(((q - p) ** 2).sum()))


def test_the_loss_of_a_gaussian_is_least_at_the_moments() -> None:
    x, p = array(-2.0, 1.0, 2.5), array(0.5, 0.2, 0.3)

    def loss(mean: float, variance: float) -> float:
        return float(p @ (0.5 * np.log(2 * np.pi * variance) + (x - mean) ** 2 / (2 * variance)))

    at = POINTS.world({"mu": 0.3, "var": 2.0}, {"x": (-2.0, 1.0, 2.5), "p": (0.5, 0.2, 0.3)})
    assert sides("gaussian-moments/written-out", at).left == pytest.approx(loss(0.3, 2.0))
    slopes = [
        (loss(0.3 + 1e-6, 2.0) - loss(0.3 - 1e-6, 2.0)) / 2e-6,
        (loss(0.3, 2.0 + 1e-6) - loss(0.3, 2.0 - 1e-6)) / 2e-6,
    ]
    found = [sides(f"gaussian-moments/{s}-slope", at).right for s in ("mean", "variance")]
    assert found == pytest.approx(slopes, abs=1e-7)
    mean, variance = float(p @ x), float(p @ x**2 - (p @ x) ** 2)
    around = [loss(mean + a, variance + b) for a in (-0.1, 0, 0.1) for b in (-0.1, 0, 0.1)]
    assert min(around) == around[4]


def test_the_tilted_distribution_has_the_most_entropy_for_its_mean_score() -> None:
    z = array(1.0, 0.2, -1.0)
    rows = {"z": (1.0, 0.2, -1.0), "p": (0.5, 0.3, 0.2)}
    at = world("softmax-max-entropy", {"b": 0.8}, rows)
    best = softmax(0.8 * z)
    found = [sides("softmax-max-entropy/softmax", at, i=i).right for i in range(3)]
    assert found == pytest.approx(best.tolist())
    held = np.cross(z, np.ones(3))  # shifts that keep the sum and the mean score
    entropies = [-float(p @ np.log(p)) for p in (best + s * held for s in (-0.05, 0, 0.05))]
    assert max(entropies) == entropies[1]


def test_the_ipo_loss_is_least_at_half_the_inverse_of_tau() -> None:
    at = world("ipo-margin", {"h": 1.0, "tau": 0.1}, {})
    assert sides("ipo-margin/loss", at).left == pytest.approx((1 - 5) ** 2)
    assert sides("ipo-margin/slope", at).left == pytest.approx(2 * (1 - 5))
    assert sides("ipo-margin/margin", at).left == 0
