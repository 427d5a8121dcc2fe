"""One line of a right derivation put wrong by a slip that learners make."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from engine.algebra.misconceptions import Mistake, names, wrong_forms
from engine.algebra.reader import parse
from engine.algebra.typed import Binary, Call, Line, Minus, Number, Tree
from engine.algebra.verdict import judge
from engine.errors import EngineError

_ONE = Number(Fraction(1), "1")
_PLAIN = {"inverted", "factor-two", "extra-beta", "over-beta", "extra-t", "over-t"}


@dataclass(frozen=True)
class Slip:
    """Which line is wrong, how it reads, and what went wrong in it."""

    place: int  # of the line, from 0; never the first, where the derivation starts
    line: Line
    mistake: Mistake


def slip(lines: Sequence[str], *, generator: random.Random) -> Slip:
    """Put one of these lines wrong, visibly and beyond doubt.

    Raises:
        EngineError: if no line but the first has a wrong form.
    """
    known = set().union(*(_names(parse(text)[0]) for text in lines))
    places = list(range(1, len(lines)))
    generator.shuffle(places)
    for place in places:
        found = list(_wrong(parse(lines[place])[0], known))
        generator.shuffle(found)
        for mistake, line in found:
            verdict = judge(lines[place], line.latex, generator=generator)
            if verdict.outcome == "different":
                return Slip(place, line, verdict.mistake or mistake)
    raise EngineError.expected(
        "a line that can go wrong", got=list(lines), advice="Type more lines of the derivation."
    )


def _wrong(line: Line, known: set[str]) -> Iterator[tuple[Mistake, Line]]:
    right = line.right or line.left
    for mistake, tree in wrong_forms(right):
        if mistake.id not in _PLAIN and names(tree) <= known:
            wrong = tidied(tree)
            yield mistake, Line(line.left, wrong) if line.right else Line(wrong)


def _names(line: Line) -> set[str]:
    return names(line.left) | (names(line.right) if line.right else set())


def tidied(tree: Tree) -> Tree:
    """The tree without what a change leaves behind: factors of one, two signs in a row."""
    if isinstance(tree, Call):
        return Call(tree.function, tidied(tree.argument))
    if isinstance(tree, Minus):
        inside = tidied(tree.argument)
        return inside.argument if isinstance(inside, Minus) else Minus(inside)
    if not isinstance(tree, Binary):
        return tree
    left, right = tidied(tree.left), tidied(tree.right)
    if right == _ONE and tree.operator in {"*", "/", "^"}:
        return left
    if left == _ONE and tree.operator == "*":
        return right
    return Binary(tree.operator, left, right)
