"""The advantages that GRPO gives to a group of right and wrong answers (Shao et al. 2024).

The reward is 1 for a right answer and 0 for a wrong one, and p is the share of right answers in
the group. p is written as 1/(1 + o), with o > 0 the wrong answers per right one: every p strictly
between 0 and 1 is one such o, and 1 − p is seen to be positive.
"""

from sympy import Expr, Integer, Symbol

from engine.algebra.derivation import Derivation
from engine.algebra.desk import Desk, Knob
from engine.algebra.expressions import (
    Glyph,
    Named,
    Size,
    minus,
    negative,
    over,
    piece,
    plus,
    root,
    squared,
    times,
)
from engine.algebra.line import Control, Line, defines, equal

OVER = ""
ODDS = Symbol("o", positive=True)  # wrong answers per right one
GROUP = "One group of answers to one prompt."
BINARY = "A right answer has reward 1, a wrong one 0."
MIXED = "The group has answers of both kinds, so p lies strictly between 0 and 1."
POPULATION = (
    "The deviation divides by the size of the group, not by one less, and no small constant is "
    "added to it."
)
SETTING = (GROUP, BINARY, MIXED)
NORMALIZED = (*SETTING, POPULATION)


class Share(Named):
    """p, the share of right answers in the group."""

    glyph = Glyph("p", "p")
    slug = "share"
    is_positive = True

    def definition(self) -> Expr:
        """1 / (1 + o)."""
        return over(1, plus(1, ODDS))


class RightReward(Named):
    """r₁, the reward of a right answer."""

    glyph = Glyph("r", "r one", sub="1", role="reward")
    slug = "reward-right"

    def definition(self) -> Expr:
        """One."""
        return Integer(1)


class WrongReward(Named):
    """r₀, the reward of a wrong answer."""

    glyph = Glyph("r", "r zero", sub="0", role="reward")
    slug = "reward-wrong"

    def definition(self) -> Expr:
        """Zero."""
        return Integer(0)


class Mean(Named):
    """m, the mean reward of the group."""

    glyph = Glyph("m", "the mean")
    slug = "mean"

    def definition(self) -> Expr:
        """P r₁ + (1 − p) r₀."""
        return plus(times(p, right), times(rest, wrong))


class Variance(Named):
    """Var, the mean squared departure from the mean reward."""

    glyph = Glyph("Var", "the variance")
    slug = "variance"
    is_positive = True

    def definition(self) -> Expr:
        """P (r₁ − m)² + (1 − p) (r₀ − m)²."""
        above, below = squared(minus(right, m)), squared(minus(wrong, m))
        return plus(times(p, above), times(rest, below))


class Deviation(Named):
    """s, the standard deviation of the rewards of the group."""

    glyph = Glyph("s", "the deviation")
    slug = "deviation"
    is_positive = True

    def definition(self) -> Expr:
        """√Var."""
        return root(Variance())


class RightAdvantage(Named):
    """A₁, the advantage of a right answer."""

    glyph = Glyph("A", "A one", sub="1", role="chosen")
    slug = "advantage-right"

    def definition(self) -> Expr:
        """(r₁ − m) / s."""
        return over(minus(right, m), Deviation())


class WrongAdvantage(Named):
    """A₀, the advantage of a wrong answer."""

    glyph = Glyph("A", "A zero", sub="0", role="rejected")
    slug = "advantage-wrong"

    def definition(self) -> Expr:
        """(r₀ − m) / s."""
        return over(minus(wrong, m), Deviation())


class Push(Named):
    """P, the mean size of the advantage over the group."""

    glyph = Glyph("P", "the push")
    slug = "push"

    def definition(self) -> Expr:
        """P |A₁| + (1 − p) |A₀|."""
        return plus(times(p, Size(RightAdvantage())), times(rest, Size(WrongAdvantage())))


p, right, wrong, m = Share(), RightReward(), WrongReward(), Mean()
rest = minus(1, p)
spread = times(p, rest)

MEAN = Line(
    id="mean",
    rule="Average the rewards of the group",
    relation=equal(m, p),
    reading="A share p of the answers earns 1, the others nothing. So the mean reward is the "
    "share of right answers.",
    assumptions=SETTING,
    source="shao2024",
    locator="section 4.1.2",
    where=(defines(m), defines(right), defines(wrong)),
    over=OVER,
    control=Control(equal(m, rest), "This is the share of wrong answers."),
)

VARIANCE = Line(
    id="variance",
    rule="Square the departures from the mean, average",
    relation=equal(Variance(), spread),
    reading="Right answers lie 1 − p above the mean, wrong ones p below it. The variance is "
    "largest at p = 1/2, where a prompt is neither easy nor hard.",
    assumptions=NORMALIZED,
    source="shao2024",
    locator="section 4.1.2",
    where=(defines(Variance()),),
    over=OVER,
    typed="p*(1 - p)",
    typed_note="The variance, where p is the share of right answers.",
    typed_control="p*(1 - p)^2",
    control=Control(
        equal(Variance(), times(p, squared(rest))),
        "Only the right answers are counted; the wrong ones depart from the mean as well.",
    ),
)

DEVIATION = Line(
    id="deviation",
    rule="Take the root",
    relation=equal(Deviation(), root(spread)),
    reading="The deviation is the unit in which GRPO measures rewards. It shrinks towards zero as "
    "a prompt becomes very easy or very hard.",
    assumptions=NORMALIZED,
    source="shao2024",
    locator="section 4.1.2",
    where=(defines(Deviation()),),
    over=OVER,
    typed="sqrt(p*(1 - p))",
    typed_note="The deviation.",
    typed_control="p*(1 - p)",
    control=Control(
        equal(Deviation(), spread),
        "This is the variance; the root is missing.",
    ),
)

RIGHT = Line(
    id="advantage-right",
    rule="Subtract the mean, divide by the deviation",
    relation=equal(RightAdvantage(), root(over(rest, p))),
    reading="A right answer counts for more the rarer it is: at p = 0.1 its advantage is 3, at "
    "p = 0.9 one third.",
    assumptions=NORMALIZED,
    source="shao2024",
    locator="section 4.1.2",
    where=(defines(RightAdvantage()),),
    over=OVER,
    typed="sqrt((1 - p)/p)",
    typed_note="The advantage of a right answer.",
    typed_control="sqrt(p/(1 - p))",
    control=Control(
        equal(RightAdvantage(), root(over(p, rest))),
        "The fraction stands on its head: this is the size for a wrong answer.",
    ),
)

WRONG = Line(
    id="advantage-wrong",
    rule="The same for a wrong answer",
    relation=equal(WrongAdvantage(), negative(root(over(p, rest)))),
    reading="A wrong answer counts against the policy, and for more the easier the prompt is.",
    assumptions=NORMALIZED,
    source="shao2024",
    locator="section 4.1.2",
    where=(defines(WrongAdvantage()),),
    over=OVER,
    typed="-sqrt(p/(1 - p))",
    typed_note="The advantage of a wrong answer.",
    typed_control="sqrt(p/(1 - p))",
    control=Control(
        equal(WrongAdvantage(), root(over(p, rest))),
        "The minus sign is gone, so wrong answers would be reinforced.",
    ),
)

RATIO = Line(
    id="ratio",
    rule="Weigh a right answer against a wrong one",
    relation=equal(over(Size(RightAdvantage()), Size(WrongAdvantage())), over(rest, p)),
    reading="A right answer weighs (1 − p)/p times a wrong one, and there are just as many wrong "
    "answers to each right one. So the advantages of the group sum to zero.",
    assumptions=NORMALIZED,
    source="shao2024",
    locator="section 4.1.2; the ratio is ours",
    over=OVER,
    typed="(1 - p)/p",
    typed_note="How much a right answer weighs against a wrong one.",
    typed_control="sqrt((1 - p)/p)",
    control=Control(
        equal(over(Size(RightAdvantage()), Size(WrongAdvantage())), root(over(rest, p))),
        "The root stays although both advantages bring one.",
    ),
)

PUSH = Line(
    id="push",
    rule="Average the size of the advantages",
    relation=equal(piece("push", Push()), times(2, root(spread))),
    reading="This is how hard a prompt pushes per sample. Without the division by s it would be "
    "2 p (1 − p); dividing lifts very easy and very hard prompts most.",
    assumptions=NORMALIZED,
    source="shao2024",
    locator="section 4.1.2; the average is ours",
    where=(defines(Push()),),
    over=OVER,
    typed="2*sqrt(p*(1 - p))",
    typed_note="The mean size of the advantages.",
    typed_control="2*p*(1 - p)",
    control=Control(
        equal(piece("push", Push()), times(2, spread)),
        "This is the push of rewards less their mean, before the division by the deviation.",
    ),
)

DERIVATION = Derivation(
    id="grpo-advantage",
    title="What a group of right and wrong answers teaches",
    goal="The advantage of each answer, and the push of a whole prompt, from its share of right "
    "answers.",
    lines=(MEAN, VARIANCE, DEVIATION, RIGHT, WRONG, RATIO, PUSH),
    desk=Desk(
        knobs=(
            Knob(
                "p",
                "p, the share of right answers",
                ODDS,
                0.25,
                bounds=(0.01, 0.99),
                step=0.01,
                meaning=lambda share: (1 - share) / share,
            ),
        ),
    ),
    names={"p": Share()},
)
