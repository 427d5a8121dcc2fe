"""The margin at which the IPO loss is least: 1/(2τ), a finite one (Azar et al. 2023)."""

from sympy import Expr, Symbol

from engine.algebra.derivation import Derivation
from engine.algebra.desk import Desk, Knob
from engine.algebra.expressions import (
    Glyph,
    Named,
    Slope,
    SlopeAt,
    minus,
    over,
    piece,
    squared,
    times,
)
from engine.algebra.line import Control, Line, equal

OVER = ""
H = Symbol("h", real=True)  # the log-ratio of the chosen response less that of the rejected one
TAU = Symbol("tau", positive=True)
TARGET = over(1, times(2, TAU))
MARGIN = (
    "h is the log-ratio of policy to reference for the chosen response, less the same for the "
    "rejected one."
)
PRICED = "τ is above zero."
SETTING = (MARGIN, PRICED)


class PairLoss(Named):
    """L, the IPO loss of one pair."""

    glyph = Glyph("L", "the loss")
    slug = "loss"

    def definition(self) -> Expr:
        """(h − 1/(2τ))²."""
        return squared(minus(H, TARGET))


loss = PairLoss()
distance = piece("distance", minus(H, TARGET))

LOSS = Line(
    id="loss",
    rule="Square the distance from a target",
    relation=equal(loss, squared(distance)),
    reading="IPO asks the margin h of a pair to come close to a number that the price τ sets. It "
    "charges for a margin that is too large as well as for one too small.",
    assumptions=SETTING,
    source="azar2023",
    locator="eq. 17",
    over=OVER,
    typed="(u - 1/(2*tau))^2",
    typed_note="The loss, where u is the margin h.",
    typed_control="(u - 1/tau)^2",
    control=Control(
        equal(loss, squared(minus(H, over(1, TAU)))),
        "The target is half as large as this.",
    ),
)

SLOPE = Line(
    id="slope",
    rule="Differentiate in the margin",
    relation=equal(Slope(loss, H), times(2, distance)),
    reading="The slope is a straight line through zero at the target. The further off the margin "
    "is, on either side, the harder the loss pulls it back.",
    assumptions=SETTING,
    source="azar2023",
    locator="eq. 17; the derivative is ours",
    over=OVER,
    typed="2*(u - 1/(2*tau))",
    typed_note="The slope of the loss, where u is the margin h.",
    typed_control="u - 1/(2*tau)",
    control=Control(
        equal(Slope(loss, H), distance),
        "The factor 2 of the square is missing.",
    ),
)

AT_MARGIN = Line(
    id="margin",
    rule="Put the target in",
    relation=equal(SlopeAt(loss, H, TARGET), 0),
    reading="The pull ends at a finite margin. The DPO loss of one pair has no such place: it "
    "still falls however wide the margin is.",
    assumptions=SETTING,
    source="azar2023",
    locator="section 5",
    over=OVER,
    typed="u = 1/(2*tau)",
    typed_note="The margin at which the slope is zero, as u.",
    typed_control="u = 1/tau",
    typed_names={"u": TARGET},
    control=Control(
        equal(SlopeAt(loss, H, over(1, TAU)), 0),
        "At twice the target the loss is already rising again.",
    ),
)

DERIVATION = Derivation(
    id="ipo-margin",
    title="Where IPO stops",
    goal="The margin at which the IPO loss of a pair is least, and that it is finite.",
    lines=(LOSS, SLOPE, AT_MARGIN),
    desk=Desk(
        knobs=(
            Knob("h", "h", H, 1.0, bounds=(-10.0, 10.0)),
            Knob("tau", "τ", TAU, 0.1, choices=(0.05, 0.1, 0.2, 0.5, 1.0)),
        ),
    ),
    names={"u": H, "tau": TAU},
)
