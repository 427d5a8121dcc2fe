"""The decision procedure for logarithms and exponentials, on identities known by hand."""

import pytest
from sympy import Expr, Symbol, exp, log, sqrt

from engine.algebra.field import Field

a, b, c = (Symbol(name, positive=True) for name in "abc")
x, y = (Symbol(name, real=True) for name in "xy")

TRUE = [
    (log(a * b / c), log(a) + log(b) - log(c)),
    (exp(x + y), exp(x) * exp(y)),
    (exp(x - y) / (1 + exp(x - y)), 1 / (1 + exp(y - x))),
    (log(exp(x) / (exp(x) + exp(y))), -log(1 + exp(y - x))),
    (exp(c * log(a / b)), a**c / b**c),
    (exp(2 * log(a)), a**2),
    (log(a**c * exp(x)), c * log(a) + x),
    (log(a**2 + 2 * a * b + b**2), 2 * log(a + b)),
    (exp(-log(a + b)), 1 / (a + b)),
    (exp(x + log(a)) / a, exp(x)),
]

FALSE = [
    (log(a + b), log(a) + log(b)),
    (exp(x * y), exp(x) * exp(y)),
    (1 / (1 + exp(x)), 1 / (1 + exp(-x))),
    (log(a) * log(b), log(a * b)),
    (exp(x) + exp(y), exp(x + y)),
    (log(a**c), log(a) ** c),
    (a**c * b**c, (a + b) ** c),
]


@pytest.mark.parametrize(("left", "right"), TRUE)
def test_identities_come_out_zero(left: Expr, right: Expr) -> None:
    assert Field().normal(left - right) == 0


@pytest.mark.parametrize(("left", "right"), FALSE)
def test_what_is_not_an_identity_does_not(left: Expr, right: Expr) -> None:
    assert Field().normal(left - right) != 0


def test_a_logarithm_of_something_that_may_be_negative_is_not_split() -> None:
    assert Field().normal(log(x**2) - 2 * log(x)) != 0  # true only for x > 0
    assert Field().normal(log(a - b) + log(a + b) - log(a**2 - b**2)) != 0  # only for a > b


def test_roots_of_positives_stay_themselves() -> None:
    assert Field().normal(log(sqrt(a)) - log(a) / 2) == 0


def test_a_side_condition_replaces_what_stands_outside_logarithms() -> None:
    summed = a * log(c) + b * log(c) - log(c)
    assert Field().normal(summed) != 0
    assert Field().normal(summed, replaced={b: 1 - a}) == 0


def test_what_is_left_over_is_told_in_the_names_it_came_from() -> None:
    field = Field()
    assert field.meaning(field.normal(a * log(b) - log(b))) == (a - 1) * log(b)
