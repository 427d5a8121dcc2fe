"""The estimators lab: shut before the prediction, drawn with words, rightly answered."""

from dataclasses import replace

import pytest

from engine import experiments
from engine.experiments.estimators import Experiment, Step
from pages import resources
from pages.labs import estimators
from pages.labs.estimators import LAB
from tests.conftest import OpenApp
from tests.lab_runs import alts, ended
from tests.learners import finish

HOSTILE = {
    "estimators_seed": "1e999",
    "estimators_distance": "-1",
    "estimators_world": "none",
    "estimators_draws": "nan",
}
CHARTS = 3


@pytest.fixture
def opened(open_app: OpenApp, token: str, monkeypatch: pytest.MonkeyPatch) -> OpenApp:
    """Run pages as a learner who has predicted everything; runs are not slowed down."""
    monkeypatch.setattr(estimators, "LAB", replace(LAB, seconds=0.0))
    finish(resources.course().lessons["grpo"], resources.store(), token)
    return open_app


def made(**values: object) -> tuple[Experiment, list[Step]]:
    experiment = experiments.build("estimators", values)
    assert isinstance(experiment, Experiment)
    return experiment, list(experiment.run())


def test_the_lab_is_shut_until_the_learner_has_predicted(open_app: OpenApp) -> None:
    app = open_app("lab", id="estimators")
    assert list(app.exception) == []
    assert "estimators-main" not in [button.key for button in app.button]


def test_every_preset_runs_to_its_end(opened: OpenApp) -> None:
    app = opened("lab", id="estimators")
    for number, preset in enumerate(LAB.presets.values()):
        run = ended(app, "estimators", f"preset-{number}").session_state["run-estimators"]
        assert run.job.status == "done"
        assert preset.items() <= run.settings.items()
        assert len(alts(app)) == CHARTS
        assert all(alts(app))


def test_a_run_is_drawn_in_charts_that_say_what_they_show(opened: OpenApp) -> None:
    said = alts(ended(opened("lab", id="estimators", estimators_steps="40"), "estimators"))
    experiment, steps = made(steps=40)
    assert f"k₁ at {steps[-1].reverse_nats.k1:.3g} nats" in said[0]
    assert f"The divergence is {experiment.kl_nats:.3g} nats" in said[1]
    crossing = experiment.crossing
    assert crossing is not None
    assert f"They cross at {crossing.kl_nats:.3g} nats" in said[2]


def test_the_unit_of_the_reader_reaches_what_is_said(opened: OpenApp) -> None:
    app = ended(opened("lab", id="estimators", estimators_steps="5", units="bits"), "estimators")
    bits = made(steps=5)[0].kl_nats * 1.4426950408889634
    assert f"The divergence is {bits:.3g} bits" in alts(app)[1]


def test_nonsense_in_the_address_leaves_the_usual_settings(opened: OpenApp) -> None:
    app = opened("lab", id="estimators", estimators_steps="5", **HOSTILE)
    settings = ended(app, "estimators").session_state["run-estimators"].settings
    wanted = {"world": "tokens", "distance": 1.0, "draws": 32, "seed": 0}
    assert wanted.items() <= settings.items()


def test_a_run_that_leaves_the_grid_says_so_and_keeps_what_it_drew(opened: OpenApp) -> None:
    far = {"estimators_world": "Normals", "estimators_rate": "2.0", "estimators_draws": "1"}
    app = ended(opened("lab", id="estimators", **far), "estimators")
    assert "the last good one" in app.warning[0].value
    assert len(alts(app)) == CHARTS


def test_a_shared_address_gives_the_same_records(opened: OpenApp) -> None:
    address = {"estimators_world": "Random", "estimators_seed": "5", "estimators_steps": "9"}
    app = ended(opened("lab", id="estimators", **address), "estimators")
    steps = app.session_state["run-estimators"].job.steps
    assert steps == made(world="random", seed=5, steps=9)[1]
    assert steps != made(world="random", seed=6, steps=9)[1]


@pytest.mark.parametrize("seed", [0, 1])
def test_k2_and_k3_lead_home_and_k3_is_there_first(seed: int) -> None:
    experiment, steps = made(seed=seed)
    policies = (experiment.start, experiment.reference)
    stated = [[round(share, 6) for share in table[0].exp().tolist()] for table in policies]
    assert stated == [[0.02, 0.18, 0.8], [0.5, 0.3, 0.2]], "as the question says"
    home = 0.02 * experiment.kl_nats
    first = {
        name: next((s.index for s in steps if getattr(s.reverse_nats, name) < home), None)
        for name in ("k1", "k2", "k3")
    }
    assert first["k1"] is None, "neither the two unbiased ones nor all three"
    assert first["k2"] is not None
    assert first["k3"] is not None
    assert first["k3"] < first["k2"]
    assert experiment.variances.k3 > experiment.variances.k1, "nor is k1 the noisiest"
    choice = resources.course().lessons["grpo"].predictions["lab-estimators-losses"]
    assert (
        choice.options[choice.answer].text == "those on $k_2$ and $k_3$, and $k_3$ is there first"
    )


def test_the_mean_gradient_of_k1_moves_nothing() -> None:
    experiment, _ = made(steps=30)
    path = [reverse.k1 for reverse, _ in experiment.expected_path]
    assert path == pytest.approx([experiment.kl_nats] * 31, abs=1e-12)
    assert experiment.expected_path[-1][0].k2 < experiment.kl_nats / 2, "and that of k2 does"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "those trained on k₂ and k₃ are back at the reference"),
        ({"steps": 5}, "k₂ has come to"),
        ({"steps": 25}, "the one trained on k₃ is back at the reference, the one on k₂ still"),
        ({}, "k₃ has 3.02 times the noise of k₁"),
        ({"distance": 0.2}, "k₁ has"),
    ],
)
def test_what_to_see_follows_the_run(settings: dict[str, object], words: str) -> None:
    experiment, steps = made(**settings)
    assert words in LAB.see(experiment, steps[-1])
