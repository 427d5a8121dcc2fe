"""One line of a derivation."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Expr
from sympy.core.relational import Equality, Relational

from engine.algebra.expressions import Named
from engine.algebra.proof import Check, Claim, Heads, check

SIZES = (2, 3, 4)  # the response sets that every line is proved for


@dataclass(frozen=True)
class Control:
    """A near miss of a line, which the line's own check has to refuse."""

    relation: Relational
    slip: str  # a sentence: what is wrong with it


@dataclass(frozen=True)
class Line:
    """One relation, shown, proved and evaluated from the same tree.

    `relation` is generic in the response y. `check` decides it for a response set of a given
    size; `check_control` puts the near miss through the same decision.
    """

    id: str
    relation: Relational
    rule: str  # the step that leads here, a few words
    reading: str  # one or two sentences for the learner
    assumptions: tuple[str, ...]  # sentences
    source: str  # a key of sources.yaml
    control: Control
    locator: str = ""  # where in the source: "eq. 7"
    where: tuple[Relational, ...] = ()  # what names used here for the first time stand for
    normalized: Heads = ()  # distributions whose sum to one the proof uses
    witness: Expr | None = None  # for an inequality: a sum of nonnegative terms equal to the gap
    centered: Heads = ()  # logits whose sum to zero the proof uses
    over: str = "responses"  # what the line sums over, in the plural; empty if nothing
    typed: str = ""  # the line as it can be typed (`typed.SYMBOLS`); empty where it cannot
    typed_note: str = ""  # what it is of the relation, and what names stand for, if not plain
    typed_control: str = ""  # the near miss, typed likewise
    # What names stand for here, where it is not what they stand for in the other lines.
    typed_names: Mapping[str, Expr] = field(default_factory=dict, compare=False)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes it is proved for; where nothing is summed over, one stands for all."""
        return SIZES if self.over else SIZES[:1]

    def check(self, size: int) -> Check:
        """Whether the line holds for `size` responses (at least 2)."""
        return check(self.claim(self.relation), size)

    def check_control(self, size: int) -> Check:
        """What the same decision makes of the near miss: anything but "proved"."""
        return check(self.claim(self.control.relation), size)

    def claim(self, relation: Relational) -> Claim:
        """The claim that a relation holds, with all that the proof of this line may use."""
        return Claim(
            relation,
            self.normalized,
            self.witness,
            centered=self.centered,
            over=self.over,
        )


def equal(left: Expr | int, right: Expr | int) -> Equality:
    """The relation left = right, as it stands."""
    return Equality(left, right, evaluate=False)


def defines(name: Named) -> Equality:
    """The relation between a name and what it stands for."""
    return equal(name, name.definition())
