"""The KL lab: both directions exactly, infinite where they must be, and what samples make of it."""

import math
from itertools import product

import pytest

from engine.errors import RangeError
from engine.experiments import weights
from engine.experiments.kl import ESTIMATORS, Experiment, Settings, Step, build

TUNED, BASE, CLOSE, CUT = "2,18,80", "50,30,20", "45,32,23", "625,375,0"


def made(**values: object) -> tuple[Experiment, list[Step]]:
    experiment = build(Settings.read(values))
    return experiment, list(experiment.run())


def by_hand(front: str, other: str) -> float:
    pairs = zip(*weights.pair(front, other), strict=True)
    return math.fsum((x * math.log(x / y) if y else math.inf) if x else 0.0 for x, y in pairs)


@pytest.mark.parametrize(("q", "p"), list(product([TUNED, BASE, CLOSE, CUT], repeat=2)))
def test_both_directions_and_what_they_are_made_of(q: str, p: str) -> None:
    experiment, _ = made(q=q, p=p, samples=10)
    assert experiment.reverse_nats == pytest.approx(by_hand(q, p), abs=1e-12)
    assert experiment.forward_nats == pytest.approx(by_hand(p, q), abs=1e-12)
    for cross, entropy, kl in zip(
        experiment.cross_entropies_nats,
        experiment.entropies_nats,
        (experiment.reverse_nats, experiment.forward_nats),
        strict=True,
    ):
        assert cross == pytest.approx(entropy + kl)


def test_the_lesson_s_own_numbers() -> None:
    experiment, _ = made()
    assert experiment.reverse_nats == pytest.approx(0.9527093601206701)
    assert experiment.forward_nats == pytest.approx(1.4854267273399193)
    deviations = [experiment.estimates[name].deviation_nats for name in ESTIMATORS]
    assert deviations[2] > 3 * deviations[0], "far apart, k3 is the noisy one"
    close = made(q=CLOSE)[0].estimates
    assert close["k3"].deviation_nats < close["k1"].deviation_nats / 10


def test_what_q_rules_out_makes_the_forward_direction_infinite_and_not_the_reverse() -> None:
    experiment, _ = made(q=CUT, p=BASE)
    assert experiment.forward_nats == math.inf
    assert experiment.reverse_nats == pytest.approx(-math.log(0.8))
    assert not math.isnan(made(q=CUT, p=CUT)[0].forward_nats), "0 · log(0/0) is 0"
    assert made(q=CUT, p=CUT)[0].forward_nats == 0


def test_jensen_shannon_is_symmetric_and_at_most_one_bit() -> None:
    one, other = made(q=TUNED, p=BASE)[0], made(q=BASE, p=TUNED)[0]
    assert one.jensen_shannon_nats == pytest.approx(other.jensen_shannon_nats)
    assert one.reverse_nats != pytest.approx(other.reverse_nats)
    apart = made(q="1,0", p="0,1")[0]
    assert apart.jensen_shannon_nats == pytest.approx(math.log(2))
    assert apart.reverse_nats == apart.forward_nats == math.inf


def test_k1_and_k3_are_unbiased_and_k2_is_not() -> None:
    estimates = made()[0].estimates
    truth = by_hand(TUNED, BASE)
    assert estimates["k1"].mean_nats == pytest.approx(truth)
    assert estimates["k3"].mean_nats == pytest.approx(truth)
    assert estimates["k2"].mean_nats == pytest.approx(0.8958212916389638)


def test_k3_falls_short_by_the_mass_that_q_never_says() -> None:
    estimates = made(q=CUT, p=BASE)[0].estimates
    assert estimates["k3"].mean_nats == pytest.approx(by_hand(CUT, BASE) - 0.2)
    assert estimates["k1"].mean_nats == pytest.approx(by_hand(CUT, BASE))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_running_means_stay_near_what_they_tend_to(name: str) -> None:
    misses = 0
    for seed in range(40):
        experiment, steps = made(q=CLOSE, seed=seed, samples=400)
        exact = experiment.estimates[name]
        gap = getattr(steps[-1], f"{name}_nats") - exact.mean_nats
        misses += abs(gap) > 2 * exact.deviation_nats / math.sqrt(400)
    assert misses <= 6, "5% of runs are expected outside of two standard errors"


def test_records_are_the_means_of_the_samples_they_name() -> None:
    experiment, steps = made(samples=50, seed=2)
    ratios = [step.log_ratio_nats for step in steps]
    for count, step in enumerate(steps, start=1):
        seen = ratios[:count]
        assert step.k1_nats == pytest.approx(sum(seen) / count)
        assert step.k2_nats == pytest.approx(sum(x * x / 2 for x in seen) / count)
        assert step.k3_nats == pytest.approx(sum(math.exp(-x) - 1 + x for x in seen) / count)
        assert step.log_ratio_nats == experiment.log_ratios_nats[step.outcome]
    assert min(step.k3_nats for step in steps) >= 0
    assert min(step.k1_nats for step in made(q=CLOSE)[1]) < 0


def test_once_q_says_the_impossible_estimates_are_infinite_and_not_nan() -> None:
    experiment, steps = made(q=BASE, p=CUT)
    first = next(step.index for step in steps if step.outcome == 2)
    for step in steps:
        wanted = math.inf if step.index >= first else step.k1_nats
        assert (step.k1_nats, math.isnan(step.k3_nats)) == (wanted, False)
    assert experiment.reverse_nats == math.inf
    assert {each.mean_nats for each in experiment.estimates.values()} == {math.inf}


def test_the_same_settings_give_the_same_samples() -> None:
    assert made(seed=3)[1] == made(seed=3)[1] != made(seed=4)[1]


@pytest.mark.parametrize("bad", [{"q": "1,2"}, {"p": "0,0,0"}, {"q": "x"}, {"samples": 10**6}])
def test_what_cannot_be_set_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(RangeError, match=r"^Expected"):
        build(Settings.read(bad))
