"""The optimum of the KL-regularized objective, by a Lagrange multiplier.

The objective is that of RLHF (Rafailov et al. 2023, eq. 3); they state its optimum as eq. 4 and
prove it in appendix A.1 by completing a divergence, as the derivation `dpo` does. Here it is
reached by differentiation.
"""

from sympy import Expr, Symbol

from engine.algebra.derivation import Derivation
from engine.algebra.derivations.dpo import COVERED, FINITE, OBJECTIVE, PRICED, REWARDED
from engine.algebra.desk import Asked, Desk, Knob, Row
from engine.algebra.expressions import (
    BETA,
    Binder,
    Glyph,
    Named,
    Slope,
    SlopeAt,
    Total,
    X,
    Y,
    e,
    ln,
    minus,
    negative,
    over,
    piece,
    times,
)
from engine.algebra.line import Control, Line, defines, equal
from engine.algebra.vocabulary import Objective, Partition, Policy, Reference, Reward

SETTING = (FINITE, COVERED, PRICED, REWARDED)
LAMBDA = Symbol("lambda", real=True)  # the price of probability, in units of reward


class Lagrangian(Binder):
    """Λ(π, λ), the objective less λ times what π sums to above one."""

    glyph = Glyph("Λ", "the Lagrangian")
    slug = "lagrangian"

    def definition(self) -> Expr:
        """J(π) − λ (Σ π − 1)."""
        policy, price, y = self.args
        return minus(Objective(policy, y), times(price, minus(Total(policy, y), 1)))

    def shown(self) -> tuple[Expr | type[Named], ...]:
        """The policy alone, and the multiplier: Λ(π, λ)."""
        return (self.args[0].func, self.args[1])


class Tilted(Named):
    """π_λ(y | x), where the Lagrangian is stationary for a given λ."""

    glyph = Glyph("π", "pi lambda", sub="λ", role="policy")
    slug = "tilted"
    separators = ("∣",)
    prompted = True
    is_positive = True

    def definition(self) -> Expr:
        """π_ref e^(r/β) e^(−λ/β − 1)."""
        return _weighed(self.args, LAMBDA)


class Multiplier(Named):
    """λ*, the multiplier at which π_λ sums to one."""

    glyph = Glyph("λ", "lambda star", sup="∗")
    slug = "multiplier"

    def definition(self) -> Expr:
        """β log Z − β."""
        return minus(times(BETA, ln(Partition(self.args[0]))), BETA)

    def shown(self) -> tuple[type[Named], ...]:
        """The letter alone."""
        return ()


class Best(Named):
    """π*(y | x), which is π_λ at λ = λ*."""

    glyph = Glyph("π", "pi star", sup="∗", role="policy")
    slug = "best"
    separators = ("∣",)
    prompted = True
    is_positive = True

    def definition(self) -> Expr:
        """π_ref e^(r/β) e^(−λ*/β − 1)."""
        return _weighed(self.args, Multiplier(self.args[1]))


def _weighed(arguments: tuple[Expr, ...], price: Expr) -> Expr:
    """The tilted reference, times the one factor that is the same for all responses."""
    y, x = arguments
    tilt = e(over(Reward(x, y), BETA))
    return times(Reference(y, x), tilt, e(minus(negative(over(price, BETA)), 1)))


pi, reference, reward = Policy(Y, X), Reference(Y, X), Reward(X, Y)
tilted, best, Z = Tilted(Y, X), Best(Y, X), Partition(X)
lagrangian = Lagrangian(pi, LAMBDA, Y)
tilt = e(over(reward, BETA))
log_ratio = piece("log-ratio", times(BETA, ln(over(pi, reference))))
factor = e(minus(negative(over(LAMBDA, BETA)), 1))

LAGRANGIAN = Line(
    id="lagrangian",
    rule="Put a price on probability",
    relation=equal(lagrangian, minus(Objective(pi, Y), times(LAMBDA, minus(Total(pi, Y), 1)))),
    reading="The probabilities have to sum to one. The multiplier λ charges for what the sum has "
    "beyond that, so that each probability may be varied on its own.",
    assumptions=SETTING,
    source="rafailov2023",
    locator="eq. 3; the multiplier is ours",
    typed="pi*r - beta*pi*log(pi/ref) - u*pi",
    typed_note="One response's term, where u is the multiplier λ. A λ is left that belongs to no"
    " response.",
    control=Control(
        equal(lagrangian, minus(Objective(pi, Y), times(LAMBDA, Total(pi, Y)))),
        "The sum itself is charged for, not what it has above one.",
    ),
)

STATIONARY = Line(
    id="stationary",
    rule="Differentiate in one probability",
    relation=equal(Slope(lagrangian, pi), minus(minus(minus(reward, log_ratio), BETA), LAMBDA)),
    reading="More probability for y earns its reward, pays for the divergence and pays λ. At the "
    "optimum this is zero for every response; otherwise some shift would gain.",
    assumptions=SETTING,
    source="rafailov2023",
    locator="eq. 4, reached there without a derivative",
    typed="r - beta*log(pi/ref) - beta - u",
    typed_note="The slope in one probability, where u is the multiplier λ.",
    typed_control="r - beta*log(pi/ref) - u",
    control=Control(
        equal(Slope(lagrangian, pi), minus(minus(reward, log_ratio), LAMBDA)),
        "The −β is missing: the derivative of π log π is log π plus one.",
    ),
)

SOLVED = Line(
    id="solved",
    rule="Set it to zero, solve for π",
    relation=equal(SlopeAt(lagrangian, pi, tilted), 0),
    reading="For any λ, this π_λ makes the slope zero at every response. The reward stands in the "
    "exponent because its price, the divergence, is paid in logarithms.",
    assumptions=SETTING,
    source="rafailov2023",
    locator="eq. 4, reached there without a derivative",
    where=(defines(tilted),),
    typed="pi = ref*exp(r/beta)*exp(-u/beta - 1)",
    typed_note="The probability at which the slope is zero, where u is λ.",
    typed_control="pi = ref",
    typed_names={"pi": tilted},
    control=Control(
        equal(SlopeAt(lagrangian, pi, reference), 0),
        "At the reference the slope is r − β − λ, which is not the same for all responses.",
    ),
)

SUMMED = Line(
    id="summed",
    rule="Sum over the responses",
    relation=equal(Total(tilted, Y), times(Z, factor)),
    reading="The last factor does not depend on y and comes out of the sum. What is left inside "
    "is Z(x), so there is exactly one λ for which this is one.",
    assumptions=SETTING,
    source="rafailov2023",
    locator="eq. 4",
    where=(defines(Z),),
    typed="Z*exp(-u/beta - 1)",
    typed_note="What these probabilities sum to, where u is λ.",
    typed_control="Z*exp(u/beta - 1)",
    control=Control(
        equal(Total(tilted, Y), times(Z, e(minus(over(LAMBDA, BETA), 1)))),
        "The sign of λ is turned: a higher price would buy more probability.",
    ),
)

NORMALIZED = Line(
    id="normalized",
    rule="Choose the λ that makes the sum one",
    relation=equal(Total(best, Y), 1),
    reading="With λ* = β log Z(x) − β the probabilities sum to one, and π_λ becomes π*. The "
    "multiplier is the value of the best policy, less β.",
    assumptions=SETTING,
    source="rafailov2023",
    locator="eq. 4",
    where=(defines(best), defines(Multiplier(X))),
    typed="u = beta*log Z - beta",
    typed_note="The λ for which that sum is one, as u.",
    typed_control="u = beta*log Z",
    typed_names={"u": Multiplier(X)},
    control=Control(
        equal(Total(times(reference, tilt, e(minus(negative(ln(Z)), 1))), Y), 1),
        "The multiplier lacks its −β, and the sum is 1/e.",
    ),
)

OPTIMUM = Line(
    id="optimum",
    rule="Write it with Z",
    relation=equal(best, times(over(1, Z), reference, tilt)),
    reading="The best policy is the reference, reweighted by e to the power r/β. The objective is "
    "strictly concave in π, so this one stationary point is its maximum.",
    assumptions=SETTING,
    source="rafailov2023",
    locator="eq. 4",
    where=(defines(Z),),
    typed="pi = ref*exp(r/beta)/Z",
    typed_control="pi = ref*exp(r/beta)",
    typed_names={"pi": best},
    control=Control(
        equal(best, times(reference, tilt)),
        "Without 1/Z(x) these are weights, not probabilities.",
    ),
)

DERIVATION = Derivation(
    id="kl-optimum",
    title="The best policy under a KL penalty",
    goal="The policy that earns most after paying for its divergence: the reference, tilted by "
    "the reward.",
    lines=(OBJECTIVE, LAGRANGIAN, STATIONARY, SOLVED, SUMMED, NORMALIZED, OPTIMUM),
    desk=Desk(
        outcomes=("first", "second", "third"),
        knobs=(
            Knob("beta", "β", BETA, 0.5, choices=(0.1, 0.2, 0.5, 1.0, 2.0, 5.0)),
            Knob("lambda", "λ", LAMBDA, 0.5, bounds=(-3.0, 3.0)),
        ),
        rows=(
            Row("r", "reward", Reward, (1.0, 0.2, -0.6), (-3.0, 3.0), 0.1),
            Row(
                "p",
                "weight in the reference",
                Reference,
                (0.3, 0.5, 0.2),
                (0.01, 1.0),
                0.01,
                made="normalized",
                told="Reference, from the weights",
            ),
            Row(
                "q",
                "weight in the policy",
                Policy,
                (0.45, 0.4, 0.15),
                (0.01, 1.0),
                0.01,
                made="normalized",
                told="Policy π, from the weights",
            ),
        ),
        asked=(Asked((Y,), "the {} response", key="y", label="y, the response"),),
        prompt=X,
    ),
    names={"pi": pi, "ref": reference, "r": reward, "beta": BETA, "Z": Z, "u": LAMBDA},
)
