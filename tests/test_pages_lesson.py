"""The screens without a browser: what is shut, what a link opens, what a hostile address does."""

import re

import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from content.draft import TAKEN
from content.schema import Choice
from drills.events import Predicted, Wrote, item
from pages import resources
from pages.parts import belief, predict
from pages.parts.learner import now
from tests.conftest import OpenApp
from tests.learners import finish
from tests.server import ROOT

SHUT = "The lesson goes on here once you have committed"
SCREENS = (
    *("", "progress", "decks", "glossary", "errata", "sources", "restore", "lab"),
    *("review", "practice"),
)
HOSTILE = [
    {"section": "nowhere", "line": "nothing"},
    {"line": "", "section": ""},
    {"line": "<script>alert(1)</script>"},
    {"dpo-beta": "0", "dpo-r0": "nan", "dpo-r1": "inf", "dpo-p0": "-1", "dpo-break": "all"},
    {"dpo_policy": "", "dpo_data": "", "dpo_labels": "", "dpo_beta": "", "dpo_steps": ""},
    {"dpo_policy": "None", "dpo_data": "__class__", "dpo_optimizer": "sgd", "dpo_beta": "0"},
    {"dpo_seed": "inf", "dpo_steps": "-inf", "dpo_prompts": "nan", "dpo_pairs": "1e999"},
    {"dpo_seed": "9" * 400, "dpo_steps": "1e9", "dpo_responses": "1", "dpo_pairs": "x"},
    {"id": "../dpo", "term": "nothing", "code": "<b>"},
]
FORGED: list[object] = [
    "commit",
    {},
    {"nonce": 1, "percents": None},
    {"nonce": "a", "percents": "25"},
    {"nonce": "a", "percents": [50, 50, 0]},
    {"nonce": "a", "percents": [25, 25, 25, "25"]},
    {"nonce": "a", "percents": [25, 25, 25, -25]},
    {"nonce": "a", "percents": [25, 25, 25, float("nan")]},
    {"nonce": "a", "percents": [0, 0, 0, 0]},
]


def choice() -> Choice:
    """Return a question with four options."""
    questions = resources.course().lessons["dpo"].questions
    return next(q for q in questions if isinstance(q, Choice) and len(q.options) == 4)


def drawn(app: AppTest) -> str:
    """Return all text of a screen that drew without an error."""
    assert list(app.exception) == []
    return "\n".join(element.value for element in [*app.title, *app.header, *app.markdown])


@pytest.fixture
def finished(open_app: OpenApp, token: str) -> OpenApp:
    """Run pages as a learner for whom all of the lesson is open."""
    finish(resources.course().lessons["dpo"], resources.store(), token)
    return open_app


def test_text_stays_shut_until_the_learner_commits(open_app: OpenApp) -> None:
    app = open_app("dpo")
    assert SHUT in drawn(app)
    sections = resources.course().lessons["dpo"].sections
    titles = [section.title for section in sections if section.title]
    shown = [header.value for header in app.header]
    assert shown == titles[: len(shown)]
    assert len(shown) < len(titles) / 2


def test_a_commitment_opens_what_it_closes(open_app: OpenApp, token: str) -> None:
    before = drawn(open_app("dpo"))
    store, lesson = resources.store(), resources.course().lessons["dpo"]
    name, first = next(iter(lesson.predictions.items()))
    said = predict.probabilities(belief.Committed(None, "a"), first)
    who = store.ensure_learner(token, now=now())
    prediction = Predicted(probabilities=said, right=first.answer)
    store.append(who, item("dpo", name), prediction, now=now())
    assert len(drawn(open_app("dpo"))) > len(before)


def test_a_link_opens_its_section_only(open_app: OpenApp) -> None:
    text = drawn(open_app("dpo", line="reward"))
    assert "Your link opened this section" in text
    assert SHUT in text


def test_who_has_done_it_all_sees_the_end(finished: OpenApp) -> None:
    app = finished("dpo")
    assert SHUT not in drawn(app)
    assert app.header[-1].proto.anchor == "end"


@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_draws_for_a_new_and_for_a_finished_learner(
    open_app: OpenApp, token: str, screen: str
) -> None:
    assert drawn(open_app(screen))
    finish(resources.course().lessons["dpo"], resources.store(), token)
    assert drawn(open_app(screen))


def test_no_lesson_can_take_the_address_of_a_screen() -> None:
    router = (ROOT / "pages" / "router.py").read_text(encoding="utf-8")
    screens = re.findall(r'_screen\("\w+\.(\w+)"(?:.*path="(\w+)")?', router)
    assert len(screens) >= 7
    assert {path or module for module, path in screens} <= set(TAKEN)


@pytest.mark.parametrize("query", HOSTILE, ids=lambda query: next(iter(query)))
@pytest.mark.parametrize("screen", ["dpo", "lab"])
def test_no_address_breaks_a_screen(finished: OpenApp, screen: str, query: dict[str, str]) -> None:
    app = finished(screen, **({"id": "dpo"} if screen == "lab" else {}) | query)
    assert "<script>" not in drawn(app)


@pytest.mark.parametrize("query", [{"id": "../dpo"}, {"term": "nowhere"}, {"code": "<b>"}])
@pytest.mark.parametrize("screen", ["lab", "glossary", "restore"])
def test_no_address_reaches_what_is_not_there(
    open_app: OpenApp, screen: str, query: dict[str, str]
) -> None:
    assert not set(query.values()) & set(drawn(open_app(screen, **query)).split())


def test_a_run_starts_with_the_settings_of_the_address(finished: OpenApp) -> None:
    app = finished("lab", id="dpo", dpo_data="Many prompts", dpo_steps="3", dpo_seed="5")
    app.button(key="dpo-main").click().run()
    assert list(app.exception) == []
    assert list(app.error) == []
    run = app.session_state["run-dpo"]
    assert (run.settings["steps"], run.settings["seed"]) == (3, 5)
    run.job.stop()


@pytest.mark.parametrize("said", FORGED)
def test_what_is_not_a_belief_is_no_answer(said: object) -> None:
    assert belief._committed(said, 4) is None


@pytest.mark.parametrize("percents", [[100, 0, 0, 0], [100, 100, 100, 100], [True, 0, 0, 0]])
def test_a_forged_belief_keeps_the_floor(percents: list[float]) -> None:
    said = belief._committed({"nonce": "a" * 1000, "percents": percents}, 4)
    assert said is not None
    assert len(said.nonce) <= 64
    probabilities = predict.probabilities(said, choice())
    assert min(probabilities) >= 0.01
    assert sum(probabilities) == pytest.approx(1)


def test_a_written_answer_is_shown_as_it_was_written(finished: OpenApp, token: str) -> None:
    store, lesson = resources.store(), resources.course().lessons["dpo"]
    synthesis = next(q for q in lesson.questions if not isinstance(q, Choice))
    written = "# big ![x](http://example.com/x.png) $x$ <b>bold</b>"
    who = store.ensure_learner(token, now=now())
    store.append(who, item("dpo", synthesis.id), Wrote(text=written), now=now())
    app = finished("dpo")
    app.session_state["quiz-at-dpo"] = lesson.questions.index(synthesis)
    app.run()
    assert written in [text.value for text in app.text]
    assert written not in drawn(app)


def test_a_recovery_link_goes_with_the_record(
    finished: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ContextProxy, "url", property(lambda _context: "http://here/progress"))
    app = finished("progress", part="Yours")
    next(b for b in app.button if b.label == "Make a recovery link").click().run()
    (link,) = [code.value for code in app.code]
    assert re.fullmatch(r"http://here/restore\?code=[0-9A-Z-]{29}", link)
    app.text_input(key="delete-confirmation").input("delete").run()
    next(b for b in app.button if b.label == "Delete my record").click().run()
    assert "Nothing is recorded yet" in drawn(app)
    assert list(app.code) == []


def test_a_code_that_nobody_made_is_refused(finished: OpenApp) -> None:
    app = finished("restore", code="00000-00000-00000-00000-00000")
    next(b for b in app.button if b.label == "Continue with that record").click().run()
    assert "recovery code is not known" in app.error[0].value
    assert list(app.exception) == []


def test_without_a_cookie_the_lesson_works_and_says_so(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ContextProxy, "cookies", property(lambda _context: {}))
    app = open_app("dpo")
    assert "refuses our cookie" in app.info[0].value
    assert SHUT in drawn(app)
    assert "see the note above" in drawn(open_app("restore", code="x"))
