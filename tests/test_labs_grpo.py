"""The GRPO lab: shut before the prediction, drawn with words, its question rightly answered."""

from dataclasses import replace

import pytest

from engine import experiments
from engine.experiments.grpo import Experiment, Step
from pages import resources
from pages.labs import grpo
from pages.labs.grpo import LAB
from tests.conftest import OpenApp
from tests.lab_runs import alts, ended
from tests.learners import finish

HOSTILE = {
    "grpo_seed": "1e999",
    "grpo_kl": "x",
    "grpo_group": "1",
    "grpo_deviation": "<b>",
    "grpo_answers": "99",
}
CHARTS = 5


@pytest.fixture
def opened(open_app: OpenApp, token: str, monkeypatch: pytest.MonkeyPatch) -> OpenApp:
    """Run pages as a learner who has predicted everything; runs are not slowed down."""
    monkeypatch.setattr(grpo, "LAB", replace(LAB, seconds=0.0))
    finish(resources.course().lessons["grpo"], resources.store(), token)
    return open_app


def made(**values: object) -> tuple[Experiment, list[Step]]:
    experiment = experiments.build("grpo", values)
    assert isinstance(experiment, Experiment)
    return experiment, list(experiment.run())


def test_the_lab_is_shut_until_the_learner_has_predicted(open_app: OpenApp) -> None:
    app = open_app("lab", id="grpo")
    assert list(app.exception) == []
    assert "grpo-main" not in [button.key for button in app.button]


def test_every_preset_runs_to_its_end(opened: OpenApp) -> None:
    app = opened("lab", id="grpo")
    for number, preset in enumerate(LAB.presets.values()):
        run = ended(app, "grpo", f"preset-{number}").session_state["run-grpo"]
        assert run.job.status == "done"
        assert preset.items() <= run.settings.items()
        assert len(alts(app)) == CHARTS
        assert all(alts(app))


def test_a_run_is_drawn_in_charts_that_say_what_they_show(opened: OpenApp) -> None:
    said = alts(ended(opened("lab", id="grpo", grpo_steps="40"), "grpo"))
    experiment, steps = made(steps=40)
    assert f"began at 0.02 is at {steps[-1].solve_rates[0]:.3g}" in said[0]
    assert f"0.5 to {steps[-1].solve_rates[3]:.3g}" in said[1]
    assert len(said) == CHARTS
    assert len(experiment.starts) == 7


def test_nonsense_in_the_address_leaves_the_usual_settings(opened: OpenApp) -> None:
    app = ended(opened("lab", id="grpo", grpo_steps="5", **HOSTILE), "grpo")
    settings = app.session_state["run-grpo"].settings
    wanted = {"kl": 0.0, "group": 8, "deviation": "on", "answers": 8, "seed": 0}
    assert wanted.items() <= settings.items()


def test_rates_that_are_none_are_told_and_not_run(opened: OpenApp) -> None:
    app = opened("lab", id="grpo", grpo_rates="0.5, 2")
    app.button(key="grpo-main").click().run()
    assert list(app.exception) == []
    assert "success rates between 0 and 1" in app.error[0].value


def test_a_shared_address_gives_the_same_records(opened: OpenApp) -> None:
    address = {"grpo_deviation": "No", "grpo_group": "4", "grpo_seed": "3", "grpo_steps": "12"}
    app = ended(opened("lab", id="grpo", grpo_rates="0.1, 0.5", **address), "grpo")
    rates = [step.solve_rates for step in app.session_state["run-grpo"].job.steps]
    settings = {"deviation": "off", "group": 4, "rates": "0.1, 0.5", "steps": 12}
    assert rates == [step.solve_rates for step in made(**settings, seed=3)[1]]
    assert rates != [step.solve_rates for step in made(**settings, seed=4)[1]]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_of_four_equal_answers_takes_almost_all(seed: int) -> None:
    experiment, steps = made(seed=seed)
    before, after = (
        table[0, :4].exp().tolist() for table in (experiment.world.reference, steps[-1].policy)
    )
    assert before == pytest.approx([0.005] * 4), "2%, evenly"
    assert max(after) > 0.9, "neither still even nor even again"
    assert sum(after) > 0.95, "nor have the wrong ones kept half"
    choice = resources.course().lessons["grpo"].predictions["lab-grpo-equals"]
    assert choice.options[choice.answer].text == "One has almost all, and which one was luck."


def test_it_is_luck_which() -> None:
    winners = {int(made(seed=seed)[1][-1].policy[0, :4].argmax()) for seed in range(4)}
    assert len(winners) > 1


def test_the_pull_is_read_off_its_exact_curve_anywhere() -> None:
    from pages.parts.group_charts import along

    experiment, _ = made(steps=1)
    centered = along(experiment, "centered")
    for rate in (0.0, 0.01, 0.137, 0.5, 0.99, 1.0):
        assert centered.at(rate) == pytest.approx(7 / 8 * rate * (1 - rate), abs=3e-5)
    assert along(experiment, "divided").at(0.137) > 1.5 * centered.at(0.137)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "multiplies the pull of a prompt at 0.02 by 2.94, that of one at 0.5 by 2.12"),
        ({"deviation": "off"}, "would multiply"),
        ({"group": 3}, "it is a larger step and no more"),
        ({"kl": 1.0}, "comes to rest at 0.484"),
    ],
)
def test_what_to_see_follows_the_run(settings: dict[str, object], words: str) -> None:
    experiment, steps = made(**settings, steps=20)
    assert words in LAB.see(experiment, steps[-1])
