"""A derivation as data: frozen lines, each with its rule, its reading and its proof."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Expr

from engine.algebra.breaks import Break
from engine.algebra.desk import Desk
from engine.algebra.line import Line
from engine.errors import EngineError


@dataclass(frozen=True)
class Derivation:
    """Lines in order, from what is given to the goal, their numbers, and ways to break them.

    Raises:
        EngineError: for two lines of one name, or a break of a line that is not there.
    """

    id: str
    title: str
    goal: str  # one sentence: what the last line will say
    lines: tuple[Line, ...]
    desk: Desk
    breaks: tuple[Break, ...] = ()
    names: Mapping[str, Expr] = field(default_factory=dict, compare=False)  # of typed lines

    def __post_init__(self) -> None:
        names = [line.id for line in self.lines]
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise EngineError.expected(
                "a name of its own for every line", got=sorted(repeated), advice="Rename one."
            )
        missing = {name for way in self.breaks for name in way.touches} - set(names)
        if missing:
            raise EngineError.expected(
                f"breaks of lines of {self.id}", got=sorted(missing), advice="Correct their names."
            )

    @property
    def typed(self) -> tuple[Line, ...]:
        """The lines that can be typed, in order; the first of them is where a proof starts."""
        return tuple(line for line in self.lines if line.typed)

    def names_of(self, line: str) -> Mapping[str, Expr]:
        """What the names of a typed line stand for; a line may read some in its own way.

        Raises:
            EngineError: if there is no line of that id.
        """
        return {**self.names, **self.line(line).typed_names}

    def line(self, name: str) -> Line:
        """The line of that id.

        Raises:
            EngineError: if there is none.
        """
        return self.lines[self.place(name)]

    def place(self, name: str) -> int:
        """Where the line of that id stands, counted from 0.

        Raises:
            EngineError: if there is none.
        """
        names = [line.id for line in self.lines]
        if name not in names:
            raise EngineError.expected(
                f"a line of {self.id}", got=repr(name), advice=f"Choose one of {', '.join(names)}."
            )
        return names.index(name)
