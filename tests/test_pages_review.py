"""The review screen, without a browser: cards in, grades out, everything from the record."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest
from streamlit.testing.v1 import AppTest

from drills.errors import RecordUnavailableError
from drills.events import (
    Attempted,
    Noted,
    Payload,
    Preferred,
    Queued,
    Read,
    Reviewed,
    Suspended,
    Unreviewed,
)
from drills.queue import LEECH
from pages import resources
from pages.parts import learner, showing
from pages.parts.learner import Learner
from tests.conftest import OpenApp, Send
from tests.learners import Happened, Past


@pytest.fixture(autouse=True)
def _fast_fingers(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests click faster than the screen takes for anything but a double click."""
    monkeypatch.setattr(showing, "DOUBLE", timedelta())


P = TypeVar("P", bound=Payload)


def text(app: AppTest) -> str:
    assert list(app.exception) == []
    assert list(app.error) == []
    return "\n".join(element.value for element in app.markdown)


def press(app: AppTest, label: str) -> AppTest:
    found = [each for each in app.button if label in each.label]
    exact = [each for each in found if each.label == label]
    (*exact, *found)[0].click().run()
    return app


def grades(app: AppTest) -> list[str]:
    labels = [each.label for each in app.button if "-grade-" in (each.key or "")]
    return [re.sub(r"\*|:small\[|\]", "", label).replace("\xa0", " ") for label in labels]


def events(app: AppTest, kind: type[P]) -> list[P]:
    who: Learner = app.session_state["learner"]
    return [event.payload for event in who.record.all(kind)]


def of_lesson(lesson: str = "entropy", count: int = 3) -> list[Happened]:
    cards = resources.course().lessons[lesson].cards[:count]
    return [(timedelta(hours=1), f"{lesson}/{each.id}", Queued()) for each in cards]


def metrics(app: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in app.metric}


def test_with_nothing_read_it_says_what_will_be_here_and_how(open_app: OpenApp) -> None:
    app = open_app("review")
    assert "Nothing to review yet" in text(app)
    assert "marked it as read" in text(app)
    assert grades(app) == []


def test_cards_can_be_added_by_choice(open_app: OpenApp) -> None:
    app = press(open_app("review"), "Add these cards")
    first = next(iter(resources.course().lessons.values()))
    assert len(events(app, Queued)) == len(first.cards)
    assert "new 0 of 10" in text(app)


def test_a_read_section_brings_its_cards_in_course_order(open_app: OpenApp, record: Past) -> None:
    card = resources.course().lessons["entropy"].cards[0]
    record.add([(timedelta(hours=1), f"entropy/{card.section}", Read())])
    assert "new, its section was read" in text(open_app("review"))


def test_a_card_is_turned_graded_and_followed_by_the_next(open_app: OpenApp, record: Past) -> None:
    record.add(of_lesson())
    app = open_app("review")
    first = text(app)
    assert "**3 to go**" in first
    assert grades(app) == []
    press(app, "Show answer")
    assert grades(app) == ["Again 1 min", "Hard 6 min", "Good 10 min", "Easy 8 d"]
    assert "Source:" in text(app)
    assert "/entropy?section=" in text(app)
    press(app, "Easy")
    (graded,) = events(app, Reviewed)
    assert (graded.rating, graded.buttons) == (4, "four")
    assert "**2 to go**" in text(app)
    assert "new 1 of 10" in text(app)
    assert grades(app) == []


def test_the_gaps_of_a_sentence_are_asked_one_by_one(open_app: OpenApp, record: Past) -> None:
    names = [name for name in resources.syllabus().cards if "/grpo-advantage" in name]
    record.add([(timedelta(hours=1), name, Queued()) for name in names])
    app = open_app("review")
    assert "**2 to go**" in text(app)
    assert "minus :gray-background[[...]], divided by the group's standard" in text(app)
    press(app, "Show answer")
    assert "minus :gray-background[the mean of its group], divided by the group's" in text(app)
    press(app, "Easy")
    assert "minus the mean of its group, divided by :gray-background[[...]]" in text(app)


def test_the_intervals_are_those_of_the_scheduler_for_this_very_card(
    open_app: OpenApp, record: Past
) -> None:
    name = of_lesson(count=1)[0][1]
    record.add([(timedelta(days=20), name, Reviewed(rating=4))])
    app = press(open_app("review"), "Show answer")
    who = app.session_state["learner"]
    wanted = who.record.reviews.options(name, learner.now())
    assert [each.partition(" ")[2] for each in grades(app)] == [
        wanted[rating].label for rating in (1, 2, 3, 4)
    ]
    assert "reviews 0 of 200" in text(app)


def test_two_buttons_are_again_and_good(open_app: OpenApp, record: Past) -> None:
    record.add([*of_lesson(), (timedelta(), "reviews", Preferred(buttons="two"))])
    app = press(open_app("review"), "Show answer")
    assert [each.split()[0] for each in grades(app)] == ["Again", "Good"]
    press(app, "Good")
    (graded,) = events(app, Reviewed)
    assert (graded.rating, graded.buttons) == (3, "two")


def test_a_card_of_one_nonce_counts_once(open_app: OpenApp, record: Past) -> None:
    record.add(of_lesson())
    app = press(open_app("review"), "Show answer")
    who, at = app.session_state["learner"], app.session_state["review-showing"]
    press(app, "Good")
    assert at.grade(who, 3, buttons="four")  # the second half of a double click
    assert len(events(app, Reviewed)) == 1
    assert replace(at, nonce="another").grade(who, 3, buttons="four")
    assert len(events(app, Reviewed)) == 2


def test_a_grade_that_cannot_be_kept_is_told_and_the_card_stays(
    open_app: OpenApp, record: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    record.add(of_lesson())
    app = press(open_app("review"), "Show answer")
    asked = app.session_state["review-showing"].item

    def full(*_: object, **__: object) -> None:
        raise RecordUnavailableError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(Learner, "add", full)
        press(app, "Good")
    assert [each.value for each in app.error] == ["The disk is full."]
    assert app.session_state["review-showing"].item == asked
    assert len(grades(app)) == 4
    press(app, "Good")
    assert len(events(app, Reviewed)) == 1


def test_a_second_click_at_once_does_not_turn_the_next_card(
    open_app: OpenApp, record: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    record.add(of_lesson())
    app = open_app("review")
    monkeypatch.setattr(showing, "DOUBLE", timedelta(minutes=1))
    assert grades(press(app, "Show answer")) == []
    monkeypatch.setattr(showing, "DOUBLE", timedelta())
    assert len(grades(press(app, "Show answer"))) == 4


def test_undo_brings_the_card_back_and_asks_it_next(open_app: OpenApp, record: Past) -> None:
    record.add(of_lesson())
    app = open_app("review")
    before = app.session_state["review-showing"].item
    press(press(app, "Show answer"), "Again")
    assert app.session_state["review-showing"].item != before
    press(app, "Undo")
    assert app.session_state["review-showing"].item == before
    assert len(events(app, Unreviewed)) == 1
    assert "**3 to go**" in text(app)
    assert "new 0 of 10" in text(app)
    assert next(each for each in app.button if each.label == "Undo").disabled
    press(press(app, "Show answer"), "Easy")
    assert app.session_state["review-showing"].item != before


def test_a_reload_in_the_middle_loses_nothing(open_app: OpenApp, record: Past) -> None:
    record.add(of_lesson())
    app = press(press(open_app("review"), "Show answer"), "Easy")
    asked = app.session_state["review-showing"].item
    again = open_app("review")
    assert again.session_state["review-showing"].item == asked
    assert "**2 to go**" in text(again)
    press(again, "Undo")
    assert "**3 to go**" in text(again)


def test_a_suspended_card_is_gone_until_undo(open_app: OpenApp, record: Past) -> None:
    record.add(of_lesson())
    app = press(open_app("review"), "Suspend")
    assert len(events(app, Suspended)) == 1
    assert "**2 to go**" in text(app)
    assert "Undo brings it back" in text(app)
    press(app, "Undo")
    assert "**3 to go**" in text(app)


def test_suspended_cards_are_listed_at_the_end(open_app: OpenApp, record: Past) -> None:
    (_, name, queued) = of_lesson(count=1)[0]
    record.add([(timedelta(hours=1), name, queued), (timedelta(), name, Suspended())])
    app = open_app("review")
    assert "every card is suspended" in text(app)
    assert app.expander[0].label == "Suspended cards: 1"
    assert "**1 to go**" in text(press(app, "Bring it back"))


def test_a_note_is_written_shown_with_the_answer_and_removed(
    open_app: OpenApp, record: Past
) -> None:
    record.add(of_lesson(count=1))
    app = press(open_app("review"), "Show answer")
    app.text_area[0].set_value("Mind $x$, *always*.").run()
    press(app, "Save note")
    assert "Mind $x$, *always*." in text(app)
    again = open_app("review")
    assert "Mind" not in text(again)  # not with the question
    assert "Mind" in text(press(again, "Show answer"))
    press(again, "Remove note")
    assert "Mind" not in text(again)
    assert [each.text for each in events(again, Noted)][-1] == ""


def test_the_end_says_how_many_how_long_and_when_next(open_app: OpenApp, record: Past) -> None:
    record.add(of_lesson(count=2))
    app = press(press(open_app("review"), "Show answer"), "Again")
    press(app, "End")
    assert "1 card is due now" in text(app)
    assert metrics(app)["cards"] == "1"
    assert metrics(app)["times again"] == "1"
    assert metrics(app)["time"].endswith(" s")
    press(app, "Go on")
    assert "**2 to go**" in text(app)
    press(press(press(app, "Show answer"), "Easy"), "End")
    assert "The next card is due in 1 minute." in text(app)  # and may be asked early
    assert "**1 to go**" in text(press(app, "Go on"))


def test_when_all_is_done_it_says_when_the_next_is_due(open_app: OpenApp, record: Past) -> None:
    record.add(of_lesson(count=1))
    app = press(press(open_app("review"), "Show answer"), "Easy")
    assert [each.value for each in app.subheader] == ["All done for now"]
    assert "The next card is due in 8 days." in text(app)
    press(app, "Undo")
    assert "**1 to go**" in text(app)


def test_what_the_caps_keep_back_is_said(open_app: OpenApp, record: Past) -> None:
    record.add([*of_lesson(count=3), (timedelta(), "reviews", Preferred(new_per_day=1))])
    app = press(press(open_app("review"), "Show answer"), "Easy")
    assert "The next card is due tomorrow." in text(app)
    assert "keep 2 new cards" in text(app)


def test_settings_are_recorded_and_hold_at_once(open_app: OpenApp, record: Past) -> None:
    record.add(of_lesson(count=3))
    app = open_app("review")
    app.number_input[0].set_value(2)
    app.radio[0].set_value("two")
    app.slider[0].set_value(95)
    press(app, "Save")
    (wish,) = events(app, Preferred)
    assert (wish.new_per_day, wish.buttons, wish.retention) == (2, "two", 0.95)
    assert "new 0 of 2" in text(app)
    assert len(grades(press(app, "Show answer"))) == 2


def test_a_leech_is_named_and_leads_to_its_section(open_app: OpenApp, record: Past) -> None:
    name = of_lesson(count=1)[0][1]
    often: list[Happened] = [(timedelta(days=400), name, Reviewed(rating=4))]
    for n in range(LEECH):
        ago = timedelta(days=390 - 40 * n)
        often += [(ago, name, Reviewed(rating=rating)) for rating in (1, 4)]
    record.add(often)
    app = open_app("review")
    assert f"a leech: forgotten {LEECH} times" in text(app)
    press(app, "End")
    assert "**Leeches.**" in text(app)
    assert "/entropy?section=" in text(app)


@pytest.mark.parametrize("lesson", ["cross-entropy", "calibration"])
def test_every_card_shows_both_faces(open_app: OpenApp, record: Past, lesson: str) -> None:
    cards = resources.course().lessons[lesson].cards
    wish = (timedelta(), "reviews", Preferred(new_per_day=99))
    record.add([*of_lesson(lesson, len(cards)), wish])
    app = open_app("review")
    for card in cards:
        asked = text(app)
        assert "{{" not in asked
        if card.kind == "cloze":
            assert "[...]" in asked
        press(app, "Show answer")
        answered = text(app)
        assert "{{" not in answered
        assert "[...]" not in answered
        assert answered.count("$") % 2 == 0
        press(app, "Easy")
    assert "All done for now" in app.subheader[0].value


# --- a typed line --------------------------------------------------------------------------------

LINE = "dpo/line-ipo-margin-slope"  # the second line of "Where IPO stops": its derivative
RIGHT, WRONG = "2*u - 1/tau", "2*u + 1/tau"


def missed(line: str = "slope") -> Happened:
    said = Attempted(line=line, of=2, way="prove", outcome="different", typed=WRONG)
    return timedelta(hours=1), "dpo/ipo-margin", said


def bold(app: AppTest) -> list[str]:
    labels = [each.label for each in app.button if "-grade-" in (each.key or "")]
    return [label.split("**")[1] for label in labels if "**" in label]


def test_a_line_missed_in_a_proof_is_asked_for_here_and_graded(
    open_app: OpenApp, send: Send
) -> None:
    proving = send(open_app("prove", derivation="ipo-margin", way="prove"), WRONG)
    assert "will come back in [Review](/review)" in text(proving)
    app = open_app("review")
    assert app.session_state["review-showing"].item == LINE
    asked = text(app)
    assert "DPO · learning, it was missed" in asked
    assert "**Goal.**" in asked
    assert "u - " in asked  # the line before
    assert grades(app) == []
    send(app, RIGHT)
    assert "Right." in text(app)
    assert bold(app) == ["Good"]
    assert len(grades(app)) == 4
    assert events(app, Attempted)[-1].proves
    press(app, "Good")
    (graded,) = events(app, Reviewed)
    assert graded.rating == 3
    who = app.session_state["learner"]
    assert who.record.reviews.cards[LINE].log[-1].rating == 3
    after = open_app("prove", derivation="ipo-margin", way="prove")
    assert "will come back" not in text(after)


def test_a_wrong_line_is_told_and_suggests_again(
    open_app: OpenApp, record: Past, send: Send
) -> None:
    record.add([missed()])
    app = send(open_app("review"), WRONG)
    assert "your left side" in text(app) or "what you typed" in text(app)
    assert bold(app) == ["Again"]
    assert len(grades(app)) == 4  # the learner has the last word
    send(app, RIGHT)
    assert bold(app) == ["Again"]  # right only after a miss
    press(app, "Again")
    assert [each.rating for each in events(app, Reviewed)] == [1]


@pytest.mark.parametrize("typed", ["2*u - 1/(", "banana = 3"])
def test_what_cannot_be_read_never_counts(
    open_app: OpenApp, record: Past, send: Send, typed: str
) -> None:
    record.add([missed()])
    app = send(open_app("review"), typed)
    assert "This does not count" in text(app)
    assert grades(app) == []
    send(app, RIGHT)
    assert bold(app) == ["Good"]


def test_the_line_before_rewritten_is_no_answer_yet(
    open_app: OpenApp, record: Past, send: Send
) -> None:
    record.add([missed()])
    app = send(open_app("review"), "u^2 - u/tau + 1/(4*tau^2)")
    assert "It follows" in text(app)
    assert grades(app) == []
    send(app, "(u - 1/(2*tau))^2")
    assert "stands already" in text(app)


def test_a_line_that_is_shown_can_only_come_again(open_app: OpenApp, record: Past) -> None:
    record.add([missed()])
    app = press(open_app("review"), "Show the line")
    assert [each.split()[0] for each in grades(app)] == ["Again"]
    assert "Differentiate in the margin" in text(app)
    press(app, "Again")
    assert [each.rating for each in events(app, Reviewed)] == [1]
    assert events(app, Attempted)[-1].hint == 3


def test_lines_that_the_course_has_dropped_are_passed_over(open_app: OpenApp, record: Past) -> None:
    gone = Attempted(line="gone", of=2, way="prove", outcome="different")
    record.add([missed("gone"), (timedelta(hours=1), "dpo/no-such", gone), *of_lesson(count=1)])
    app = open_app("review")
    assert app.session_state["review-showing"].item == of_lesson(count=1)[0][1]
