"""A lab: shut before the prediction, drawn with words, its question rightly answered."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from engine import experiments
from pages import resources
from pages.labs import calibrate
from pages.labs.calibrate import LAB
from tests.conftest import OpenApp
from tests.lab_runs import alts, ended
from tests.learners import finish

HOSTILE = {"calibrate_steps": "1e999", "calibrate_overconfidence": "x"}
CHARTS = 4


@pytest.fixture
def opened(open_app: OpenApp, token: str, monkeypatch: pytest.MonkeyPatch) -> OpenApp:
    """Run pages as a learner who has predicted everything; runs are not slowed down."""
    monkeypatch.setattr(calibrate, "LAB", replace(LAB, seconds=0.0))
    finish(resources.course().lessons["calibration"], resources.store(), token)
    return open_app


@cache
def made(**values: object) -> tuple[Any, list[Any]]:
    experiment = experiments.build("calibrate", dict(values))
    return experiment, list(experiment.run())


def right(prediction: str) -> str:
    choice = resources.course().lessons["calibration"].predictions[prediction]
    return choice.options[choice.answer].text


def test_the_lab_is_shut_until_the_learner_has_predicted(open_app: OpenApp) -> None:
    app = open_app("lab", id="calibrate")
    assert list(app.exception) == []
    assert "calibrate-main" not in [button.key for button in app.button]


def test_presets_run_and_are_drawn_in_charts_that_say_what_they_show(opened: OpenApp) -> None:
    app = opened("lab", id="calibrate")
    for number, preset in enumerate(LAB.presets.values()):
        run = ended(app, "calibrate", f"preset-{number}").session_state["run-calibrate"]
        assert run.job.status == "done"
        assert preset.items() <= run.settings.items()
        assert len(alts(app)) == CHARTS
        assert all(alts(app))


def test_nonsense_in_the_address_leaves_the_usual_settings(opened: OpenApp) -> None:
    app = ended(opened("lab", id="calibrate", **HOSTILE), "calibrate")
    assert calibrate.USUAL.items() <= app.session_state["run-calibrate"].settings.items()


def test_a_shared_address_gives_the_same_records(opened: OpenApp) -> None:
    app = ended(
        opened("lab", id="calibrate", calibrate_steps="7", calibrate_overconfidence="2.0"),
        "calibrate",
    )
    steps = [LAB.numbers(step) for step in app.session_state["run-calibrate"].job.steps]
    assert steps == [LAB.numbers(step) for step in made(steps=7, overconfidence=2.0)[1]]
    assert steps != [LAB.numbers(step) for step in made(steps=7)[1]]


def test_a_few_hundredths_are_left_as_the_true_temperature_leaves_them() -> None:
    experiment, steps = made()
    end, before = steps[-1], experiment.before.ece
    assert before == pytest.approx(0.242, abs=5e-4), "as the question says"
    assert 0.01 < end.ece < 0.05, "neither zero, nor half, nor the same"
    assert end.ece == pytest.approx(experiment.truth.ece, abs=0.01), "so it is noise"
    assert end.accuracy == steps[0].accuracy
    assert right("lab-calibrate-ece").startswith("a few hundredths")


def test_what_to_see_follows_the_run() -> None:
    for settings, words in (({}, "what is left is noise"), ({"steps": 1}, "on its way")):
        experiment, steps = made(**settings)
        assert words in LAB.see(experiment, steps[-1])
