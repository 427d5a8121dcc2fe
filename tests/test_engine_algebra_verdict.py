"""Every typed line gets the verdict that mathematics gives it, whatever the random points are."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import mpmath  # type: ignore[import-untyped]
import pytest

from engine.algebra import misconceptions
from engine.algebra.reader import parse
from engine.algebra.tokens import ReadError
from engine.algebra.typed import REAL, Binary, Call, Line, Minus, Name, Number, Tree
from engine.algebra.verdict import Counterexample, Verdict, judge
from tests.typed_lines import TypedLine, typed_lines

LINES = typed_lines()
DIFFERENT = [line for line in LINES if line.outcome == "different"]
SEEDS = range(20)
MOST_UNDECIDED = 0.02
IDENTITIES = {  # expected lines that hold everywhere
    "sigma(-u) = 1 - sigma(u)",
    "-p*log q = -p*log p + p*log(p/q)",
}
ALL_MISTAKES = {
    *("swapped-responses", "inverted-ratio", "swapped-distributions", "reference-dropped"),
    *("beta-dropped", "one-beta-dropped", "partition-dropped", "partition-kept", "beta-outside"),
    *("temperature-dropped", "one-temperature-dropped", "argument-sign", "sign", "inverted"),
    *("split-logarithm", "logarithm-of-sum", "function-dropped", "factor-two", "says-nothing"),
    *("extra-beta", "over-beta", "extra-t", "over-t", "loose"),
}


@cache
def verdict(expected: str, typed: str, seed: int = 0) -> Verdict:
    return judge(expected, typed, generator=random.Random(seed))


# --- the corpus ---------------------------------------------------------------------------------


def test_there_are_lines_enough_and_each_is_there_once() -> None:
    counts = Counter((line.expected, line.typed) for line in LINES)
    assert len(counts) >= 800
    assert max(counts.values()) == 1


@pytest.mark.parametrize("line", LINES, ids=str)
def test_a_line_gets_its_verdict(line: TypedLine) -> None:
    found = verdict(line.expected, line.typed)
    assert found.outcome in {line.outcome, "undecided"}
    assert found.sentence.endswith(".") or line.outcome == "unreadable"
    if found.outcome == "equivalent":
        assert found.form is line.form, found.note
        assert bool(found.note) is not line.form
    if line.mistake:
        assert found.mistake is not None
        assert found.mistake.id == line.mistake


@pytest.mark.parametrize("seed", SEEDS)
def test_the_random_points_do_not_matter(seed: int) -> None:
    for line in LINES[seed % 8 :: 8]:
        found, again = (verdict(line.expected, line.typed, each) for each in (0, seed + 1))
        assert found.outcome == again.outcome, line
        assert found.form == again.form, line
        assert (found.mistake and found.mistake.id) == (again.mistake and again.mistake.id), line


def test_few_lines_are_undecided() -> None:
    found = Counter(verdict(line.expected, line.typed).outcome for line in LINES)
    assert found["undecided"] < MOST_UNDECIDED * len(LINES)


def test_each_mistake_is_made_in_three_lines() -> None:
    counts = Counter(line.mistake for line in LINES if line.mistake)
    assert {name: count for name, count in counts.items() if count < 3} == {}
    assert set(counts) == ALL_MISTAKES


def test_the_corpus_knows_every_mistake() -> None:
    right = parse("-log(sigma(beta*log(p*pi_w/(q*ref_w)) - T*beta*h_l)) + log(Z)")[0].left
    made = {mistake.id for mistake, _ in misconceptions.wrong_forms(right)}
    assert made == ALL_MISTAKES - {"loose", "says-nothing"}


@pytest.mark.parametrize("line", [line for line in LINES if line.outcome != "unreadable"], ids=str)
def test_a_line_is_its_own_equal(line: TypedLine) -> None:
    found = verdict(line.expected, line.expected)
    assert found.outcome == "equivalent"
    assert found.form
    if line in LINES[::3]:
        assert verdict(line.typed, line.typed).outcome != "different" or _says_nothing(line.typed)


def _says_nothing(text: str) -> bool:
    mistake = verdict(text, text).mistake
    return mistake is not None and mistake.id == "says-nothing"


@pytest.mark.parametrize("line", DIFFERENT, ids=str)
def test_nothing_different_is_equivalent_the_other_way_round(line: TypedLine) -> None:
    """Of two expressions, unless the typed one has the smaller domain."""
    found = verdict(line.expected, line.typed)
    if found.counterexample is None or found.counterexample.typed is None or "=" in line.typed:
        return
    if "=" not in line.expected:
        assert verdict(line.typed, line.expected).outcome != "equivalent"


# --- counterexamples, evaluated by somebody else ------------------------------------------------


def _mp(tree: Tree, at: dict[str, float]) -> mpmath.mpf | None:
    """The value by mpmath; None where it is not a real number."""
    try:
        with mpmath.workdps(120):
            value = mpmath.mpmathify(_complex(tree, at))
            return None if mpmath.im(value) else mpmath.re(value)
    except (ArithmeticError, ValueError, KeyError):
        return None


def _real(value: mpmath.mpf) -> mpmath.mpf:
    if mpmath.im(value):
        raise ValueError
    return value


def _complex(tree: Tree, at: dict[str, float]) -> mpmath.mpf:
    if isinstance(tree, Number):
        return mpmath.mpf(tree.value.numerator) / tree.value.denominator
    if isinstance(tree, Name):
        return mpmath.e if tree.name == "e" else mpmath.mpf(at[tree.name])
    if isinstance(tree, Minus):
        return -_complex(tree.argument, at)
    if isinstance(tree, Call):
        functions = {"log": mpmath.log, "exp": mpmath.exp, "sqrt": mpmath.sqrt}
        inside = _complex(tree.argument, at)
        return _real(
            {**functions, "sigma": lambda u: 1 / (1 + mpmath.exp(-u))}[tree.function](inside)
        )
    left, right = _complex(tree.left, at), _complex(tree.right, at)
    operations = {"+": mpmath.fadd, "-": mpmath.fsub, "*": mpmath.fmul, "/": mpmath.fdiv}
    return _real({**operations, "^": mpmath.power}[tree.operator](left, right))


def _sides(line: Line, at: dict[str, float]) -> tuple[mpmath.mpf | None, mpmath.mpf | None]:
    return _mp(line.left, at), _mp(line.right or line.left, at)


def _close(one: mpmath.mpf | None, other: mpmath.mpf | None) -> bool:
    if one is None or other is None:
        return False
    return bool(abs(one - other) <= 1e-7 * max(1, abs(one), abs(other)))


@pytest.mark.parametrize("line", DIFFERENT, ids=str)
def test_a_counterexample_is_one(line: TypedLine) -> None:
    found = verdict(line.expected, line.typed)
    clash = found.counterexample
    if clash is None:
        assert found.outcome == "undecided" or line.expected in IDENTITIES
        return
    assert all(clash.values[name] > 0 for name in clash.values if name not in REAL)
    wanted, typed = parse(line.expected)[0], parse(line.typed)[0]
    if clash.of == "both":
        _check_expressions(wanted, typed, clash)
    elif clash.of == "typed":
        _check_equations(wanted, typed, clash, by="very little" not in found.sentence)
    else:
        _check_equations(typed, wanted, clash)


def _check_expressions(wanted: Line, typed: Line, clash: Counterexample) -> None:
    at = dict(clash.values)
    asked = [_mp(side, at) for side in (wanted.left, wanted.right) if side is not None]
    said = [_mp(side, at) for side in (typed.left, typed.right) if side is not None]
    assert any(a is not None and a != b for a in asked for b in said)
    assert any(_shows(a, clash.expected) for a in asked)
    assert any(_shows(b, clash.typed) for b in said)


def _shows(value: mpmath.mpf | None, number: float | None) -> bool:
    if value is None or number is None:
        return value is number is None
    return bool(abs(value - number) <= 1e-12 * abs(value) + mpmath.mpf("1e-100"))


def _check_equations(holds: Line, broken: Line, clash: Counterexample, *, by: bool = True) -> None:
    """The first holds at the point, to the digits that it is shown with; the second does not.

    A difference that rounded numbers do not show is said to be very little.
    """
    at = dict(clash.values)
    assert _close(*_sides(holds, at))
    left, right = _sides(broken, at)
    assert left != right or left is None
    assert _close(left, right) is not by


# --- weaknesses that were found, each with a line ------------------------------------------------

NOT_EQUIVALENT = [
    ("3000 - x", "exp(log(3000-x))", "a smaller domain, far out"),
    ("3000 - x", "sqrt((3000-x)^2)", "a root whose branch turns far out"),
    ("x", "x*(1+1/10^12/10^12/10^3)", "a difference in the 27th digit"),
    ("x", "x + exp(-300)", "a difference in the 130th digit"),
    ("log(x)", "log(x + 1/999999999999^3)", "a difference in the 36th digit"),
    ("exp(-99)", "exp(-98)", "two tiny numbers"),
    ("1 - p", "sqrt((1-p)^2)", "true below one only"),
    ("log((1-p)^2)", "2*log(1-p)", "no value above one"),
    ("r = log(x)", "(r - log(x))*(r - log(x) - 0.01) = 0", "a root nearby"),
    ("r = log(x)", "(r - log(x))*(r - 5000) = 0", "a root far away"),
    ("r = log(x)", "(r - log(x))*(r - x)^2 = 0", "a double root"),
    ("r = log(x)", "r*(t-3)^2 = log(x)*(t-3)^2", "a factor that touches zero"),
    ("r = log(x)", "r*(x-1)^2 = log(x)*(x-1)^2", "a factor that touches zero"),
    ("p = q", "p*log(p) = q*log(q)", "two solutions"),
    ("u^2 = y", "u = sqrt(y)", "a branch left out"),
    ("u^2 + r^2 = 1", "u = sqrt(1-r^2)", "a branch left out"),
    ("u*r = 0", "u = 0", "a factor left out"),
    ("(x-1)*y = (x-1)*x", "y = x", "a solution left out"),
    ("u = r", "log(u) = log(r)", "positive ones alone"),
    ("x", "x = 1", "an equation that is not true"),
    ("x", "e = x", "e is a number and no name for the whole"),
]
NOT_DIFFERENT = [
    ("log(1-sigma(12*u))", "-log(1+exp(12*u))", "nearly one"),
    ("log(log(1+exp(-12*u)))", "log(log(1+exp(-12u)))", "nearly log 1"),
    ("sigma(50*u)", "1 - sigma(-50*u)", "nearly one"),
    ("exp(exp(exp(x)))", "exp(exp(exp(x) + x - x))", "an overflow is not a missing value"),
    ("log(exp(-exp(exp(x))))", "-exp(exp(x))", "an underflow is not a zero"),
    ("sqrt(log(x^2) - 2*log(x) + 1)", "1", "a root of rounding"),
    ("u^(4/2)", "u^2", "an exponent that is whole in the end"),
    ("q - p", "(q-p)^2/(q-p)", "one point without a value"),
    ("sqrt((1-p)/p)", "(1-p)/sqrt(p*(1-p))", "no value above one on either side"),
    (
        "p*log(p/q) + (1-p)*log((1-p)/(1-q))",
        "-p*log q - (1-p)*log(1-q) + p*log p + (1-p)*log(1-p)",
        "probabilities",
    ),
    ("r_w - r_l = beta*log(pi_w/pi_l)", "beta*log(pi_w/pi_l)", "one side of an equation"),
    ("p*log(p/q)", "r = p*log(p/q)", "a name for the whole"),
    ("u*r = 0", "r*u = 0", "an equation with two branches"),
    ("u^2 + r^2 = 1", "r^2 = 1 - u^2", "an equation with two branches"),
    ("x*exp(x) = y*exp(y)", "y*e^y = x*e^x", "an equation that cannot be solved"),
    ("x = y", "x/y = y/x", "one root is not positive"),
    ("r = log(x)", "r*(1+r^2) = log(x)*(1+r^2)", "a factor that cannot vanish"),
    ("1/3", "0.333333333333 + 1/3 - 0.333333333333", "a decimal that cancels"),
    ("log(6)", "log 2 + log 3", "logarithms of numbers"),
    ("sqrt(8)", "2sqrt(2)", "roots of numbers"),
]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("expected", "typed", "why"), NOT_EQUIVALENT)
def test_it_is_not_taken_for_equivalent(expected: str, typed: str, why: str, seed: int) -> None:
    assert verdict(expected, typed, seed).outcome in {"different", "undecided"}, why


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("expected", "typed", "why"), NOT_DIFFERENT)
def test_it_is_not_taken_for_different(expected: str, typed: str, why: str, seed: int) -> None:
    assert verdict(expected, typed, seed).outcome in {"equivalent", "undecided"}, why


def test_a_tiny_difference_is_called_one() -> None:
    assert "very little" in verdict("1/3", "0.333333333333").sentence


def test_threads_do_not_disturb_each_other() -> None:
    """Rounding is noticed by flags, of which each thread has its own."""
    lines = [line for line in LINES if line.outcome == "equivalent"][:60]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(
            lambda line: judge(line.expected, line.typed, generator=random.Random(3)), lines * 2
        )
    assert {each.outcome for each in found} <= {"equivalent"}


def test_an_unreadable_expected_line_is_the_authors_error() -> None:
    with pytest.raises(ReadError):
        judge("foo", "x", generator=random.Random(0))


def test_a_verdict_carries_what_was_read() -> None:
    found = verdict("r = beta*log(Z)", "r = β ln Z")
    assert found.line is not None
    assert found.line.latex == r"r = \beta \, \log\left(Z\right)"
    assert found.parsed == parse("r = beta*log(Z)")[1]


# --- lines nobody wrote: rewritten at random, they say the same ---------------------------------


def _rewritten(tree: Tree, generator: random.Random) -> Tree:
    """The tree with its sums turned round, its quotients as powers, its logarithms apart."""
    if isinstance(tree, Minus):
        return Minus(_rewritten(tree.argument, generator))
    if isinstance(tree, Call):
        return Call(tree.function, _rewritten(tree.argument, generator))
    if not isinstance(tree, Binary):
        return tree
    left, right = _rewritten(tree.left, generator), _rewritten(tree.right, generator)
    same = [Binary(tree.operator, left, right)]
    if tree.operator in {"+", "*"}:
        same.append(Binary(tree.operator, right, left))
    elif tree.operator == "-":
        same.append(Binary("+", Minus(right), left))
    elif tree.operator == "/":
        same.append(Binary("*", left, Binary("/", parse("1")[0].left, right)))
    return generator.choice(same)


@pytest.mark.parametrize("line", LINES[::7], ids=str)
def test_a_line_rewritten_at_random_says_the_same(line: TypedLine) -> None:
    if line.outcome == "unreadable":
        return
    generator = random.Random(line.typed)
    typed = parse(line.typed)[0]
    again = Line(
        _rewritten(typed.left, generator), typed.right and _rewritten(typed.right, generator)
    )
    found = verdict(line.expected, again.latex)
    assert {found.outcome, line.outcome} != {"equivalent", "different"}
