"""What can become of a typed line, and the sentences that several verdicts share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sympy import Expr
from sympy.core.relational import Equality

from engine.algebra.misconceptions import Mistake
from engine.algebra.sampling import Ball, Point
from engine.algebra.typed import Line

Outcome = Literal["equivalent", "different", "undecided", "unreadable"]


@dataclass(frozen=True)
class Counterexample:
    """A point at which two values differ that should be the same; None stands for no value.

    Of expressions, the two are what was asked for and what was typed. Of equations they are two
    sides: those of the typed equation, where the expected one holds; or, where the typed one
    holds too often, those of the expected.
    """

    values: Mapping[str, float]
    expected: float | None
    typed: float | None
    of: Literal["both", "typed", "expected"] = "both"


@dataclass(frozen=True)
class Verdict:
    """What became of a typed line."""

    outcome: Outcome
    sentence: str  # for the learner
    line: Line | None = None  # as it was typed, to be echoed
    parsed: Expr | Equality | None = None  # what it says
    counterexample: Counterexample | None = None
    mistake: Mistake | None = None
    form: bool = True  # whether it is written as the line asks
    note: str = ""  # about the form
    position: int | None = None  # of what cannot be read


def right(note: str) -> Verdict:
    """Equivalent, perhaps with something to say about the form."""
    return Verdict("equivalent", f"Right. {note}" if note else "Right.", form=not note, note=note)


def undecided(sentence: str) -> Verdict:
    """Neither refuted nor proved."""
    return Verdict("undecided", f"{sentence} This does not count against you.")


def different(sentence: str, clash: Counterexample | None, mistake: Mistake | None) -> Verdict:
    """Refuted; a recognized mistake speaks for itself."""
    said = mistake.sentence if mistake else sentence
    return Verdict("different", said, counterexample=clash, mistake=mistake)


LITTLE = "The two differ, by very little: look for a small term or a rounded number."


def visible(clash: Counterexample) -> bool:
    """Whether two values are so far apart that rounded numbers show it."""
    one, other = clash.expected, clash.typed
    if one is None or other is None:
        return True
    return abs(one - other) > 1e-6 * max(abs(one), abs(other))


def shown(point: Point) -> dict[str, float]:
    """A point in floating point."""
    return {name: float(at.value) for name, at in point.items()}


def number(ball: Ball | None) -> float | None:
    """A value in floating point, None where there is none."""
    return None if ball is None else float(ball.value)
