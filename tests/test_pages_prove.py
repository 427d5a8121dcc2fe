"""The page that asks for proofs, without a browser: every way, from the record and back."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from drills.events import Attempted
from engine.algebra.derivations import all_derivations, derivation
from pages import resources
from pages.parts import fill, formulas, line_field, proof, units
from pages.parts.learner import Learner
from tests.conftest import OpenApp, Send

NAMES = list(all_derivations())
WAYS = ("watch", "fill", "prove", "spot")


def text(app: AppTest) -> str:
    assert list(app.exception) == []
    assert list(app.error) == []
    return "\n".join(element.value for element in app.markdown)


def attempts(app: AppTest) -> list[Attempted]:
    who: Learner = app.session_state["learner"]
    return [event.payload for event in who.record.all(Attempted)]


def button(app: AppTest, label: str) -> AppTest:
    next(each for each in app.button if label in each.label).click().run()
    return app


# --- the screen ----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_every_derivation_opens_in_every_way(open_app: OpenApp, name: str, way: str) -> None:
    app = open_app("prove", derivation=name, way=way)
    assert "Type the lines yourself" in text(app)
    assert app.selectbox[0].value == name


def test_derivations_stand_in_the_order_of_the_course_with_what_is_proved(
    open_app: OpenApp,
) -> None:
    app = open_app("prove")
    options = app.selectbox[0].options
    assert len(options) == len(NAMES)
    lessons = [option.split(" · ")[-2] for option in options]
    course = [each.head.short for each in resources.course().lessons.values()]
    assert lessons == sorted(lessons, key=course.index)
    assert "0 of 4 proved" in options[0]
    assert any("Where IPO stops" in option for option in options)


@pytest.mark.parametrize("wrong", ["nothing", "", "<b>", "../dpo"])
def test_an_address_that_names_nothing_opens_the_first(open_app: OpenApp, wrong: str) -> None:
    app = open_app("prove", derivation=wrong, way=wrong)
    assert app.selectbox[0].value == "logit-gradient"
    assert "holds" in text(app)


def test_what_is_chosen_stands_in_the_address(open_app: OpenApp) -> None:
    app = open_app("prove")
    app.selectbox[0].set_value("ipo-margin").run()
    assert app.query_params["derivation"] in ("ipo-margin", ["ipo-margin"])
    assert app.query_params["way"] in ("watch", ["watch"])


# --- fill ----------------------------------------------------------------------------------------


def filled_in(open_app: OpenApp) -> AppTest:
    app = open_app("prove", derivation="ipo-margin", way="fill")
    app.radio[0].set_value("Put the target in").run()
    return button(app, "Check")


def test_a_wrong_rule_is_said_and_may_be_tried_again(open_app: OpenApp, send: Send) -> None:
    app = open_app("prove", derivation="ipo-margin", way="fill")
    app.radio[0].set_value("Square the distance from a target").run()
    button(app, "Check")
    assert "leads to another line" in text(app)
    app.radio[0].set_value("Put the target in").run()
    button(app, "Check")
    assert [(each.asked, each.outcome) for each in attempts(app)] == [
        ("rule", "different"),
        ("rule", "equivalent"),
    ]
    assert len(app.radio) == 0


def test_blanks_grow_with_each_round_without_a_hint(open_app: OpenApp, send: Send) -> None:
    app = send(filled_in(open_app), "u = 1/(2*tau)")
    assert "All blanks are filled" in text(app)
    assert any(
        re.match("Where IPO stops.* · 1 of 2 proved", each) for each in app.selectbox[0].options
    )
    assert app.selectbox[0].value == "ipo-margin"  # though its label has changed
    button(app, "With 2 lines blank")
    assert "Two lines are left out" in text(app)


def test_a_hint_is_recorded_and_the_number_of_blanks_stays(open_app: OpenApp, send: Send) -> None:
    app = button(filled_in(open_app), "Hint: what it says")
    assert "The pull ends at a finite margin" in text(app)
    send(app, "u = 1/(2*tau)")
    assert attempts(app)[-1].hint == 2
    button(app, "Once more")
    assert "One line is left out" in text(app)


def test_a_wrong_line_has_its_sentence_and_numbers(open_app: OpenApp, send: Send) -> None:
    app = send(filled_in(open_app), "u = -1/(2*tau)")
    shown = text(app)
    assert "it will come back in [Review](/review)" in shown
    assert "sign" in shown
    assert "your left side" in shown
    assert attempts(app)[-1].mistake == "sign"


def test_what_cannot_be_read_has_a_caret_and_does_not_count(open_app: OpenApp, send: Send) -> None:
    app = send(filled_in(open_app), "u = 1/(2*<img src=x onerror=alert(1)>")
    assert "This does not count" in text(app)
    assert "/review" not in text(app)
    assert "^" in app.code[0].value
    assert all("<img" not in each.value for each in app.markdown)
    assert attempts(app)[-1].outcome == "unreadable"


def test_rules_to_choose_from_are_of_the_derivation_and_hold_the_right_one() -> None:
    place = proof.places(resources.course(), Learner(None, None))["dpo"]
    work = proof.Proof(derivation("dpo"), place, "fill")
    for line in work.lines:
        options = fill.rules(work, line, 0)
        assert len(options) == len(set(options)) == 4
        assert line.rule in options
        assert options == fill.rules(work, line, 0)


# --- prove ---------------------------------------------------------------------------------------


def test_a_proof_with_intermediate_lines_undo_and_hints(open_app: OpenApp, send: Send) -> None:
    app = open_app("prove", derivation="ipo-margin", way="prove")
    send(app, "u^2 - u/tau + 1/(4*tau^2)")
    assert "It follows" in text(app)
    button(app, "Undo")
    assert "Rewritten" not in text(app)
    send(app, "(u - 1/(2*tau))^2")
    assert "stands already" in text(app)
    send(app, "2*u - 1/tau")
    button(app, "Hint: the rule")
    button(app, "Hint: what it says")
    button(app, "Hint: the line itself")
    send(app, "u = 1/(2*tau)")
    assert "Proved, with lines that were given" in text(app)
    assert any(
        re.match("Where IPO stops.* · 1 of 2 proved", each) for each in app.selectbox[0].options
    )


def test_a_proof_is_there_after_a_reload(open_app: OpenApp, send: Send) -> None:
    send(open_app("prove", derivation="ipo-margin", way="prove"), "2*u - 1/tau")
    app = open_app("prove", derivation="ipo-margin", way="prove")
    assert "1 to go" in text(app)
    send(app, "2*u*tau = 1")
    assert "**Proved.** It is not yet solved for $u$." in text(app)
    button(app, "Prove it once more")
    assert "2 to go" in text(app)


# --- spot ----------------------------------------------------------------------------------------


def test_an_error_is_marked_and_repaired(open_app: OpenApp, send: Send) -> None:
    app = open_app("prove", derivation="ipo-margin", way="spot")
    for place in (1, 2):
        if app.radio:
            app.radio[0].set_value(place).run()
            button(app, "Check")
    assert "That is the line" in text(app)
    wrong = attempts(app)[-1].line
    send(app, derivation("ipo-margin").line(wrong).typed)
    assert "What went wrong" in text(app)
    button(app, "Another one")
    assert len(app.radio) == 1


# --- the field -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        None,
        "x",
        3,
        {},
        {"name": "a"},
        {"name": "b", "text": "x"},
        {"name": "a", "text": 3},
        {"name": "a", "text": "x", "nonce": 3},
    ],
)
def test_what_is_no_line_is_nothing(said: object) -> None:
    assert line_field._of(said, "a") is None


def test_what_is_sent_is_bounded_and_storable() -> None:
    typed = line_field._of({"name": "a", "text": "\ud800" + "x" * 900, "nonce": "n" * 900}, "a")
    assert typed is not None
    assert (len(typed.text), len(typed.nonce)) == (400, 64)
    typed.text.encode("utf-8")


def test_the_echo_is_maths_or_nothing() -> None:
    assert "<math" in line_field.echo("r = beta*log(pi/ref)")
    for unread in ("", "r = ", "<b>x</b>", "`x`"):
        assert line_field.echo(unread) == ""


def test_long_formulas_may_break() -> None:
    long = formulas.of(derivation("dpo").line("difference").typed)
    assert "\\left" not in long
    assert long.count("\\biggl(") == long.count("\\biggr)") == 3
    assert formulas.breakable(r"\log\left(x\right)") == r"\log(x)"


def test_a_line_of_the_record_that_no_longer_reads_is_shown_as_it_was_typed() -> None:
    assert formulas.recorded("u = 1").startswith("$")
    assert formulas.recorded("u = `x <b>") == "`u =  x <b>`"


def test_in_bits_the_natural_logarithm_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert r"\log" in formulas.of("log x")
    monkeypatch.setattr(units, "wanted", lambda: "bits")
    assert r"\ln" in formulas.of("log x")


# --- the numbers that tell a wrong line ----------------------------------------------------------


def test_a_wrong_line_is_shown_in_the_world_of_its_derivation(
    open_app: OpenApp, send: Send
) -> None:
    """By hand, for the margin h = 1 and τ = 0.1: the slope is 2(1 − 5) = −8, not 1 − 5."""
    shown = text(send(open_app("prove", derivation="ipo-margin", way="prove"), "u - 1/(2*tau)"))
    assert "In the world of this derivation" in shown
    assert "| what is asked for | what you typed |\n|:--|:--|\n| −8 | −4 |" in shown
    assert "$\\displaystyle \\tau$\u00a0=\u00a00.1" in shown


def test_where_the_world_does_not_tell_the_page_says_so(open_app: OpenApp, send: Send) -> None:
    app = send(open_app("prove", derivation="ipo-margin", way="prove"), "2*u - 1/tau")
    shown = text(send(app, "u^2 = 1/(4*tau^2)"))
    assert "does not tell the two apart" in shown
    assert "left side asked for" in shown


def test_two_numbers_that_differ_in_late_digits_are_shown_apart(
    open_app: OpenApp, send: Send
) -> None:
    app = send(open_app("prove", derivation="ipo-margin", way="prove"), "2*u - 1/tau")
    shown = text(send(app, "u = 0.49999999999/tau"))
    assert "by very little" in shown
    cells = shown.rpartition("|:--|:--|\n")[2].split("|")
    assert cells[1].strip() != cells[2].strip()


def test_names_in_sentences_are_set_as_mathematics() -> None:
    assert formulas.words("solved for pi_w, a T too") == r"solved for $\pi_w$, a $T$ too"
    assert formulas.words("cancel ref_w and r_l") == r"cancel $\pi_{\text{ref},w}$ and $r_l$"
    assert formulas.words("The p sum to one, as T² says") == "The $p$ sum to one, as T² says"
    for each in all_derivations().values():
        for line in each.typed:
            assert "_" not in formulas.words(line.typed_note).replace("\\pi_", ""), line.id
