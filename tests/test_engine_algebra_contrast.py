"""A wrong line in the world of its derivation: the numbers are those of the world, and they differ.

Held against NumPy on the tables of the desk, written here by hand.
"""

import math
import random
from collections.abc import Mapping

import numpy as np
import pytest
from sympy import Expr

from engine.algebra.contrast import VISIBLE, contrast
from engine.algebra.derivations import all_derivations, derivation
from engine.algebra.line import Line
from engine.algebra.reader import parse
from engine.algebra.tokens import ReadError
from engine.algebra.typed import SYMBOLS
from engine.algebra.verdict import judge

LINES = [(name, line) for name, each in all_derivations().items() for line in each.typed]
IDS = [f"{name}/{line.id}" for name, line in LINES]
BETA, REFERENCE, POLICY = 0.5, np.array([0.3, 0.5, 0.2]), np.array([0.45, 0.4, 0.15])
REWARDS = np.array([1.0, 0.2, -0.6])
Z = float((REFERENCE * np.exp(REWARDS / BETA)).sum())
OPTIMUM = REFERENCE * np.exp(REWARDS / BETA) / Z
CHOSEN = {"beta": BETA, "ref": REFERENCE[0], "r": REWARDS[0], "Z": Z}
H = np.log(POLICY / REFERENCE)
P, Q = np.array([0.6, 0.3, 0.1]), np.array([0.3, 0.3, 0.4])
SOFT = np.exp(np.array([1.5, 0.5, -1.0]))
TOKEN = float(SOFT[0] / SOFT.sum())
STUDENT = np.exp(np.array([1.0, 0.0, -1.0]) / 2)
CAT = float(STUDENT[0] / STUDENT.sum())


def by_hand(text: str, at: Mapping[str, float]) -> float:
    """The value by SymPy's own evaluation, which the page does not use."""
    expr: Expr = parse(text)[0].left.expr
    return float(expr.subs({SYMBOLS[name]: number for name, number in at.items()}))


# --- numbers held against a hand-made world -------------------------------------------------------

SHOWN = [
    ("dpo", "optimum", "pi = ref*exp(r/beta)", {**CHOSEN, "pi": OPTIMUM[0]}),
    ("dpo", "reward", "r = beta*log(pi/ref) + log Z", {**CHOSEN, "pi": OPTIMUM[0]}),
    ("dpo", "sum", "pi*r - log(pi/ref)", {**CHOSEN, "pi": POLICY[0]}),
    (
        "dpo",
        "canceled",
        "r_w - r_l = log(pi_w/ref_w) - log(pi_l/ref_l)",
        {
            "r_w": REWARDS[0],
            "r_l": REWARDS[1],
            "beta": BETA,
            "pi_w": OPTIMUM[0],
            "pi_l": OPTIMUM[1],
            "ref_w": REFERENCE[0],
            "ref_l": REFERENCE[1],
        },
    ),
    ("dpo", "loss", "-beta*log sigma(h_w - h_l)", {"beta": BETA, "h_w": H[0], "h_l": H[1]}),
    ("kl-optimum", "normalized", "u = beta*log Z - 1", {"u": BETA * (math.log(Z) - 1)}),
    ("cross-entropy", "divergence", "p*log(q/p)", {"p": P[0], "q": Q[0]}),
    ("max-entropy", "gap", "p*log(q/p)", {"p": P[0], "q": 1 / 3}),
    ("k3", "never-negative", "t - 1", {"t": 0.3 / 0.5}),
    ("gaussian-moments", "mean-slope", "(u - x)/tau", {"p": 0.4, "x": -2.0, "u": 0.5, "tau": 2.0}),
    ("ipo-margin", "margin", "u = 1/tau", {"u": 5.0, "tau": 0.1}),
    ("grpo-advantage", "advantage-right", "sqrt(p/(1 - p))", {"p": 0.25}),
    ("logit-gradient", "written-out", "log(exp(u) + 1)", {"u": math.log(TOKEN / (1 - TOKEN))}),
    (
        "distillation-gradient",
        "softened",
        "q = sigma(u)",
        {"q": CAT, "T": 2.0, "u": 2 * math.log(CAT / (1 - CAT))},
    ),
    ("brier-proper", "gap", "q^2 - p^2", {"p": 0.6, "q": 0.9}),
    (
        "softmax-max-entropy",
        "stationary",
        "log Z + 1",
        {"Z": math.exp(0.5) + 1 + math.exp(-0.5)},
    ),
]


@pytest.mark.parametrize(("name", "line", "typed", "world"), SHOWN)
def test_the_numbers_are_those_of_the_world(
    name: str, line: str, typed: str, world: dict[str, float]
) -> None:
    wanted = derivation(name).line(line).typed
    found = contrast(derivation(name), line, wanted, typed)
    assert found.clash is not None
    assert found.where.startswith("In the world of this derivation")
    shown = found.clash.values
    assert {each: shown[each] for each in world if each in shown} == pytest.approx(
        {each: number for each, number in world.items() if each in shown}
    )
    left, _, right = typed.partition("=")
    one = left if right else wanted.partition("=")[2] or wanted
    assert found.clash.expected == pytest.approx(by_hand(one, shown))
    assert found.clash.typed == pytest.approx(by_hand(right or left, shown))


def test_the_rejected_response_is_asked_where_the_chosen_one_does_not_tell() -> None:
    """1 is both r and r² for the chosen response, 0.2 and 0.04 for the rejected one."""
    found = contrast(derivation("dpo"), "reward", "r", "r^2")
    assert found.where == "In the world of this derivation, for the rejected response:"
    assert found.clash is not None
    assert (found.clash.expected, found.clash.typed) == pytest.approx((0.2, 0.04))


# --- every line ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "line"), LINES, ids=IDS)
def test_every_name_of_a_line_has_a_number_and_the_line_holds_there(name: str, line: Line) -> None:
    found = contrast(derivation(name), line.id, line.typed, line.typed)
    assert found.clash is None  # a right line is not told apart from itself
    assert found.answered
    for sign in ("-", "2*"):
        if "=" not in line.typed:
            wrong = contrast(derivation(name), line.id, line.typed, f"{sign}({line.typed})")
            assert wrong.clash is not None


@pytest.mark.parametrize(
    ("name", "line"),
    [each for each in LINES if each[1].typed_control],
    ids=[f"{name}/{line.id}" for name, line in LINES if line.typed_control],
)
def test_the_near_miss_of_every_line_is_told_apart_in_its_world(name: str, line: Line) -> None:
    found = contrast(derivation(name), line.id, line.typed, line.typed_control)
    assert found.clash is not None, found.where
    one, other = found.clash.expected, found.clash.typed
    assert one is not None
    assert other is None or abs(one - other) > VISIBLE * max(abs(one), abs(other))


# --- where the world does not tell ----------------------------------------------------------------


def test_what_holds_elsewhere_too_is_not_told_apart() -> None:
    """Where u is 1/(2 tau), its square is 1/(4 tau^2): only -u shows the difference."""
    wanted, typed = "u = 1/(2*tau)", "u^2 = 1/(4*tau^2)"
    assert judge(wanted, typed, generator=random.Random(1)).outcome == "different"
    found = contrast(derivation("ipo-margin"), "margin", wanted, typed)
    assert (found.clash, found.answered) == (None, True)


def test_a_name_without_a_number_is_named() -> None:
    found = contrast(derivation("dpo"), "reward", "r", "r + T - tau")
    assert (found.clash, found.answered) == (None, False)
    assert found.where == "The world of this derivation has no T and no tau; other numbers tell:"


def test_a_side_that_has_numbers_is_enough() -> None:
    """An equation came for an expression: its left side is the margin, 1, and not the slope."""
    wanted = derivation("ipo-margin").line("slope").typed
    found = contrast(derivation("ipo-margin"), "slope", wanted, "u = 3/tau + T")
    assert found.clash is not None
    assert (found.clash.expected, found.clash.typed) == pytest.approx((-8, 1))
    verdict = judge(wanted, "u = 3/tau + T", generator=random.Random(1))
    assert (
        verdict.sentence
        == "The line asks for an expression, and your two sides are not both equal to it."
    )


def test_a_small_difference_is_left_to_the_judge() -> None:
    found = contrast(derivation("k3"), "never-negative", "t", "t + 0.0001")
    assert found.clash is None


def test_a_line_without_a_value_in_the_world_says_so() -> None:
    found = contrast(derivation("cross-entropy"), "entropy", "-p*log p", "p*log(p - 1)")
    assert found.clash is not None
    assert found.clash.typed is None


def test_an_equation_that_its_world_does_not_fulfill_is_not_shown() -> None:
    """With π the policy, and not the optimum, the expected line itself would be wrong."""
    wanted = derivation("dpo").line("optimum").typed
    found = contrast(derivation("dpo"), "sum", wanted, "pi = ref*exp(r/beta)")
    assert found.clash is None


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(ReadError):
        contrast(derivation("dpo"), "reward", "r", "r +")


def test_names_are_those_of_the_reader() -> None:
    for name, each in all_derivations().items():
        for line in each.lines:
            assert set(each.names_of(line.id)) <= set(SYMBOLS), name
