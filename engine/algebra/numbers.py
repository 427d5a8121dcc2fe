"""Lines in numbers: the value of any expression over the vocabulary.

The evaluator walks the very tree that is printed and proved, and follows the same definitions.
Conventions of information theory: 0 · log 0 = 0, a divergence may be +∞, and 0/0 has no value
(NaN). Numbers are floats; a walk over a line of the three-response world takes well under a
millisecond.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from sympy import Add, Expr, Integer, Mul, Pow, Symbol, exp, log
from sympy.core.basic import Basic

from engine.algebra.expressions import Indicator, Named, Piece, Total
from engine.algebra.instances import COUNTS, Binding, Derived, Frame, worked_out

Table = Mapping[type[Named], tuple[float, ...]]  # unknown -> one number per response
Scalars = Mapping[Symbol, float]  # unknown that is the same for every response -> number
Unknown = tuple[object, ...]


class Scene:
    """Numbers for every unknown of a line.

    Args:
        size: how many responses (outcomes, tokens) there are.
        scalars: a number for each unknown symbol, such as β.
        prompts: for each prompt, a table with one number per response for each unknown; what
            has no prompt stands under None.
    """

    def __init__(self, size: int, scalars: Scalars, prompts: Mapping[Symbol | None, Table]) -> None:
        self.size = size
        self._scalars = scalars
        self._prompts = prompts
        self._known: dict[Unknown, float] = {}

    def value(self, expr: Expr, binding: Binding | None = None) -> float:
        """The value of `expr`; `binding` numbers its free responses."""
        return self._value(expr, binding or {})

    def _value(self, expr: Expr, binding: Binding) -> float:
        if isinstance(expr, Named):
            return self._named(expr, binding)
        if isinstance(expr, Piece):
            return self._value(expr.body, binding)
        if isinstance(expr, Derived):
            return self._value(_worked_out(expr, tuple(binding.items()), self.size), {})
        return self._product(expr, binding) if isinstance(expr, Mul) else self._plain(expr, binding)

    def _plain(self, expr: Expr, binding: Binding) -> float:
        if isinstance(expr, Indicator):
            first, second = (binding.get(index, index) for index in expr.args)
            return float(first == second)
        arguments = [self._value(argument, binding) for argument in expr.args]
        return _FUNCTIONS[expr.func](arguments) if arguments else self._atom(expr)

    def _atom(self, expr: Expr) -> float:
        if expr in COUNTS:
            return float(self.size)
        return self._scalars[expr] if expr.is_Symbol else float(expr)

    def _total(self, expr: Total, binding: Binding) -> float:
        body, index = expr.args
        rows = ({**binding, index: Integer(i)} for i in range(self.size))
        return sum(self._value(body, row) for row in rows)

    def _named(self, expr: Named, binding: Binding) -> float:
        if isinstance(expr, Total):
            return self._total(expr, binding)
        arguments = [binding.get(argument, argument) for argument in expr.args]
        if not all(argument.is_Atom for argument in arguments):  # σ(u): depends on what u holds
            return self._value(_definition(expr), binding)
        key = (expr.func, *arguments)
        if key not in self._known:
            self._known[key] = self._look_up(expr, arguments, binding)
        return self._known[key]

    def _look_up(self, expr: Named, arguments: list[Basic], binding: Binding) -> float:
        definition = _definition(expr)
        if definition is not None:
            return self._value(definition, binding)
        prompt = next((a for a in arguments if a.is_Symbol), None)
        place = next(a for a in arguments if a.is_Integer)
        return self._prompts[prompt][expr.func][int(place)]

    def _product(self, expr: Mul, binding: Binding) -> float:
        top, bottom = 1.0, 1.0
        zero = False
        for factor in expr.args:
            if isinstance(factor, Pow) and factor.exp.is_negative:
                bottom *= _power((self._value(factor.base, binding), -float(factor.exp)))
            else:
                value = self._value(factor, binding)
                zero = zero or value == 0
                top *= value
        return _ratio(0.0 if zero else top, bottom)


@lru_cache(maxsize=4096)
def _definition(node: Named) -> Expr | None:
    return node.definition()


@lru_cache(maxsize=4096)
def _worked_out(expr: Derived, binding: tuple[tuple[Basic, Basic], ...], size: int) -> Expr:
    return worked_out(expr, dict(binding), Frame(size))


def _ratio(top: float, bottom: float) -> float:
    if bottom != 0:
        return top / bottom
    return math.nan if top == 0 or math.isnan(top) else math.copysign(math.inf, top)


def _log(arguments: Sequence[float]) -> float:
    value = arguments[0]
    if value == 0:
        return -math.inf
    return math.log(value) if value > 0 else math.nan


def _exp(arguments: Sequence[float]) -> float:
    try:
        return math.exp(arguments[0])
    except OverflowError:
        return math.inf


def _power(arguments: Sequence[float]) -> float:
    base, exponent = arguments
    if base == 0 and exponent < 0:
        return math.inf
    if base < 0 and not exponent.is_integer():
        return math.nan
    return math.pow(base, exponent)


_FUNCTIONS: dict[type[Expr], Callable[[Sequence[float]], float]] = {
    Add: sum,
    Pow: _power,
    log: _log,
    exp: _exp,
}
