"""Values of typed lines at points of their domain, each with a bound on its error.

Numbers are `Decimal`. A value comes with a bound on what rounding has done to it, so that two
values that differ by more than their bounds are different numbers, however close. What has no
value at a point (a logarithm of something negative, a division by zero) is None there; what
cannot be computed (an overflow, a denominator that may be zero) is a value with an infinite bound.
"""

import random
import threading
from collections.abc import Callable, Iterable, Mapping, Set
from decimal import (
    ROUND_UP,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Underflow,
)
from typing import NamedTuple

from engine.algebra.typed import REAL, Binary, Call, Minus, Name, Number, Tree

DIGITS = 40
MANY_DIGITS = 150  # for what is neither refuted nor proved
SHARES = {"pi", "pi_w", "pi_l", "ref", "ref_w", "ref_l", "p", "q"}  # read as probabilities
_SHARP = Decimal("1e-20")  # an error, of the larger value, below which two values can agree
_FAR = ((-3, -1), (0.6, 1.3), (1.3, 2.3), (2.3, 3.3))  # decades of what is neither near nor round
_NUDGE = Decimal("1.37e-7")  # of a value: how far a point is shaken
_ZERO, _ONE = Decimal(0), Decimal(1)
_SLACK = Decimal("1.01")  # for the rounding of the bounds themselves
_UP = Context(prec=6, rounding=ROUND_UP, Emax=10**8, Emin=-(10**8), traps=[InvalidOperation])


class Ball(NamedTuple):
    """A value, and how far the true one may be from it."""

    value: Decimal
    error: Decimal


Point = Mapping[str, Ball]
UNKNOWN = Ball(_ZERO, Decimal("Infinity"))


class _NoValueError(Exception):
    """An operation that has no value here."""


class _UnknownError(Exception):
    """An operation whose value cannot be told here."""


# --- points -------------------------------------------------------------------------------------


def points(names: Iterable[str], count: int, generator: random.Random) -> list[dict[str, Ball]]:
    """Random points of the domain: half in round numbers, which can be shown; the last ones far.

    Each name visits every region of its domain in some order: tiny, large, very large; of a
    probability, near zero and near one.
    """
    ordered = sorted(set(names))
    near = [
        {name: _near(name, generator, round_=index < count // 2) for name in ordered}
        for index in range(count - len(_FAR))
    ]
    columns = {name: _far_values(name, generator) for name in ordered}
    far = [{name: columns[name][index] for name in ordered} for index in range(len(_FAR))]
    return near + far


def beyond(
    names: Iterable[str], moved: Set[str], count: int, generator: random.Random
) -> list[dict[str, Ball]]:
    """Points at which some of the names, else read as probabilities, exceed one."""
    spots = points(names, count + len(_FAR), generator)[:count]
    return [
        {name: Ball(at.value + 1, _ZERO) if name in moved else at for name, at in spot.items()}
        for spot in spots
    ]


def exactly(point: Mapping[str, float]) -> dict[str, Ball]:
    """A point given in floating point, each value taken as it is."""
    return {name: Ball(Decimal(at), _ZERO) for name, at in point.items()}


def shaken(point: Point) -> dict[str, Ball]:
    """A point beside a point: what happens at both is no coincidence."""
    return {
        name: Ball(at.value * (1 + _NUDGE * (index * index + 3)), _ZERO)
        for index, (name, at) in enumerate(point.items())
    }


def _near(name: str, generator: random.Random, *, round_: bool) -> Ball:
    if name in SHARES:
        value = generator.uniform(0.05, 0.95)
    elif name in REAL:
        value = generator.choice((-1, 1)) * generator.uniform(0.15, 2.9)
    else:
        value = generator.uniform(0.2, 3.8)
    return Ball(Decimal(f"{value:.2f}") if round_ else Decimal(value), _ZERO)


def _far_values(name: str, generator: random.Random) -> list[Ball]:
    """One value from each far region, in random order."""
    if name in SHARES:
        small = [10 ** generator.uniform(-4, -2), generator.uniform(0.01, 0.05)]
        values = [*small, 1 - 10 ** generator.uniform(-4, -2), generator.uniform(0.95, 0.99)]
    else:
        values = [10 ** generator.uniform(*decades) for decades in _FAR]
    generator.shuffle(values)
    signs = generator.choice(((1, -1), (-1, 1))) if name in REAL else (1, 1)
    return [Ball(Decimal(at * signs[index % 2]), _ZERO) for index, at in enumerate(values)]


# --- values -------------------------------------------------------------------------------------


def value(tree: Tree, point: Point, digits: int = DIGITS) -> Ball | None:
    """The value of a tree at a point; None where it has none."""
    try:
        return _THREAD.arithmetic[digits].of(tree, point)
    except _NoValueError:
        return None
    except (_UnknownError, DecimalException):
        return UNKNOWN


def differ(one: Ball, other: Ball) -> bool:
    """Whether two values are certainly different numbers."""
    gap = _UP.subtract(one.value, other.value).copy_abs()
    return gap > _UP.multiply(_UP.add(one.error, other.error), _SLACK)


def held(left: Ball | None, right: Ball | None) -> bool | None:
    """Whether two values are the same; None if that cannot be told, or if neither has a value."""
    if left is None or right is None:
        there = left or right
        return None if there is None or there.error.is_infinite() else False
    if differ(left, right):
        return False
    return True if agree(left, right) else None


def agree(one: Ball, other: Ball) -> bool:
    """Whether two values are known sharply, and are the same as far as they are known."""
    scale = max(_ONE, one.value.copy_abs(), other.value.copy_abs())
    sharp = _UP.add(one.error, other.error) <= _UP.multiply(_SHARP, scale)
    return sharp and not differ(one, other)


class _Arithmetic:
    """The operations to a number of digits, each with a bound on its error."""

    def __init__(self, digits: int) -> None:
        self.context = Context(
            prec=digits,
            Emax=10**6,
            Emin=-(10**6),
            traps=[InvalidOperation, DivisionByZero, Overflow, Underflow],
        )
        self.rounding = Decimal(f"1e{2 - digits}")  # ten times what the last digit is worth
        self.e = self.exp(Ball(_ONE, _ZERO))
        self.calls: dict[str, Callable[[Ball], Ball]] = {
            "log": self.log,
            "exp": self.exp,
            "sqrt": self.sqrt,
            "sigma": self.sigma,
        }
        self.operations: dict[str, Callable[[Ball, Ball], Ball]] = {
            "+": self.add,
            "-": lambda a, b: self.add(a, Ball(b.value.copy_negate(), b.error)),
            "*": self.multiply,
            "/": self.divide,
            "^": self.power,
        }

    def of(self, tree: Tree, point: Point) -> Ball:
        if isinstance(tree, Name):
            return self.e if tree.name == "e" else point[tree.name]
        if isinstance(tree, Number):
            top, bottom = tree.value.numerator, tree.value.denominator
            return self.divide(Ball(Decimal(top), _ZERO), Ball(Decimal(bottom), _ZERO))
        if isinstance(tree, Minus):
            inside = self.of(tree.argument, point)
            return Ball(inside.value.copy_negate(), inside.error)
        if isinstance(tree, Call):
            return self.calls[tree.function](self.of(tree.argument, point))
        return self._binary(tree, point)

    def _binary(self, tree: Binary, point: Point) -> Ball:
        left, right = self.of(tree.left, point), self.of(tree.right, point)
        return self.operations[tree.operator](left, right)

    def _ball(self, value: Decimal, error: Decimal) -> Ball:
        """A result: the error it inherits, and that of its own rounding unless it is exact."""
        if not self.context.flags[Inexact]:
            return Ball(value, error)
        self.context.clear_flags()
        return Ball(value, _UP.add(error, _UP.multiply(value.copy_abs(), self.rounding)))

    def add(self, a: Ball, b: Ball) -> Ball:
        return self._ball(self.context.add(a.value, b.value), _UP.add(a.error, b.error))

    def multiply(self, a: Ball, b: Ball) -> Ball:
        value = self.context.multiply(a.value, b.value)
        if not a.error and not b.error:
            return self._ball(value, _ZERO)
        mixed = _UP.add(
            _UP.multiply(a.value.copy_abs(), b.error), _UP.multiply(b.value.copy_abs(), a.error)
        )
        return self._ball(value, _UP.add(mixed, _UP.multiply(a.error, b.error)))

    def divide(self, a: Ball, b: Ball) -> Ball:
        least = _least(b)
        value = self.context.divide(a.value, b.value)
        if not a.error and not b.error:
            return self._ball(value, _ZERO)
        error = _UP.add(a.error, _UP.multiply(value.copy_abs(), b.error))
        return self._ball(value, _UP.divide(error, least))

    def exp(self, a: Ball) -> Ball:
        value = self.context.exp(a.value)
        return self._ball(value, _grown(value, a.error))

    def log(self, a: Ball) -> Ball:
        if a.value <= -a.error:
            raise _NoValueError
        if a.value <= a.error:
            raise _UnknownError
        return self._ball(self.context.ln(a.value), _UP.divide(a.error, _least(a)))

    def sqrt(self, a: Ball) -> Ball:
        if a.value < -a.error:
            raise _NoValueError
        if a.value < a.error:
            raise _UnknownError
        value = self.context.sqrt(a.value)
        return self._ball(value, _UP.divide(a.error, value) if a.error else _ZERO)

    def sigma(self, a: Ball) -> Ball:
        one = Ball(_ONE, _ZERO)
        return self.divide(one, self.add(one, self.exp(Ball(a.value.copy_negate(), a.error))))

    def power(self, a: Ball, b: Ball) -> Ball:
        if a.value == 0 and not a.error:
            return self._power_of_zero(b)
        if not b.error and b.value == b.value.to_integral_value():
            return self._whole_power(a, b.value)
        if a.value < -a.error and _is_no_integer(b):
            raise _NoValueError
        if a.value <= a.error:
            raise _UnknownError
        value = self.context.power(a.value, b.value)
        relative = _UP.divide(
            _UP.multiply(_UP.add(b.value.copy_abs(), b.error), a.error), _least(a)
        )
        bent = _UP.multiply(abs(_UP.ln(a.value)) + 1, b.error) if b.error else _ZERO
        return self._ball(value, _grown(value, _UP.add(relative, bent)))

    def _power_of_zero(self, b: Ball) -> Ball:
        if b.value <= -b.error:
            raise _NoValueError
        if b.value <= b.error:
            raise _UnknownError
        return Ball(_ZERO, _ZERO)

    def _whole_power(self, a: Ball, b: Decimal) -> Ball:
        if a.error >= a.value.copy_abs() and b > 0:
            bound = _UP.power(_UP.add(a.value.copy_abs(), a.error), b)
            return Ball(_ZERO, bound)
        relative = _UP.divide(_UP.multiply(b.copy_abs(), a.error), _least(a))
        value = self.context.power(a.value, b)
        return self._ball(value, _grown(value, relative))


def _least(a: Ball) -> Decimal:
    """The least size that a value can have; it has to be known not to be zero."""
    if a.value.copy_abs() <= a.error:
        if a.error:
            raise _UnknownError
        raise _NoValueError
    return _UP.divide(_UP.subtract(a.value.copy_abs(), a.error), _SLACK)


def _grown(value: Decimal, relative: Decimal) -> Decimal:
    """The error of a value whose logarithm has an error."""
    if relative > Decimal("0.1"):
        raise _UnknownError
    return _UP.multiply(value.copy_abs(), _UP.multiply(relative, Decimal("1.1")))


def _is_no_integer(b: Ball) -> bool:
    return abs(b.value - b.value.to_integral_value()) > b.error


class _Thread(threading.local):
    """Arithmetic of each thread's own: its flags say whether the last operation was exact."""

    def __init__(self) -> None:
        self.arithmetic = {digits: _Arithmetic(digits) for digits in (DIGITS, MANY_DIGITS)}


_THREAD = _Thread()
