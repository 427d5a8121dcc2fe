"""Of all distributions over n outcomes the uniform one has the largest entropy, log n.

Shannon 1948, section 6; the proof by Gibbs' inequality is that of Cover and Thomas 2006.
"""

from sympy import Symbol
from sympy.core.relational import LessThan

from engine.algebra.derivation import Derivation
from engine.algebra.desk import Desk, Row
from engine.algebra.expressions import (
    COUNT,
    INDEX,
    Divergence,
    Excess,
    Total,
    ln,
    minus,
    negative,
    over,
    piece,
    times,
)
from engine.algebra.line import Control, Line, defines, equal
from engine.algebra.outcomes import Entropy, Spread, Uniform

OVER = "outcomes"
FINITE = "There are n outcomes, at least two."
ZERO = "Where p has a zero, 0 · log 0 counts as zero."
NORMALIZED = "The probabilities in p sum to one."

p, u = Spread(INDEX), Uniform(INDEX)
entropy = piece("entropy", Entropy(p, INDEX))
most = piece("most", ln(COUNT))
gap = Total(times(p, Excess(over(u, p))), INDEX)  # what KL(p ‖ u) equals, term by term

ENTROPY = Line(
    id="entropy",
    rule="Average the surprisal",
    relation=equal(entropy, negative(Total(times(p, ln(p)), INDEX))),
    reading="Each outcome is worth −log p_i nats of surprise, and happens with probability p_i. "
    "Entropy is the average.",
    assumptions=(FINITE, ZERO),
    source="shannon1948",
    locator="section 6",
    over=OVER,
    typed="-p*log p",
    typed_note="One outcome's term of the sum.",
    typed_control="p*log p",
    control=Control(
        equal(entropy, Total(times(p, ln(p)), INDEX)),
        "The minus sign is gone: the logarithm of a probability is never above zero.",
    ),
)

GAP = Line(
    id="gap",
    rule="Compare with the uniform distribution",
    relation=equal(minus(most, entropy), Divergence(p, u, INDEX)),
    reading="Under u every outcome is worth log n, whatever p says. So what the entropy falls "
    "short of log n by is the divergence of p from u.",
    assumptions=(FINITE, ZERO, NORMALIZED),
    source="cover2006",
    locator="theorem 2.6.4",
    where=(defines(u),),
    normalized=(Spread,),
    over=OVER,
    typed="p*log(p/q)",
    typed_note="One outcome's term of the divergence, where q is 1/n.",
    typed_control="p*log(q/p)",
    control=Control(
        equal(minus(entropy, most), Divergence(p, u, INDEX)),
        "The sign is turned: a divergence would be negative.",
    ),
)

BOUND = Line(
    id="bound",
    rule="A divergence is never negative",
    relation=LessThan(entropy, most, evaluate=False),
    reading="The gap is an average of f(t) = t − 1 − log t at t = u/p, and f is never negative. It "
    "vanishes only where p equals u.",
    assumptions=(FINITE, ZERO, NORMALIZED),
    source="cover2006",
    locator="theorem 2.6.4",
    where=(equal(Divergence(p, u, INDEX), gap), defines(Excess(Symbol("t", positive=True)))),
    normalized=(Spread,),
    witness=gap,
    over=OVER,
    typed="p*(q/p - 1 - log(q/p))",
    typed_note="One outcome's term of the gap in the form that is never negative, where q is 1/n.",
    control=Control(
        LessThan(entropy, ln(minus(COUNT, 1)), evaluate=False),
        "One outcome too few is counted; a nearly uniform p exceeds this bound.",
    ),
)

ATTAINED = Line(
    id="attained",
    rule="Put the uniform distribution in",
    relation=equal(Entropy(u, INDEX), most),
    reading="With 1/n for every outcome each surprise is log n, and so is their average. The bound "
    "is reached, and by no other distribution.",
    assumptions=(FINITE,),
    source="shannon1948",
    locator="section 6, property 2",
    where=(defines(u),),
    over=OVER,
    typed="-q*log q",
    typed_note="One outcome's term of the entropy, where q is 1/n.",
    typed_control="-q^2*log q",
    control=Control(
        equal(Entropy(u, INDEX), times(over(1, COUNT), most)),
        "There are n such terms, each with weight 1/n; only one of them is counted.",
    ),
)

DERIVATION = Derivation(
    id="max-entropy",
    title="Why log n is the largest entropy",
    goal="No distribution over n outcomes has more entropy than the uniform one.",
    lines=(ENTROPY, GAP, BOUND, ATTAINED),
    desk=Desk(
        outcomes=("first", "second", "third"),
        rows=(
            Row(
                "p",
                "weight",
                Spread,
                (0.6, 0.3, 0.1),
                (0.01, 1.0),
                0.01,
                made="normalized",
                told="p, from the weights",
            ),
        ),
    ),
    names={"p": p, "q": u},
)
