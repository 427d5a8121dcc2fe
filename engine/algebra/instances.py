"""From a line about every response to statements about two, three or four of them.

An instance gives y a number, writes sums out term by term and, when asked to, replaces every
name by its definition. The chosen response is number 0, the rejected one number 1. Since a line
treats all responses alike, one ordered pair stands for all. Every other index that a line
leaves open, an integer symbol, runs over all outcomes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

from sympy import Add, Dummy, Expr, Integer, diff, expand_mul, nan
from sympy.core.basic import Basic
from sympy.core.relational import Relational

from engine.algebra.expressions import (
    COMPONENT,
    COUNT,
    COUNT_N,
    Binder,
    Gradient,
    Indicator,
    L,
    Limit,
    Named,
    Piece,
    Slope,
    SlopeAt,
    Total,
    W,
    X,
    Y,
)
from engine.algebra.field import Field
from engine.algebra.vocabulary import Logit, Model, Partition, Reference

Binding = dict[Basic, Basic]
COUNTS = frozenset({COUNT, COUNT_N})
Derived = Gradient | SlopeAt | Slope | Limit  # what is worked out before it is evaluated


@dataclass(frozen=True)
class Frame:
    """How an instance is made."""

    size: int  # number of responses, at least 2
    opened: bool = False  # whether Z(x) is written out, or stays a symbol
    zero: frozenset[int] = frozenset()  # responses that the reference gives no probability
    trained: bool = True  # whether π_θ is written out in its logits, or stays a name


def bindings(relation: Relational, size: int) -> Iterator[Binding]:
    """Every way to number the responses (and the logit) that the relation leaves open."""
    responses = range(size if Y in relation.free_symbols or relation.has(Gradient) else 1)
    indices = open_indices(relation)
    for i, *places in product(responses, *([range(size)] * len(indices))):
        binding: Binding = {W: Integer(0), L: Integer(1), Y: Integer(i), COMPONENT: Integer(i)}
        yield binding | dict(zip(indices, map(Integer, places), strict=True))


def open_indices(relation: Relational) -> list[Basic]:
    """The indices of outcomes that a relation leaves open, by name."""
    return sorted((s for s in relation.free_symbols if s.is_integer), key=str)


def concrete(expr: Expr, binding: Binding, frame: Frame) -> Expr:
    """`expr` for `frame.size` responses, definitions written out, in plain SymPy.

    Args:
        expr: any tree over the vocabulary.
        binding: which number each free response has.
        frame: how many responses there are, and whether Z is opened.
    """
    if isinstance(expr, Piece):
        return concrete(expr.body, binding, frame)
    if isinstance(expr, Named):
        return _named(expr, binding, frame)
    if isinstance(expr, SlopeAt) and not expr.args[1].args:
        rate, point = _slope_at_symbol(expr, binding, frame)
        return Field().reduced(rate).xreplace({expr.args[1]: point})  # the point may be long
    if isinstance(expr, Derived):
        return concrete(worked_out(expr, binding, frame), {}, frame)
    if not expr.args:
        return _atom(expr, binding, frame)
    parts = [concrete(argument, binding, frame) for argument in expr.args]
    return Integer(int(parts[0] == parts[1])) if isinstance(expr, Indicator) else expr.func(*parts)


def _atom(expr: Expr, binding: Binding, frame: Frame) -> Expr:
    return Integer(frame.size) if expr in COUNTS else binding.get(expr, expr)


def worked_out(expr: Derived, binding: Binding, frame: Frame) -> Expr:
    """A gradient, a slope or a limit as an expression in the names it was given in."""
    if isinstance(expr, SlopeAt) and not expr.args[1].args:
        rate, point = _slope_at_symbol(expr, binding, frame)
        return rate.xreplace({expr.args[1]: point})
    if isinstance(expr, SlopeAt):
        return _slope_at(expr, binding, frame)
    if isinstance(expr, Slope):
        body, variable = expr.args
        return _partial(concrete(body, binding, frame), _place(variable, binding, frame))
    if isinstance(expr, Limit):
        return _limit(*(concrete(part, binding, frame) for part in expr.args))
    return _chain(concrete(expr.args[0], binding, replace(frame, trained=False)), binding, frame)


def _chain(body: Expr, binding: Binding, frame: Frame) -> Expr:
    """The slope of `body` in one logit, through the probabilities that depend on it."""
    logit = Logit(binding[COMPONENT], X)
    policy = [Model(i, X) for i in range(frame.size)]
    through = (_partial(body, p) * _softmax_slope(p, logit, frame) for p in policy if body.has(p))
    return Add(_partial(body, logit), *through)


@lru_cache(maxsize=4096)
def _partial(body: Expr, variable: Expr) -> Expr:
    return diff(body, variable)


@lru_cache(maxsize=4096)
def _softmax_slope(probability: Expr, logit: Expr, frame: Frame) -> Expr:
    return diff(concrete(probability, {}, frame), logit)


def _named(expr: Named, binding: Binding, frame: Frame) -> Expr:
    if isinstance(expr, Total):
        body, index = expr.args
        rows = ({**binding, index: Integer(i)} for i in range(frame.size))
        return Add(*(concrete(body, row, frame) for row in rows))
    if isinstance(expr, Binder):
        definition = expr.definition()
        return concrete(definition, binding, frame)
    return _written_out(expr.func(*(concrete(a, binding, frame) for a in expr.args)), frame)


@lru_cache(maxsize=4096)
def _written_out(node: Named, frame: Frame) -> Expr:
    if isinstance(node, Reference) and int(node.args[0]) in frame.zero:
        return Integer(0)
    shut = isinstance(node, Partition) and not frame.opened
    shut = shut or (isinstance(node, Model) and not frame.trained)
    definition = None if shut else node.definition()
    return node if definition is None else concrete(definition, {}, frame)


def _place(variable: Expr, binding: Binding, frame: Frame) -> Expr:
    """The unknown that a slope is taken in: a symbol, or the probability of one outcome."""
    if not variable.args:
        return variable
    return variable.func(*(concrete(argument, binding, frame) for argument in variable.args))


def _slope_at_symbol(expr: SlopeAt, binding: Binding, frame: Frame) -> tuple[Expr, Expr]:
    """The slope in an unknown number, and the expression that is to be put in for it."""
    body, variable, point = expr.args
    return _partial(concrete(body, binding, frame), variable), concrete(point, binding, frame)


def _slope_at(expr: SlopeAt, binding: Binding, frame: Frame) -> Expr:
    body, variable, point = expr.args
    here = _place(variable, binding, frame)
    rate = diff(concrete(body, binding, frame), here)
    others, fixed = here.args[1:], point.args[1:]
    places = {here.func(i, *others): point.func(i, *fixed) for i in range(frame.size)}
    return rate.xreplace(places)


@lru_cache(maxsize=4096)
def _limit(body: Expr, variable: Expr) -> Expr:
    """The limit of h(s) / s as s = 1/variable falls to zero, where h(s) is s times the body.

    If h(0) = 0, that quotient tends to the derivative h'(0), by its definition. SymPy gives h(0)
    and h'(0) as finite expressions only where h is differentiable at zero; anything else, and
    any other h(0), counts as undefined.
    """
    s = Dummy(positive=True)
    scaled = expand_mul(s * body.xreplace({variable: 1 / s}))
    if Field().normal(scaled.subs(s, 0)) != 0:
        return nan
    return diff(scaled, s).subs(s, 0)
