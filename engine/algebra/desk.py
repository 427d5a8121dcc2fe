"""The numbers beside a derivation: what a learner may move, and the world that comes of it.

A derivation lays out its desk as data; a page draws a slider for each entry and evaluates both
sides of the line that is shown. Whatever has outcomes has three of them here.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sympy import Integer, Symbol
from sympy.core.relational import Relational

from engine.algebra.expressions import COMPONENT, Gradient, L, Named, W
from engine.algebra.instances import Binding
from engine.algebra.layout import Stated
from engine.algebra.numbers import Scene
from engine.algebra.worlds import Sides, Triple, sides_at
from engine.errors import RangeError

Set = Mapping[str, float]  # key of a knob -> what it is set to
SetRows = Mapping[str, Triple]  # key of a row -> what its three sliders are set to
Picked = Mapping[str, int]  # key of an index -> which outcome was picked for it
Made = Literal["", "normalized", "centered"]


class World(Protocol):
    """Numbers for every unknown of a derivation."""

    def scene(self) -> Scene:
        """What a line is evaluated in."""


@dataclass(frozen=True)
class Knob:
    """One number that a learner sets."""

    key: str  # in the address, behind the derivation's id
    label: str
    symbol: Symbol
    usual: float
    bounds: tuple[float, float] = (0.0, 1.0)
    step: float = 0.1
    choices: tuple[float, ...] = ()  # where only some numbers may be chosen
    meaning: Callable[[float], float] = float  # from what is set to the value of the symbol

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest number there is to choose."""
        return (min(self.choices), max(self.choices)) if self.choices else self.bounds


@dataclass(frozen=True)
class Row:
    """One number for each outcome."""

    key: str
    label: str
    head: type[Named]
    usual: Triple
    bounds: tuple[float, float]
    step: float
    made: Made = ""  # weights are divided by their sum, logits lose their mean
    told: str = ""  # what is announced of the numbers that come of it

    def values(self, given: Triple) -> Triple:
        """The numbers that come of what the sliders say."""
        if self.made == "normalized":
            return _triple(*(weight / sum(given) for weight in given))
        mean = sum(given) / 3 if self.made == "centered" else 0.0
        return _triple(*(number - mean for number in given))


@dataclass(frozen=True)
class Asked:
    """An index that lines leave open, and the outcome that stands for it in the numbers."""

    indices: tuple[Symbol, ...]
    phrase: str  # "the {} response": which outcome that is
    place: int = 0
    key: str = ""  # in the address, if the learner may pick another outcome
    label: str = ""

    def open(self, relation: Relational) -> bool:
        """Whether a relation speaks of this index, or of a gradient in its component."""
        if COMPONENT in self.indices and relation.has(Gradient):
            return True
        return bool(set(self.indices) & relation.free_symbols)


@dataclass(frozen=True)
class Numbers:
    """A world of one prompt, or none: a number for each symbol, a row for each name."""

    scalars: Mapping[Symbol, float]
    rows: Mapping[type[Named], Triple]
    prompt: Symbol | None = None

    def scene(self) -> Scene:
        """These numbers, for three outcomes."""
        return Scene(3, self.scalars, {self.prompt: self.rows})


@dataclass(frozen=True)
class Desk:
    """What a learner may move, and what is evaluated."""

    outcomes: tuple[str, ...] = ()  # three names, or none where lines sum over nothing
    knobs: tuple[Knob, ...] = ()
    rows: tuple[Row, ...] = ()
    asked: tuple[Asked, ...] = ()
    note: str = ""  # a sentence on numbers that cannot be moved
    prompt: Symbol | None = None  # where the names have one: π(y | x)
    build: Callable[[Set, SetRows], World] | None = field(default=None, compare=False)

    def world(self, knobs: Set, rows: SetRows) -> World:
        """The world that comes of what is set.

        Raises:
            RangeError: for a number that no slider could have given.
        """
        for knob in self.knobs:
            _check(knob.label, knobs[knob.key], knob.ends)
        for row in self.rows:
            for number in rows[row.key]:
                _check(row.label, number, row.bounds)
        return (self.build or self._numbers)(knobs, rows)

    def usual(self) -> World:
        """The world of a first visit."""
        return self.world(
            {knob.key: knob.usual for knob in self.knobs}, {row.key: row.usual for row in self.rows}
        )

    def sides(self, line: Stated, world: World, picked: Picked | None = None) -> Sides:
        """Both sides of a line in a world."""
        return sides_at(line.relation, world.scene(), self._binding(picked or {}))

    def which(self, line: Stated, picked: Picked | None = None) -> str:
        """Which outcomes stand for the indices that a line leaves open, in words; may be empty."""
        told = (
            asked.phrase.format(self.outcomes[self._place(asked, picked or {})])
            for asked in self.asked
            if asked.open(line.relation)
        )
        return " and ".join(told)

    def announced(self, rows: SetRows) -> str:
        """What comes of the weights, and what cannot be moved, as sentences."""
        told = [_told(row, rows[row.key]) for row in self.rows if row.told]
        return " ".join([*told, *([self.note] if self.note else [])])

    def _binding(self, picked: Picked) -> Binding:
        binding: Binding = {W: Integer(0), L: Integer(1)}
        for asked in self.asked:
            place = Integer(self._place(asked, picked))
            binding |= dict.fromkeys(asked.indices, place)
        return binding

    def _place(self, asked: Asked, picked: Picked) -> int:
        return picked.get(asked.key, asked.place)

    def _numbers(self, knobs: Set, rows: SetRows) -> World:
        return Numbers(
            {knob.symbol: knob.meaning(knobs[knob.key]) for knob in self.knobs},
            {row.head: row.values(rows[row.key]) for row in self.rows},
            self.prompt,
        )


def _told(row: Row, given: Triple) -> str:
    numbers = ", ".join(f"{number:.3f}".replace("-", "−") for number in row.values(given))
    return f"{row.told}: {numbers}."


def _check(name: str, number: float, ends: tuple[float, float]) -> None:
    low, high = ends
    if not (math.isfinite(number) and low <= number <= high):
        raise RangeError.expected(
            f"{name} from {low:g} to {high:g}", got=number, advice="Move its slider."
        )


def _triple(first: float, second: float, third: float) -> Triple:
    return first, second, third
