"""The nodes a line is written in: SymPy expressions that still know how they are to be read.

A line is generic in the response y: `Total(body, y)` sums over every response, `Policy(y, x)` is
one probability. The same tree is printed, instantiated for a response set of a given size and
proved, and evaluated in numbers; what a name stands for is its `definition()`, in all three.

Any other set of outcomes works alike, with an integer symbol as its index: `Total(body, I)`. An
unknown is a name without a definition, or a symbol; its assumptions say what it may be, positive
or real, and so from where a refutation draws it.

The constructors `plus`, `minus`, `times`, `over` keep terms in the order in which they are
written, and keep SymPy from cancelling before the learner has seen what cancels.
"""

from dataclasses import dataclass
from typing import ClassVar

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol, exp, log, sympify
from sympy.core.basic import Basic
from sympy.core.symbol import Str
from sympy.printing.str import StrPrinter

Y = Symbol("y")  # any response
W = Symbol("y_w")  # the chosen response
L = Symbol("y_l")  # the rejected response
X = Symbol("x")  # the prompt
X1, X2 = Symbol("x_1"), Symbol("x_2")  # two different prompts
BETA = Symbol("beta", positive=True)  # reward per nat
COMPONENT = Symbol("k")  # the logit that a gradient is taken in
INDEX, J, K = (Symbol(name, integer=True) for name in "ijk")  # indices of outcomes
COUNT, COUNT_N = (Symbol(name, positive=True) for name in "nN")  # how many outcomes there are


@dataclass(frozen=True)
class Glyph:
    """How a name is written: a letter with marks, and how it is said aloud."""

    letter: str
    spoken: str
    sub: str = ""
    sup: str = ""
    hat: bool = False
    role: str = ""  # class token for color: policy, reference, reward, partition


class Named(Expr):  # type: ignore[misc]
    """Something with a name and arguments: π(y | x), r(x, y), Z(x), σ(u).

    A subclass says how it is written (`glyph`, `separators`), what it is called in motion ids
    (`slug`) and, unless it is an unknown of its own, what it stands for (`definition`).
    """

    glyph: ClassVar[Glyph]
    slug: ClassVar[str]
    separators: ClassVar[tuple[str, ...]] = (",",)
    prompted: ClassVar[bool] = False  # whether its second argument is a prompt, as in π(y | x)
    is_commutative = True
    is_real = True
    _diff_wrt = True  # the objective is differentiated with respect to π(y | x)

    def __new__(cls, *args: Basic | int) -> "Named":
        """Build the node; integers name a concrete response, 0 for the first."""
        made: Named = Expr.__new__(cls, *map(sympify, args))
        return made

    def definition(self) -> Expr | None:
        """What the name stands for, or None for an unknown of its own."""
        return None

    def shown(self) -> tuple["Basic | type[Named]", ...]:
        """What stands between the parentheses; a class stands for its letter alone, as in J(π)."""
        return tuple(self.args)

    def _eval_derivative(self, variable: Expr) -> Expr:
        return Integer(int(self == variable))

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"{type(self).__name__}({', '.join(map(printer.doprint, self.args))})"


class Indexed(Named):
    """A name whose first argument is written as an index: p_i, q_i(T)."""

    def shown(self) -> tuple["Basic | type[Named]", ...]:
        """What stands between the parentheses, behind the index."""
        return tuple(self.args[1:])


def glyph_of(name: type[Named]) -> Glyph:
    """The letter of a name, without arguments."""
    return name.glyph


class Binder(Named):
    """A name whose last argument is the response it runs over."""

    @property
    def free_symbols(self) -> set[Basic]:
        """The symbols that still have to be given a value."""
        free: set[Basic] = super().free_symbols
        return free - {self.args[-1]}


class Total(Binder):
    """Σ over every response."""

    glyph = Glyph("∑", "the sum")
    slug = "sum"


class Expectation(Binder):
    """The mean of something under a distribution over responses."""

    glyph = Glyph("𝔼", "the expectation")
    slug = "expectation"

    def definition(self) -> Expr:
        """Σ p · body."""
        distribution, body, index = self.args
        return Total(times(distribution, body), index)


class Divergence(Binder):
    """The Kullback-Leibler divergence between two distributions over responses, in nats."""

    glyph = Glyph("KL", "the KL divergence")
    slug = "divergence"

    def definition(self) -> Expr:
        """Σ p log(p / q)."""
        p, q, index = self.args
        return Total(times(p, ln(over(p, q))), index)


class Sigmoid(Named):
    """The logistic function."""

    glyph = Glyph("σ", "sigma")
    slug = "sigmoid"

    def definition(self) -> Expr:
        """1 / (1 + e^(−u))."""
        return over(1, plus(1, e(negative(self.args[0]))))


class Excess(Named):
    """f(t) = t − 1 − log t: never negative, and zero only at t = 1."""

    glyph = Glyph("f", "f")
    slug = "excess"

    def definition(self) -> Expr:
        """The excess of t − 1 over its logarithm: t − 1 − log t."""
        return minus(minus(self.args[0], 1), ln(self.args[0]))


class Size(Named):
    """|u|, drawn between bars."""

    glyph = Glyph("|", "the size")
    slug = "size"
    is_nonnegative = True

    def definition(self) -> Expr:
        """√u²."""
        return root(squared(self.args[0]))


class Indicator(Expr):  # type: ignore[misc]
    """[a = b]: one if two indices name the same outcome, else zero."""

    is_commutative = True
    is_real = True


class Gradient(Expr):  # type: ignore[misc]
    """The gradient in the parameters θ; in an instance, the slope in one logit."""

    is_commutative = True
    is_real = True


class SlopeAt(Expr):  # type: ignore[misc]
    """∂ body / ∂ variable, taken where the policy of `variable` is replaced by that of `point`.

    Where `variable` is a symbol, it is replaced by the expression `point`.
    """

    is_commutative = True
    is_real = True


class Slope(Expr):  # type: ignore[misc]
    """∂ body / ∂ variable: how fast `body` changes in one unknown, the others held."""

    is_commutative = True
    is_real = True


class Limit(Expr):  # type: ignore[misc]
    """What `body` tends to as `variable`, a positive symbol, grows without bound."""

    is_commutative = True
    is_real = True


class Piece(Expr):  # type: ignore[misc]
    """A part of a formula that keeps its identity from one line to the next.

    Changes nothing about the mathematics: it carries the id by which a page finds the part again,
    a color role, and whether it is one of two twins that cancel on the way to the next line.
    """

    is_commutative = True

    @property
    def body(self) -> Expr:
        """The expression itself."""
        return self.args[0]

    @property
    def id(self) -> str:
        """The motion id."""
        return str(self.args[1])

    @property
    def role(self) -> str:
        """The color role, or an empty string."""
        return str(self.args[2])

    @property
    def cancels(self) -> bool:
        """Whether the piece meets its twin on the way to the next line."""
        return str(self.args[3]) == "cancels"

    def _eval_is_positive(self) -> bool | None:
        positive: bool | None = self.body.is_positive
        return positive

    def _eval_is_real(self) -> bool | None:
        real: bool | None = self.body.is_real
        return real


def piece(name: str, body: Expr, *, role: str = "") -> Piece:
    """`body`, findable as `name` in the lines before and after."""
    return Piece(body, Str(name), Str(role), Str(""))


def twin(name: str, body: Expr, *, role: str = "") -> Piece:
    """One of two pieces that cancel on the way to the next line."""
    return Piece(body, Str(name), Str(role), Str("cancels"))


def plus(*terms: Expr | int) -> Expr:
    """A sum in the order given."""
    return Add(*map(sympify, terms), evaluate=False)


def negative(term: Expr | int) -> Expr:
    """−term."""
    return Mul(Integer(-1), sympify(term), evaluate=False)


def minus(left: Expr | int, right: Expr | int) -> Expr:
    """Left − right."""
    return plus(left, negative(right))


def times(*factors: Expr | int) -> Expr:
    """A product in the order given."""
    return Mul(*map(sympify, factors), evaluate=False)


def over(top: Expr | int, bottom: Expr | int) -> Expr:
    """A fraction."""
    inverse = Pow(sympify(bottom), Integer(-1), evaluate=False)
    return Mul(sympify(top), inverse, evaluate=False)


def root(radicand: Expr) -> Expr:
    """The square root, left as it stands."""
    return Pow(radicand, Rational(1, 2), evaluate=False)


def squared(base: Expr) -> Expr:
    """The square, left as it stands."""
    return Pow(base, Integer(2), evaluate=False)


def ln(argument: Expr) -> Expr:
    """The natural logarithm, left as it stands."""
    return log(argument, evaluate=False)


def e(argument: Expr) -> Expr:
    """The exponential, left as it stands."""
    return exp(argument, evaluate=False)
