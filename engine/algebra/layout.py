"""What every printer needs to know about a formula: its terms, its fractions, its parentheses.

A `Typesetter` walks the tree once and asks a subclass how each shape is set; `plain` and
`spoken` (text), `latex` and `mathml` are the four that exist. A new name needs no new code in
any of them: its `Glyph` says it all.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from sympy import Add, Expr, Integer, Mul, NumberSymbol, Pow, Rational, Symbol, exp, expand, log
from sympy.core.basic import Basic
from sympy.core.relational import Equality, GreaterThan, Relational

from engine.algebra.expressions import (
    Divergence,
    Expectation,
    Glyph,
    Gradient,
    Indicator,
    Limit,
    Named,
    Piece,
    Size,
    Slope,
    SlopeAt,
    Total,
    negative,
    plus,
    times,
)

LETTERS = {
    "beta": "β",
    "theta": "θ",
    "lambda": "λ",
    "mu": "μ",
    "pi": "π",
    "tau": "τ",
    "sigma": "σ",
    "sigma^2": "σ²",
    "y'": "y′",
}

Term = tuple[str, Expr]  # "+" or "−", and what is added or subtracted


def signed(expr: Expr) -> Term:
    """A term as its sign and the rest of it."""
    if expr.is_Rational and expr < 0:
        return "−", -expr
    if not (isinstance(expr, Mul) and expr.args[0].is_Rational and expr.args[0] < 0):
        return "+", expr
    first, *others = expr.args
    rest = others if first == -1 else [-first, *others]
    return "−", rest[0] if len(rest) == 1 else times(*rest)


def terms(expr: Expr) -> list[Term]:
    """The terms of a sum in the order written."""
    if not isinstance(expr, Add):
        return [signed(expr)]
    first, *others = expr.args
    leading = terms(first) if isinstance(first, Add) else [signed(first)]
    return [*leading, *map(signed, others)]


def split(expr: Mul) -> tuple[list[Expr], list[Expr]]:
    """The factors above and below the line."""
    below = [f for f in expr.args if isinstance(f, Pow) and f.exp.is_negative]
    above = [f for f in expr.args if f not in below and f != 1]
    return above, [f.base if f.exp == -1 else Pow(f.base, -f.exp, evaluate=False) for f in below]


def unwrap(expr: Expr) -> Expr:
    """The expression without its motion ids."""
    return unwrap(expr.body) if isinstance(expr, Piece) else expr


def is_fraction(expr: Expr) -> bool:
    """Whether the expression is drawn as a fraction."""
    bare = unwrap(expr)
    return isinstance(bare, Mul) and bool(split(bare)[1])


def tidy(expr: Expr) -> Expr:
    """An expression that SymPy has ordered, in the order a person would write it."""
    if isinstance(expr, Mul):
        return _tidy_product(expr)
    if isinstance(expr, Add):
        return plus(*sorted(map(tidy, expr.args), key=_subtracted))
    return expr


def _tidy_product(expr: Mul) -> Expr:
    spread = expand(expr)
    if isinstance(spread, Add) and all(term.has(log) for term in spread.args) and _apart(expr):
        return tidy(spread)
    mark, rest = signed(expr)
    factors = sorted(map(tidy, Mul.make_args(rest)), key=_place)
    product = factors[0] if len(factors) == 1 else times(*factors)
    return negative(product) if mark == "−" else product


def _apart(expr: Mul) -> bool:
    """Whether a factor is a sum of logarithms, which reads better multiplied out."""
    return any(isinstance(f, Add) and f.has(log) for f in expr.args) and not split(expr)[1]


def _subtracted(term: Expr) -> tuple[bool, bool]:
    return signed(term)[0] == "−", bool(term.is_number)


def _place(factor: Expr) -> int:
    """Numbers first, then letters, names and sums, then logarithms and the rest."""
    kinds = (factor.is_Number, factor.is_Symbol, isinstance(factor, Named | Add), True)
    return kinds.index(True)


def is_root(expr: Expr) -> bool:
    """Whether the expression is drawn under a radical sign."""
    bare = unwrap(expr)
    return isinstance(bare, Pow) and bare.exp == Rational(1, 2)


def is_name(expr: Expr) -> bool:
    """Whether the expression is one letter, or a name with its arguments."""
    bare = unwrap(expr)
    return isinstance(bare, Named) or bool(bare.is_Atom)


class Typesetter(ABC):
    """Walks a formula; a subclass says how each shape is set.

    Args:
        natural: how the natural logarithm is written, "log" or "ln".
    """

    def __init__(self, *, natural: str = "log") -> None:
        self.natural = natural
        self._slashed = False  # whether fractions are written with a slash, as in an exponent

    def draw(self, expr: Basic) -> str:
        """The formula, or a part of it."""
        if isinstance(expr, Relational):
            return self.relation(expr)
        if isinstance(expr, Piece):
            return self.piece(expr)
        if isinstance(expr, Named):
            return self._draw_named(expr)
        return self._draw_shape(expr)

    def _draw_named(self, expr: Named) -> str:
        if isinstance(expr, Total):
            return self.total(expr.args[1], self.within(expr.args[0]))
        if isinstance(expr, Expectation):
            return self.expectation(expr)
        if isinstance(expr, Divergence):
            return self.divergence(expr)
        if isinstance(expr, Size):
            return self.size(self.draw(expr.args[0]))
        return self.named(expr)

    def _draw_shape(self, expr: Basic) -> str:
        if isinstance(expr, exp):
            return self.exponential(expr.args[0])
        if isinstance(expr, Add | Mul | Pow):
            return self._draw_arithmetic(expr)
        if isinstance(expr, log):
            return self.logarithm(expr.args[0])
        if isinstance(expr, Gradient | SlopeAt | Slope | Limit | Indicator):
            return self._draw_derived(expr)
        if isinstance(expr, NumberSymbol):
            return self.symbol(Symbol(str(expr)))
        return self.symbol(expr) if isinstance(expr, Symbol) else self.number(expr)

    def _draw_derived(self, expr: Expr) -> str:
        if isinstance(expr, Gradient):
            return self.gradient(expr.args[0])
        if isinstance(expr, SlopeAt):
            return self.slope(expr)
        if isinstance(expr, Slope):
            return self.rate(expr)
        return self.limit(expr) if isinstance(expr, Limit) else self.indicator(expr)

    def _draw_arithmetic(self, expr: Expr) -> str:
        if isinstance(expr, Add):
            return self.sum(terms(expr))
        if isinstance(expr, Mul):
            return self._draw_product(expr)
        return self.root(expr.base) if is_root(expr) else self.power(expr)

    def letter(self, distribution: Expr) -> str:
        """A distribution in KL( ‖ ): its letter alone, unless it depends on a prompt."""
        prompted = distribution.prompted
        return self.draw(distribution) if prompted else self.glyph(distribution.glyph)

    def place(self, slope: SlopeAt) -> tuple[str, str]:
        """What stands on both sides of the sign in "taken at π = π*"."""
        _, variable, point = slope.args
        if isinstance(variable, Symbol):
            return self.draw(variable), self.inline(point)
        return self.glyph(variable.glyph), self.glyph(point.glyph)

    def _draw_product(self, expr: Mul) -> str:
        mark, rest = signed(expr)
        if mark == "−":
            return self.sum([(mark, rest)])
        above, below = split(expr)
        if not below:
            return self.product(above)
        above = above or [Integer(1)]
        if self._slashed:
            return self.slash(self._factor(above), self._divisor(below))
        return self.fraction(self._group(above), self._group(below))

    def _group(self, factors: Sequence[Expr]) -> str:
        return self.part(factors[0]) if len(factors) == 1 else self.product(factors)

    def _factor(self, factors: Sequence[Expr]) -> str:
        return self.within(factors[0]) if len(factors) == 1 else self.product(factors)

    def _divisor(self, factors: Sequence[Expr]) -> str:
        """What stands behind a slash: in parentheses unless it is one thing."""
        whole = factors[0] if len(factors) == 1 else times(*factors)
        several = isinstance(unwrap(whole), Add | Mul)
        return self.parenthesized(whole) if several else self.draw(whole)

    def part(self, expr: Expr) -> str:
        """What stands alone above or below the line of a fraction."""
        return self.draw(expr)

    def inline(self, exponent: Expr) -> str:
        """An exponent, in which fractions are written with a slash."""
        before, self._slashed = self._slashed, True
        drawn = self.draw(exponent)
        self._slashed = before
        return drawn

    def within(self, expr: Expr) -> str:
        """`expr` as a factor or a summand under Σ: in parentheses if it is a sum."""
        bare = unwrap(expr)
        if isinstance(bare, Add) or signed(bare)[0] == "−":
            return self.parenthesized(expr)
        return self.draw(expr)

    @abstractmethod
    def relation(self, relation: Relational) -> str: ...

    @abstractmethod
    def piece(self, piece: Piece) -> str: ...

    @abstractmethod
    def named(self, name: Named) -> str: ...

    @abstractmethod
    def glyph(self, glyph: Glyph) -> str: ...

    @abstractmethod
    def symbol(self, symbol: Symbol) -> str: ...

    @abstractmethod
    def number(self, number: Expr) -> str: ...

    @abstractmethod
    def sum(self, parts: Sequence[Term]) -> str: ...

    @abstractmethod
    def product(self, factors: Sequence[Expr]) -> str: ...

    @abstractmethod
    def fraction(self, top: str, bottom: str) -> str: ...

    @abstractmethod
    def slash(self, top: str, bottom: str) -> str: ...

    @abstractmethod
    def power(self, power: Pow) -> str: ...

    @abstractmethod
    def logarithm(self, argument: Expr) -> str: ...

    @abstractmethod
    def root(self, radicand: Expr) -> str: ...

    @abstractmethod
    def size(self, body: str) -> str: ...

    @abstractmethod
    def exponential(self, exponent: Expr) -> str: ...

    @abstractmethod
    def parenthesized(self, expr: Expr) -> str: ...

    @abstractmethod
    def total(self, index: Symbol, body: str) -> str: ...

    @abstractmethod
    def expectation(self, mean: Expectation) -> str: ...

    @abstractmethod
    def divergence(self, divergence: Divergence) -> str: ...

    @abstractmethod
    def gradient(self, body: Expr) -> str: ...

    @abstractmethod
    def slope(self, slope: SlopeAt) -> str: ...

    @abstractmethod
    def rate(self, slope: Slope) -> str: ...

    @abstractmethod
    def limit(self, limit: Limit) -> str: ...

    @abstractmethod
    def indicator(self, indicator: Indicator) -> str: ...


def sign(relation: Relational) -> str:
    """The sign between the sides: =, ≥ or ≤."""
    if isinstance(relation, Equality):
        return "="
    return "≥" if isinstance(relation, GreaterThan) else "≤"


def infinite(number: Expr) -> str:
    """The word for a number that is none."""
    return "infinite" if number.is_infinite else "undefined"


class Stated(Protocol):
    """Anything that states a relation: a line of a derivation, broken or whole."""

    @property
    def relation(self) -> Relational:
        """The relation."""


def formula(thing: Basic | Stated) -> Basic:
    """The tree to draw: a line's relation, or the expression itself."""
    return thing if isinstance(thing, Basic) else thing.relation
