"""A lab: shut before the prediction, drawn with words, its question rightly answered."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from engine import experiments
from pages import resources
from pages.labs import distil
from pages.labs.distil import LAB
from tests.conftest import OpenApp
from tests.lab_runs import alts, ended
from tests.learners import finish

HOSTILE = {"distil_steps": "1e999", "distil_temperature": "x"}
FEW_STEPS = 12  # of a run that is looked at for its charts alone
CHARTS = 4


@pytest.fixture
def opened(open_app: OpenApp, token: str, monkeypatch: pytest.MonkeyPatch) -> OpenApp:
    """Run pages as a learner who has predicted everything; runs are not slowed down."""
    monkeypatch.setattr(distil, "LAB", replace(LAB, seconds=0.0))
    finish(resources.course().lessons["distillation"], resources.store(), token)
    return open_app


@cache
def made(**values: object) -> tuple[Any, list[Any]]:
    experiment = experiments.build("distil", dict(values))
    return experiment, list(experiment.run())


def right(prediction: str) -> str:
    choice = resources.course().lessons["distillation"].predictions[prediction]
    return choice.options[choice.answer].text


def test_the_lab_is_shut_until_the_learner_has_predicted(open_app: OpenApp) -> None:
    app = open_app("lab", id="distil")
    assert list(app.exception) == []
    assert "distil-main" not in [button.key for button in app.button]


def test_presets_run_and_are_drawn_in_charts_that_say_what_they_show(
    opened: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    presets = {label: {**each, "steps": FEW_STEPS} for label, each in LAB.presets.items()}
    monkeypatch.setattr(distil, "LAB", replace(LAB, seconds=0.0, presets=presets))
    app = opened("lab", id="distil")
    for number, preset in enumerate(presets.values()):
        run = ended(app, "distil", f"preset-{number}").session_state["run-distil"]
        assert run.job.status == "done"
        assert preset.items() <= run.settings.items()
        assert len(alts(app)) == CHARTS
        assert all(alts(app))


def test_nonsense_in_the_address_leaves_the_usual_settings(opened: OpenApp) -> None:
    app = ended(opened("lab", id="distil", **HOSTILE), "distil")
    assert distil.USUAL.items() <= app.session_state["run-distil"].settings.items()


def test_a_shared_address_gives_the_same_records(opened: OpenApp) -> None:
    app = ended(opened("lab", id="distil", distil_steps="7", distil_temperature="5.0"), "distil")
    steps = [LAB.numbers(step) for step in app.session_state["run-distil"].job.steps]
    assert steps == [LAB.numbers(step) for step in made(steps=7, temperature=5.0)[1]]
    assert steps != [LAB.numbers(step) for step in made(steps=7)[1]]


def test_reverse_kl_falls_too_and_ends_close_to_forward_above_zero() -> None:
    _, steps = made()
    first, end = steps[0].result, steps[-1].result
    assert end.reverse_nats < 0.2 * first.reverse_nats, "it neither rises nor stays"
    assert end.forward_nats < 0.2 * first.forward_nats
    assert end.reverse_nats == pytest.approx(end.forward_nats, rel=0.15)
    assert end.reverse_nats > 0.05, "nor does it fall to zero"
    assert right("lab-distil-reverse").startswith("It falls too")


def test_what_to_see_follows_the_run() -> None:
    for settings, words in (
        ({}, "lacks a feature"),
        ({"steps": 3}, "on its way"),
        ({"temperature": 10.0, "scale": "none"}, "Without T²"),
        ({"capacity": 5}, "matches the teacher"),
        ({"targets": "likeliest", "optimizer": "lbfgs"}, "first choice"),
    ):
        experiment, steps = made(**settings)
        assert words in LAB.see(experiment, steps[-1])
