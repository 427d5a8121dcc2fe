"""Lines that follow, and lines that went wrong: what a proof and a spotted error rest on."""

import random
from itertools import pairwise

import pytest

from engine.algebra.derivations import all_derivations, derivation
from engine.algebra.reader import parse
from engine.algebra.slips import slip, tidied
from engine.algebra.steps import Step, follow
from engine.algebra.typed import Minus, Name
from engine.algebra.verdict import judge
from engine.errors import EngineError

OPTIMUM = derivation("dpo").line("optimum").typed
LOGS = derivation("dpo").line("logs").typed
REWARD = derivation("dpo").line("reward").typed


def step(last: str, wanted: str, typed: str) -> Step:
    return follow(last, wanted, typed, generator=random.Random(3))


@pytest.mark.parametrize(
    ("last", "wanted", "typed", "kind"),
    [
        (OPTIMUM, LOGS, LOGS, "next"),
        (OPTIMUM, LOGS, "log(pi) - log(ref) = r/beta - log Z", "next"),
        (OPTIMUM, LOGS, "r/beta - log Z = log(pi/ref)", "next"),
        (OPTIMUM, LOGS, "pi*Z = ref*exp(r/beta)", "rewriting"),
        (OPTIMUM, LOGS, "r = beta*log(pi/ref) + beta*log Z", "rewriting"),
        (OPTIMUM, LOGS, "pi = exp(r/beta)*ref/Z", "repeated"),
        (OPTIMUM, LOGS, "pi = ref*exp(r/beta)", "neither"),
        (OPTIMUM, LOGS, "1 = 1", "neither"),
        (LOGS, REWARD, "r/beta = log(pi/ref) + log Z", "rewriting"),
        (LOGS, REWARD, "r = beta*(log(pi/ref) + log Z)", "next"),
        ("(u - 1/(2*tau))^2", "2*(u - 1/(2*tau))", "u^2 - u/tau + 1/(4*tau^2)", "rewriting"),
        ("(u - 1/(2*tau))^2", "2*(u - 1/(2*tau))", "2*u - 1/tau", "next"),
        ("2*(u - 1/(2*tau))", "u = 1/(2*tau)", "2*u*tau = 1", "next"),
        ("q*log(q/p)", "-q*log t = q*log(q/p)", "q*log q - q*log p", "rewriting"),
        (OPTIMUM, LOGS, "log(pi/ref = r", "neither"),
    ],
)
def test_what_a_line_is_in_a_proof(last: str, wanted: str, typed: str, kind: str) -> None:
    assert step(last, wanted, typed).kind == kind


@pytest.mark.parametrize("name", list(all_derivations()))
def test_every_line_of_a_derivation_leads_on_from_the_one_before(name: str) -> None:
    typed = [line.typed for line in derivation(name).typed]
    for last, wanted in pairwise(typed):
        assert step(last, wanted, wanted).kind == "next"
        assert step(last, wanted, last.replace("*", " * ")).kind == "repeated"


def test_a_wrong_rewriting_names_its_mistake() -> None:
    wrong = step(LOGS, REWARD, "log(ref/pi) = r/beta - log Z")
    assert wrong.kind == "neither"
    assert wrong.verdict.mistake is not None


def test_a_line_that_cannot_be_read_says_where() -> None:
    wrong = step(OPTIMUM, LOGS, "log(pi/ref) = = r")
    assert (wrong.verdict.outcome, wrong.verdict.position) == ("unreadable", 14)


@pytest.mark.parametrize("name", list(all_derivations()))
def test_a_slip_is_visible_named_and_never_in_the_first_line(name: str) -> None:
    lines = [line.typed for line in derivation(name).typed]
    for seed in range(6):
        found = slip(lines, generator=random.Random(seed))
        assert 0 < found.place < len(lines)
        verdict = judge(lines[found.place], found.line.latex, generator=random.Random(1))
        assert verdict.outcome == "different"
        assert found.mistake.sentence
        assert parse(found.line.latex)[0].latex == found.line.latex  # it can be read back


def test_the_same_generator_makes_the_same_slip() -> None:
    lines = [line.typed for line in derivation("dpo").typed]
    one, two = (slip(lines, generator=random.Random(5)) for _ in range(2))
    assert one == two
    assert len({slip(lines, generator=random.Random(seed)).place for seed in range(30)}) > 5


def test_one_line_alone_cannot_go_wrong() -> None:
    with pytest.raises(EngineError, match="a line that can go wrong"):
        slip(["p*(1 - p)"], generator=random.Random(0))


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("1*x", "x"),
        ("x*1", "x"),
        ("x/1", "x"),
        ("x^1", "x"),
        ("log(1*x)", "log(x)"),
        ("1/x", "1/x"),
    ],
)
def test_factors_of_one_go(text: str, tidy: str) -> None:
    assert tidied(parse(text)[0].left) == parse(tidy)[0].left


def test_two_signs_in_a_row_go() -> None:
    assert tidied(Minus(Minus(Name("x")))) == Name("x")
