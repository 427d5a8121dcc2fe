"""Softmax as a solution of maximum entropy: the largest entropy for a given mean score.

Jaynes 1957, section 2; the proof that the stationary point is the maximum is that of theorem
12.1.1 in Cover and Thomas 2006.
"""

from sympy import Expr, Symbol

from engine.algebra.derivation import Derivation
from engine.algebra.desk import Asked, Desk, Knob, Row
from engine.algebra.expressions import (
    INDEX,
    Binder,
    Divergence,
    Glyph,
    Indexed,
    J,
    Named,
    Slope,
    SlopeAt,
    Total,
    e,
    ln,
    minus,
    over,
    piece,
    plus,
    times,
)
from engine.algebra.line import Control, Line, defines, equal
from engine.algebra.outcomes import Entropy, Score, Spread

OVER = "outcomes"
B = Symbol("b", real=True)  # the multiplier of the mean score: the inverse of a temperature
FINITE = "The set of outcomes is finite, and every score is a finite number."
ZERO = "Where p has a zero, 0 · log 0 counts as zero."
MULTIPLIER = "b is the multiplier that belongs to the mean score."
SETTING = (FINITE, ZERO, MULTIPLIER)


class Weighed(Binder):
    """A(p), entropy plus b times the mean score."""

    glyph = Glyph("A", "A")
    slug = "objective"

    def definition(self) -> Expr:
        """H(p) + b Σ p z."""
        distribution, index = self.args
        mean = Total(times(distribution, Score(index)), index)
        return plus(Entropy(distribution, index), times(B, mean))

    def shown(self) -> tuple[type[Named], ...]:
        """The distribution alone."""
        return (self.args[0].func,)


class Normalizer(Named):
    """Z, the sum of the weights."""

    glyph = Glyph("Z", "Z", role="partition")
    slug = "partition"
    is_positive = True

    def definition(self) -> Expr:
        """Σ e^(b z_j)."""
        return Total(e(times(B, Score(J))), J)


class Boltzmann(Indexed):
    """p*_i, the softmax of the scores times b."""

    glyph = Glyph("p", "p star", sup="∗", role="policy")
    slug = "boltzmann"
    is_positive = True

    def definition(self) -> Expr:
        """e^(b z_i) / Z."""
        return over(e(times(B, Score(self.args[0]))), Normalizer())


p, best, z, Z = Spread(INDEX), Boltzmann(INDEX), Score(INDEX), Normalizer()
objective = Weighed(p, INDEX)
value = piece("value", ln(Z), role="partition")
score = piece("score", times(B, z))

OBJECTIVE = Line(
    id="objective",
    rule="Reward the mean score by a multiplier",
    relation=equal(objective, plus(Entropy(p, INDEX), times(B, Total(times(p, z), INDEX)))),
    reading="The entropy is to be large while the mean score is held. The multiplier b trades one "
    "for the other; among distributions of one mean score, A and H differ by a constant.",
    assumptions=SETTING,
    source="jaynes1957",
    locator="section 2",
    over=OVER,
    typed="beta*p*u - p*log p",
    typed_note="One outcome's term of the sum, where u is its score and beta stands for b.",
    typed_control="-p*log p - beta*p*u",
    control=Control(
        equal(objective, minus(Entropy(p, INDEX), times(B, Total(times(p, z), INDEX)))),
        "The sign of b is turned, and low scores would be rewarded.",
    ),
)

SLOPE = Line(
    id="slope",
    rule="Differentiate in one probability",
    relation=equal(Slope(objective, p), minus(minus(score, ln(p)), 1)),
    reading="More probability for i brings its score, and a surprise that falls as p_i grows. The "
    "−1 comes from the derivative of p log p.",
    assumptions=SETTING,
    source="jaynes1957",
    locator="section 2",
    over=OVER,
    typed="beta*u - log p - 1",
    typed_note="The slope, where u is the score and beta stands for b.",
    typed_control="beta*u - log p",
    control=Control(
        equal(Slope(objective, p), minus(score, ln(p))),
        "The −1 is missing: the derivative of p log p is log p plus one.",
    ),
)

STATIONARY = Line(
    id="stationary",
    rule="Find where no shift gains anything",
    relation=equal(SlopeAt(objective, p, best), minus(value, 1)),
    reading="At p* the slope is the same for every outcome: the right side does not mention i. So "
    "moving a little probability from one to another gains nothing.",
    assumptions=SETTING,
    source="jaynes1957",
    locator="section 2",
    where=(defines(best), defines(Z)),
    over=OVER,
    typed="log Z - 1",
    typed_note="The slope at the solution.",
    control=Control(
        equal(Slope(objective, p), minus(value, 1)),
        "It holds at p* only; at any other p the slope differs from outcome to outcome.",
    ),
)

SOFTMAX = Line(
    id="softmax",
    rule="Read off the distribution",
    relation=equal(best, over(e(score), Total(e(times(B, Score(J))), J))),
    reading="The solution is the softmax of the scores times b. With b = 1/T it is the softmax at "
    "temperature T.",
    assumptions=SETTING,
    source="jaynes1957",
    locator="section 2",
    where=(defines(best),),
    over=OVER,
    typed="p = exp(beta*u)/Z",
    typed_note="Here p is the solution, u the score, beta stands for b and Z for the sum below.",
    typed_control="p = exp(beta*u)/(beta*Z)",
    typed_names={"p": best},
    control=Control(
        equal(best, over(e(score), Total(e(Score(J)), J))),
        "The sum below lacks its b, so these are not probabilities.",
    ),
)

GAP = Line(
    id="gap",
    rule="Compare with any other distribution",
    relation=equal(minus(value, objective), Divergence(p, best, INDEX)),
    reading="What any p lacks of log Z is its divergence from p*, which is never negative. So of "
    "all p with the same mean score as p*, none other has as much entropy.",
    assumptions=(*SETTING, "The probabilities in p sum to one."),
    source="cover2006",
    locator="theorem 12.1.1",
    normalized=(Spread,),
    over=OVER,
    typed="p*log(p/q)",
    typed_note="One outcome's term of the divergence, where q is the solution.",
    typed_control="p*log(q/p)",
    control=Control(
        equal(minus(objective, value), Divergence(p, best, INDEX)),
        "The sign is turned: a divergence would be negative.",
    ),
)

NORMALIZED = Line(
    id="normalized",
    rule="Check that p* is a distribution",
    relation=equal(Total(best, INDEX), 1),
    reading="Dividing by Z makes the weights sum to one, for every b. Which b belongs to a given "
    "mean score is settled by that score.",
    assumptions=SETTING,
    source="jaynes1957",
    locator="section 2",
    where=(defines(best), defines(Z)),
    over=OVER,
    control=Control(
        equal(Total(e(times(B, z)), INDEX), 1),
        "Without the division these are weights, not probabilities.",
    ),
)

DERIVATION = Derivation(
    id="softmax-max-entropy",
    title="Where softmax comes from",
    goal="Of all distributions with a given mean score, softmax has the largest entropy.",
    lines=(OBJECTIVE, SLOPE, STATIONARY, SOFTMAX, GAP, NORMALIZED),
    desk=Desk(
        outcomes=("first", "second", "third"),
        knobs=(Knob("b", "b", B, 0.5, bounds=(-3.0, 3.0)),),
        rows=(
            Row("z", "score", Score, (1.0, 0.0, -1.0), (-3.0, 3.0), 0.1),
            Row(
                "p",
                "weight in p",
                Spread,
                (0.5, 0.3, 0.2),
                (0.01, 1.0),
                0.01,
                made="normalized",
                told="p, from the weights",
            ),
        ),
        asked=(Asked((INDEX,), "the {} outcome", key="i", label="i, the outcome"),),
    ),
    names={"p": p, "q": best, "u": z, "beta": B, "Z": Z},
)
