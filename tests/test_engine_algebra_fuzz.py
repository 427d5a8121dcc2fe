"""Nothing that can be typed breaks the reader or the judge, runs, or takes long."""

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.algebra.derivations import all_derivations
from engine.algebra.reader import ReadError, parse, read
from engine.algebra.typed import SYMBOLS
from engine.algebra.verdict import Verdict, judge
from tests.typed_lines import typed_lines

LONGEST_SECONDS = 1.0
EXPECTED = (
    "r = beta*log(pi/ref) + beta*log(Z)",
    "-log sigma(beta*(h_w - h_l))",
    "(1 + x + y + t)^8",
)
PIECES = [
    *SYMBOLS,
    *("log", "ln", "exp", "sqrt", "sigma", "sigmoid", "e", "θ", "β", "π", "σ", "√"),
    *("+", "-", "*", "/", "^", "**", "=", "(", ")", "[", "]", "{", "}", "²", "⁻¹", "·", "−"),
    *("0", "1", "2", "9", "12", "0.5", "999999999999", "1e5", ".", ",", "_", "\\", "\\frac"),
    *("\\beta", "\\pi_{ref,w}", "\\left(", "\\right)", "\\cdot", "{", "}", "factorial", "!"),
    *("^*", "^{*}", "\\frac12", "\\frac1{", "\\mathrm{ref}", "\u2061", "\u2062", "≻", "(y_w|x)"),
    *("p_i", "q_j", "x_{k}", "q(x)", "π*(y|x)", "∗", "\\pi_r", "½", "\u2011", "㏑"),
    *("\\(", "\\]", "\\begin{aligned}", "\\end{aligned}", "\\frac1", "\\frac1T", ". "),
    *("__class__", "import", "os", "eval", "lambda", "x.y", "'", '"', "\0", "\u202e", "а", "𝛽"),
]
HOSTILE = [
    "9^9^9",
    "9**9**9",
    "((((9^12)^12)^12)^12)",
    "(((x+y+t+p+q)^12)^2)",
    "x^(x^(x^(x^(x^x))))",
    "factorial(10^7)",
    "10000000!",
    "(" * 390,
    "(" * 190 + "x" + ")" * 190,
    "-" * 380 + "x",
    "log" * 100,
    "log(" * 90 + "x" + ")" * 90,
    "exp(exp(exp(exp(exp(exp(999999999999))))))",
    "exp(-exp(exp(exp(x))))",
    "sqrt(" * 20 + "x" + ")" * 20,
    "1/(x-x)",
    "1" * 399,
    "0." + "1" * 390,
    "x.__class__.__mro__[1].__subclasses__()",
    "__import__('os').system('true')",
    "().__class__",
    "lambda: 0",
    "[x for x in ()]",
    "{{7*7}}",
    "\\input{/etc/passwd}",
    "\\def\\x{\\x\\x}\\x",
    "x\u200by",
    "\u202ex+y",
    "ｘ＋ｙ",
    "х + у",
    "𝑥 + 𝑦",
    "x\x00y",
    "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    "e^e^e",
    "e^(e^(e^(e^(e^(99)))))",
    "x^0.123456789012",
    "x^(1/3)^(1/7)",
    "(x^2)^(y^2)",
    "2^x^y",
    "0^0",
    "0^-1",
    "(0)^(x-x)",
    "log(0*x)",
    "sigma(sigma(sigma(sigma(u))))",
    "=".join("x" * 50),
    "+".join(f"x^{n}*y^{12 - n}" for n in range(13)),
    "*".join(["(x+y+t+u+p+q)"] * 12),
    "*".join(["(x+y+t)"] * 25),
    "log(" + "*".join(["(x+y+t)"] * 20) + ")",
    "exp(" + "+".join(["x*y"] * 40) + ")",
    "r = beta*log(pi*Z/ref) + (x+y+t+T)^6 - (x+y+t+T)^3*(x+y+t+T)^3",
    "(r - beta*log(pi*Z/ref) + log((x+y+t)^12) - 12*log(x+y+t))*(1+x^2) = 0",
    "r = beta*log(pi*Z/ref) + sigma(u/7+r_w/11)+sigma(-u/7-r_w/11)-1",
    "(1 + x + y + t)^4*(t + y + x + 1)^4",
    "(1/(x+y)+1/(y+t)+1/(t+x)+1/(x+T)+1/(y+T))^3 = (1/(x+T)+1/(y+t)+1/(t+x)+1/(x+y))^3",
    "log(999999999989*999999999961) - log(999999999961)",
    "sigma(u*123456789) + sigma(-123456789*u)",
    "x^(y^(t^(x^y)))",
    "exp(exp(x)) - exp(exp(x)) + 1/(exp(exp(exp(t))) - exp(exp(exp(t))))",
]


def _in_time(expected: str, typed: str) -> Verdict:
    started = time.thread_time()
    verdict = judge(expected, typed, generator=random.Random(1))
    assert time.thread_time() - started < LONGEST_SECONDS, typed
    return verdict


@pytest.mark.parametrize("expected", EXPECTED)
@pytest.mark.parametrize("typed", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_lines_are_judged_or_refused_in_time(expected: str, typed: str) -> None:
    verdict = _in_time(expected, typed)
    assert verdict.sentence
    if verdict.outcome == "unreadable":
        assert verdict.position is not None
        assert 0 <= verdict.position <= len(typed)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.sampled_from(EXPECTED))
def test_any_heap_of_pieces_gets_a_verdict_in_time(typed: str, expected: str) -> None:
    assert _in_time(expected, typed).outcome in {
        *("equivalent", "different", "undecided", "unreadable"),
    }


_asked = st.sampled_from([line.typed for each in all_derivations().values() for line in each.typed])
_things = st.sampled_from(
    [
        *(
            each.typed
            for each in typed_lines()
            if each.outcome == "equivalent" and each.typed.isascii()
        ),
        *("exp(y*log(x))", "exp(-99)", "exp(-exp(-u))", "1 + exp(-u)*p", "sigma(99*u)"),
    ]
).filter(lambda typed: not set(typed) & set("=.,\\$"))
_CHANGES = {
    False: ("{left} + ({thing}) - ({thing})", "({left})*({thing})/({thing})", "log(exp({left}))"),
    True: (
        "({left}) + ({thing}) = ({right}) + ({thing})",
        "({left})*(1 + ({thing})^2) = ({right})*(1 + ({thing})^2)",
        "1 + ({left})*exp(-({thing})) = 1 + ({right})*exp(-({thing}))",
        "exp({left}) = exp({right})",
    ),
}


@settings(max_examples=150, deadline=None)
@given(_asked, _things, st.integers(0, 3))
def test_a_line_is_not_different_when_the_same_is_done_to_both_sides(
    asked: str, thing: str, which: int
) -> None:
    """Unless what is done has no value at a point where the line has one."""
    left, _, right = asked.partition("=")
    changes = _CHANGES[bool(right)]
    typed = changes[which % len(changes)].format(left=left, right=right, thing=thing)
    verdict = _in_time(asked, typed)
    assert verdict.outcome != "different" or "no value" in verdict.sentence, typed


@settings(max_examples=150, deadline=None)
@given(_asked, _things)
def test_a_line_with_a_little_added_is_never_equivalent(asked: str, thing: str) -> None:
    """The least that is added is a ten-millionth, as a square is not negative."""
    typed = f"{asked} + 0.000001*({thing})^2 + 0.0000001"
    assert _in_time(asked, typed).outcome != "equivalent", typed


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=450))
def test_any_text_is_read_or_refused_with_a_place(typed: str) -> None:
    error = _refusal(typed)
    if error is not None:
        assert error.sentence
        assert 0 <= error.position <= len(typed)
        assert error.caret(typed).endswith("^")


def _refusal(typed: str) -> ReadError | None:
    try:
        read(typed)
    except ReadError as error:
        return error
    return None


_names = st.sampled_from([*SYMBOLS, "1", "2", "0.5"])
_lines = st.recursive(
    _names,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from(["log", "exp", "sigma", "sqrt"]), inner).map(
            lambda t: f"{t[0]}({t[1]})"
        ),
        inner.map(lambda t: f"(-{t})"),
        inner.map(lambda t: f"({t})^2"),
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(_lines)
def test_a_line_is_what_its_echo_says_and_is_never_different_from_itself(typed: str) -> None:
    try:
        line, said = parse(typed)
    except ReadError:
        return
    assert parse(line.latex)[1] == said
    assert _in_time(typed, typed).outcome != "different"
    assert _in_time(typed, line.latex).outcome != "different"
