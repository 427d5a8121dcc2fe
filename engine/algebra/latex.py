"""Formulas as LaTeX: for cards and for figures."""

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
    Limit,
    Named,
    Slope,
    SlopeAt,
)
from engine.algebra.layout import Stated, Term, formula, is_fraction, is_name, sign
from engine.algebra.text import Plain

COMMANDS = {
    "π": r"\pi",
    "σ": r"\sigma",
    "θ": r"\theta",
    "beta": r"\beta",
    "lambda": r"\lambda",
    "mu": r"\mu",
    "pi": r"\pi",
    "λ": r"\lambda",
    "Λ": r"\Lambda",
    "tau": r"\tau",
    "sigma^2": r"\sigma^2",
    "∗": "*",
    "ref": r"\mathrm{ref}",
    "KL": r"\mathrm{KL}",
}
SIGNS = {"=": "=", "≥": r"\geq", "≤": r"\leq"}


class Latex(Plain):
    """Only commands that KaTeX, MathJax and matplotlib's own mathtext all know."""

    separators: ClassVar[dict[str, str]] = {
        ",": ", ",
        ";": "; ",
        "∣": r" \mid ",
        "≻": r" \succ ",
    }

    def relation(self, relation: Relational) -> str:
        return f"{self.draw(relation.lhs)} {SIGNS[sign(relation)]} {self.draw(relation.rhs)}"

    def named(self, name: Named) -> str:
        head, arguments = self.head(name), self.arguments(name)
        if not arguments:
            return head
        if all(isinstance(a, type) or a.is_Atom for a in name.shown()):
            return f"{head}({arguments})"
        return rf"{head}\left({arguments}\right)"

    def subscripted(self, glyph: Glyph, index: str) -> str:
        return f"{self.glyph(glyph)}_{{{index}}}"

    def argument(self, argument: Basic) -> str:
        return f"y_{{{int(argument) + 1}}}" if argument.is_Integer else self.draw(argument)

    def glyph(self, glyph: Glyph) -> str:
        letter = COMMANDS.get(glyph.letter, glyph.letter)
        base = rf"\hat{{{letter}}}" if glyph.hat else letter
        sub = f"_{{{COMMANDS.get(glyph.sub, glyph.sub)}}}" if glyph.sub else ""
        sup = f"^{{{COMMANDS.get(glyph.sup, glyph.sup)}}}" if glyph.sup else ""
        return base + sup + sub

    def symbol(self, symbol: Symbol) -> str:
        letter, _, sub = COMMANDS.get(symbol.name, symbol.name).partition("_")
        return f"{letter}_{{{sub}}}" if sub else letter

    def sum(self, parts: Sequence[Term]) -> str:
        return super().sum(parts).replace("−", "-")

    def product(self, factors: Sequence[Expr]) -> str:
        first, *others = map(self.within, factors)
        return first + "".join(f" {_space(factor)}{factor}" for factor in others)

    def part(self, expr: Expr) -> str:
        return self.draw(expr)

    def fraction(self, top: str, bottom: str) -> str:
        return rf"\frac{{{top}}}{{{bottom}}}"

    def power(self, power: Pow) -> str:
        return f"{self.within(power.base)}^{{{self.draw(power.exp)}}}"

    def slash(self, top: str, bottom: str) -> str:
        return f"{top}/{bottom}"

    def logarithm(self, argument: Expr) -> str:
        if is_name(argument) or is_fraction(argument):
            return rf"\{self.natural} {self.draw(argument)}"
        return rf"\{self.natural} {self.parenthesized(argument)}"

    def root(self, radicand: Expr) -> str:
        return rf"\sqrt{{{self.draw(radicand)}}}"

    def size(self, body: str) -> str:
        return rf"\left| {body} \right|"

    def exponential(self, exponent: Expr) -> str:
        return f"e^{{{self.inline(exponent)}}}"

    def parenthesized(self, expr: Expr) -> str:
        return rf"\left({self.draw(expr)}\right)"

    def total(self, index: Symbol, body: str) -> str:
        return rf"\sum_{{{self.symbol(index)}}} {body}"

    def expectation(self, mean: Expectation) -> str:
        distribution, body, index = mean.args
        under = rf"{self.symbol(index)} \sim {self.glyph(distribution.glyph)}"
        return rf"\mathbb{{E}}_{{{under}}}\left[{self.draw(body)}\right]"

    def divergence(self, divergence: Divergence) -> str:
        p, q, _ = divergence.args
        return rf"\mathrm{{KL}}\left({self.letter(p)} \,\|\, {self.letter(q)}\right)"

    def gradient(self, body: Expr) -> str:
        return rf"\nabla_\theta {self.within(body)}"

    def slope(self, slope: SlopeAt) -> str:
        return rf"\left. {self._rate(slope)} \right|_{{{' = '.join(self.place(slope))}}}"

    def _rate(self, slope: SlopeAt | Slope) -> str:
        body, variable = slope.args[:2]
        return rf"\frac{{\partial {self.draw(body)}}}{{\partial {self.draw(variable)}}}"

    def limit(self, limit: Limit) -> str:
        body, variable = limit.args
        return rf"\lim_{{{self.draw(variable)} \to \infty}} {self.within(body)}"


def _space(factor: str) -> str:
    """A thin space before a factor that brings none of its own."""
    return "" if factor.startswith((r"\log", r"\ln", r"\left", r"\sum")) else r"\, "


def latex(thing: Basic | Stated, *, natural: str = "log") -> str:
    """A line or a formula as LaTeX, without dollar signs; `natural` is "log" or "ln"."""
    return _latex(formula(thing), natural)


@lru_cache(maxsize=4096)
def _latex(tree: Basic, natural: str) -> str:
    return Latex(natural=natural).draw(tree)
