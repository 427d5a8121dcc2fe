"""Mixed practice, without a browser: ten tasks, all of them recorded as everywhere else."""

from datetime import timedelta
from itertools import pairwise

import pytest
from streamlit.testing.v1 import AppTest

from drills.events import Answered, Attempted, Queued, Read, Reviewed
from drills.mixture import Task
from engine.algebra.derivations import derivation
from pages import resources
from pages.parts import belief, learner, showing
from pages.parts.learner import Learner
from tests.conftest import OpenApp, Send
from tests.learners import Past


@pytest.fixture(autouse=True)
def _fast_fingers(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests click faster than the screen takes for anything but a double click."""
    monkeypatch.setattr(showing, "DOUBLE", timedelta())


@pytest.fixture
def begun(record: Past) -> Past:
    """A learner who read three lessons and has two cards of each."""
    hour = timedelta(hours=1)
    for lesson in ("kl", "dpo", "entropy"):
        loaded = resources.course().lessons[lesson]
        record.add((hour, f"{lesson}/{section.id}", Read()) for section in loaded.sections[:1])
        record.add((hour, f"{lesson}/{each.id}", Queued()) for each in loaded.cards[:2])
    return record


def text(app: AppTest) -> str:
    assert list(app.exception) == []
    assert list(app.error) == []
    return "\n".join(element.value for element in app.markdown)


def press(app: AppTest, label: str) -> AppTest:
    next(each for each in app.button if label in each.label).click().run()
    return app


def session(app: AppTest) -> tuple[Task, ...]:
    found: tuple[Task, ...] = app.session_state["mixed-tasks"]
    return found


def who(app: AppTest) -> Learner:
    found: Learner = app.session_state["learner"]
    return found


def test_who_began_nothing_is_told_what_will_be_here(open_app: OpenApp) -> None:
    app = open_app("practice")
    assert "Nothing to mix yet" in text(app)
    assert all("Begin" not in each.label for each in app.button)


def test_a_session_is_ten_of_all_kinds_from_different_lessons(
    open_app: OpenApp, begun: Past
) -> None:
    app = press(open_app("practice"), "Begin: 10 things")
    assert "**1 of 10**" in text(app)
    chosen = session(app)
    assert len(chosen) == 10
    assert {task.kind for task in chosen} == {"card", "question", "line"}
    assert all(one.lesson != other.lesson for one, other in pairwise(chosen))
    again = press(open_app("practice"), "Begin: 10 things")
    assert session(again) == chosen  # the same record, the same ten


def test_each_kind_is_done_recorded_and_summed_up(
    open_app: OpenApp, begun: Past, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[belief.Committed] = []
    monkeypatch.setattr(belief, "ask", lambda *_, **__: said.pop() if said else None)
    app = press(open_app("practice"), "Begin")
    for number, task in enumerate(session(app), start=1):
        assert f"**{number} of 10**" in text(app)
        if task.kind == "card":
            press(press(app, "Show answer"), "Good")
        elif task.kind == "question":
            said.append(belief.Committed(None, f"belief-{number}"))
            press(app.run(), "Next")
        else:
            name = task.derivation.partition("/")[2]
            press(send(app, derivation(name).line(task.line).typed), "Next")
    kinds = [task.kind for task in session(app)]
    kept = who(app).record
    assert len(kept.all(Reviewed)) == kinds.count("card") == 4
    assert [event.payload.bits for event in kept.all(Answered)] == pytest.approx([0.0] * 4)
    assert all(event.payload.proves for event in kept.all(Attempted))
    shown = {each.label: each.value for each in app.metric}
    assert shown == {
        "cards recalled": "4 of 4",
        "questions right": "0 of 4",
        "lines typed": "2 of 2",
    }
    press(app, "Another session")
    assert "**1 of 10**" in text(app)
    assert not {task.item for task in session(app) if task.kind == "line"} & {
        task.item for task in record_lines(app)
    }


def record_lines(app: AppTest) -> list[Task]:
    """The lines that are proved, as tasks."""
    from drills.reviews import line_card

    return [
        Task("line", line_card(event.item, event.payload.line))
        for event in who(app).record.all(Attempted)
    ]


def test_a_task_can_be_skipped_and_the_session_ended(open_app: OpenApp, begun: Past) -> None:
    app = press(press(open_app("practice"), "Begin"), "Skip")
    assert "**2 of 10**" in text(app)
    press(app, "End")
    assert [each.value for each in app.subheader] == ["The session is over"]
    assert list(app.metric) == []
    assert who(app).record.all(Reviewed) == ()


def test_a_missed_line_is_shown_and_comes_back_in_review(
    open_app: OpenApp, begun: Past, send: Send
) -> None:
    app = press(open_app("practice"), "Begin")
    while session(app)[app.session_state["mixed-at"]].kind != "line":
        press(app, "Skip")
    task = session(app)[app.session_state["mixed-at"]]
    send(app, "x = 3")
    press(app, "Show the line")
    press(app, "Next")
    press(app, "End")
    assert "will come back in [Review](/review)" in text(app)
    assert task.item in who(app).record.reviews.lines
    assert learner.now() - who(app).record.reviews.lines[task.item].missed < timedelta(minutes=9)
