"""The entropy lab: exact values, draws that come to them, heat that always raises them."""

import math
from itertools import pairwise

import pytest
import torch

from engine import distributions
from engine.errors import RangeError
from engine.experiments import weights
from engine.experiments.entropy import Experiment, Settings, Step, build

SHAPES = ["60,30,10", "1 1", "5,0,1", "0.9;0.05;0.05", "1,2,3,4,5,6,7,8", "1,0,0"]
BAD_TEXTS = ["", "1", "1,-1", "0,0", "a,b", "nan,1", "inf,1", "1," * 9, "1,1e7", "1" * 300, "١x,1"]


def made(**values: object) -> tuple[Experiment, list[Step]]:
    experiment = build(Settings.read(values))
    return experiment, list(experiment.run())


def by_hand(p: list[float]) -> float:
    return -math.fsum(x * math.log(x) for x in p if x > 0)


@pytest.mark.parametrize("text", SHAPES)
def test_entropy_its_ceiling_and_its_count_of_options(text: str) -> None:
    experiment, _ = made(weights=text)
    p = weights.read(text)
    assert experiment.entropy_nats == pytest.approx(by_hand(p), abs=1e-12)
    assert experiment.most_nats == pytest.approx(math.log(len(p)))
    assert experiment.entropy_nats <= experiment.most_nats + 1e-12
    assert experiment.perplexity == pytest.approx(math.exp(by_hand(p)))
    assert experiment.probabilities == pytest.approx(p)


def test_the_lesson_s_own_numbers() -> None:
    experiment, _ = made(weights="90,5,5")
    assert experiment.entropy_nats / math.log(2) == pytest.approx(0.5689955935892813)
    assert experiment.code_digits == [1, 2, 2]
    assert made(weights="4,2,1,1")[0].code_bits == pytest.approx(1.75), "also its entropy in bits"
    assert made(weights="60,30,10", temperature=0.5)[0].probabilities[1] == pytest.approx(9 / 46)
    assert made(weights="60,30,10", temperature=0.5)[0].probabilities[1] != pytest.approx(0.3)


@pytest.mark.parametrize("text", SHAPES)
def test_the_code_is_never_below_the_entropy_nor_a_bit_above(text: str) -> None:
    experiment, _ = made(weights=text)
    bits = experiment.entropy_nats / math.log(2)
    assert bits - 1e-12 <= experiment.code_bits < bits + 1
    words = [2.0**-digits for digits in experiment.code_digits if digits is not None]
    assert sum(words) <= 1, "Kraft's inequality"


def test_the_mean_surprisal_comes_to_the_entropy_within_its_band() -> None:
    misses = 0
    for seed in range(40):
        experiment, steps = made(weights="60,30,10", seed=seed, draws=400)
        band = 2 * experiment.deviation_nats / math.sqrt(400)
        misses += abs(steps[-1].mean_nats - experiment.entropy_nats) > band
    assert misses <= 6, "5% of runs are expected outside of two standard errors"


def test_the_deviation_is_the_one_of_a_single_draw() -> None:
    experiment, _ = made(weights="60,30,10")
    p, h = [0.6, 0.3, 0.1], by_hand([0.6, 0.3, 0.1])
    variance = sum(x * (-math.log(x) - h) ** 2 for x in p)
    assert experiment.deviation_nats == pytest.approx(math.sqrt(variance))
    assert made(weights="1,1,1,1")[0].deviation_nats == pytest.approx(0.0, abs=1e-7)


def test_what_was_counted_falls_short_by_a_divergence() -> None:
    """Mean surprisal − entropy of the counts = KL(counts‖p), which is never negative."""
    experiment, steps = made(weights="60,30,10", draws=60)
    for step in steps:
        shares = torch.tensor([step.counts], dtype=torch.float64) / step.index
        gap = float(distributions.kl(shares.log(), experiment.log_p))
        assert step.mean_nats - step.counted_nats == pytest.approx(gap, abs=1e-12)
        assert sum(step.counts) == step.index


def test_counting_comes_out_low_on_average_and_the_mean_does_not() -> None:
    ends = [made(weights="60,30,10", draws=20, seed=seed) for seed in range(300)]
    entropy = ends[0][0].entropy_nats
    mean, counted = (
        sum(getattr(steps[-1], name) for _, steps in ends) / 300
        for name in ("mean_nats", "counted_nats")
    )
    assert mean == pytest.approx(entropy, abs=4 * ends[0][0].deviation_nats / math.sqrt(20 * 300))
    assert entropy - counted == pytest.approx(2 / (2 * 20), abs=0.025), "(outcomes − 1)/2n"


@pytest.mark.parametrize("text", SHAPES)
def test_heat_always_raises_entropy_and_the_slope_is_its_own(text: str) -> None:
    experiment, _ = made(weights=text)
    curve = experiment.tempering
    entropies = [point.entropy_nats for point in curve]
    assert all(b >= a - 1e-12 for a, b in pairwise(entropies))
    for point in curve[40::20]:
        step = 1e-5 * point.temperature
        higher, lower = (experiment.heated(point.temperature + by) for by in (step, -step))
        measured = (higher.entropy_nats - lower.entropy_nats) / (2 * step)
        assert point.slope_nats == pytest.approx(measured, rel=1e-4, abs=1e-8)
        assert point.slope_nats >= 0


def test_nothing_impossible_is_made_possible_by_heat() -> None:
    experiment, steps = made(weights="5,0,1", temperature=5.0)
    assert experiment.probabilities[1] == 0
    assert experiment.surprisals_nats[1] == math.inf
    assert {step.outcome for step in steps} == {0, 2}


def test_the_same_settings_give_the_same_draws() -> None:
    assert made(seed=3)[1] == made(seed=3)[1] != made(seed=4)[1]


@pytest.mark.parametrize("text", BAD_TEXTS, ids=range(len(BAD_TEXTS)))
def test_what_is_no_distribution_is_refused_in_words(text: str) -> None:
    with pytest.raises(RangeError, match=r"^Expected .+\. \w"):
        build(Settings.read({"weights": text}))


def test_weights_are_read_however_they_are_separated() -> None:
    for text in ("20,30,50", "2 3 5", "0.2; 0.3; 0.5", " 20 , 30,50, "):
        assert weights.read(text) == pytest.approx([0.2, 0.3, 0.5])
    with pytest.raises(RangeError, match="as many weights"):
        weights.pair("1,2", "1,2,3")
