"""Formulas as one line of text: to be read by eye (`plain`) or aloud (`spoken`)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

from sympy import Expr, Pow, Symbol
from sympy.core.basic import Basic
from sympy.core.relational import Relational

from engine.algebra.expressions import (
    Divergence,
    Expectation,
    Glyph,
    Indexed,
    Indicator,
    Limit,
    Named,
    Piece,
    Slope,
    SlopeAt,
    glyph_of,
)
from engine.algebra.layout import (
    LETTERS,
    Stated,
    Term,
    Typesetter,
    formula,
    infinite,
    is_fraction,
    is_name,
    sign,
)


class Plain(Typesetter):
    """π*(y_w | x) = …, in Unicode."""

    separators: ClassVar[dict[str, str]] = {",": ", ", ";": "; ", "∣": " | ", "≻": " ≻ "}

    def relation(self, relation: Relational) -> str:
        return f"{self.draw(relation.lhs)} {sign(relation)} {self.draw(relation.rhs)}"

    def piece(self, piece: Piece) -> str:
        return self.draw(piece.body)

    def named(self, name: Named) -> str:
        arguments = self.arguments(name)
        return f"{self.head(name)}({arguments})" if arguments else self.head(name)

    def head(self, name: Named) -> str:
        """The letter, with its index if it has one."""
        if not isinstance(name, Indexed):
            return self.glyph(name.glyph)
        return self.subscripted(name.glyph, self.index(name.args[0]))

    def index(self, index: Basic) -> str:
        """An index; a bare number names an outcome, from 1."""
        return str(int(index) + 1) if index.is_Integer else self.draw(index)

    def subscripted(self, glyph: Glyph, index: str) -> str:
        """A letter with an index."""
        return f"{self.glyph(glyph)}_{index}"

    def arguments(self, name: Named) -> str:
        """What stands between the parentheses."""
        shown = [self._shown(argument) for argument in name.shown()]
        marks = ["", *(self.separators[mark] for mark in name.separators)]
        return "".join(mark + a for mark, a in zip(marks, shown, strict=False))

    def _shown(self, argument: Basic | type[Named]) -> str:
        if isinstance(argument, type):
            return self.glyph(glyph_of(argument))
        return self.argument(argument)

    def argument(self, argument: Basic) -> str:
        """One argument; a bare number names a response."""
        if argument.is_Integer:
            return f"y_{int(argument) + 1}"
        return bare(self.draw(argument)) if is_fraction(argument) else self.draw(argument)

    def glyph(self, glyph: Glyph) -> str:
        hat = "\u0302" if glyph.hat else ""
        sub = f"_{glyph.sub}" if glyph.sub else ""
        return f"{glyph.letter}{hat}{'*' if glyph.sup else ''}{sub}"

    def symbol(self, symbol: Symbol) -> str:
        return LETTERS.get(symbol.name, str(symbol.name))

    def number(self, number: Expr) -> str:
        return str(number) if number.is_finite else infinite(number)

    def sum(self, parts: Sequence[Term]) -> str:
        text = " ".join(f"{mark} {self.within(term)}" for mark, term in parts)
        return text.removeprefix("+ ") if text.startswith("+") else "−" + text.removeprefix("− ")

    def product(self, factors: Sequence[Expr]) -> str:
        return " ".join(map(self.within, factors))

    def part(self, expr: Expr) -> str:
        return self.within(expr)

    def fraction(self, top: str, bottom: str) -> str:
        return f"({top} / {bottom})"

    def power(self, power: Pow) -> str:
        if power.exp == 2:
            return f"{self.within(power.base)}²"
        return f"{self.within(power.base)}^{self.draw(power.exp)}"

    def slash(self, top: str, bottom: str) -> str:
        return f"{top}/{bottom}"

    def logarithm(self, argument: Expr) -> str:
        if is_name(argument):
            return f"{self.natural} {self.draw(argument)}"
        body = self.draw(argument) if is_fraction(argument) else self.parenthesized(argument)
        return self.natural + body

    def root(self, radicand: Expr) -> str:
        bare = is_name(radicand) or is_fraction(radicand)
        return f"√{self.draw(radicand) if bare else self.parenthesized(radicand)}"

    def size(self, body: str) -> str:
        return f"|{body}|"

    def exponential(self, exponent: Expr) -> str:
        text = self.inline(exponent)
        return f"e^{text}" if exponent.is_Atom else f"e^({text})"

    def parenthesized(self, expr: Expr) -> str:
        return f"({self.draw(expr)})"

    def total(self, index: Symbol, body: str) -> str:
        return f"Σ_{self.symbol(index)} {body}"

    def expectation(self, mean: Expectation) -> str:
        distribution, body, index = mean.args
        return f"E_{self.symbol(index)}∼{self.glyph(distribution.glyph)}[{self.draw(body)}]"

    def divergence(self, divergence: Divergence) -> str:
        p, q, _ = divergence.args
        return f"KL({self.letter(p)} ‖ {self.letter(q)})"

    def gradient(self, body: Expr) -> str:
        return f"∇_θ {self.within(body)}"

    def slope(self, slope: SlopeAt) -> str:
        return f"{self._rate(slope)} at {' = '.join(self.place(slope))}"

    def rate(self, slope: Slope) -> str:
        return self._rate(slope)

    def _rate(self, slope: SlopeAt | Slope) -> str:
        body, variable = slope.args[:2]
        return f"∂{self.draw(body)}/∂{self.draw(variable)}"

    def limit(self, limit: Limit) -> str:
        body, variable = limit.args
        return f"lim_{self.draw(variable)}→∞ {self.within(body)}"

    def indicator(self, indicator: Indicator) -> str:
        return f"[{' = '.join(map(self.draw, indicator.args))}]"


class Spoken(Plain):
    """The formula as a teacher would read it out."""

    separators: ClassVar[dict[str, str]] = {
        ",": " and ",
        ";": " given ",
        "∣": " given ",
        "≻": " preferred to ",
    }
    letters: ClassVar[dict[str, str]] = {"y'": "y prime", "sigma^2": "sigma squared"}
    signs: ClassVar[dict[str, str]] = {
        "=": "equals",
        "≥": "is at least",
        "≤": "is at most",
        "+": "plus",
        "−": "minus",
    }

    def relation(self, relation: Relational) -> str:
        spoken = self.signs[sign(relation)]
        return f"{self.draw(relation.lhs)} {spoken} {self.draw(relation.rhs)}"

    def named(self, name: Named) -> str:
        arguments = self.arguments(name)
        return f"{self.head(name)} of {arguments}" if arguments else self.head(name)

    def subscripted(self, glyph: Glyph, index: str) -> str:
        return f"{self.glyph(glyph)} sub {index}"

    def argument(self, argument: Basic) -> str:
        if argument.is_Integer:
            return f"y {int(argument) + 1}"
        return self.draw(argument) if argument.is_Atom else self.within(argument)

    def glyph(self, glyph: Glyph) -> str:
        return glyph.spoken

    def symbol(self, symbol: Symbol) -> str:
        return self.letters.get(symbol.name, str(symbol.name).replace("_", " "))

    def sum(self, parts: Sequence[Term]) -> str:
        words = (f"{self.signs[mark]} {self.within(term)}" for mark, term in parts)
        return " ".join(words).removeprefix("plus ")

    def fraction(self, top: str, bottom: str) -> str:
        return f"{top} over {bottom}"

    def power(self, power: Pow) -> str:
        if power.exp == 2:
            return f"{self.within(power.base)} squared"
        return f"{self.within(power.base)} to the power {self.draw(power.exp)}"

    def root(self, radicand: Expr) -> str:
        return f"the square root of {self.within(radicand)}"

    def size(self, body: str) -> str:
        return f"the size of {body}"

    def slash(self, top: str, bottom: str) -> str:
        return self.fraction(top, bottom)

    def logarithm(self, argument: Expr) -> str:
        name = "log" if self.natural == "log" else "natural log"
        return f"{name} of {self.within(argument)}"

    def exponential(self, exponent: Expr) -> str:
        return f"e to the power {self.inline(exponent)}"

    def parenthesized(self, expr: Expr) -> str:
        return f"the quantity {self.draw(expr)}, end quantity,"

    def product(self, factors: Sequence[Expr]) -> str:
        return " times ".join(map(self.within, factors))

    def total(self, index: Symbol, body: str) -> str:
        return f"the sum over {self.symbol(index)} of {body}"

    def expectation(self, mean: Expectation) -> str:
        distribution, body, _ = mean.args
        return f"the expectation under {self.glyph(distribution.glyph)} of {self.draw(body)}"

    def divergence(self, divergence: Divergence) -> str:
        p, q, _ = divergence.args
        return f"the KL divergence of {self.letter(p)} from {self.letter(q)}"

    def gradient(self, body: Expr) -> str:
        return f"the gradient in theta of {self.within(body)}"

    def slope(self, slope: SlopeAt) -> str:
        return f"{self._rate(slope)}, where {' is '.join(self.place(slope))},"

    def _rate(self, slope: SlopeAt | Slope) -> str:
        body, variable = slope.args[:2]
        return f"the derivative of {self.draw(body)} with respect to {self.draw(variable)}"

    def limit(self, limit: Limit) -> str:
        body, variable = limit.args
        return f"the limit, for {self.draw(variable)} to infinity, of {self.within(body)}"

    def indicator(self, indicator: Indicator) -> str:
        return f"one if {' is '.join(map(self.draw, indicator.args))}, else zero,"


def plain(thing: Basic | Stated, *, natural: str = "log") -> str:
    """A line or a formula in Unicode: for tables, plain cards, error messages."""
    return _plain(formula(thing), natural)


def spoken(thing: Basic | Stated, *, natural: str = "log") -> str:
    """A line or a formula in words, for a screen reader."""
    return _spoken(formula(thing), natural).removesuffix(",").replace(",,", ",")


def bare(fraction: str) -> str:
    """A fraction's text without the parentheses around it."""
    return fraction[1:-1]


@lru_cache(maxsize=4096)
def _plain(tree: Basic, natural: str) -> str:
    return Plain(natural=natural).draw(tree)


@lru_cache(maxsize=4096)
def _spoken(tree: Basic, natural: str) -> str:
    return Spoken(natural=natural).draw(tree)
