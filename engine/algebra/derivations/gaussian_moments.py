"""The Gaussian of largest likelihood has the mean and the variance of its points.

Bishop 2006, section 1.2.4, with a weight for each point; with equal weights it is his formula.
The loss is the cross-entropy of the points under the Gaussian, so the same line says that the
forward divergence matches mean and variance (section 10.7).
"""

from sympy import Expr, Symbol, pi

from engine.algebra.derivation import Derivation
from engine.algebra.desk import Desk, Knob, Numbers, Row, Set, SetRows, World
from engine.algebra.expressions import (
    COUNT,
    INDEX,
    Glyph,
    Indexed,
    Named,
    Slope,
    SlopeAt,
    Total,
    e,
    ln,
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
from engine.algebra.outcomes import Truth
from engine.errors import RangeError

OVER = "points"
MU = Symbol("mu", real=True)
VARIANCE = Symbol("sigma^2", positive=True)
FINITE = "There are finitely many points, and they are not all the same."
WEIGHTED = "The weights p_i are positive and sum to one."
SETTING = (FINITE, WEIGHTED, "The variance σ² is above zero.")


class Point(Indexed):
    """x_i, a real number."""

    glyph = Glyph("x", "x")
    slug = "point"


class Density(Named):
    """N(x; μ, σ²), the density of a Gaussian."""

    glyph = Glyph("N", "the density", role="policy")
    slug = "density"
    separators = (";", ",")
    is_positive = True

    def definition(self) -> Expr:
        """e^(−(x − μ)²/(2σ²)) / √(2πσ²)."""
        x, center, spread = self.args
        exponent = negative(over(squared(minus(x, center)), times(2, spread)))
        return over(e(exponent), root(times(2, pi, spread)))


class Fit(Named):
    """L(μ, σ²), the mean surprisal of the points under the Gaussian, in nats."""

    glyph = Glyph("L", "the loss")
    slug = "loss"

    def definition(self) -> Expr:
        """−Σ p_i log N(x_i; μ, σ²)."""
        return negative(Total(times(p, ln(Density(x, *self.args))), INDEX))


class Mean(Named):
    """m, the mean of the points."""

    glyph = Glyph("m", "m")
    slug = "mean"

    def definition(self) -> Expr:
        """Σ p_i x_i."""
        return Total(times(p, x), INDEX)


class Spread(Named):
    """V, the variance of the points."""

    glyph = Glyph("V", "V")
    slug = "variance"
    is_positive = True

    def definition(self) -> Expr:
        """Σ p_i (x_i − m)²."""
        return Total(times(p, squared(minus(x, Mean()))), INDEX)


p, x, m, V = Truth(INDEX), Point(INDEX), Mean(), Spread()
loss, centered_loss = Fit(MU, VARIANCE), Fit(m, VARIANCE)
half = over(1, times(2, VARIANCE))
squares = piece("squares", Total(times(p, squared(minus(x, MU))), INDEX))
constant = piece("constant", times(over(1, 2), ln(times(2, pi, VARIANCE))))
center = Total(times(p, x), INDEX)

OBJECTIVE = Line(
    id="objective",
    rule="Average the surprisal of the points",
    relation=equal(loss, negative(Total(times(p, ln(Density(x, MU, VARIANCE))), INDEX))),
    reading="A Gaussian is to make the points as little surprising as possible, on average. That "
    "is maximum likelihood: L is the cross-entropy of the points under the Gaussian.",
    assumptions=SETTING,
    source="bishop2006",
    locator="section 1.2.4",
    where=(defines(Density(x, MU, VARIANCE)),),
    over=OVER,
    typed="-p*log(exp(-(x - u)^2/(2*tau))/sqrt(2*pi*tau))",
    typed_note="One point's term of the sum: u is the mean μ, tau the variance σ², p the weight "
    "of the point x, and pi the number 3.14159.",
    typed_control="p*log(exp(-(x - u)^2/(2*tau))/sqrt(2*pi*tau))",
    control=Control(
        equal(loss, Total(times(p, ln(Density(x, MU, VARIANCE))), INDEX)),
        "The minus sign is gone: this is the log-likelihood, which is to rise.",
    ),
)

WRITTEN = Line(
    id="written-out",
    rule="Take the logarithm of the density",
    relation=equal(loss, plus(constant, times(half, squares))),
    reading="The logarithm undoes the exponential. The mean enters only through the squared "
    "distances, the variance through both terms.",
    assumptions=SETTING,
    source="bishop2006",
    locator="eq. 1.54, divided by the number of points",
    normalized=(Truth,),
    over=OVER,
    typed="p*(log(2*pi*tau)/2 + (x - u)^2/(2*tau))",
    typed_note="One point's term of the sum.",
    typed_control="p*(log(2*pi*tau) + (x - u)^2/(2*tau))",
    control=Control(
        equal(loss, plus(ln(times(2, pi, VARIANCE)), times(half, squares))),
        "The factor one half on the logarithm is lost: the density has a root below.",
    ),
)

MEAN_SLOPE = Line(
    id="mean-slope",
    rule="Differentiate in μ",
    relation=equal(Slope(loss, MU), times(over(1, VARIANCE), minus(MU, center))),
    reading="The slope is negative below the weighted mean of the points and positive above it. "
    "So the loss falls towards that mean from both sides, whatever the variance.",
    assumptions=SETTING,
    source="bishop2006",
    locator="section 1.2.4",
    normalized=(Truth,),
    over=OVER,
    typed="p*(u - x)/tau",
    typed_note="One point's term of the slope in μ, which is u here.",
    typed_control="p*(x - u)/tau",
    control=Control(
        equal(Slope(loss, MU), times(over(1, VARIANCE), minus(center, MU))),
        "The sign is turned: this is the slope of the log-likelihood.",
    ),
)

MEAN = Line(
    id="mean",
    rule="Put the mean of the points in",
    relation=equal(SlopeAt(loss, MU, m), 0),
    reading="At μ = m the slope is zero, and nowhere else. The best Gaussian sits at the mean of "
    "the points, even if no point is there.",
    assumptions=SETTING,
    source="bishop2006",
    locator="eq. 1.55",
    where=(defines(m),),
    normalized=(Truth,),
    over=OVER,
    control=Control(
        equal(SlopeAt(loss, MU, over(Total(x, INDEX), COUNT)), 0),
        "The weights are forgotten: this is the mean only if all points weigh the same.",
    ),
)

VARIANCE_SLOPE = Line(
    id="variance-slope",
    rule="Differentiate in σ²",
    relation=equal(
        Slope(loss, VARIANCE),
        times(half, minus(1, times(over(1, VARIANCE), squares))),
    ),
    reading="A wider Gaussian pays by its lower peak and gains on the distant points. The slope "
    "turns from negative to positive where σ² is the mean squared distance from μ.",
    assumptions=SETTING,
    source="bishop2006",
    locator="section 1.2.4",
    normalized=(Truth,),
    over=OVER,
    typed="p*(1 - (x - u)^2/tau)/(2*tau)",
    typed_note="One point's term of the slope in σ², which is tau here.",
    typed_control="p*(1 - (x - u)^2)/(2*tau)",
    control=Control(
        equal(Slope(loss, VARIANCE), times(half, minus(1, squares))),
        "The squared distances have to be measured in units of the variance.",
    ),
)

VARIANCE_LINE = Line(
    id="variance",
    rule="Put the variance of the points in",
    relation=equal(SlopeAt(centered_loss, VARIANCE, V), 0),
    reading="With μ at the mean, the best σ² is the variance of the points. Two peaks far apart "
    "get one wide Gaussian over both.",
    assumptions=SETTING,
    source="bishop2006",
    locator="eq. 1.56",
    where=(defines(V), defines(m)),
    normalized=(Truth,),
    over=OVER,
    control=Control(
        equal(SlopeAt(centered_loss, VARIANCE, Total(times(p, squared(x)), INDEX)), 0),
        "This is the mean square about zero, not about the mean.",
    ),
)


def _world(knobs: Set, rows: SetRows) -> World:
    """The numbers on the sliders; points that are all the same have no variance to fit."""
    if len(set(rows["x"])) == 1:
        raise RangeError.expected(
            "points that are not all the same",
            got=f"{rows['x'][0]:g} three times",
            advice="Move one of them.",
        )
    row = next(row for row in DESK.rows if row.head is Truth)
    scalars = {MU: knobs["mu"], VARIANCE: knobs["var"]}
    return Numbers(scalars, {Point: rows["x"], Truth: row.values(rows["p"])})


DESK = Desk(
    outcomes=("first", "second", "third"),
    knobs=(
        Knob("mu", "μ", MU, 0.5, bounds=(-3.0, 3.0)),
        Knob("var", "σ²", VARIANCE, 2.0, bounds=(0.1, 9.0)),
    ),
    rows=(
        Row("x", "point", Point, (-2.0, 1.0, 2.0), (-3.0, 3.0), 0.1),
        Row(
            "p",
            "weight",
            Truth,
            (0.4, 0.2, 0.4),
            (0.01, 1.0),
            0.01,
            made="normalized",
            told="p, from the weights",
        ),
    ),
    build=_world,
)

DERIVATION = Derivation(
    id="gaussian-moments",
    title="The Gaussian that fits best",
    goal="The likeliest Gaussian has the mean and the variance of its points.",
    lines=(OBJECTIVE, WRITTEN, MEAN_SLOPE, MEAN, VARIANCE_SLOPE, VARIANCE_LINE),
    desk=DESK,
    names={"p": p, "x": x, "u": MU, "tau": VARIANCE, "pi": pi},
)
