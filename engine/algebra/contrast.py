"""A wrong line in the small world of its derivation: two numbers there that should be one.

What the typed names stand for is stated by the derivation. Where the usual numbers of its desk
do not tell the lines apart, the judge's own point does, and the reason is told.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sympy import Expr, Integer, Symbol

from engine.algebra import search
from engine.algebra.derivation import Derivation
from engine.algebra.expressions import L, W, X, Y
from engine.algebra.findings import Counterexample
from engine.algebra.instances import Binding
from engine.algebra.misconceptions import names
from engine.algebra.numbers import Scene
from engine.algebra.reader import parse
from engine.algebra.typed import Line, Name, Tree

Of = Literal["both", "typed"]
VISIBLE = 1e-3  # of the larger value: what four digits show
_NOTHING = 1e-6  # a value below this may be what rounding leaves of zero
_HOLDS = 1e-9  # of the larger value: what rounding leaves of an equation


@dataclass(frozen=True)
class Contrast:
    """Where two lines come apart: in the world, or, with a reason, only somewhere else."""

    clash: Counterexample | None  # None where the world does not tell them apart
    where: str  # which world, and which of its outcomes; or why it does not tell
    answered: bool = False  # whether the world gives all names numbers


def contrast(derivation: Derivation, line: str, expected: str, typed: str) -> Contrast:
    """Hold a typed line against the expected one in the usual numbers of a derivation.

    Args:
        derivation: whose world it is.
        line: the id of the line that says what the names stand for.
        expected: the line that was asked for, as text.
        typed: a line that was judged different from it, as text.

    Raises:
        ReadError: if one of the two lines cannot be read.
    """
    asked, said = parse(expected)[0], parse(typed)[0]
    known = derivation.names_of(line)
    compared = [pair for pair in _pairs(asked, said) if _names(pair) <= set(known)]
    missing = sorted((_names(asked) | _names(said)) - set(known))
    if not compared or not _names(asked) <= set(known):
        lacks = " and no ".join(missing)
        return Contrast(None, f"The world of this derivation has no {lacks}; other numbers tell:")
    used = {name: known[name] for name in _names(asked).union(*map(_names, compared))}
    for binding, phrase in _places(derivation, used):
        point = _point(used, derivation.desk.usual().scene(), binding)
        clash = _clash(compared, point) if _stands(asked, point) else None
        if clash is not None:
            of: Of = "typed" if asked.right and said.right else "both"
            clash = replace(clash, of=of)
            return Contrast(clash, f"In the world of this derivation{phrase}:", answered=True)
    return Contrast(None, _SAME, answered=True)


_SAME = "The world of this derivation does not tell the two apart; other numbers do:"


def _names(line: Line | tuple[Tree, Tree]) -> set[str]:
    sides = (line.left, line.right) if isinstance(line, Line) else line
    return set[str]().union(*(names(side) for side in sides if side is not None))


# --- the world ----------------------------------------------------------------------------------


def _places(derivation: Derivation, used: Mapping[str, Expr]) -> Iterator[tuple[Binding, str]]:
    """Each outcome in turn for the indices that names leave open, and which one it is in words."""
    free = {symbol for expr in used.values() for symbol in expr.free_symbols}
    indices = {each for each in free if each == Y or each.is_integer} - {W, L, X}
    pair: Binding = {W: Integer(0), L: Integer(1)}
    if not indices:
        yield pair, ""
        return
    for place, outcome in enumerate(derivation.desk.outcomes):
        binding = pair | dict.fromkeys(indices, Integer(place))
        yield binding, f", for {_phrase(derivation, indices).format(outcome)}"


def _phrase(derivation: Derivation, indices: set[Symbol]) -> str:
    """How an outcome is spoken of: as the desk does, where it speaks of one."""
    spoken = (each.phrase for each in derivation.desk.asked if indices & set(each.indices))
    return next(spoken, "“{}”")


def _point(used: Mapping[str, Expr], scene: Scene, binding: Binding) -> dict[str, float]:
    return {name: scene.value(expr, binding) for name, expr in sorted(used.items())}


def _stands(asked: Line, point: Mapping[str, float]) -> bool:
    """Whether an expected equation holds at a point, as it does if the names are read rightly."""
    if asked.right is None:
        return True
    left, right = (search.approximate(side, point) for side in (asked.left, asked.right))
    return abs(left - right) <= _HOLDS * max(1.0, abs(left), abs(right))


# --- what comes apart ---------------------------------------------------------------------------


def _clash(
    compared: Sequence[tuple[Tree, Tree]], point: Mapping[str, float]
) -> Counterexample | None:
    for one, other in compared:
        left, right = (search.approximate(side, point) for side in (one, other))
        if math.isfinite(left) and _apart(left, right):
            return Counterexample(point, left, right if math.isfinite(right) else None)
    return None


def _apart(left: float, right: float) -> bool:
    if not math.isfinite(right):
        return True
    return abs(left - right) > VISIBLE * max(abs(left), abs(right), _NOTHING)


def _pairs(asked: Line, said: Line) -> Iterator[tuple[Tree, Tree]]:
    """What should have the same value, as the judge pairs it."""
    if said.right is None:
        yield _whole(asked), said.left
    elif asked.right is not None:
        yield said.left, said.right
    else:
        known = {Name(name) for name in names(asked.left)} | {Name("e")}
        sides = (said.left, said.right)
        fresh = [side for side in sides if not isinstance(side, Name) or side in known]
        yield from ((asked.left, side) for side in fresh or sides)


def _whole(asked: Line) -> Tree:
    """An expression; of an equation, the side that is no mere name."""
    if asked.right is None:
        return asked.left
    return asked.left if isinstance(asked.right, Name) else asked.right
