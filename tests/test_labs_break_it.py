"""The repair shop: the broken run comes first, then the question, the repair and its judgment."""

import inspect
import re
import time
from dataclasses import replace
from typing import get_args

import pytest
from streamlit.testing.v1 import AppTest

from engine.experiments import break_it as shop
from pages import resources
from pages.labs import break_it
from pages.labs.break_it import CASES, LAB, REASONS
from pages.parts import break_it_charts
from tests.conftest import OpenApp
from tests.lab_runs import PATIENCE_SECONDS, alts, ended
from tests.learners import finish

NAMES = get_args(shop.Case)
CAUSES = {  # cause -> how an option says it
    "leash-too-loose": "price on leaving the reference is too low",
    "leash-too-tight": "price on leaving the reference is too high",
    "too-few-steps": "stopped too early",
    "entropy-lost": "lost its entropy",
    "labels-never-err": "never contradict each other",
    "rare-hardly-moves": "too rare to move the gradient",
    "proxy-followed-too-far": "followed past its peak",
    "comparisons-unconnected": "never compared",
    "responses-share-features": "look alike to the policy",
    "length-preferred": "like what is longer",
}
HOSTILE = {"break-it_case": "all", "break-it_seed": "1e999", "break-it_beta": "x"}


@pytest.fixture
def opened(open_app: OpenApp, token: str, monkeypatch: pytest.MonkeyPatch) -> OpenApp:
    """Run pages as a learner who has predicted everything; runs are not slowed down."""
    monkeypatch.setattr(break_it, "LAB", replace(LAB, seconds=0.0))
    finish(resources.course().lessons["dpo"], resources.store(), token)
    return open_app


def rested(app: AppTest) -> AppTest:
    """Wait for the broken run that is there from the first, and draw it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while app.session_state["run-break-it"].job.live:
        assert time.monotonic() < deadline, "the run does not end"
        time.sleep(0.02)
    return app.run()


def test_the_broken_run_is_drawn_before_the_question_and_cannot_be_mended_yet(
    open_app: OpenApp,
) -> None:
    app = open_app("lab", id="break-it")
    rested(app)
    assert list(app.exception) == []
    assert len(alts(app)) == len(break_it_charts.CHARTS["small-beta"])
    assert "break-it-main" not in [button.key for button in app.button]
    assert not any("Still broken" in each.value for each in app.markdown)


@pytest.mark.parametrize("case", NAMES)
def test_the_cause_among_five_is_the_one_that_the_engine_names(case: str) -> None:
    choice = resources.course().lessons["dpo"].predictions[f"lab-break-it-{case}"]
    said = [
        next(name for name, words in CAUSES.items() if words in option.text)
        for option in choice.options
    ]
    assert sorted(said) == sorted(shop.CAUSES[case])
    assert said[choice.answer] == shop.CAUSES[case][0]
    assert LAB.asks is not None
    assert LAB.asks({"case": case}) == choice.id


def test_answers_stand_in_all_places() -> None:
    choices = resources.course().lessons["dpo"].predictions
    assert {choices[f"lab-break-it-{case}"].answer for case in NAMES} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("case", NAMES)
def test_the_run_that_opens_is_broken_and_shows_what_it_is_known_by(case: str) -> None:
    settings = break_it.broken({"case": case})
    experiment = shop.build(shop.Settings.read(settings))
    steps = list(experiment.run())
    assert not shop.judge(experiment, steps).mended
    assert not LAB.about(settings)
    drawn = break_it_charts.CHARTS[case]
    shown = {
        reading
        for name in drawn
        if name != "policy"
        for reading, _, _ in break_it_charts.FRAMES[name][1]
    }
    assert set(experiment.shown) <= shown
    for each in (*LAB.row, *LAB.more):
        offered = getattr(each, "values", None) or getattr(each, "options", None)
        assert offered is None or settings[each.name] in offered, each.name
    assert break_it_charts.told(experiment, steps[-1])


def test_every_reason_has_words() -> None:
    source = inspect.getsource(shop)
    assert all(f'"{reason}"' in source for reason in REASONS)
    assert set(re.findall(r'_(?:mended|broken)\(\s*"([a-z-]+)"', source)) <= set(REASONS)
    judgment = shop.Judgment(mended=False, reason="margin-grows", measure=0.5169, threshold=0.01)
    assert break_it._words(judgment) == (
        "The second half of the run added 51.7% of the margin; at most 1% is rest."
    )


@pytest.mark.parametrize(
    ("case", "setting", "value", "reason"),
    [
        ("displacement", "features", "table", "no lower than its first"),
        ("overoptimization", "beta", 0.5, "near the peak"),
    ],
)
def test_a_repair_is_judged_and_then_the_question_returns(
    opened: OpenApp, case: str, setting: str, value: object, reason: str
) -> None:
    app = opened("lab", id="break-it", **{"break-it_case": CASES[case]})
    rested(app)
    assert app.session_state["break-it_beta"] == 0.1  # as in the broken run
    assert any("Still broken" in each.value for each in app.markdown)
    assert any("Mend it" in each.value for each in app.markdown)
    kind = app.select_slider if setting == "beta" else app.selectbox
    kind(key=f"break-it_{setting}").set_value(value).run()
    app = ended(app, "break-it")
    words = [each.value for each in app.markdown]
    assert any("Mended." in each and reason in each for each in words)
    assert not any("Mend it" in each for each in words)


def test_another_case_begins_with_its_own_broken_run(opened: OpenApp) -> None:
    app = opened("lab", id="break-it", **HOSTILE)
    assert app.session_state["run-break-it"].settings["case"] == "small-beta"
    app.selectbox(key="break-it_case").select("large-beta").run()
    assert list(app.exception) == []
    assert app.session_state["break-it_beta"] == 5.0
    assert app.session_state["run-break-it"].settings == break_it.broken({"case": "large-beta"})


def test_a_shared_address_gives_the_same_records(opened: OpenApp) -> None:
    address = {"case": CASES["islands"], "graph": "Neighbors", "seed": "5", "steps": "20"}
    app = opened(
        "lab", id="break-it", **{f"break-it_{name}": value for name, value in address.items()}
    )
    app = ended(rested(app), "break-it")
    run = app.session_state["run-break-it"]
    settings = shop.Settings.read(dict(run.settings))
    assert (settings.graph, settings.seed, settings.steps) == ("chain", 5, 20)
    again = list(shop.build(settings).run())
    assert [s.readings["apart"] for s in run.job.steps] == [s.readings["apart"] for s in again]
