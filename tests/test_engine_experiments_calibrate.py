"""Temperature scaling, watched: the factor comes back, choices stay, and the error goes."""

import math
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from engine import calibration, experiments
from engine.calibration import Answers
from engine.errors import EngineError, RangeError
from engine.experiments.calibrate import Experiment, Settings, Step, build


def run(**values: object) -> tuple[Experiment, list[Step]]:
    built = build(Settings.read(values))
    return built, list(built.run())


@pytest.mark.parametrize("start", [0.2, 1.0, 15.0])
def test_logits_times_three_give_back_three(start: float) -> None:
    built, steps = run(labels="exact", start=start)
    assert steps[-1].temperature == pytest.approx(3, abs=1e-6)
    assert built.best_temperature == pytest.approx(3, abs=1e-9)
    assert built.true_temperature == 3
    assert steps[-1].temperature != pytest.approx(1 / 3, abs=1)


def test_drawn_labels_give_an_estimate_that_newton_confirms() -> None:
    built, steps = run()
    assert steps[-1].temperature == pytest.approx(built.best_temperature, rel=1e-7)
    assert steps[-1].temperature == pytest.approx(3, abs=0.4)
    assert steps[-1].temperature != 3
    assert abs(steps[-1].slope_nats) < 1e-8


def test_first_choices_and_accuracy_stay() -> None:
    built, steps = run()
    assert {step.accuracy for step in steps} == {built.before.accuracy}
    end = steps[-1].temperature
    before, after = built.fresh.logits.argmax(dim=1), (built.fresh.logits / end).argmax(dim=1)
    assert torch.equal(before, after)
    assert built.report(end).confidence < built.before.confidence - 0.1


def test_the_other_half_is_mended_too() -> None:
    built, steps = run()
    before, after = built.before, built.report(steps[-1].temperature)
    assert before.ece > 0.2
    assert after.ece < 0.06
    assert after.log_loss_nats < before.log_loss_nats
    assert after.brier < before.brier
    assert after.log_loss_nats == pytest.approx(built.truth.log_loss_nats, abs=0.01)
    assert before.squared_error is not None
    assert after.squared_error is not None
    assert abs(after.squared_error) < 0.003 < before.squared_error


def test_the_loss_never_rises_and_the_curve_has_its_minimum_there() -> None:
    built, steps = run(start=10.0)
    assert all(b.loss_nats <= a.loss_nats + 1e-12 for a, b in pairwise(steps))
    lowest = min(built.curve, key=lambda point: point[1])
    assert lowest[0] == pytest.approx(built.best_temperature, rel=0.06)
    assert lowest[1] >= steps[-1].loss_nats - 1e-12


@pytest.mark.parametrize("binning", ["mass", "width"])
def test_bins_and_bands_are_those_of_the_reliability_diagram(binning: str) -> None:
    built, _ = run(binning=binning)
    report = built.before
    assert sum(each.count for each in report.bins) == 1000
    gaps = sum(each.count * abs(each.right - each.stated) for each in report.bins) / 1000
    assert report.ece == pytest.approx(gaps)
    first = report.bins[0]
    hits = torch.tensor([first.count * first.right], dtype=torch.float64)
    low, high = calibration.wilson(hits, torch.tensor([first.count], dtype=torch.float64))
    assert (first.low, first.high) == pytest.approx((low.item(), high.item()))
    even = {each.count for each in report.bins} == {100}
    assert even == (binning == "mass")


def test_a_model_that_is_unsure_needs_a_temperature_below_one() -> None:
    built, steps = run(overconfidence=0.4, labels="exact")
    assert steps[-1].temperature == pytest.approx(0.4, abs=1e-6)
    assert built.report(0.4).confidence > built.before.confidence


def test_a_lone_question_in_a_bin_leaves_the_squared_error_open() -> None:
    built = build(Settings(questions=60, bins=30, binning="width"))
    assert built.before.squared_error is None
    assert math.isfinite(built.before.ece)


def test_the_run_repeats_to_the_last_bit_and_another_seed_is_another_world() -> None:
    first, second, other = (run(seed=seed)[1] for seed in (0, 0, 1))
    assert first == second
    assert first != other
    assert len(first) == build(Settings()).length == 21


@pytest.mark.parametrize("overconfidence", [0.2, 10.0])
@pytest.mark.parametrize("start", [0.1, 20.0])
def test_every_corner_arrives(overconfidence: float, start: float) -> None:
    _, steps = run(labels="exact", overconfidence=overconfidence, start=start)
    assert steps[-1].temperature == pytest.approx(overconfidence, rel=1e-5)


def test_it_is_found_by_name_and_refuses_what_is_out_of_range() -> None:
    assert experiments.build("calibrate", {"bins": 5}).settings == Settings(bins=5)
    bad: list[dict[str, Any]] = [{"bins": 0}, {"start": 0}, {"labels": "soft"}, {"questions": 1}]
    for values in bad:
        with pytest.raises(EngineError):
            Settings.read(values)


def world(labels: Tensor) -> Answers:
    """Four questions of two options; the model thinks the first right, by more each time."""
    logits = torch.tensor([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [4.0, 0.0]], dtype=torch.float64)
    return Answers(logits, logits.log_softmax(dim=1), labels)


@pytest.mark.parametrize(
    "labels",
    [[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1, 0]],
    ids=["first choices", "worse than chance", "chance"],
)
def test_labels_without_a_best_temperature_are_refused_before_the_run(
    labels: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = world(torch.tensor(labels))
    monkeypatch.setattr(calibration, "overconfident_answers", lambda *_, **__: given)
    with pytest.raises(RangeError, match="better than chance and not perfectly") as refused:
        build(Settings())
    assert "Fit the temperature on more labels" in str(refused.value)


def test_labels_of_which_most_are_first_choices_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    given = world(torch.tensor([1, 0, 0, 0]))
    monkeypatch.setattr(calibration, "overconfident_answers", lambda *_, **__: given)
    found = build(Settings()).best_temperature
    slope = sum(x / (1 + math.exp(x / found)) for x in (1, 2, 3, 4)) - 1
    assert slope == pytest.approx(0, abs=1e-9), "where the likelihood of the labels is level"


def test_ordinary_worlds_are_taken_even_small_ones() -> None:
    worlds = [Settings(questions=50, overconfidence=0.2, options=2, seed=seed) for seed in range(9)]
    assert all(build(each).best_temperature > 0 for each in worlds)
