"""Distillation, watched: the optimum, both directions, what capacity buys, and the limit in T."""

import pytest
import torch
from torch import Tensor

from engine import distillation, distributions, experiments
from engine.errors import DivergenceError, EngineError, RangeError
from engine.experiments.distil import DECAY, Experiment, Settings, Step, build


def run(**values: object) -> tuple[Experiment, list[Step]]:
    built = build(Settings.read({"memos": 120} | values))
    return built, list(built.run())


def objective(built: Experiment, weights: Tensor) -> Tensor:
    """Return T² (KL + decay) at some weights, from the library of distributions."""
    temperature = built.temperature
    log_q = torch.log_softmax(built.features @ weights / temperature, dim=-1)
    log_p = built.targets.log()
    pair = (log_q, log_p) if built.settings.direction == "reverse" else (log_p, log_q)
    decay = DECAY / 2 * (weights / temperature).square().sum()
    return temperature**2 * (distributions.kl(*pair).mean() + decay)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_forward_training_arrives_at_the_fit(temperature: float) -> None:
    built, steps = run(optimizer="lbfgs", temperature=temperature, steps=60)
    assert steps[-1].loss_nats == pytest.approx(built.optimal_loss_nats, abs=1e-10)
    soft = distillation.soften(built.teacher, temperature=temperature).exp()
    fitted = distillation.fit(built.features, soft, decay=DECAY)
    torch.testing.assert_close(steps[-1].weights, temperature * fitted, atol=1e-4, rtol=1e-4)
    if temperature > 1:
        assert not torch.allclose(steps[-1].weights, fitted, atol=0.1), "T belongs to the weights"


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_the_gradient_is_that_of_automatic_differentiation(direction: str) -> None:
    built = build(Settings.read({"direction": direction, "memos": 30, "temperature": 3}))
    generator = torch.Generator().manual_seed(1)
    weights = torch.randn(4, 5, generator=generator, dtype=torch.float64)
    place = built._surface(weights)
    moving = weights.clone().requires_grad_()
    loss = objective(built, moving)
    (slope,) = torch.autograd.grad(loss, moving)
    assert place.loss == pytest.approx(loss.item(), abs=1e-12)
    torch.testing.assert_close(place.gradient, slope, atol=1e-12, rtol=1e-9)


def test_each_direction_is_best_by_its_own_measure() -> None:
    built = {name: run(direction=name, steps=1)[0] for name in ("forward", "reverse")}
    for name, own in built.items():
        for other in built.values():
            worse = objective(own, other.optimal_weights).item()
            assert own.optimal_loss_nats <= worse + 1e-12
            assert name == other.settings.direction or worse > own.optimal_loss_nats + 1e-5


def test_reverse_training_comes_to_rest_where_the_slope_vanishes() -> None:
    built, steps = run(direction="reverse", optimizer="lbfgs", steps=80)
    assert built._surface(built.optimal_weights).gradient.abs().max().item() < 1e-9
    assert steps[-1].loss_nats == pytest.approx(built.optimal_loss_nats, abs=1e-9)


def test_capacity_lowers_what_is_left_and_the_whole_teacher_fits_into_five() -> None:
    left = [build(Settings(capacity=size)).optimum.forward_nats for size in range(1, 6)]
    assert left == sorted(left, reverse=True)
    assert left[3] > 0.05
    assert left[4] < 1e-4
    assert build(Settings(capacity=5)).optimum.agreement > 0.99


def test_soft_targets_beat_sampled_and_likeliest_ones() -> None:
    ends = {
        targets: build(Settings.read({"targets": targets})).optimum.forward_nats
        for targets in ("soft", "sampled", "likeliest")
    }
    assert ends["soft"] < ends["sampled"] < ends["likeliest"]


def test_hard_labels_have_no_temperature_and_no_reverse_direction() -> None:
    cool, warm = (run(targets="sampled", temperature=t, steps=5)[1][-1] for t in (1, 10))
    assert torch.equal(cool.weights, warm.weights)
    with pytest.raises(RangeError, match="infinitely far"):
        build(Settings(targets="likeliest", direction="reverse"))


def test_squared_temperature_is_what_keeps_the_pace() -> None:
    _, scaled = run(temperature=10, steps=60)
    _, plain = run(temperature=10, steps=60, scale="none")
    _, faster = run(temperature=10, steps=60, scale="none", learning_rate=100)
    assert scaled[-1].result.forward_nats < 0.7 * plain[-1].result.forward_nats
    torch.testing.assert_close(scaled[-1].weights, faster[-1].weights)
    assert scaled[0].loss_nats == pytest.approx(100 * plain[0].loss_nats)


def test_the_scaled_gradient_tends_to_the_difference_of_logits() -> None:
    built, steps = run(steps=30)
    rows = built.limits(steps[-1])
    gaps = [row.gap for row in rows]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 2e-3
    assert rows[-1].scaled_length == pytest.approx(rows[-1].limit_length, rel=3e-3)
    hundred, thousand = rows[-2:]
    assert hundred.gap / thousand.gap == pytest.approx(10, rel=0.02), "the gap falls like 1/T"
    assert hundred.gradient_length / thousand.gradient_length == pytest.approx(100, rel=0.02)


def test_the_limit_by_hand_and_not_without_the_number_of_outcomes() -> None:
    built, steps = run(steps=1)
    away = built.features @ steps[-1].weights - built.teacher  # z − v
    away = away - away.mean(dim=1, keepdim=True)
    length = away.square().sum(dim=1).sqrt().mean().item()
    assert steps[-1].limit_length == pytest.approx(length / 5)
    assert steps[-1].limit_length != pytest.approx(length, rel=0.5)
    temperature = built.temperature
    assert steps[-1].scaled_length == pytest.approx(temperature**2 * steps[-1].gradient_length)


def test_the_first_record_favors_no_grade_and_the_loss_falls() -> None:
    built, steps = run()
    assert len(steps) == built.length == 201
    drawn = built.probabilities(steps[0], memo=3)
    assert drawn["student"] == pytest.approx([0.2] * 5)
    for probabilities in drawn.values():
        assert sum(probabilities) == pytest.approx(1)
    losses = [step.loss_nats for step in steps]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == pytest.approx(built.optimal_loss_nats, abs=1e-3)


def test_results_are_of_fresh_memos() -> None:
    built, steps = run(steps=3)
    said = torch.log_softmax(built.fresh_features @ steps[-1].weights, dim=-1)
    truth = torch.log_softmax(built.fresh_teacher, dim=-1)
    result = steps[-1].result
    assert result.forward_nats == pytest.approx(distributions.kl(truth, said).mean().item())
    assert result.reverse_nats == pytest.approx(distributions.kl(said, truth).mean().item())
    assert not torch.equal(built.features[:100], built.fresh_features[:100])


def test_a_student_that_runs_away_is_told_with_the_last_good_step() -> None:
    built = build(Settings(temperature=20, learning_rate=100, capacity=5, memos=10))
    seen: list[Step] = []
    with pytest.raises(DivergenceError, match="Take smaller steps") as caught:
        seen.extend(built.run())
    assert f"Step {len(seen) - 1} was the last good one" in str(caught.value)


def test_the_run_repeats_to_the_last_bit_and_another_seed_is_another_world() -> None:
    first, second, other = (run(seed=seed, targets="sampled", steps=5)[1] for seed in (0, 0, 1))
    assert [step.loss_nats for step in first] == [step.loss_nats for step in second]
    assert torch.equal(first[-1].weights, second[-1].weights)
    assert not torch.equal(first[-1].weights, other[-1].weights)


def test_it_is_found_by_name_and_refuses_what_is_out_of_range() -> None:
    assert experiments.build("distil", {"capacity": 2}).settings == Settings(capacity=2)
    for bad in ({"capacity": 6}, {"temperature": 0}, {"targets": "hard"}, {"memos": "many"}):
        with pytest.raises(EngineError):
            Settings.read(bad)
