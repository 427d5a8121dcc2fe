"""The labs on surprise, entropy and KL without a browser: what a run says, what a link may hold."""

from dataclasses import replace
from importlib import import_module

import pytest
from streamlit.testing.v1 import AppTest

from pages import resources
from pages.parts import shaper, state
from tests.conftest import OpenApp
from tests.learners import finish
from tests.test_pages_lesson import drawn

LESSONS = {"surprise": "likelihood", "entropy": "entropy", "kl": "kl"}
SAID = [
    ("surprise", {"surprise_tokens": "1000"}, "rounding up keeps it there"),
    ("surprise", {"surprise_tokens": "60", "surprise_probability": "0.1"}, "has become 0"),
    ("surprise", {"surprise_tokens": "30"}, "still tell the same"),
    (
        "surprise",
        {"surprise_text": "A bigram model's story", "surprise_tokens": "99"},
        "still tell",
    ),
    ("surprise", {"surprise_text": "At random", "surprise_precision": "float16"}, "become 0"),
    ("entropy", {}, "inside the band"),
    ("entropy", {"entropy_weights": "1,1,1,1"}, "Every draw surprises alike"),
    ("entropy", {"entropy_weights": "1,0,0"}, "Every draw surprises alike"),
    ("entropy", {"entropy_weights": "5,0,1", "entropy_temperature": "5.0"}, "never rises above"),
    ("kl", {}, "A sample of k₃ scatters 3.0 times as much as one of k₁"),
    ("kl", {"kl_q": "45,32,23"}, "A sample of k₁ scatters"),
    ("kl", {"kl_q": "62.5,37.5,0"}, "k₃ settles 0.2 nats too low"),
    ("kl", {"kl_p": "62.5,37.5,0"}, "KL(q‖p) is infinite"),
    ("kl", {"kl_q": "1,1", "kl_p": "1,1"}, "scatters no more than"),
]
HOSTILE = [
    ("surprise", {"surprise_probability": "2", "surprise_tokens": "1e999", "surprise_text": "x"}),
    ("entropy", {"entropy_weights": "<b>", "entropy_seed": "inf", "entropy_temperature": "nan"}),
    ("entropy", {"entropy_weights": "1," * 300, "entropy_draws": "-1"}),
    ("kl", {"kl_q": "0,0,0", "kl_p": "nan,1", "kl_samples": "x", "kl_seed": "9" * 400}),
]
FORGED: list[object] = [
    "text",
    {},
    {"texts": "1,2"},
    {"texts": ["1,2"]},
    {"texts": ["1,2", "1,2,3"]},
    {"texts": ["1,2", 3]},
    {"texts": ["1,2", "-1,2"]},
    {"texts": ["1,2", "0,0"]},
    {"texts": ["1,2", "1,2" + " " * 1000]},
]


@pytest.fixture
def lab(open_app: OpenApp, token: str, monkeypatch: pytest.MonkeyPatch) -> OpenApp:
    """Open labs as a learner who has committed; runs are not slowed down to be watched."""
    for name, lesson in LESSONS.items():
        finish(resources.course().lessons[lesson], resources.store(), token)
        module = import_module(f"pages.labs.{name}")
        monkeypatch.setattr(module, "LAB", replace(module.LAB, seconds=0.0))
    return open_app


def ran(app: AppTest, name: str) -> AppTest:
    """Press Run, wait until the run has ended, and draw what came of it."""
    app.button(key=f"{name}-main").click().run()
    job = app.session_state[f"run-{name}"].job
    while job.live:
        pass
    return app.run()


@pytest.mark.parametrize(("name", "query", "said"), SAID, ids=range(len(SAID)))
def test_what_there_is_to_see_follows_the_run(
    lab: OpenApp, name: str, query: dict[str, str], said: str
) -> None:
    app = ran(lab("lab", id=name, **query), name)
    assert said in drawn(app)
    assert list(app.error) == []


@pytest.mark.parametrize(("name", "query"), HOSTILE, ids=range(len(HOSTILE)))
def test_no_address_breaks_a_lab(lab: OpenApp, name: str, query: dict[str, str]) -> None:
    assert "What to see" in drawn(ran(lab("lab", id=name, **query), name))


def test_two_shapes_with_different_outcomes_are_told_in_words(lab: OpenApp) -> None:
    app = lab("lab", id="kl", kl_q="1,2", kl_p="1,2,3")
    app.button(key="kl-main").click().run()
    assert [error.value for error in app.error] == [
        "Expected as many weights in both texts, 2, got 3. "
        "Give every outcome a weight in both; zero is one."
    ]


@pytest.mark.parametrize("name", LESSONS)
def test_nothing_opens_before_the_learner_commits(open_app: OpenApp, name: str) -> None:
    app = open_app("lab", id=name)
    assert "The lab opens when you have committed" in drawn(app)
    assert not [button for button in app.button if button.label == "Run"]


@pytest.mark.parametrize("said", FORGED, ids=range(len(FORGED)))
def test_what_is_no_shape_is_not_taken(said: object, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[list[str]] = []
    monkeypatch.setattr(state, "get", lambda _key, default=None: {"shaped": said})
    shaper._tell(taken.append, "shape", 2)
    assert taken == []


def test_a_shape_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[list[str]] = []
    said = {"shaped": {"texts": ["1,2", "0,3"]}}
    monkeypatch.setattr(state, "get", lambda _key, default=None: said)
    shaper._tell(taken.append, "shape", 2)
    assert taken == [["1,2", "0,3"]]
