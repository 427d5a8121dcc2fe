"""Break it: a derivation with one assumption taken away, and what exactly fails then.

Nothing here is a stored verdict. The broken lines go through the same evaluator and the same
decision procedure as the lines of the derivation.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sympy import Expr

from engine.algebra import mathml, text
from engine.algebra.expressions import BETA, X
from engine.algebra.line import Line
from engine.algebra.numbers import Scene
from engine.algebra.proof import Check, Claim, check, residual
from engine.algebra.vocabulary import Reference
from engine.algebra.worlds import Sides, World3, is_open, sides
from engine.errors import EngineError


@dataclass(frozen=True)
class BrokenRow:
    """Both sides of one line under the break; `sides.response` says which y it is for."""

    line: str
    sides: Sides


@dataclass(frozen=True)
class BrokenResult:
    """What a break does to a world."""

    rows: tuple[BrokenRow, ...]
    residual: str  # left minus right of the line that fails, in symbols
    residual_mathml: str
    residual_value: float  # the same in this world; NaN where it is undefined
    sentence: str  # what to see in these numbers


@dataclass(frozen=True)
class Break:
    """One way to break a derivation."""

    id: str
    label: str
    explanation: str  # a sentence or two: which assumption goes, and why it matters
    touches: tuple[str, ...]  # ids of the lines that fail or change
    lines: tuple[Line, ...]  # as they read under the break; the first one is where it fails
    watched: tuple[Line, ...]  # lines as they were, evaluated beside the broken ones
    story: Callable[["World3", tuple[BrokenRow, ...]], str]
    zero: frozenset[int] = frozenset()  # responses to which the reference gives no probability
    second_rewards: tuple[float, float, float] | None = None  # of x₂, unless the caller says

    @property
    def failing(self) -> Line:
        """The line at which the argument stops."""
        return self.lines[0]

    def check(self, size: int) -> Check:
        """The verdict on the failing line, by the machinery that proves the whole one."""
        return check(self._claim, size)

    def evaluate(self, world: World3, *, second: World3 | None = None) -> BrokenResult:
        """The broken lines, and those watched, in numbers.

        Args:
            world: the world of prompt x (and x₁); its β holds for both prompts.
            second: the world of prompt x₂, where the break has one; by default the same
                reference and policy with `second_rewards`.
        """
        scene = self._scene(world, second)
        rows = tuple(_rows((*self.lines, *self.watched), scene))
        rest = self._residual()
        return BrokenResult(
            rows=rows,
            residual=text.plain(rest),
            residual_mathml=mathml.expression(rest),
            residual_value=_first_failure(rows, self.failing.id),
            sentence=self.story(world, rows),
        )

    @property
    def _claim(self) -> Claim:
        line = self.failing
        return Claim(line.relation, line.normalized, line.witness, self.zero)

    def _residual(self) -> Expr:
        rest = residual(self._claim, 3)
        if rest is None:
            raise EngineError.expected(
                f"a broken line in {self.id}",
                got="one that still holds",
                advice="Put the line that fails first.",
            )
        return rest

    def _scene(self, world: World3, second: World3 | None) -> Scene:
        if second is None and self.second_rewards is not None:
            second = replace(world, rewards=self.second_rewards)
        if not self.zero:
            return world.scene(second)
        table = dict(world.table())
        table[Reference] = _without(world.reference, self.zero)
        return Scene(3, {BETA: world.beta}, {X: table})


def _without(reference: tuple[float, ...], zero: frozenset[int]) -> tuple[float, ...]:
    """The reference with some responses taken out, the others scaled up to sum to one."""
    kept = [0.0 if i in zero else p for i, p in enumerate(reference)]
    return tuple(p / sum(kept) for p in kept)


def _rows(lines: tuple[Line, ...], scene: Scene) -> Iterator[BrokenRow]:
    for line in lines:
        for response in range(scene.size if is_open(line.relation) else 1):
            yield BrokenRow(line.id, sides(line.relation, scene, response=response))


def _first_failure(rows: tuple[BrokenRow, ...], line: str) -> float:
    own = [row.sides for row in rows if row.line == line]
    return next((s.difference for s in own if not s.holds), own[0].difference)
