"""The estimator k3 of a divergence: unbiased like k1, and never negative (Schulman 2020).

The samples come from q, and t = p/q; the mean of every estimator here is over those samples, so
what is estimated is KL(q ‖ p).
"""

from sympy import Expr, Symbol
from sympy.core.relational import GreaterThan

from engine.algebra.derivation import Derivation
from engine.algebra.desk import Asked, Desk, Row
from engine.algebra.expressions import (
    Divergence,
    Excess,
    Expectation,
    Glyph,
    Named,
    Total,
    ln,
    minus,
    negative,
    over,
    piece,
    plus,
    times,
)
from engine.algebra.line import Control, Line, defines, equal

OVER = "outcomes"
OUTCOME = Symbol("x", integer=True)
FINITE = "The set of outcomes is finite."
COVERED = "Both distributions give every outcome some probability."
DRAWN = "The samples are drawn from q."
SETTING = (FINITE, COVERED, DRAWN)


class Sampled(Named):
    """q(x), the distribution that samples come from: in training, the policy."""

    glyph = Glyph("q", "q", role="policy")
    slug = "sampled"
    is_positive = True


class Other(Named):
    """p(x), the distribution that q is compared with: in training, the reference."""

    glyph = Glyph("p", "p", role="reference")
    slug = "other"
    is_positive = True


class Ratio(Named):
    """t, the probability of a sample under p in units of that under q."""

    glyph = Glyph("t", "t")
    slug = "ratio"
    is_positive = True

    def definition(self) -> Expr:
        """p(x) / q(x)."""
        return over(Other(*self.args), Sampled(*self.args))

    def shown(self) -> tuple[type[Named], ...]:
        """The letter alone."""
        return ()


q, p, t = Sampled(OUTCOME), Other(OUTCOME), Ratio(OUTCOME)
divergence = piece("divergence", Divergence(q, p, OUTCOME))
k3 = plus(t, -1, negative(ln(t)))


def mean(estimator: Expr) -> Expr:
    """The mean of an estimator over samples from q."""
    return Expectation(q, estimator, OUTCOME)


DIVERGENCE = Line(
    id="divergence",
    rule="Say what is to be estimated",
    relation=equal(divergence, Total(times(q, ln(over(q, p))), OUTCOME)),
    reading="The divergence of q from p is an average under q. Where the sum is too long to write "
    "out, samples from q can estimate it.",
    assumptions=(FINITE, COVERED),
    source="cover2006",
    locator="section 2.3",
    over=OVER,
    typed="q*log(q/p)",
    typed_note="One outcome's term of the sum.",
    typed_control="p*log(p/q)",
    control=Control(
        equal(divergence, Total(times(p, ln(over(p, q))), OUTCOME)),
        "This is the divergence of p from q, an average under p.",
    ),
)

FIRST = Line(
    id="mean-of-k1",
    rule="Average the negative log-ratio",
    relation=equal(mean(negative(ln(t))), divergence),
    reading="The estimator k1 is −log t, with t the ratio of p to q at the sample. Its mean is the "
    "divergence, though single samples may well be negative.",
    assumptions=SETTING,
    source="schulman2020",
    where=(defines(t),),
    over=OVER,
    typed="-q*log t = q*log(q/p)",
    typed_note="One outcome's term of each sum.",
    typed_control="q*log t = q*log(q/p)",
    control=Control(
        equal(mean(ln(t)), divergence),
        "The sign is turned: t has p above, and the divergence has q above.",
    ),
)

RATIO = Line(
    id="mean-of-ratio",
    rule="Average the ratio itself",
    relation=equal(mean(t), 1),
    reading="The q that weighs the samples cancels against the q below, and the probabilities of p "
    "are left, which sum to one. So t − 1 has mean zero.",
    assumptions=(*SETTING, "The probabilities in p sum to one."),
    source="schulman2020",
    where=(defines(t),),
    normalized=(Other,),
    over=OVER,
    typed="q*t = p",
    typed_note="One outcome's term of each sum; those of p sum to one.",
    typed_control="q/t = p",
    control=Control(
        equal(mean(over(1, t)), 1),
        "The ratio stands on its head, and then q does not cancel.",
    ),
)

THIRD = Line(
    id="mean-of-k3",
    rule="Add what is zero on average",
    relation=equal(mean(k3), divergence),
    reading="The estimator k3 is k1 plus t − 1. The addition has mean zero, so the mean is the "
    "divergence still; what it changes is how the single samples scatter.",
    assumptions=(*SETTING, "Both p and q sum to one."),
    source="schulman2020",
    where=(defines(t),),
    normalized=(Other, Sampled),
    over=OVER,
    typed="q*(t - 1 - log t)",
    typed_note="One outcome's term of the mean.",
    typed_control="q*(t - log t)",
    control=Control(
        equal(mean(minus(t, ln(t))), divergence),
        "The −1 is missing, so the estimate is one nat too high.",
    ),
)

NEVER_NEGATIVE = Line(
    id="never-negative",
    rule="Look at one sample",
    relation=GreaterThan(k3, 0, evaluate=False),
    reading="The line t − 1 touches the logarithm at t = 1 and lies above it everywhere else. So "
    "k3 is the distance between the two, at every single sample.",
    assumptions=(COVERED,),
    source="schulman2020",
    where=(defines(t),),
    witness=Excess(t),
    over=OVER,
    typed="t - 1 - log t",
    typed_note="The estimator at one sample.",
    typed_control="-log t",
    control=Control(
        GreaterThan(negative(ln(t)), 0, evaluate=False),
        "This is k1, and it is negative wherever p gives a sample more than q does.",
    ),
)

DERIVATION = Derivation(
    id="k3",
    title="An estimate of a divergence that is never negative",
    goal="One formula whose mean is KL(q ‖ p), and of which no sample is below zero.",
    lines=(DIVERGENCE, FIRST, RATIO, THIRD, NEVER_NEGATIVE),
    desk=Desk(
        outcomes=("first", "second", "third"),
        rows=(
            Row(
                "q",
                "weight in q",
                Sampled,
                (0.5, 0.3, 0.2),
                (0.01, 1.0),
                0.01,
                made="normalized",
                told="q, which is sampled, from the weights",
            ),
            Row(
                "p",
                "weight in p",
                Other,
                (0.3, 0.3, 0.4),
                (0.01, 1.0),
                0.01,
                made="normalized",
                told="p, from the weights",
            ),
        ),
        asked=(Asked((OUTCOME,), "the {} outcome", key="x", label="x, the sample"),),
    ),
    names={"q": q, "p": p, "t": t},
)
