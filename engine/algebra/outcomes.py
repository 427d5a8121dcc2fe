"""The names of distributions over outcomes: p, q and u, the logits z, entropy, cross-entropy.

Any finite set of outcomes (tokens, classes, answers), written with an index: p_i. What has a
`definition` is written in terms of the unknowns p, q and z. Natural logarithms throughout.
"""

from sympy import Expr

from engine.algebra.expressions import (
    COUNT,
    Binder,
    Glyph,
    Indexed,
    J,
    Named,
    Total,
    e,
    ln,
    negative,
    over,
    times,
)


class Truth(Indexed):
    """p_i, the probabilities that outcomes are drawn with."""

    glyph = Glyph("p", "p", role="reference")
    slug = "truth"
    is_positive = True


class Stated(Indexed):
    """q_i, the probabilities that a model states."""

    glyph = Glyph("q", "q", role="policy")
    slug = "stated"
    is_positive = True


class Spread(Indexed):
    """p_i, any distribution at all, where it is the one that varies."""

    glyph = Glyph("p", "p", role="policy")
    slug = "spread"
    is_positive = True


class Uniform(Indexed):
    """u_i, the same probability for every outcome."""

    glyph = Glyph("u", "u", role="reference")
    slug = "uniform"
    is_positive = True

    def definition(self) -> Expr:
        """1 / n."""
        return over(1, COUNT)


class Score(Indexed):
    """z_i, a real number for each outcome: a logit, or a score."""

    glyph = Glyph("z", "z")
    slug = "score"


class Softmax(Indexed):
    """p_i, the softmax of the logits."""

    glyph = Glyph("p", "p", role="policy")
    slug = "softmax"
    is_positive = True

    def definition(self) -> Expr:
        """e^z_i / Σ e^z_j."""
        return over(e(Score(self.args[0])), Total(e(Score(J)), J))


class Entropy(Binder):
    """H(p), the expected surprisal, in nats."""

    glyph = Glyph("H", "H")
    slug = "entropy"

    def definition(self) -> Expr:
        """−Σ p log p."""
        p, index = self.args
        return negative(Total(times(p, ln(p)), index))

    def shown(self) -> tuple[type[Named], ...]:
        """The distribution alone."""
        return (self.args[0].func,)


class CrossEntropy(Binder):
    """H(p, q), the expected surprisal under q of what p draws, in nats."""

    glyph = Glyph("H", "H")
    slug = "cross-entropy"

    def definition(self) -> Expr:
        """−Σ p log q."""
        p, q, index = self.args
        return negative(Total(times(p, ln(q)), index))

    def shown(self) -> tuple[type[Named], ...]:
        """Both distributions."""
        return (self.args[0].func, self.args[1].func)
