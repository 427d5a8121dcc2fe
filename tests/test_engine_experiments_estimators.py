"""KL estimates in the lab: bands, variances, their crossing, and what each does as a loss."""

import math

import numpy as np
import pytest
import torch

from engine.errors import DivergenceError, RangeError
from engine.experiments.estimators import Experiment, Settings, Step, build

NAMES = ("k1", "k2", "k3")


def made(**numbers: object) -> Experiment:
    return build(Settings.read(numbers))


def run(**numbers: object) -> list[Step]:
    return list(made(**numbers).run())


def test_means_and_variances_by_hand() -> None:
    built = made(world="tokens", distance=1)
    q, p = np.array([0.02, 0.18, 0.8]), np.array([0.5, 0.3, 0.2])
    gap = np.log(q / p)
    values = {"k1": gap, "k2": gap**2 / 2, "k3": p / q - 1 + gap}
    for name in NAMES:
        mean = q @ values[name]
        assert getattr(built.means, name) == pytest.approx(mean)
        assert getattr(built.variances, name) == pytest.approx(q @ (values[name] - mean) ** 2)
    assert built.kl_nats == pytest.approx(q @ gap)
    assert built.means.k1 == pytest.approx(built.means.k3)
    assert built.means.k2 != pytest.approx(built.kl_nats, rel=0.01)


def test_normals_follow_their_closed_form_and_cross_where_it_says() -> None:
    built = made(world="normals", distance=0.8)
    assert built.kl_nats == pytest.approx(0.32)
    for each in built.by_distance[::10]:
        square = each.distance**2
        assert each.kl_nats == pytest.approx(square / 2)
        assert each.variance.k1 == pytest.approx(square)
        assert each.variance.k3 == pytest.approx(math.expm1(square) - square, rel=1e-6, abs=1e-12)
    assert built.crossing is not None
    low, high = 1.0, 2.0  # e^{s²} = 1 + 2 s², by bisection
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if math.exp(middle) > 1 + 2 * middle else (middle, high)
    assert built.crossing.distance**2 == pytest.approx(low, abs=1e-9)
    assert built.crossing.kl_nats == pytest.approx(0.6282, abs=1e-4)


@pytest.mark.parametrize("world", ["tokens", "normals", "random"])
def test_k3_is_quieter_below_the_crossing_and_louder_above(world: str) -> None:
    crossing = made(world=world).crossing
    assert crossing is not None
    assert crossing.variance.k1 == pytest.approx(crossing.variance.k3, rel=1e-9)
    below, above = (made(world=world).variance_at(crossing.distance * f) for f in (0.9, 1.1))
    assert below.variance.k3 < below.variance.k1
    assert above.variance.k3 > above.variance.k1


def test_running_means_keep_to_the_band() -> None:
    outside = dict.fromkeys(NAMES, 0)
    for seed in range(60):
        built = made(world="tokens", distance=0.5, samples=100, steps=20, seed=seed, draws=1)
        last = list(built.run())[-1]
        assert last.samples == 2000
        errors = built.standard_errors(last.samples)
        for name in NAMES:
            off = getattr(last.mean, name) - getattr(built.means, name)
            outside[name] += abs(off) > 2 * getattr(errors, name)
    assert all(count <= 9 for count in outside.values()), outside  # 5% of 60 are three
    assert sum(outside.values()) > 0, "a band that nothing leaves is too wide"


def test_the_band_narrows_with_the_root_of_the_samples() -> None:
    built = made()
    assert built.standard_errors(400).k3 == pytest.approx(built.standard_errors(100).k3 / 2)


def test_k1_as_a_loss_stays_put_and_the_others_follow_their_divergence() -> None:
    """The expected paths are gradient descents on KL(π‖π_ref) and KL(π_ref‖π), by autograd."""
    built = made(world="random", distance=1.0, rate=0.5, steps=25)
    reference, reverse, forward = built.reference, built.start.clone(), built.start.clone()
    for divergences in built.expected_path:
        assert divergences[0].k1 == pytest.approx(built.kl_nats, abs=1e-12)
        assert divergences[0].k2 == pytest.approx(kl(reverse, reference), abs=1e-10)
        assert divergences[1].k3 == pytest.approx(kl(reference, forward), abs=1e-10)
        for at, pair in ((reverse, (0, 1)), (forward, (1, 0))):
            moving = at.clone().requires_grad_()
            tables = (moving.log_softmax(dim=-1), reference)
            first, second = tables[pair[0]], tables[pair[1]]
            (slope,) = torch.autograd.grad((first.exp() * (first - second)).sum(), moving)
            at -= 0.5 * slope
    assert kl(reverse, reference) != pytest.approx(kl(forward, reference), rel=0.01)


def kl(log_p: torch.Tensor, log_q: torch.Tensor) -> float:
    log_p, log_q = log_p.log_softmax(dim=-1), log_q.log_softmax(dim=-1)
    return float((log_p.exp() * (log_p - log_q)).sum())


def test_sampled_training_does_what_is_expected_of_it() -> None:
    ends = [run(world="tokens", draws=256, seed=seed)[-1] for seed in range(3)]
    start = made(world="tokens").kl_nats
    for last in ends:
        assert last.reverse_nats.k2 < 1e-6 > last.forward_nats.k3
        assert last.reverse_nats.k1 > start / 2
    drifted = {round(last.reverse_nats.k1, 6) for last in ends}
    assert len(drifted) == 3, "k1 goes nowhere on average, and somewhere each time"


def test_a_run_that_leaves_is_stopped() -> None:
    seen: list[Step] = []
    with pytest.raises(DivergenceError, match="last good one"):
        seen.extend(made(world="normals", draws=1, rate=2, steps=1000).run())
    assert seen[-1].index == len(seen) - 1


def test_runs_repeat_and_settings_are_bounded() -> None:
    first, second, other = (run(world="random", steps=3, seed=seed) for seed in (1, 1, 2))
    assert first == second != other
    assert len(first) == 4
    assert (first[0].samples, first[0].mean.k1) == (0, 0.0)
    for wrong in ({"distance": 0}, {"world": "moon"}, {"rate": math.inf}, {"samples": 101}):
        with pytest.raises(RangeError):
            Settings.read(wrong)
