"""The losses lab: shut before the prediction, drawn with words, its question rightly answered."""

from dataclasses import replace

import pytest

from engine import experiments
from engine.experiments.losses import Experiment, Step
from pages import resources
from pages.labs import losses
from pages.labs.losses import LAB
from tests.conftest import OpenApp
from tests.lab_runs import alts, ended
from tests.learners import finish

HOSTILE = {"losses_seed": "1e999", "losses_beta": "x", "losses_first": "rlhf", "losses_steps": "-1"}
CHARTS = 4


@pytest.fixture
def opened(open_app: OpenApp, token: str, monkeypatch: pytest.MonkeyPatch) -> OpenApp:
    """Run pages as a learner who has predicted everything; runs are not slowed down."""
    monkeypatch.setattr(losses, "LAB", replace(LAB, seconds=0.0))
    finish(resources.course().lessons["dpo"], resources.store(), token)
    return open_app


def made(**values: object) -> tuple[Experiment, list[Step]]:
    experiment = experiments.build("losses", values)
    assert isinstance(experiment, Experiment)
    return experiment, list(experiment.run())


def test_the_lab_is_shut_until_the_learner_has_predicted(open_app: OpenApp) -> None:
    app = open_app("lab", id="losses")
    assert list(app.exception) == []
    assert "losses-main" not in [button.key for button in app.button]


def test_a_shared_address_gives_the_same_records_in_charts_with_words(opened: OpenApp) -> None:
    address = {"losses_second": "cDPO", "losses_labels": "Sampled", "losses_seed": "7"}
    app = ended(opened("lab", id="losses", losses_steps="9", **address), "losses")
    steps = app.session_state["run-losses"].job.steps
    _, again = made(second="cdpo", labels="sampled", seed=7, steps=9)
    assert [step.second.margin for step in steps] == [step.second.margin for step in again]
    other = made(second="cdpo", labels="sampled", seed=8, steps=9)[1]
    assert [step.second.margin for step in steps] != [step.second.margin for step in other]
    said = alts(app)
    assert len(said) == CHARTS
    assert f"cDPO at margin {again[-1].second.margin:.3g}" in said[0]


def test_every_preset_runs_to_its_end(opened: OpenApp) -> None:
    app = opened("lab", id="losses")
    for number, preset in enumerate(LAB.presets.values()):
        run = ended(app, "losses", f"preset-{number}").session_state["run-losses"]
        assert run.job.status == "done"
        assert preset.items() <= run.settings.items()
        assert len(alts(app)) == CHARTS


def test_nonsense_in_the_address_and_labels_that_do_not_fit(opened: OpenApp) -> None:
    app = ended(opened("lab", id="losses", losses_labels="Soft", **HOSTILE), "losses")
    settings = app.session_state["run-losses"].settings
    assert (settings["first"], settings["beta"], settings["labels"]) == ("dpo", 0.5, "soft")
    app.selectbox(key="losses_first").select("aot").run()
    app.button(key="losses-main").click().run()
    assert "one weight for aot" in app.error[0].value


def test_what_is_predicted_comes_out() -> None:
    """Right: IPO settles at one nat and DPO grows. Each of the other options is refuted."""
    choice = resources.course().lessons["dpo"].predictions["lab-losses-rest"]
    right = choice.options[choice.answer].text
    assert "IPO settles at {fixed}`1 nat`" in right
    assert "DPO grows" in right
    experiment, steps = made()
    dpo, ipo = ([getattr(s, which).margin for s in steps] for which in ("first", "second"))
    assert ipo[-1] == pytest.approx(1.0, abs=1e-3)
    assert max(ipo) < 1.01  # not "both grow"
    quarters = [dpo[at + 50] - dpo[at] for at in (50, 100, 150)]
    assert min(quarters) > 0.5  # not "both settle"
    reward = experiment.world.reward
    lead = (reward[:, 0] - reward[:, 1]).abs().mean().item() / experiment.settings.beta
    assert abs(ipo[-1] - lead) > 0.5  # not the margin of the true rewards
    assert losses.LAB.asks is not None
    assert losses.LAB.asks(experiment.settings.numbers()) == choice.id
    assert losses.LAB.about(experiment.settings.numbers())
    assert not losses.LAB.about(experiment.settings.numbers() | {"labels": "soft"})
