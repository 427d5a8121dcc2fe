"""Two equations that say the same: each holds wherever the other does.

The expected one is solved for a name, which gives points at which it holds; the typed one has to
hold there. A search for other solutions of the typed one finds what it allows beside. What
survives is proved: each is substituted into the other.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import islice

from engine.algebra import isolation, sampling, search
from engine.algebra.equality import multiple, same, written_alike
from engine.algebra.findings import (
    LITTLE,
    Counterexample,
    Verdict,
    different,
    number,
    right,
    shown,
    undecided,
    visible,
)
from engine.algebra.isolation import Solved
from engine.algebra.misconceptions import Mistake, names, replaced, wrong_forms
from engine.algebra.sampling import DIGITS, MANY_DIGITS, SHARES, Ball, Point
from engine.algebra.typed import REAL, Binary, Line, Name, Number, Tree

POINTS = 16  # random points at which the expected equation is made to hold
TURNING = 8  # points more, at which a part of either has another sign
ENOUGH = 4  # points at which the two have to agree before a proof is tried
STARTS = 2  # points from which other solutions are looked for
PROOFS = 5  # names for which the typed equation is solved, at most
_ZERO = Number(Fraction(0), "0")
_OPEN = "It holds at every point that was tried, but no rule here proves it."


@dataclass(frozen=True)
class _Case:
    """Two equations and random points, at which neither has to hold."""

    wanted: Line
    line: Line
    raw: list[dict[str, Ball]]


def compared(wanted: Line, line: Line, generator: random.Random) -> Verdict:
    """Hold a typed equation against the expected one."""
    used = _names(wanted) | _names(line)
    raw = sampling.points(used, POINTS, generator)
    starts = [shown(spot) for spot in raw[:2]]
    turned = search.turning([*_sides(wanted), *_sides(line)], starts, TURNING)
    case = _Case(wanted, line, [*raw, *map(sampling.exactly, turned)])
    if _always(wanted, case.raw):
        return _identity(case)
    if _always(line, case.raw):
        return _says_nothing(case)
    solved = isolation.solved(wanted)
    return _rearranged(case) if solved is None else _solved(case, solved, generator)


def _solved(case: _Case, solved: Solved, generator: random.Random) -> Verdict:
    marks: list[bool | None] = []
    for raw in case.raw:
        here = _marks(case, solved, raw)
        marks.extend(here)
        if False in here and False in _marks(case, solved, sampling.shaken(raw)):
            return _wrong(case, next(_solutions(case.wanted, solved, raw)))
    refused = _refused(case, solved)
    if refused is not None:
        return refused
    if marks.count(True) < ENOUGH:
        return undecided("There are too few points at which the line holds to compare.")
    if _breaks_outside(case, solved, generator):
        return undecided("It agrees for probabilities, and not for numbers above one.")
    return (
        right(_form(case.wanted, solved, case.line)) if _proved(case, solved) else undecided(_OPEN)
    )


def _marks(case: _Case, solved: Solved, raw: Point) -> list[bool | None]:
    return [_holds(case.line, spot) for spot in _solutions(case.wanted, solved, raw)]


def _refused(case: _Case, solved: Solved) -> Verdict | None:
    """An equation that holds too often, or, where the expected one has branches, too seldom."""
    loose = _other_solution(case.line, case.wanted, case.raw)
    if loose is not None:
        sentence = f"This holds for other values of {solved.name} too; the line asks for the one."
        clash = _at(case.wanted, loose, "expected")
        return different(sentence, clash, Mistake("loose", sentence))
    missed = None if solved.implied else _other_solution(case.wanted, case.line, case.raw)
    if missed is None:
        return None
    sentence = "This leaves out some of the values with which the line holds."
    return different(sentence, _at(case.line, missed, "typed"), None)


def _breaks_outside(case: _Case, solved: Solved, generator: random.Random) -> bool:
    outside = sampling.beyond(case.raw[0], SHARES & set(case.raw[0]), ENOUGH, generator)
    spots = [spot for raw in outside for spot in _solutions(case.wanted, solved, raw)]
    return any(_holds(case.line, spot) is False for spot in spots)


# --- points -------------------------------------------------------------------------------------


def _sides(line: Line) -> tuple[Tree, Tree]:
    return line.left, line.right or line.left


def _names(line: Line) -> set[str]:
    left, right_ = _sides(line)
    return names(left) | names(right_)


def _holds(line: Line, spot: Point) -> bool | None:
    """Whether an equation holds; it does not where a side has no value. None: it is unclear."""
    left, right_ = (sampling.value(side, spot) for side in _sides(line))
    return False if left is None or right_ is None else sampling.held(left, right_)


def _always(line: Line, spots: list[dict[str, Ball]], digits: int = DIGITS) -> bool:
    marks = []
    for spot in spots:
        left, right_ = (sampling.value(side, spot, digits) for side in _sides(line))
        marks.append(sampling.held(left, right_))
        if marks[-1] is False:
            return False
    if digits < MANY_DIGITS:
        clear = [spot for spot in spots if _is_ordinary(line, shown(spot))]
        return _always(line, clear, MANY_DIGITS)
    return marks.count(True) >= ENOUGH


def _solutions(wanted: Line, solved: Solved, raw: Point) -> Iterator[dict[str, Ball]]:
    """The point with the name that is solved for at its right value, if there is one."""
    return (
        spot
        for spot in _any_solutions(wanted, solved, raw)
        if solved.name in REAL or spot[solved.name].value > spot[solved.name].error
    )


def _any_solutions(line: Line, solved: Solved, raw: Point) -> Iterator[dict[str, Ball]]:
    """The same, even if the value lies outside the domain of the name."""
    for digits in (DIGITS, MANY_DIGITS):
        at = sampling.value(solved.value, raw, digits)
        if at is None:
            return
        spot = {**raw, solved.name: at}
        holds = _holds(line, spot)
        if holds is not None:
            yield from [spot] if holds else []
            return


def _at(line: Line, spot: Point, of: str) -> Counterexample:
    left, right_ = (number(sampling.value(side, spot)) for side in _sides(line))
    return Counterexample(shown(spot), left, right_, "typed" if of == "typed" else "expected")


# --- what is wrong ------------------------------------------------------------------------------


def _wrong(case: _Case, spot: Point) -> Verdict:
    clash = _at(case.line, spot, "typed")
    return different(_disagree(clash), clash, _mistake(case))


def _disagree(clash: Counterexample) -> str:
    if clash.expected is None or clash.typed is None:
        return "Put in the right values, and what you typed has no value."
    return "Put in the right values, and the two sides differ." if visible(clash) else LITTLE


def _mistake(case: _Case) -> Mistake | None:
    """The recognized wrong form of the equation with which the typed one would hold."""
    known, starts = set(case.raw[0]), [shown(raw) for raw in case.raw[:STARTS]]
    found = [
        (mistake, wrong)
        for mistake, wrong in _wrong_lines(case.wanted)
        if _names(wrong) <= known and _explains(wrong, case, starts)
    ]
    alike = (mistake for mistake, wrong in found if _alike(wrong, case.line))
    return next(alike, found[0][0] if found else None)


def _wrong_lines(wanted: Line) -> Iterator[tuple[Mistake, Line]]:
    """Wrong forms of the right side, then of the left."""
    one, other = _sides(wanted)
    if isinstance(other, Name):
        one, other = other, one
    yield from ((mistake, Line(one, wrong)) for mistake, wrong in wrong_forms(other))
    yield from ((mistake, Line(wrong, other)) for mistake, wrong in wrong_forms(one))


def _explains(wrong: Line, case: _Case, starts: list[dict[str, float]]) -> bool:
    """Whether the typed equation holds wherever the wrong one does."""
    solved = isolation.solved(wrong)
    if solved is None:
        return False
    for start in starts:
        at = search.approximate(solved.value, start)
        if search.apart(*_sides(case.line), {**start, solved.name: at}, noise=search.NOISE):
            return False
    marks: list[bool | None] = []
    found = _any_solutions if _is_solved(case.line, solved.name) else _solutions
    for raw in case.raw:
        marks.extend(_holds(case.line, spot) for spot in found(wrong, solved, raw))
        if False in marks:
            return False
    return marks.count(True) >= ENOUGH


def _alike(one: Line, other: Line) -> bool:
    left, right_ = _sides(one)
    return any(
        written_alike(left, a) and written_alike(right_, b)
        for a, b in (_sides(other), _sides(other)[::-1])
    )


def _says_nothing(case: _Case) -> Verdict:
    sentence = "This is true whatever the values are, so it says nothing about them."
    broken = (spot for spot in case.raw if _holds(case.wanted, spot) is False)
    clash = next((_at(case.wanted, spot, "expected") for spot in broken), None)
    return different(sentence, clash, Mistake("says-nothing", sentence))


# --- too loose ----------------------------------------------------------------------------------


def _other_solution(one: Line, other: Line, raw: list[dict[str, Ball]]) -> Point | None:
    """A point at which the first equation certainly holds and the second does not."""
    for start in (shown(spot) for spot in raw[:STARTS]):
        for name, low, high in search.solutions(*_sides(one), start):
            ends = [{**start, name: low}, {**start, name: high}]
            crosses = low != high or _meets(one, ends[0])
            if search.apart(*_sides(other), ends[0]) and crosses and _tells_apart(one, other, ends):
                return sampling.exactly(ends[0])
    return None


def _meets(line: Line, place: dict[str, float]) -> bool:
    """Whether the sides meet at a point itself: 1 and 1 + exp(-1000) only seem to."""
    spot = sampling.exactly(place)
    sides = (sampling.value(side, spot, MANY_DIGITS) for side in _sides(line))
    return _is_ordinary(line, place) and sampling.held(*sides) is True


def _is_ordinary(line: Line, place: dict[str, float]) -> bool:
    return all(search.ordinary(side, place) for side in _sides(line))


def _tells_apart(one: Line, other: Line, ends: list[dict[str, float]]) -> bool:
    """Whether the first equation certainly holds between two points, and the second does not."""
    first = [_gap(one, sampling.exactly(end)) for end in ends]
    second = [_gap(other, sampling.exactly(end)) for end in ends]
    if None in first or None in second:
        return False
    meets = _signs(first) == ({0} if ends[0] == ends[1] else {-1, 1})
    return meets and len(_signs(second)) == 1 and 0 not in _signs(second)


def _gap(line: Line, spot: Point) -> Decimal | None:
    """How far the sides are apart; 0 where that is within the error, None where it is unclear."""
    left, right_ = (sampling.value(side, spot) for side in _sides(line))
    if left is None or right_ is None:
        return None
    mark = sampling.held(left, right_)
    if mark is None:
        return None
    return Decimal(0) if mark else left.value - right_.value


def _signs(gaps: list[Decimal | None]) -> set[int]:
    """The signs of what is certainly apart; 0 for what is too close to tell."""
    return {0 if not gap else 1 if gap > 0 else -1 for gap in gaps}


# --- proofs -------------------------------------------------------------------------------------


def _proved(case: _Case, solved: Solved) -> bool:
    """Whether algebra shows that each equation follows from the other."""
    typed = [each for each in isolation.every(case.line) if each.implied]
    own = next((each for each in typed if each.name == solved.name), None)
    if solved.implied and own is not None and own.implies and same(own.value, solved.value):
        return True
    back = (_follows(case.wanted, each) for each in islice(typed, PROOFS))
    if solved.implied and _follows(case.line, solved) and any(back):
        return True
    return multiple(_difference(case.line), _difference(case.wanted))


def _difference(line: Line) -> Tree:
    """What an equation says is zero."""
    left, right_ = _sides(line)
    return left if right_ == _ZERO else Binary("-", left, right_)


def _follows(line: Line, solved: Solved) -> bool:
    left, right_ = (replaced(side, {solved.name: solved.value}) for side in _sides(line))
    return same(left, right_)


def _identity(case: _Case) -> Verdict:
    """The expected line is true everywhere: the typed one has to have its sides."""
    sides, asked = set(_sides(case.line)), set(_sides(case.wanted))
    if sides == asked:
        return right("")
    broken = next((spot for spot in case.raw if _holds(case.line, spot) is False), None)
    if broken is not None:
        return _wrong(case, broken)
    if len(sides) > 1 and all(same(side, case.wanted.left) for side in sides):
        return right("")
    if written_alike(*_sides(case.line)):
        return _says_nothing(case)
    return undecided(_OPEN)


def _rearranged(case: _Case) -> Verdict:
    """An expected line that cannot be solved: the typed one has to be it, moved around."""
    if multiple(_difference(case.line), _difference(case.wanted)):
        return right("")
    return undecided("This equation cannot be solved for one of its names here.")


# --- form ---------------------------------------------------------------------------------------


def _form(wanted: Line, solved: Solved, line: Line) -> str:
    """What to say of a right equation that is not solved, or carries names that cancel."""
    name = Name(solved.name)
    if name in _sides(wanted) and not _is_solved(line, solved.name):
        return f"It is not yet solved for {solved.name}."
    return spare(_names(wanted), _names(line))


def _is_solved(line: Line, name: str) -> bool:
    pairs = (_sides(line), _sides(line)[::-1])
    return any(one == Name(name) and name not in names(other) for one, other in pairs)


def spare(asked: set[str], typed: set[str]) -> str:
    """What to say of a right line that still carries names which cancel."""
    extra = sorted(typed - asked)
    return f"You can still cancel {' and '.join(extra)}." if extra else ""
