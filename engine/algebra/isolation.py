"""Solving an equation for one of its names, by undoing what stands around it.

What an equation says of a name is *implied* by it only where no step loses a solution: a factor
that may vanish is not divided away, and an even root is taken of positive things alone. What is
found *implies* the equation in turn only where no root is undone that may be negative.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from engine.algebra.misconceptions import names
from engine.algebra.typed import REAL, Binary, Call, Line, Minus, Name, Number, Operator, Tree

_ONE, _TWO = Number(Fraction(1), "1"), Number(Fraction(2), "2")
_UNDO: dict[Operator, Operator] = {"+": "-", "-": "+", "*": "/", "/": "*"}


@dataclass(frozen=True, slots=True)
class Solved:
    """A name and what it equals; the name does not stand in the value."""

    name: str
    value: Tree
    implied: bool = True  # by the equation, at every point of the domain
    implies: bool = True  # the equation, wherever the value is one


def solved(line: Line) -> Solved | None:
    """An equation solved for a name: the one alone on a side, else one that stands there once."""
    if line.right is None:
        return None
    for one, other in ((line.left, line.right), (line.right, line.left)):
        if isinstance(one, Name) and one.name != "e" and one.name not in names(other):
            return Solved(one.name, other)
    return next(every(line), None)


def every(line: Line) -> Iterator[Solved]:
    """The equation solved for each name that stands in it once, those of the left side first."""
    right = line.right or line.left
    on_left = sorted(names(line.left))
    for name in [*on_left, *sorted(names(right) - set(on_left))]:
        counts = _count(line.left, name), _count(right, name)
        if sorted(counts) == [0, 1]:
            side, value = (line.left, right) if counts[0] else (right, line.left)
            found = _Undoing(name).of(side, value)
            if found is not None:
                yield found


def integer(tree: Tree) -> int | None:
    """The whole number that a tree is, perhaps with a sign."""
    if isinstance(tree, Number) and tree.value.denominator == 1:
        return int(tree.value)
    if isinstance(tree, Minus) and (inside := integer(tree.argument)) is not None:
        return -inside
    return None


def _count(tree: Tree, name: str) -> int:
    if isinstance(tree, Name):
        return int(tree.name == name)
    if isinstance(tree, Number):
        return 0
    if isinstance(tree, Binary):
        return _count(tree.left, name) + _count(tree.right, name)
    return _count(tree.argument, name)


class _Undoing:
    """One name being laid bare."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.implied = True
        self.implies = True

    def of(self, side: Tree, value: Tree) -> Solved | None:
        """What the name equals if `side`, in which it stands once, equals `value`."""
        while side != Name(self.name):
            step = self._step(side, value)
            if step is None:
                return None
            side, value = step
        return Solved(self.name, value, self.implied, self.implies)

    def _step(self, side: Tree, value: Tree) -> tuple[Tree, Tree] | None:
        if isinstance(side, Minus):
            return side.argument, Minus(value)
        if isinstance(side, Call):
            self.implies &= side.function != "sqrt" or _positive(value)
            return side.argument, _inverse(side, value)
        if not isinstance(side, Binary):
            return None
        if side.operator == "^":
            return self._root(side, value)
        return self._operand(side, value)

    def _operand(self, side: Binary, value: Tree) -> tuple[Tree, Tree]:
        """One operation undone: the part with the name, and what it equals."""
        left, right, sign = side.left, side.right, side.operator
        if _count(left, self.name):
            self._needs(right, value, divided=sign == "*")
            return left, Binary(_UNDO[sign], value, right)
        if sign == "+":
            return right, Binary("-", value, left)
        if sign == "-":
            return right, Binary("-", left, value)
        self._needs(left, value, divided=True)
        return right, Binary("/", value, left) if sign == "*" else Binary("/", left, value)

    def _needs(self, factor: Tree, value: Tree, *, divided: bool) -> None:
        """A factor and what it makes may not vanish together, or any value would do there."""
        if divided and not (_never_zero(factor) or _never_zero(value)):
            self.implied = False

    def _root(self, side: Binary, value: Tree) -> tuple[Tree, Tree] | None:
        """The base of a power that is a number."""
        power = _fraction(side.right)
        if not power:
            return None
        if integer(value) == 0 and power > 0:
            return side.left, value
        even = power.denominator == 1 and power.numerator % 2 == 0
        odd = power.denominator == 1 and not even
        if (even and not _positive(side.left)) or (odd and not _positive_power(side.left, value)):
            self.implied = False
        self.implies &= power.denominator == 1 or _positive(value)
        return side.left, Binary("^", value, Binary("/", _ONE, side.right))


def _inverse(call: Call, value: Tree) -> Tree:
    if call.function == "log":
        return Call("exp", value)
    if call.function == "exp":
        return Call("log", value)
    if call.function == "sqrt":
        return Binary("^", value, _TWO)
    return Call("log", Binary("/", value, Binary("-", _ONE, value)))


def _fraction(tree: Tree) -> Fraction | None:
    """The number that an exponent is, None if it is not one."""
    if isinstance(tree, Number):
        return tree.value
    if isinstance(tree, Minus):
        inside = _fraction(tree.argument)
        return None if inside is None else -inside
    if isinstance(tree, Binary) and tree.operator == "/":
        top, bottom = _fraction(tree.left), _fraction(tree.right)
        return top / bottom if top is not None and bottom else None
    return None


def _positive_power(base: Tree, value: Tree) -> bool:
    """Whether an odd power has a root that is written as a power: of something positive."""
    return _positive(base) or _positive(value)


def _never_zero(tree: Tree) -> bool:
    return bool(tree.expr.is_nonzero)


def _positive(tree: Tree) -> bool:
    if isinstance(tree, Name):
        return tree.name not in REAL
    return bool(tree.expr.is_positive)
