"""What a learner may type: the names, the tree that a line is read into, and its LaTeX.

The tree is the line as it was typed, so that it can be echoed; `sympy` is what it says. No part
of it is ever evaluated as a program.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from sympy import E, Eq, Expr, Integer, Pow, Rational, Symbol, exp, log, sqrt
from sympy.core.relational import Equality

REAL = ("r", "r_w", "r_l", "h_w", "h_l", "u")  # rewards, log-ratios and logits: any real number
POSITIVE = (
    *("beta", "Z", "pi", "pi_w", "pi_l", "ref", "ref_w", "ref_l"),
    *("p", "q", "t", "x", "y", "T", "tau"),
)
SYMBOLS: dict[str, Symbol] = {
    **{name: Symbol(name, real=True) for name in REAL},
    **{name: Symbol(name, positive=True) for name in POSITIVE},
}
_LETTERS = {"beta": r"\beta", "pi": r"\pi", "ref": r"\pi_{\text{ref}}", "tau": r"\tau"}
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)  # how tightly a node holds together

Function = Literal["log", "exp", "sqrt", "sigma"]
Operator = Literal["+", "-", "*", "/", "^"]


@dataclass(frozen=True, slots=True)
class Number:
    """A literal, exact: 0.5 is one half."""

    value: Fraction
    text: str

    @property
    def expr(self) -> Expr:
        """The number."""
        return Rational(self.value.numerator, self.value.denominator)

    @property
    def latex(self) -> str:
        """As it was typed."""
        return self.text


@dataclass(frozen=True, slots=True)
class Name:
    """One of the names, or e."""

    name: str

    @property
    def expr(self) -> Expr:
        """Its symbol, with the assumption that goes with it."""
        return E if self.name == "e" else SYMBOLS[self.name]

    @property
    def latex(self) -> str:
        """π with its subscript, β, Z: as the lessons write it."""
        letter, _, sub = self.name.partition("_")
        if letter == "ref" and sub:
            return rf"\pi_{{\text{{ref}},{sub}}}"
        return _LETTERS.get(letter, letter) + (f"_{sub}" if sub else "")


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one argument."""

    function: Function
    argument: "Tree"

    @property
    def expr(self) -> Expr:
        """The function, the sigmoid written out."""
        inside = self.argument.expr
        if self.function == "sigma":
            return 1 / (1 + exp(-inside))
        return {"log": log, "exp": exp, "sqrt": sqrt}[self.function](inside)

    @property
    def latex(self) -> str:
        """With parentheses, or the bar of a root."""
        inside = self.argument.latex
        if self.function == "sqrt":
            return rf"\sqrt{{{inside}}}"
        letter = {"log": r"\log", "exp": r"\exp", "sigma": r"\sigma"}[self.function]
        return rf"{letter}\left({inside}\right)"


@dataclass(frozen=True, slots=True)
class Minus:
    """A sign before something."""

    argument: "Tree"

    @property
    def expr(self) -> Expr:
        """Its negative."""
        return -self.argument.expr

    @property
    def latex(self) -> str:
        """The sign, parentheses around a sum."""
        return f"-{_within(self.argument, _PRODUCT)}"


@dataclass(frozen=True, slots=True)
class Binary:
    """Two things and what stands between them."""

    operator: Operator
    left: "Tree"
    right: "Tree"

    @property
    def expr(self) -> Expr:
        """What SymPy makes of it."""
        left, right = self.left.expr, self.right.expr
        if self.operator == "+":
            return left + right
        if self.operator == "-":
            return left - right
        if self.operator == "*":
            return left * right
        return Pow(left, right) if self.operator == "^" else left * Pow(right, Integer(-1))

    @property
    def latex(self) -> str:
        """A fraction as a fraction, a product without a sign unless a number follows."""
        if self.operator == "/":
            return rf"\frac{{{self.left.latex}}}{{{self.right.latex}}}"
        if self.operator == "^":
            return f"{_within(self.left, _ATOM)}^{{{self.right.latex}}}"
        if self.operator == "*":
            left, right = _within(self.left, _PRODUCT), _within(self.right, _POWER)
            return rf"{left} \cdot {right}" if right[:1].isdigit() else rf"{left} \, {right}"
        right = _within(self.right, _PRODUCT)
        return f"{self.left.latex} {self.operator} {right}"


Tree = Number | Name | Call | Minus | Binary


@dataclass(frozen=True, slots=True)
class Line:
    """What was typed: an expression, or two with an equals sign between them."""

    left: Tree
    right: Tree | None = None

    @property
    def sympy(self) -> Expr | Equality:
        """What it says; an equation is left as it stands."""
        if self.right is None:
            return self.left.expr
        return Eq(self.left.expr, self.right.expr, evaluate=False)

    @property
    def latex(self) -> str:
        """The line as formulas are set, to be echoed before it is judged."""
        return self.left.latex + (f" = {self.right.latex}" if self.right else "")


def _holds(tree: Tree) -> int:
    if isinstance(tree, Binary):
        return {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _ATOM, "^": _POWER}[tree.operator]
    if isinstance(tree, Minus):
        return _SUM
    return _ATOM


def _within(tree: Tree, least: int) -> str:
    """The LaTeX of a part, in parentheses if it holds together less tightly than its place asks."""
    fraction = isinstance(tree, Binary) and tree.operator == "/" and least == _ATOM
    if _holds(tree) >= least and not fraction:
        return tree.latex
    return rf"\left({tree.latex}\right)"
