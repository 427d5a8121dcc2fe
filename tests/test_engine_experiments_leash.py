"""The leash: each way up against the closed form, gold against its curve, best-of-n exactly."""

import math
from itertools import product

import numpy as np
import pytest
import torch

from engine import overoptimization
from engine.errors import DivergenceError, RangeError
from engine.experiments.leash import Experiment, Settings, Step, build

REFERENCE, PROXY, GOLD = np.array([0.6, 0.39, 0.01]), np.array([1, 2, 3]), np.array([1, 2, 0])


def made(**numbers: object) -> Experiment:
    return build(Settings.read(numbers))


def run(**numbers: object) -> list[Step]:
    return list(made(**numbers).run())


def tilted(beta: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the optimum of the three replies, worked out in plain arithmetic."""
    weight = REFERENCE * np.exp(PROXY / beta)
    return np.asarray(weight / weight.sum())


@pytest.mark.parametrize(("world", "beta"), [("replies", 0.25), ("random", 0.25)])
def test_one_natural_step_of_one_over_beta_lands_on_the_optimum(world: str, beta: float) -> None:
    numbers = {"world": world, "algorithm": "natural", "beta": beta, "steps": 1}
    built = made(**numbers, rate=1 / beta)
    last = list(built.run())[-1]
    assert last.kl_to_optimum_nats < 1e-12
    assert last.objective == pytest.approx(built.best, abs=1e-12)
    assert run(**numbers, rate=0.5 / beta)[-1].kl_to_optimum_nats > 1e-4


def test_the_line_above_is_beta_log_z_and_the_gap_is_beta_times_the_divergence() -> None:
    built = made(beta=0.25)
    assert built.best == pytest.approx(0.25 * math.log((REFERENCE * np.exp(4 * PROXY)).sum()))
    for step in built.run():
        assert step.objective == pytest.approx(built.best - 0.25 * step.kl_to_optimum_nats)


def test_plain_ascent_takes_the_detour_over_the_careful_reply() -> None:
    built = made(rate=1)
    after = [built.probabilities(step)["policy"] for step in built.run()]
    assert after[50][1] > 0.5 > 0.2 > after[50][2]
    assert after[200][2] > 0.5


@pytest.mark.parametrize("algorithm", ["gradient", "reinforce", "ppo"])
def test_every_way_up_nears_the_same_optimum(algorithm: str) -> None:
    first, *_, last = run(algorithm=algorithm, draws=128, beta=1.0, steps=200)
    assert last.kl_to_optimum_nats < 0.005 < first.kl_to_optimum_nats


def test_the_curve_of_optima_is_what_plain_arithmetic_gives() -> None:
    built = made()
    for spot in built.curve[::20]:
        policy = tilted(spot.at)
        assert spot.gold == pytest.approx(policy @ GOLD)
        assert spot.proxy == pytest.approx(policy @ PROXY)
        assert spot.kl_nats == pytest.approx(policy @ np.log(policy / REFERENCE), abs=1e-12)


def test_gold_rises_peaks_and_falls_while_the_proxy_only_rises() -> None:
    built = made()
    gold = [spot.gold for spot in built.curve]
    assert built.peak.gold >= max(gold) > gold[0] + 0.1 > gold[-1] + 1
    assert all(np.diff([spot.proxy for spot in built.curve]) > 0)
    fine = max(tilted(beta) @ GOLD for beta in np.linspace(0.3, 1.5, 12_001))
    assert built.peak.gold == pytest.approx(fine, abs=1e-8)


@pytest.mark.parametrize("curvature", [0.1, 0.25, 0.5])
def test_gaussian_optima_lie_on_the_form_of_best_of_n(curvature: float) -> None:
    built = made(world="gaussian", curvature=curvature, beta=0.5)
    start = -curvature  # the reference's own gold, E[y − c y²]
    for spot in (*built.curve[::12], built.peak):
        exact = overoptimization.gold_gain(spot.kl_nats, curvature=curvature)
        assert spot.gold - start == pytest.approx(exact, abs=1e-5)
        assert spot.proxy == pytest.approx(1 / spot.at, abs=1e-7)
    assert built.peak.kl_nats == pytest.approx(1 / (8 * curvature**2), rel=1e-9)
    assert built.peak.gold >= max(spot.gold for spot in built.curve)


@pytest.mark.parametrize("algorithm", ["gradient", "natural", "reinforce", "ppo"])
def test_a_trained_gaussian_never_leaves_that_form(algorithm: str) -> None:
    steps = run(world="gaussian", algorithm=algorithm, beta=0.2, rate=0.5, steps=40)
    for step in steps:
        exact = overoptimization.gold_gain(step.kl_to_reference_nats, curvature=0.25)
        assert step.gold + 0.25 == pytest.approx(exact, abs=1e-5)
    if algorithm in {"gradient", "natural"}:  # the Fisher matrix of a mean is 1
        means = [5 * (1 - (1 - 0.5 * 0.2) ** step.index) for step in steps]
        assert [step.reward for step in steps] == pytest.approx(means, abs=1e-9)
    assert steps[-1].gold < max(step.gold for step in steps) - 1, "optimized past the peak"


def test_best_of_n_by_direct_counting() -> None:
    for spot in made().best_of_n:
        flattery = 1 - 0.99**spot.at
        plain = 0.6**spot.at
        kept = np.array([plain, 1 - plain - flattery, flattery])
        assert spot.gold == pytest.approx(kept @ GOLD)
        held = kept[kept > 0]
        divergence = held @ np.log(held / REFERENCE[kept > 0])
        assert spot.kl_nats == pytest.approx(divergence, abs=1e-9)
    ends = made().best_of_n[0], made().best_of_n[-1]
    assert (ends[0].at, ends[1].at) == (1, 1024)


def test_the_largest_of_n_normal_numbers() -> None:
    spots = {spot.at: spot for spot in made(world="gaussian", curvature=0.25).best_of_n}
    assert spots[2].proxy == pytest.approx(1 / math.sqrt(math.pi), abs=1e-5)
    assert spots[3].proxy == pytest.approx(1.5 / math.sqrt(math.pi), abs=1e-5)
    x = np.linspace(-9, 9, 200_001)
    below = np.array([0.5 * math.erfc(-each / math.sqrt(2)) for each in x])
    density = 1024 * below**1023 * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    gold = ((x - 0.25 * x**2) * density).sum() * (x[1] - x[0])
    assert spots[1024].gold == pytest.approx(gold, abs=1e-4)
    assert spots[16].kl_nats == pytest.approx(math.log(16) - 15 / 16)


def test_nothing_beats_the_optimum_at_its_divergence() -> None:
    """Of all policies with a given divergence the tilted one has the most proxy reward."""
    built = made(world="random")
    for spot in built.best_of_n[1:8]:
        same = min(built.curve, key=lambda other: abs(other.kl_nats - spot.kl_nats))
        assert spot.proxy < same.proxy + abs(same.kl_nats - spot.kl_nats) * same.at + 1e-9


@pytest.mark.parametrize(
    "numbers",
    [
        {"algorithm": "natural", "beta": 5, "rate": 1, "steps": 400},
        {"world": "gaussian", "beta": 5, "rate": 1},
    ],
    ids=["replies", "gaussian"],
)
def test_steps_that_overshoot_are_stopped_with_the_last_good_one(
    numbers: dict[str, object],
) -> None:
    seen: list[Step] = []
    with pytest.raises(DivergenceError, match="last good one") as caught:
        seen.extend(made(**numbers).run())  # keeps what came before the error
    assert f"Step {seen[-1].index} was" in str(caught.value)
    assert all(math.isfinite(step.objective) for step in seen)


@pytest.mark.parametrize(
    ("world", "algorithm"), list(product(["replies", "random"], ["reinforce", "ppo"]))
)
def test_the_same_seed_is_the_same_run(world: str, algorithm: str) -> None:
    numbers = {"world": world, "algorithm": algorithm, "steps": 3, "draws": 4}
    first, second, other = (run(**numbers, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first[-1].policy, second[-1].policy)
    assert not torch.equal(first[-1].policy, other[-1].policy)


def test_settings_are_bounded_and_read_back() -> None:
    settings = Settings(world="gaussian", algorithm="ppo", beta=2.0)
    assert Settings.read(settings.numbers()) == settings
    for wrong in ({"beta": 0.01}, {"world": "moon"}, {"draws": 0}, {"rate": math.nan}):
        with pytest.raises(RangeError):
            Settings.read(wrong)
    assert made(steps=7).length == 8 == len(run(steps=7))
