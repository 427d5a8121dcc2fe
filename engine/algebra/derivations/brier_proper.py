"""The Brier score is proper: nobody does better than by stating the truth.

Brier 1950 defines the score as a sum over all classes; that it is proper, and by how much a false
statement loses, is in Gneiting and Raftery 2007, section 3.
"""

from sympy import Expr
from sympy.core.relational import GreaterThan, LessThan

from engine.algebra.derivation import Derivation
from engine.algebra.desk import Asked, Desk, Row
from engine.algebra.expressions import (
    INDEX,
    Binder,
    Expectation,
    Glyph,
    Indicator,
    J,
    Named,
    Total,
    minus,
    piece,
    plus,
    squared,
    times,
)
from engine.algebra.line import Control, Line, equal
from engine.algebra.outcomes import Stated, Truth

OVER = "classes"
FINITE = "The set of classes is finite."
DRAWN = "The class that comes, i, is drawn from p, and p sums to one."
FREE = "The statement q may be any numbers; that they sum to one is not used."


class BrierScore(Binder):
    """S(q, i), what stating q costs when class i comes: lower is better."""

    glyph = Glyph("S", "the score")
    slug = "score"

    def definition(self) -> Expr:
        """Σ (q_j − [i = j])²."""
        stated, outcome, j = self.args
        return Total(squared(minus(stated, Indicator(outcome, j))), j)

    def shown(self) -> tuple[Expr | type[Named], ...]:
        """The statement alone, and the class that came: S(q, i)."""
        return (self.args[0].func, self.args[1])


p, q = Truth(J), Stated(J)
drawn = Truth(INDEX)
honest_score, stated_score = BrierScore(p, INDEX, J), BrierScore(q, INDEX, J)
stated = piece("stated", Expectation(drawn, stated_score, INDEX))
honest = piece("honest", Expectation(drawn, honest_score, INDEX))
excess = piece("excess", Total(squared(minus(q, p)), J))
square = Total(squared(q), J)
agreement = Total(times(p, q), J)

SCORE = Line(
    id="score",
    rule="Score a statement by what came",
    relation=equal(stated_score, Total(squared(minus(q, Indicator(INDEX, J))), J)),
    reading="The bracket is one for the class that came and zero for the others. The score adds "
    "the squared errors of all stated probabilities: 0 is best, and 2 is as bad as it gets.",
    assumptions=(FINITE,),
    source="brier1950",
    over=OVER,
    typed="(q - 1)^2",
    typed_note="The term of the class that came: q is what was stated for it.",
    control=Control(
        equal(stated_score, squared(minus(1, Stated(INDEX)))),
        "Only the class that came is counted; the others carry errors as well.",
    ),
)

EXPECTED = Line(
    id="expected",
    rule="Average over what may come",
    relation=equal(stated, plus(minus(square, times(2, agreement)), 1)),
    reading="Class i comes with probability p_i. Multiplied out, the expected score depends on "
    "the truth only through the sum of p times q.",
    assumptions=(FINITE, DRAWN, FREE),
    source="gneiting2007",
    locator="section 3",
    normalized=(Truth,),
    over=OVER,
    typed="q^2 - 2*p*q + p",
    typed_note="One class's term: p is its probability, q what was stated for it; the p sum to "
    "one.",
    typed_control="q^2 - p*q + p",
    control=Control(
        equal(stated, plus(minus(square, agreement), 1)),
        "The factor 2 of the mixed term is missing.",
    ),
)

GAP = Line(
    id="gap",
    rule="Compare with stating the truth",
    relation=equal(minus(stated, honest), excess),
    reading="What a false statement costs on average is its squared distance from the truth. "
    "Everything else is the same for all statements.",
    assumptions=(FINITE, DRAWN, FREE),
    source="gneiting2007",
    locator="section 3",
    normalized=(Truth,),
    over=OVER,
    typed="(q - p)^2",
    typed_note="One class's term of the gap.",
    typed_control="q^2 - p^2",
    control=Control(
        equal(minus(stated, honest), Total(minus(squared(q), squared(p)), J)),
        "A difference of squares is not the square of the difference.",
    ),
)

LEAST = Line(
    id="least",
    rule="A square is never negative",
    relation=GreaterThan(stated, honest, evaluate=False),
    reading="No statement has a lower expected score than the truth, and only the truth reaches "
    "it. So who wants to score well says what they believe.",
    assumptions=(FINITE, DRAWN, FREE),
    source="gneiting2007",
    locator="section 3",
    normalized=(Truth,),
    witness=Total(squared(minus(q, p)), J),
    over=OVER,
    control=Control(
        LessThan(stated, honest, evaluate=False),
        "The inequality is turned around.",
    ),
)

DERIVATION = Derivation(
    id="brier-proper",
    title="Why the Brier score rewards honesty",
    goal="The expected score is least where the stated probabilities are the true ones.",
    lines=(SCORE, EXPECTED, GAP, LEAST),
    desk=Desk(
        outcomes=("sun", "cloud", "rain"),
        rows=(
            Row(
                "p",
                "weight in p",
                Truth,
                (0.6, 0.3, 0.1),
                (0.01, 1.0),
                0.01,
                made="normalized",
                told="The truth p, from the weights",
            ),
            Row(
                "q",
                "weight in q",
                Stated,
                (0.9, 0.08, 0.02),
                (0.01, 1.0),
                0.01,
                made="normalized",
                told="The statement q, from the weights",
            ),
        ),
        asked=(Asked((INDEX,), "i = “{}”", key="i", label="i, the class that comes"),),
    ),
    names={"p": Truth(J), "q": q},
)
