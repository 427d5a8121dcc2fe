"""Rounds of filling, proving and spotting, played from the attempts; and what is proved."""

from datetime import UTC, datetime, timedelta

import pytest

from drills.errors import DrillsError
from drills.events import Attempted, Event, LearnerId, Stepped, to_json
from drills.record import Outline, Record, progress, proved
from drills.rounds import filling, proving, spotting

LINES = ("loss", "slope", "margin")
START = datetime(2026, 1, 1, tzinfo=UTC)


def attempt(
    line: str, *, way: str = "fill", outcome: str | None = "equivalent", **more: object
) -> Attempted:
    return Attempted(line=line, of=2, way=way, outcome=outcome, typed="x", **more)


def record(*attempts: Attempted | Stepped, item: str = "dpo/ipo-margin") -> Record:
    return Record.of(
        Event(
            number,
            LearnerId(1),
            each.kind,
            item,
            START + timedelta(minutes=number),
            str(number),
            to_json(each),
        )
        for number, each in enumerate(attempts, start=1)
    )


# --- the event -----------------------------------------------------------------------------------


def test_an_attempt_is_stored_and_read_back() -> None:
    said = attempt("slope", mistake="sign", hint=2, form=False)
    assert Attempted.model_validate_json(to_json(said)) == said


@pytest.mark.parametrize(
    "wrong",
    [
        {"typed": "x" * 401},
        {"hint": 4},
        {"way": "guess"},
        {"outcome": "wrong"},
        {"line": ""},
        {"of": 0},
    ],
)
def test_what_an_attempt_cannot_say(wrong: dict[str, object]) -> None:
    with pytest.raises(DrillsError):
        Attempted(**{"line": "slope", "of": 2, "way": "fill", **wrong})


# --- what is proved ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unproved",
    [
        attempt("slope", outcome="different"),
        attempt("slope", outcome="undecided"),
        attempt("slope", outcome="unreadable"),
        attempt("slope", hint=3),
        attempt("slope", asked="rule"),
        attempt("slope", asked="place", way="spot"),
        attempt("slope", way="prove", rewriting=True),
        attempt("slope", asked="hint", outcome=None, hint=1),
    ],
)
def test_what_proves_nothing(unproved: Attempted) -> None:
    assert proved(record(unproved), "dpo/ipo-margin") == frozenset()


def test_a_line_is_proved_without_the_last_hint_in_any_way() -> None:
    said = (attempt("slope", hint=2), attempt("margin", way="spot"))
    assert proved(record(*said), "dpo/ipo-margin") == {"slope", "margin"}


def test_the_rung_is_earned_by_the_last_line_that_was_typed() -> None:
    outline = Outline("dpo", derivations=("ipo-margin",))
    half = record(attempt("slope"), attempt("margin", hint=3))
    assert not progress(half, outline).derived.earned
    whole = record(attempt("slope"), attempt("slope"), attempt("margin"), attempt("margin"))
    rung = progress(whole, outline).derived
    assert (rung.earned, rung.done, rung.of) == (True, 1, 1)
    assert (rung.evidence, rung.at) == ((3,), START + timedelta(minutes=3))


def test_a_derivation_that_the_lesson_does_not_show_earns_it_too() -> None:
    outline = Outline("dpo", derivations=("dpo",), labs=("dpo",))
    rung = progress(record(attempt("slope"), attempt("margin")), outline).derived
    assert (rung.earned, rung.done, rung.of) == (True, 1, 3)
    assert not progress(record(attempt("slope")), outline).derived.earned
    other = Outline("rlhf", derivations=("kl-optimum",))
    assert not progress(record(attempt("slope"), attempt("margin")), other).derived.earned


# --- filling in ----------------------------------------------------------------------------------


def test_one_line_is_blank_at_first_and_one_more_after_a_clean_round() -> None:
    assert filling([], LINES).blanks == ("margin",)
    done = filling([attempt("margin")], LINES)
    assert (done.complete, done.at) == (True, None)
    again = filling([attempt("margin")], LINES, begun=1)
    assert (again.blanks, again.at, again.number) == (("slope", "margin"), "slope", 1)


def test_a_hint_keeps_the_number_of_blanks() -> None:
    hinted = attempt("margin", asked="hint", outcome=None, hint=2)
    assert filling([hinted, attempt("margin", hint=2)], LINES, begun=1).blanks == ("margin",)


def test_the_first_line_is_never_blank() -> None:
    said = [attempt("margin"), attempt("slope"), attempt("margin")]
    assert filling(said, LINES, begun=2).blanks == ("slope", "margin")


def test_a_round_in_progress_is_found_again() -> None:
    said = [
        attempt("margin"),
        attempt("slope", asked="rule"),
        attempt("slope", outcome="different"),
    ]
    now = filling(said, LINES)
    assert (now.at, now.ruled, now.number) == ("slope", frozenset({"slope"}), 1)
    assert not now.filled


def test_what_is_no_blank_fills_nothing() -> None:
    assert filling([attempt("loss"), attempt("slope")], LINES).filled == {}


# --- proving -------------------------------------------------------------------------------------


def test_a_proof_goes_on_by_lines_and_keeps_intermediate_ones() -> None:
    between = attempt("slope", way="prove", rewriting=True)
    wrong = attempt("slope", way="prove", outcome="different")
    said = [between, wrong, attempt("slope", way="prove")]
    now = proving(said, LINES)
    assert (now.at, now.reached, len(now.steps), now.can_undo) == ("margin", 1, 2, False)
    assert proving([*said, attempt("margin", way="prove")], LINES).complete


def test_undo_takes_back_intermediate_lines_only() -> None:
    undo = attempt("slope", way="prove", asked="undo", outcome=None)
    between = attempt("slope", way="prove", rewriting=True)
    assert proving([between, between, undo], LINES).steps == (between,)
    assert proving([attempt("slope", way="prove"), undo], LINES).reached == 1


def test_a_proof_that_is_complete_starts_anew_when_asked() -> None:
    said = [attempt("slope", way="prove"), attempt("margin", way="prove")]
    assert proving(said, LINES).complete
    assert proving(said, LINES, begun=1).at == "slope"
    assert proving([*said, attempt("slope", way="prove")], LINES).at == "margin"


def test_other_ways_do_not_matter() -> None:
    assert proving([attempt("slope")], LINES).reached == 0


# --- spotting ------------------------------------------------------------------------------------


def test_a_line_is_marked_then_repaired() -> None:
    missed = attempt("slope", way="spot", asked="place", outcome="different")
    marked = attempt("slope", way="spot", asked="place")
    assert spotting([missed], LINES).marked is None
    assert spotting([missed, marked], LINES).marked == "slope"
    done = spotting([missed, marked, attempt("slope", way="spot")], LINES)
    assert (done.complete, done.repaired, done.number) == (True, "x", 0)
    assert spotting([marked, attempt("slope", way="spot")], LINES, begun=1).number == 1
