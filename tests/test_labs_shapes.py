"""What the labs on surprise, entropy and KL ask is answered by the runs they open with."""

import math

import pytest

from content.schema import Choice
from engine import experiments
from pages import resources


def prediction(lesson: str, name: str) -> Choice:
    return resources.course().lessons[lesson].predictions[name]


def right(choice: Choice) -> str:
    return choice.options[choice.answer].text


def test_the_product_of_nine_tenths_sticks() -> None:
    experiment = experiments.build("surprise", {})
    *_, last = experiment.run()
    true = -last.sum_nats / math.log(10)
    assert (last.index, round(true)) == (1_200, -55), "as the question says"
    assert last.product > 0, "not 0"
    assert math.log10(last.product) > true + 5, "not about right"
    tail = list(experiment.run())[1_000:]
    assert {step.product for step in tail} == {last.product}, "and it does not jump about"
    assert last.product == experiment.stuck_at == 4 * experiment.least  # type: ignore[attr-defined]
    assert right(prediction("likelihood", "lab-surprise-stuck")) == (
        "a small positive number that has stopped falling"
    )


def test_the_entropy_of_the_counts_is_never_the_larger() -> None:
    steps = list(experiments.build("entropy", {}).run())
    gaps = [step.mean_nats - step.counted_nats for step in steps]
    assert min(gaps) >= -1e-12
    assert max(gaps) > 0.1, "and not the other way around"
    every = next(step.index for step in steps if min(step.counts) > 0)
    assert max(gaps[every:]) > 1e-3, "nor do they agree once each token has come"
    experiment = experiments.build("entropy", {})
    assert experiment.probabilities == pytest.approx([0.6, 0.3, 0.1])  # type: ignore[attr-defined]
    assert right(prediction("entropy", "lab-entropy-counted")) == (
        "The counted entropy is never the larger of the two."
    )


def test_before_the_rare_sample_k1_is_above_and_k3_far_below() -> None:
    experiment = experiments.build("kl", {})
    steps = list(experiment.run())
    first = next(step.index for step in steps if step.outcome == 0)
    assert first > 20, "the run has time to look settled"
    before, truth = steps[first - 2], experiment.reverse_nats  # type: ignore[attr-defined]
    assert truth < before.k1_nats < 1.3 * truth
    assert before.k3_nats < 0.65 * truth
    assert right(prediction("kl", "lab-kl-rare")) == "$k_1$ somewhat above it, $k_3$ far below it"


def test_a_few_nines_less_and_the_outcome_is_another() -> None:
    """The wrong variants of the runs, so that the tests above are seen to tell them apart."""
    *_, last = experiments.build("surprise", {"probability": 0.5}).run()
    assert last.product == 0
    steps = list(experiments.build("kl", {"q": "45,32,23"}).run())
    assert not any(step.k3_nats < 0.65 * 0.0057 for step in steps[50:])
