"""Is the line that was typed the line that was asked for? Refuted in numbers first, then proved.

Expressions are compared by value, wherever the expected one has a value. Equations are compared by
what they say: the typed one has to hold wherever the expected one does, and nowhere else. Four
outcomes; *undecided* and *unreadable* never count against a learner.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from engine.algebra import equations, sampling, search
from engine.algebra.equality import same, written_alike
from engine.algebra.findings import (
    LITTLE,
    different,
    number,
    right,
    shown,
    undecided,
    visible,
)
from engine.algebra.findings import Counterexample as Counterexample
from engine.algebra.findings import Verdict as Verdict
from engine.algebra.misconceptions import Mistake, names, wrong_forms
from engine.algebra.reader import parse
from engine.algebra.sampling import DIGITS, MANY_DIGITS, SHARES, Ball, Point
from engine.algebra.tokens import ReadError
from engine.algebra.typed import Line, Name, Tree

POINTS = 14  # random points that a line has to survive before a proof is tried
TURNING = 12  # points more, at which one of its parts has another sign
ENOUGH = 4  # points at which two lines have to agree before a proof is tried


def judge(expected: str, typed: str, *, generator: random.Random) -> Verdict:
    """Hold a typed line against the expected one.

    Args:
        expected: the line that is asked for, as text.
        typed: what the learner typed.
        generator: a `random.Random`; it chooses the points at which the two are compared.

    Raises:
        ReadError: if the *expected* line cannot be read.
    """
    wanted, _ = parse(expected)
    try:
        line, parsed = parse(typed)
    except ReadError as error:
        return Verdict("unreadable", error.sentence, position=error.position)
    verdict = _compared(wanted, line, generator)
    return Verdict(
        verdict.outcome,
        verdict.sentence,
        line,
        parsed,
        verdict.counterexample,
        verdict.mistake,
        verdict.form,
        verdict.note,
    )


def _compared(wanted: Line, line: Line, generator: random.Random) -> Verdict:
    if wanted.right is not None and line.right is not None:
        return equations.compared(wanted, line, generator)
    if wanted.right is not None:
        return _side_for_equation(wanted, line.left, generator)
    if line.right is not None:
        return _equation_for_expression(wanted.left, line, generator)
    return _expressions(wanted.left, line.left, generator)


def _equation_for_expression(wanted: Tree, line: Line, generator: random.Random) -> Verdict:
    """An expression was asked for and an equation came: right if its sides are it."""
    sides = [side for side in (line.left, line.right) if side is not None]
    known = {Name(name) for name in names(wanted)} | {Name("e")}
    fresh = [side for side in sides if not isinstance(side, Name) or side in known]
    verdicts = [_expressions(wanted, side, generator) for side in fresh or sides]
    wrong = next((each for each in verdicts if each.outcome != "equivalent"), None)
    if wrong is None:
        return right("The line asks for an expression, without an equals sign.")
    if wrong.outcome != "different" or wrong.mistake:
        return wrong
    return replace(
        wrong,
        sentence="The line asks for an expression, and your two sides are not both equal to it.",
    )


def _side_for_equation(wanted: Line, typed: Tree, generator: random.Random) -> Verdict:
    """An equation was asked for and one of its sides came."""
    one, other = wanted.left, wanted.right or wanted.left
    if isinstance(other, Name) and not isinstance(one, Name):
        one, other = other, one
    verdict = _expressions(other, typed, generator)
    if verdict.outcome != "equivalent":
        return verdict
    before = f"{one.name} =" if isinstance(one, Name) else "the other side and ="
    return right(f"To make it an equation, write {before} before it.")


# --- expressions --------------------------------------------------------------------------------


def _expressions(wanted: Tree, typed: Tree, generator: random.Random) -> Verdict:
    spots = _spots(wanted, typed, generator)
    marks = [_held(wanted, typed, spot, DIGITS) for spot in spots]
    if False in marks:
        return _refuted(wanted, typed, spots, marks)
    if marks.count(True) < ENOUGH:
        return undecided("There are too few points at which these have values to compare.")
    if _breaks_outside(wanted, typed, generator):
        return undecided("It agrees for probabilities, and not for numbers above one.")
    return _proved(wanted, typed, spots)


def _breaks_outside(wanted: Tree, typed: Tree, generator: random.Random) -> bool:
    """Whether the two differ where names read as probabilities exceed one, and are free to.

    They are not free if the expected line has no value then: log(1 - p), sqrt(p*(1 - p)).
    """
    used = names(wanted) | names(typed)
    free = {name for name in sorted(used & SHARES) if _is_free(name, wanted, used, generator)}
    outside = sampling.beyond(used, free, ENOUGH, generator) if free else []
    return any(_held(wanted, typed, spot, DIGITS) is False for spot in outside)


def _is_free(name: str, wanted: Tree, used: set[str], generator: random.Random) -> bool:
    outside = sampling.beyond(used, {name}, ENOUGH, generator)
    return any(sampling.value(wanted, spot) is not None for spot in outside)


def _proved(wanted: Tree, typed: Tree, spots: Sequence[Point]) -> Verdict:
    if same(wanted, typed):
        return right(equations.spare(names(wanted), names(typed)))
    finer = [_held(wanted, typed, spot, MANY_DIGITS) for spot in spots[:ENOUGH]]
    if False in finer:
        return _refuted(wanted, typed, spots[:ENOUGH], finer)
    return undecided("It agrees at every point that was tried, but no rule here proves it.")


def _spots(wanted: Tree, typed: Tree, generator: random.Random) -> list[dict[str, Ball]]:
    spots = sampling.points(names(wanted) | names(typed), POINTS, generator)
    starts = [shown(spot) for spot in spots[:2]]
    turned = search.turning((wanted, typed), starts, TURNING)
    return [*spots, *map(sampling.exactly, turned)]


def _held(wanted: Tree, typed: Tree, spot: Point, digits: int) -> bool | None:
    """Whether two have the same value; None where the expected one has none, or it is unclear."""
    asked = sampling.value(wanted, spot, digits)
    if asked is None or asked.error.is_infinite():
        return None
    said = sampling.value(typed, spot, digits)
    if said is None:
        return None if _has_value_beside(typed, spot) else False
    found = sampling.held(asked, said)
    if found is None and digits == DIGITS:
        return _held(wanted, typed, spot, MANY_DIGITS)
    return found


def _has_value_beside(tree: Tree, spot: Point) -> bool:
    """Whether a value is missing at a single point alone, as of (x - y)^2/(x - y)."""
    return sampling.value(tree, sampling.shaken(spot)) is not None


def _refuted(
    wanted: Tree, typed: Tree, spots: Sequence[Point], marks: Sequence[bool | None]
) -> Verdict:
    clashes = (
        _clash(wanted, typed, spot)
        for spot, mark in zip(spots, marks, strict=True)
        if mark is False
    )
    first = next(clashes)
    clash = first if visible(first) else next(filter(visible, clashes), first)
    return different(_disagree(clash), clash, _mistake(wanted, typed, spots))


def _clash(wanted: Tree, typed: Tree, spot: Point) -> Counterexample:
    asked, said = (number(sampling.value(tree, spot, MANY_DIGITS)) for tree in (wanted, typed))
    return Counterexample(shown(spot), asked, said)


def _disagree(clash: Counterexample) -> str:
    if clash.typed is None:
        return "What you typed has no value at a point where the line has one."
    if not visible(clash):
        return LITTLE
    return "The two give different numbers at the same point."


def _mistake(wanted: Tree, typed: Tree, spots: Sequence[Point]) -> Mistake | None:
    """The recognized wrong form that what was typed agrees with everywhere."""
    known = set(spots[0])
    said = [sampling.value(typed, spot) for spot in spots]
    starts = [shown(spot) for spot in spots[:2]]
    quick = [(start, search.approximate(typed, start)) for start in starts]
    found = [
        (mistake, wrong)
        for mistake, wrong in wrong_forms(wanted)
        if names(wrong) <= known
        and not any(search.apart(wrong, at, start, noise=search.NOISE) for start, at in quick)
        and _agrees(wrong, said, spots)
    ]
    alike = (mistake for mistake, wrong in found if written_alike(wrong, typed))
    return next(alike, found[0][0] if found else None)


def _agrees(wrong: Tree, said: Sequence[Ball | None], spots: Sequence[Point]) -> bool:
    """Whether a tree has these values, at enough of the points and with no exception."""
    agreed = 0
    for ball, spot in zip(said, spots, strict=True):
        here = sampling.value(wrong, spot)
        mark = None if here is None and ball is None else sampling.held(here, ball)
        if mark is False:
            return False
        agreed += mark is True
    return agreed >= ENOUGH
