"""The annotator lab: compare, undo, run; what was chosen stays, and its question is answered."""

from dataclasses import replace

import pytest

from engine.experiments import annotator as engine
from pages import resources
from pages.labs import annotator
from pages.labs.annotator import LAB
from tests.conftest import OpenApp
from tests.lab_runs import alts, ended
from tests.learners import finish
from tests.test_engine_experiments_annotator import always_lower


@pytest.fixture
def opened(open_app: OpenApp, token: str, monkeypatch: pytest.MonkeyPatch) -> OpenApp:
    """Run pages as a learner who has predicted everything; runs are not slowed down."""
    monkeypatch.setattr(annotator, "LAB", replace(LAB, seconds=0.0))
    finish(resources.course().lessons["dpo"], resources.store(), token)
    return open_app


def test_the_lab_is_shut_until_the_learner_has_predicted(open_app: OpenApp) -> None:
    app = open_app("lab", id="annotator")
    assert list(app.exception) == []
    assert not {"annotator-main", "annotator-choose-1"} & {button.key for button in app.button}


def test_choices_are_kept_undone_and_begun_anew(opened: OpenApp) -> None:
    app = opened("lab", id="annotator")
    first, second = engine.schedule()[:2]
    app.button(key="annotator-choose-1").click().run()
    app.button(key="annotator-choose-2").click().run()
    kept = f"{first[0]}{first[1]} {second[1]}{second[0]}"
    assert app.session_state["annotator_choices"] == kept
    app.button(key="annotator-undo").click().run()
    assert app.session_state["annotator_choices"] == kept[:2]
    app.button(key="annotator-main").click().run()
    assert "at least 12 comparisons" in app.error[0].value
    app.button(key="annotator-over").click().run()
    assert app.session_state["annotator_choices"] == ""
    assert list(app.exception) == []


def test_a_shared_address_gives_the_same_records_and_tells_them_back(opened: OpenApp) -> None:
    choices = always_lower(12)
    app = ended(opened("lab", id="annotator", annotator_choices=choices), "annotator")
    steps = app.session_state["run-annotator"].job.steps
    again = list(engine.build(engine.Settings(choices=choices)).run())
    assert [step.rewards for step in steps] == [step.rewards for step in again]
    assert len(alts(app)) == 4
    words = "\n".join(each.value for each in app.markdown)
    assert "Your favorite is A" in words
    assert "What explains most is" in words
    assert "0 run in a circle" in words


@pytest.mark.parametrize("choices", ["70 99", "x" * 500, "00", "1e999"])
def test_nonsense_in_the_address_is_an_empty_start(opened: OpenApp, choices: str) -> None:
    app = opened("lab", id="annotator", annotator_choices=choices, annotator_beta="x")
    assert list(app.exception) == []
    assert app.button(key="annotator-undo").disabled


def test_what_is_predicted_comes_out() -> None:
    """Right: a difference by way of others; also where no third answer is shared."""
    choice = resources.course().lessons["dpo"].predictions["lab-annotator-unmet"]
    assert "by way of the answers" in choice.options[choice.answer].text
    made = engine.build(engine.Settings(choices=always_lower(12)))
    rewards = list(made.run())[-1].rewards
    due = engine.schedule()[:12]
    met = [{b if a == text else a for a, b in due if text in (a, b)} for text in range(8)]
    far = [(a, b) for a in range(8) for b in range(a) if b not in met[a] and not met[a] & met[b]]
    assert far  # couples without a common third
    assert all(abs(rewards[a] - rewards[b]) > 0.05 for a, b in far)
