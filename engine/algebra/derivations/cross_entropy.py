"""Cross-entropy is entropy plus divergence, so no model beats the truth (Cover and Thomas 2006)."""

from sympy import Symbol
from sympy.core.relational import GreaterThan, LessThan

from engine.algebra.derivation import Derivation
from engine.algebra.desk import Desk, Row
from engine.algebra.expressions import (
    INDEX,
    Divergence,
    Excess,
    Total,
    ln,
    negative,
    over,
    piece,
    plus,
    times,
)
from engine.algebra.line import Control, Line, defines, equal
from engine.algebra.outcomes import CrossEntropy, Entropy, Stated, Truth

OVER = "outcomes"
FINITE = "The set of outcomes is finite."
COVERED = "The model q gives every outcome some probability."
DRAWN = "So does p; where p has a zero, 0 · log 0 counts as zero."
NORMALIZED = "Both p and q sum to one."
SETTING = (FINITE, COVERED, DRAWN)

p, q = Truth(INDEX), Stated(INDEX)
entropy = piece("entropy", Entropy(p, INDEX))
cross = piece("cross", CrossEntropy(p, q, INDEX))
divergence = piece("divergence", Divergence(p, q, INDEX))
gap = Total(times(p, Excess(over(q, p))), INDEX)  # what KL(p ‖ q) equals, term by term

ENTROPY = Line(
    id="entropy",
    rule="Average the surprisal of what happens",
    relation=equal(entropy, negative(Total(times(p, ln(p)), INDEX))),
    reading="An outcome of probability p_i is worth −log p_i nats of surprise. Entropy is the "
    "average of that when the outcomes are drawn from p.",
    assumptions=(FINITE, "Where p has a zero, 0 · log 0 counts as zero."),
    source="cover2006",
    locator="section 2.1",
    over=OVER,
    typed="-p*log p",
    typed_note="One outcome's term of the sum.",
    typed_control="p*log p",
    control=Control(
        equal(entropy, Total(times(p, ln(p)), INDEX)),
        "The minus sign is gone: the logarithm of a probability is never above zero.",
    ),
)

CROSS_ENTROPY = Line(
    id="cross-entropy",
    rule="Count the surprisal with the model's probabilities",
    relation=equal(cross, negative(Total(times(p, ln(q)), INDEX))),
    reading="The outcomes still come from p, but the surprise at each is what the model q makes "
    "of it. This is what a language model's loss estimates.",
    assumptions=SETTING,
    source="cover2006",
    locator="section 5.4",
    over=OVER,
    typed="-p*log q",
    typed_note="One outcome's term of the sum.",
    typed_control="-q*log p",
    control=Control(
        equal(cross, negative(Total(times(q, ln(p)), INDEX))),
        "The roles are exchanged: this averages under the model, not under the truth.",
    ),
)

DIVERGENCE = Line(
    id="divergence",
    rule="Average the difference of the two surprisals",
    relation=equal(divergence, Total(times(p, ln(over(p, q))), INDEX)),
    reading="log(p/q) is how much more the model is surprised than the truth would be. The "
    "KL divergence is the average of this excess, again under p.",
    assumptions=SETTING,
    source="cover2006",
    locator="section 2.3",
    over=OVER,
    typed="p*log(p/q)",
    typed_note="One outcome's term of the sum.",
    typed_control="p*log(q/p)",
    control=Control(
        equal(divergence, Total(times(p, ln(over(q, p))), INDEX)),
        "The ratio stands on its head, which turns the sign.",
    ),
)

SUM = Line(
    id="sum",
    rule="Take the logarithm of the ratio apart",
    relation=equal(cross, plus(entropy, divergence)),
    reading="Cross-entropy is what the truth costs anyway, plus what the model's error costs on "
    "top. Only the second part depends on the model.",
    assumptions=SETTING,
    source="cover2006",
    locator="section 5.4",
    over=OVER,
    typed="-p*log q = -p*log p + p*log(p/q)",
    typed_note="One outcome's term of each sum.",
    typed_control="-p*log q = -q*log q + p*log(p/q)",
    control=Control(
        equal(cross, plus(Entropy(q, INDEX), divergence)),
        "The entropy is that of the model; it has to be that of the truth.",
    ),
)

GIBBS = Line(
    id="gibbs",
    rule="Apply Gibbs' inequality",
    relation=GreaterThan(divergence, 0, evaluate=False),
    reading="The divergence is an average of f(t) = t − 1 − log t at t = q/p. That f is never "
    "negative and is zero only at t = 1, so the divergence is zero only if q equals p.",
    assumptions=(*SETTING, NORMALIZED),
    source="cover2006",
    locator="theorem 2.6.3",
    where=(equal(Divergence(p, q, INDEX), gap), defines(Excess(Symbol("t", positive=True)))),
    normalized=(Truth, Stated),
    witness=gap,
    over=OVER,
    typed="p*(q/p - 1 - log(q/p))",
    typed_note="One outcome's term of the divergence in the form that is never negative.",
    control=Control(
        LessThan(divergence, 0, evaluate=False),
        "The inequality is turned around.",
    ),
)

BOUND = Line(
    id="bound",
    rule="Drop what can only cost",
    relation=GreaterThan(cross, entropy, evaluate=False),
    reading="No model gets below the entropy of what it predicts, and only q = p gets there. What "
    "a loss has above this floor is the model's own error.",
    assumptions=(*SETTING, NORMALIZED),
    source="cover2006",
    locator="theorem 5.4.3",
    normalized=(Truth, Stated),
    witness=gap,
    over=OVER,
    control=Control(
        GreaterThan(cross, Entropy(q, INDEX), evaluate=False),
        "The model's own entropy is no floor: a hesitant model can do better than it expects.",
    ),
)

DERIVATION = Derivation(
    id="cross-entropy",
    title="Why cross-entropy cannot fall below entropy",
    goal="The loss of a model is the entropy of the truth plus a divergence that is never "
    "negative.",
    lines=(ENTROPY, CROSS_ENTROPY, DIVERGENCE, SUM, GIBBS, BOUND),
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
                (0.3, 0.3, 0.4),
                (0.01, 1.0),
                0.01,
                made="normalized",
                told="The model q, from the weights",
            ),
        ),
    ),
    names={"p": p, "q": q},
)
