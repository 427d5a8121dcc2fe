"""A lab: shut before the prediction, drawn with words, its question rightly answered."""

import math
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from engine import experiments
from pages import resources
from pages.labs import modes
from pages.labs.modes import LAB
from tests.conftest import OpenApp
from tests.lab_runs import alts, ended
from tests.learners import finish

HOSTILE = {"modes_steps": "1e999", "modes_start_mean": "x"}
FEW_STEPS = 12  # of a run that is looked at for its charts alone
CHARTS = 3


@pytest.fixture
def opened(open_app: OpenApp, token: str, monkeypatch: pytest.MonkeyPatch) -> OpenApp:
    """Run pages as a learner who has predicted everything; runs are not slowed down."""
    monkeypatch.setattr(modes, "LAB", replace(LAB, seconds=0.0))
    finish(resources.course().lessons["distillation"], resources.store(), token)
    return open_app


@cache
def made(**values: object) -> tuple[Any, list[Any]]:
    experiment = experiments.build("modes", dict(values))
    return experiment, list(experiment.run())


def right(prediction: str) -> str:
    choice = resources.course().lessons["distillation"].predictions[prediction]
    return choice.options[choice.answer].text


def test_the_lab_is_shut_until_the_learner_has_predicted(open_app: OpenApp) -> None:
    app = open_app("lab", id="modes")
    assert list(app.exception) == []
    assert "modes-main" not in [button.key for button in app.button]


def test_presets_run_and_are_drawn_in_charts_that_say_what_they_show(
    opened: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    presets = {label: {**each, "steps": FEW_STEPS} for label, each in LAB.presets.items()}
    monkeypatch.setattr(modes, "LAB", replace(LAB, seconds=0.0, presets=presets))
    app = opened("lab", id="modes")
    for number, preset in enumerate(presets.values()):
        run = ended(app, "modes", f"preset-{number}").session_state["run-modes"]
        assert run.job.status == "done"
        assert preset.items() <= run.settings.items()
        assert len(alts(app)) == CHARTS
        assert all(alts(app))


def test_nonsense_in_the_address_leaves_the_usual_settings(opened: OpenApp) -> None:
    app = ended(opened("lab", id="modes", **HOSTILE), "modes")
    assert modes.USUAL.items() <= app.session_state["run-modes"].settings.items()


def test_a_shared_address_gives_the_same_records(opened: OpenApp) -> None:
    app = ended(opened("lab", id="modes", modes_steps="7", modes_start_mean="-1.0"), "modes")
    steps = [LAB.numbers(step) for step in app.session_state["run-modes"].job.steps]
    assert steps == [LAB.numbers(step) for step in made(steps=7, start_mean=-1.0)[1]]
    assert steps != [LAB.numbers(step) for step in made(steps=7)[1]]


def test_reverse_leaves_log_two_and_neither_nothing_nor_half_nor_much() -> None:
    _, steps = made(**modes.USUAL, direction="reverse")
    end = steps[-1]
    assert end.means[0] == pytest.approx(2, abs=0.01)
    assert end.divergences_nats[0] == pytest.approx(math.log(2), abs=1e-3)
    assert end.others_nats[0] > 10, "which is what the other direction would charge"
    assert right("lab-modes-reverse").startswith("about $\\log 2$")


def test_forward_comes_to_rest_between_the_humps_as_broad_as_both() -> None:
    _, steps = made(**modes.USUAL, direction="forward")
    end = steps[-1]
    assert abs(end.means[0]) < 0.05, "neither on a hump nor at its start"
    assert end.deviations[0] == pytest.approx(math.sqrt(2**2 + 0.5**2), abs=1e-3)
    assert "as broad as both" in right("lab-modes-forward")


def test_what_to_see_follows_the_run() -> None:
    for settings, words in (
        ({}, "rests on the right hump"),
        ({}, "close to log 2"),
        ({"start_mean": -1.0}, "rests on the left hump"),
        ({"steps": 3}, "on its way"),
        ({"start_mean": 0.0, "starts": 3}, "leads lower"),
        ({"direction": "forward", "learning_rate": 0.2, "steps": 400}, "own mean and variance"),
    ):
        experiment, steps = made(**settings)
        assert words in LAB.see(experiment, steps[-1])
