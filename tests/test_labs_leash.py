"""The leash lab: shut before the prediction, drawn with words, its question rightly answered."""

from dataclasses import replace

import pytest

from engine import experiments
from engine.experiments.leash import Experiment, Step
from pages import resources
from pages.labs import leash
from pages.labs.leash import LAB
from tests.conftest import OpenApp
from tests.lab_runs import alts, ended
from tests.learners import finish

HOSTILE = {"leash_seed": "1e999", "leash_beta": "x", "leash_world": "mars", "leash_clip": "nan"}
CHARTS = 5


@pytest.fixture
def opened(open_app: OpenApp, token: str, monkeypatch: pytest.MonkeyPatch) -> OpenApp:
    """Run pages as a learner who has predicted everything; runs are not slowed down."""
    monkeypatch.setattr(leash, "LAB", replace(LAB, seconds=0.0))
    finish(resources.course().lessons["rlhf"], resources.store(), token)
    return open_app


def made(**values: object) -> tuple[Experiment, list[Step]]:
    experiment = experiments.build("leash", values)
    assert isinstance(experiment, Experiment)
    return experiment, list(experiment.run())


def test_the_lab_is_shut_until_the_learner_has_predicted(open_app: OpenApp) -> None:
    app = open_app("lab", id="leash")
    assert list(app.exception) == []
    assert "leash-main" not in [button.key for button in app.button]


def test_a_run_is_drawn_in_charts_that_say_what_they_show(opened: OpenApp) -> None:
    app = ended(opened("lab", id="leash", leash_steps="60"), "leash")
    said = alts(app)
    assert len(said) == CHARTS
    experiment, steps = made(steps=60)
    assert f"{steps[-1].gold:.3g} in gold" in said[0]
    assert f"gold peaks at {experiment.peak.gold:.3g}" in said[0]


def test_every_preset_runs_to_its_end(opened: OpenApp) -> None:
    app = opened("lab", id="leash")
    for number, preset in enumerate(LAB.presets.values()):
        run = ended(app, "leash", f"preset-{number}").session_state["run-leash"]
        assert run.job.status == "done"
        assert preset.items() <= run.settings.items()
        assert len(alts(app)) == CHARTS


def test_nonsense_in_the_address_leaves_the_usual_settings(opened: OpenApp) -> None:
    app = opened("lab", id="leash", **HOSTILE)
    assert list(app.exception) == []
    app = ended(app, "leash")
    run = app.session_state["run-leash"]
    assert (run.settings["beta"], run.settings["world"]) == (0.25, "replies")


def test_a_shared_address_gives_the_same_records(opened: OpenApp) -> None:
    address = {"leash_algorithm": "PPO", "leash_beta": "0.5", "leash_seed": "7", "leash_steps": "9"}
    steps = (
        ended(opened("lab", id="leash", **address), "leash").session_state["run-leash"].job.steps
    )
    _, again = made(algorithm="ppo", beta=0.5, seed=7, steps=9)
    assert [step.gold for step in steps] == [step.gold for step in again]
    assert [step.gold for step in steps] != [s.gold for s in made(steps=9, beta=0.5)[1]]


def test_gold_climbs_past_every_optimum_and_falls_below_its_start() -> None:
    experiment, steps = made()
    gold = [step.gold for step in steps]
    peak, optimum = experiment.peak, experiment.optimum
    stated = (gold[0], peak.at, peak.gold, optimum.gold)
    assert [round(value, 2) for value in stated] == [1.38, 0.64, 1.61, 0.84], "as the question says"
    assert max(gold) > 1.9 > peak.gold, "neither little by little downward nor along the optima"
    assert gold[-1] < gold[0] - 0.5, "nor does it stay up"
    choice = resources.course().lessons["rlhf"].predictions["lab-leash-gold"]
    assert choice.options[choice.answer].text.startswith("It climbs well past 1.61")


def test_the_natural_gradient_takes_the_way_of_the_optima() -> None:
    """What another option says of it: there, gold has the optima's highest point as its own."""
    experiment, steps = made(**LAB.presets["On the curve"])
    assert max(step.gold for step in steps) == pytest.approx(experiment.peak.gold, abs=1e-4)
    objectives = [step.objective for step in made()[1]]
    assert objectives == sorted(objectives), "and the plain one never loses what it maximizes"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "less than the reference"),
        ({"steps": 50}, "more than any optimum"),
        ({"beta": 1.0}, "landed on the optimum"),
        ({"beta": 1.0}, "the best optimum, at β = 0.641"),
    ],
)
def test_what_to_see_follows_the_run(settings: dict[str, object], words: str) -> None:
    experiment, steps = made(**settings)
    assert words in LAB.see(experiment, steps[-1])
