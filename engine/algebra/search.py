"""Looking for the points at which a line betrays itself, in floating point.

Random points miss what happens at few of them: a sign that turns far out, a second solution. These
searches walk along one name at a time. They only propose points; the judge evaluates each of them
with a bound on its error before it believes anything.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

from engine.algebra.misconceptions import names
from engine.algebra.sampling import SHARES
from engine.algebra.typed import REAL, Binary, Call, Minus, Name, Number, Tree

Floats = Mapping[str, float]

_NEAR_ZERO = 1e-13  # of the sides: a difference that may be none
_SHRUNK = 1e-3  # of the difference at the ends of an interval: that in its middle
_APART = 1e-6  # of the values: more than rounding
NOISE = 1e-12  # what rounding leaves of a difference of ordinary numbers
_LEAST = 1e-60  # what the many digits of a sum with one still hold
_HALVINGS = 60
_STEPS = 36
_NICE = (0.5, 1.0, 2.0)  # where learners' factors vanish
_WIDE = (1e-6, 1e-3, 0.03, 0.3, 1.5, 4.5, 12.0, 60.0, 400.0, 5e3, 1e5, 1e7)


def approximate(tree: Tree, point: Floats) -> float:
    """The value of a tree in floating point; NaN where it has none or is too large."""
    try:
        return _value(tree, point)
    except (ArithmeticError, ValueError):
        return math.nan


def apart(one: Tree | float, other: Tree | float, point: Floats, *, noise: float = 0.0) -> bool:
    """Whether two trees have values at a point, and these are far apart, for more than noise."""
    a, b = (each if isinstance(each, float) else approximate(each, point) for each in (one, other))
    return abs(a - b) > _APART * (abs(a) + abs(b)) + noise


def ordinary(tree: Tree, point: Floats) -> bool:
    """Whether no part of a tree is so large or so small that sums with it lose digits."""
    if isinstance(tree, Name | Number):
        return True
    if isinstance(tree, Binary):
        inside = ordinary(tree.left, point) and ordinary(tree.right, point)
        zero = tree.operator != "^" or approximate(tree.left, point) == 0
        return inside and _is_ordinary(tree, point, zero=zero)
    odds = tree.argument if isinstance(tree, Call) and tree.function == "sigma" else None
    if odds is not None and not _is_ordinary(Call("exp", odds), point, zero=False):
        return False
    zero = not isinstance(tree, Call) or tree.function != "exp"
    return ordinary(tree.argument, point) and _is_ordinary(tree, point, zero=zero)


def _is_ordinary(tree: Tree, point: Floats, *, zero: bool) -> bool:
    size = abs(approximate(tree, point))
    return _LEAST <= size <= 1 / _LEAST or (zero and size == 0)


def turning(trees: Iterable[Tree], starts: Iterable[Floats], most: int) -> list[dict[str, float]]:
    """Points at which a sum or a logarithm within the trees has another sign than at a start."""
    parts = {part: None for tree in trees for part in _parts(tree)}
    found: list[dict[str, float]] = []
    for start in starts:
        for part in parts:
            found.extend(_turned(part, start))
            if len(found) >= most:
                return found[:most]
    return found


def solutions(left: Tree, right: Tree, start: Floats) -> Iterator[tuple[str, float, float]]:
    """Where two trees meet along one name: the name, and two values close around the place.

    The two are the same where the trees meet on the grid itself.
    """

    def gap(point: Floats) -> float:
        one, other = approximate(left, point), approximate(right, point)
        scale = abs(one) + abs(other)
        return 0.0 if abs(one - other) <= _NEAR_ZERO * scale else one - other

    for name in sorted(names(left) | names(right)):
        yield from ((name, a, b) for a, b in _crossings(gap, name, start))


def _crossings(
    gap: Callable[[Floats], float], name: str, start: Floats
) -> Iterator[tuple[float, float]]:
    before: tuple[float, float] | None = None
    for place in _grid(name):
        height = gap({**start, name: place})
        if height == 0:
            yield place, place
        elif before and before[1] * height < 0:
            yield from _halved(lambda at: gap({**start, name: at}), before[0], place)
        before = (place, height) if math.isfinite(height) and height else None


def _halved(
    gap: Callable[[float], float], low: float, high: float
) -> Iterator[tuple[float, float]]:
    """The ends of a narrow interval in which the sign turns, unless it turns at a pole."""
    negative, wide = gap(low) < 0, abs(gap(low)) + abs(gap(high))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        height = gap(middle)
        if height == 0 or middle in {low, high}:
            break
        low, high = (middle, high) if (height < 0) == negative else (low, middle)
    if abs(gap(low)) + abs(gap(high)) < _SHRUNK * wide:
        yield low, high


def _grid(name: str) -> list[float]:
    if name in SHARES:
        odds = (math.exp(0.3 * step - 6.1) for step in range(41))
        return sorted([*(each / (1 + each) for each in odds), 0.5])
    sizes = [10 ** (6 * (step + 0.37) / _STEPS - 3) for step in range(_STEPS)]
    positive = sorted([*sizes, *_NICE])
    return [*(-size for size in reversed(positive)), 0.0, *positive] if name in REAL else positive


def _turned(part: Tree, start: Floats) -> Iterator[dict[str, float]]:
    sign = approximate(part, start) > 0
    for name in sorted(names(part)):
        for place in _places(name):
            moved = {**start, name: place}
            height = approximate(part, moved)
            if math.isfinite(height) and (height > 0) != sign:
                yield moved
                break


def _places(name: str) -> list[float]:
    if name in SHARES:
        return [1e-6, 0.001, 0.02, 0.2, 0.4, 0.6, 0.8, 0.98, 0.999, 1 - 1e-6]
    return [-size for size in _WIDE] + list(_WIDE) if name in REAL else list(_WIDE)


def _parts(tree: Tree) -> Iterator[Tree]:
    """The sums and logarithms of a tree that hold a name."""
    if isinstance(tree, Name | Number):
        return
    if isinstance(tree, Binary):
        yield from _parts(tree.left)
        yield from _parts(tree.right)
    else:
        yield from _parts(tree.argument)
    if _is_part(tree) and names(tree):
        yield tree


def _is_part(tree: Tree) -> bool:
    if isinstance(tree, Binary):
        return tree.operator in {"+", "-"}
    return isinstance(tree, Call) and tree.function == "log"


def _value(tree: Tree, point: Floats) -> float:
    if isinstance(tree, Name):
        return math.e if tree.name == "e" else point[tree.name]
    if isinstance(tree, Number):
        return float(tree.value)
    if isinstance(tree, Minus):
        return -_value(tree.argument, point)
    if isinstance(tree, Call):
        return _CALLS[tree.function](_value(tree.argument, point))
    return _OPERATIONS[tree.operator](_value(tree.left, point), _value(tree.right, point))


def _sigma(u: float) -> float:
    return 1 / (1 + math.exp(-u)) if u > 0 else math.exp(u) / (1 + math.exp(u))


_CALLS: dict[str, Callable[[float], float]] = {
    "log": math.log,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "sigma": _sigma,
}
_OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": math.pow,
}
