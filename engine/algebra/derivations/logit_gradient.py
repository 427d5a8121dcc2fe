"""The gradient of the surprisal in the logits: probability minus indicator (Bishop 2006, 4.3.4)."""

from sympy import Expr, Integer, Symbol

from engine.algebra.derivation import Derivation
from engine.algebra.desk import Asked, Desk, Row
from engine.algebra.expressions import (
    INDEX,
    Glyph,
    Indicator,
    J,
    K,
    Named,
    Slope,
    Total,
    e,
    ln,
    minus,
    negative,
    over,
    piece,
)
from engine.algebra.line import Control, Line, defines, equal
from engine.algebra.outcomes import Score, Softmax

OVER = "tokens"
FINITE = "The vocabulary is finite, and every logit is a finite number."
LABEL = "One token y is the right one, the one that comes next in the text."
RIGHT = Symbol("y", integer=True)  # the token that comes next


class Surprise(Named):
    """L, the surprisal of the right token under the softmax of the logits."""

    glyph = Glyph("L", "the loss")
    slug = "loss"

    def definition(self) -> Expr:
        """−log p_y."""
        return negative(ln(Softmax(self.args[0])))

    def shown(self) -> tuple[type[Named], ...]:
        """The letter alone."""
        return ()


p, z = Softmax(INDEX), Score(INDEX)
first = Softmax(Integer(0))  # the right token in the numbers
total = Total(e(Score(J)), J)
log_total = piece("log-total", ln(total))
loss = Surprise(RIGHT)

SOFTMAX = Line(
    id="softmax",
    rule="Turn logits into probabilities",
    relation=equal(p, over(e(z), total)),
    reading="The exponential makes every logit a positive weight, and dividing by their sum makes "
    "the weights probabilities. None of them is ever exactly zero.",
    assumptions=(FINITE,),
    source="bishop2006",
    locator="eq. 4.104",
    over=OVER,
    typed="p = exp(u)/(exp(u) + 1)",
    typed_note="For two tokens: p is the probability of the right one, u its logit, and the "
    "logit of the other is 0.",
    typed_control="p = u/(u + 1)",
    control=Control(
        equal(p, over(z, Total(Score(J), J))),
        "The logits themselves are divided by their sum; some of them may be negative.",
    ),
)

LOG_SOFTMAX = Line(
    id="log-softmax",
    rule="Take the logarithm",
    relation=equal(piece("log-p", ln(p)), minus(z, log_total)),
    reading="A log-probability is the logit, less one number that is the same for all tokens. So "
    "logits count only by their differences.",
    assumptions=(FINITE,),
    source="bishop2006",
    locator="eq. 4.104",
    over=OVER,
    typed="log p = u - log(exp(u) + 1)",
    typed_note="For two tokens, with the logits u and 0.",
    typed_control="log p = u - (u + 0)",
    control=Control(
        equal(ln(p), minus(z, Total(Score(J), J))),
        "The logarithm of a sum is not the sum of the logarithms.",
    ),
)

LOSS = Line(
    id="loss",
    rule="Ask how surprising the right token was",
    relation=equal(loss, negative(piece("log-p", ln(Softmax(RIGHT))))),
    reading="The loss is the surprisal of the token y that came, in nats. It is zero only if the "
    "model had put all probability on it.",
    assumptions=(FINITE, LABEL),
    source="bishop2006",
    locator="eq. 4.108, for one example",
    over=OVER,
    typed="-log p",
    typed_note="The loss, where p is the probability of the right token.",
    typed_control="1 - p",
    control=Control(
        equal(loss, minus(1, Softmax(RIGHT))),
        "This is the probability that the model gave to all other tokens, not the surprisal.",
    ),
)

WRITTEN = Line(
    id="written-out",
    rule="Insert the log-probability",
    relation=equal(loss, minus(log_total, Score(RIGHT))),
    reading="In the logits the loss has two parts: one in which every logit takes part, and the "
    "logit of the right token alone.",
    assumptions=(FINITE, LABEL),
    source="bishop2006",
    locator="section 4.3.4",
    over=OVER,
    typed="log(exp(u) + 1) - u",
    typed_note="The loss, for two tokens with the logits u and 0.",
    typed_control="u - log(exp(u) + 1)",
    control=Control(
        equal(loss, minus(Score(RIGHT), log_total)),
        "The sign is turned: this is the log-probability, which is to rise.",
    ),
)

GRADIENT = Line(
    id="gradient",
    rule="Differentiate in one logit",
    relation=equal(Slope(loss, Score(K)), minus(Softmax(K), Indicator(K, RIGHT))),
    reading="A step against this gradient raises the right logit by what its probability lacks of "
    "one, and lowers every other logit in proportion to its probability.",
    assumptions=(FINITE, LABEL, "The bracket is one where k is the right token, else zero."),
    source="bishop2006",
    locator="eq. 4.109, with a feature for each token",
    where=(defines(loss),),
    over=OVER,
    typed="p - 1",
    typed_note="The gradient in the logit of the right token.",
    typed_control="1 - p",
    control=Control(
        equal(Slope(loss, Score(K)), minus(Indicator(K, RIGHT), Softmax(K))),
        "The sign is turned: this is the way downhill, and the gradient points uphill.",
    ),
)

DERIVATION = Derivation(
    id="logit-gradient",
    title="What one token teaches the logits",
    goal="The gradient of the loss in a logit is the probability of its token, less one for the "
    "right one.",
    lines=(SOFTMAX, LOG_SOFTMAX, LOSS, WRITTEN, GRADIENT),
    desk=Desk(
        outcomes=("mat", "roof", "moon"),
        rows=(Row("z", "logit", Score, (1.5, 0.5, -1.0), (-5.0, 5.0), 0.1),),
        asked=(
            Asked((INDEX,), "i = “{}”"),
            Asked((K,), "k = “{}”", place=1, key="k", label="k, the token whose logit moves"),
            Asked((RIGHT,), "y = “{}”"),
        ),
        note="The right token y is “mat”.",
    ),
    names={"p": first, "u": ln(over(first, minus(1, first)))},
)
