"""From a line about every response to statements about two, three or four of them.

An instance gives y a number, writes sums out term by term and, when asked to, replaces every
name by its definition. The chosen response is number 0, the rejected one number 1. Since a line
treats all responses alike, one ordered pair stands for all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from sympy import Add, Expr, Integer, diff
from sympy.core.basic import Basic
from sympy.core.relational import Relational

from engine.algebra.expressions import (
    COMPONENT,
    Binder,
    Gradient,
    L,
    Named,
    Piece,
    SlopeAt,
    Total,
    W,
    X,
    Y,
)
from engine.algebra.vocabulary import Logit, Model, Partition, Reference

Binding = dict[Basic, Basic]


@dataclass(frozen=True)
class Frame:
    """How an instance is made."""

    size: int  # number of responses, at least 2
    opened: bool = False  # whether Z(x) is written out, or stays a symbol
    zero: frozenset[int] = frozenset()  # responses that the reference gives no probability
    trained: bool = True  # whether π_θ is written out in its logits, or stays a name


def bindings(relation: Relational, size: int) -> Iterator[Binding]:
    """Every way to number the responses (and the logit) that the relation leaves open."""
    free = relation.free_symbols
    for i in range(size if Y in free or relation.has(Gradient) else 1):
        binding: Binding = {W: Integer(0), L: Integer(1)}
        yield {**binding, Y: Integer(i), COMPONENT: Integer(i)}


def concrete(expr: Expr, binding: Binding, frame: Frame) -> Expr:
    """`expr` for `frame.size` responses, definitions written out, in plain SymPy.

    Args:
        expr: any tree over the vocabulary.
        binding: which number each free response has.
        frame: how many responses there are, and whether Z is opened.
    """
    if expr in binding:
        return binding[expr]
    if isinstance(expr, Piece):
        return concrete(expr.body, binding, frame)
    if isinstance(expr, Named):
        return _named(expr, binding, frame)
    if isinstance(expr, Gradient | SlopeAt):
        return _derivative(expr, binding, frame)
    if not expr.args:
        return expr
    return expr.func(*(concrete(argument, binding, frame) for argument in expr.args))


def slope(expr: Expr, binding: Binding, frame: Frame) -> Expr:
    """A gradient or a slope worked out, in terms of the names it was given in."""
    if isinstance(expr, SlopeAt):
        return _slope_at(expr, binding, frame)
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


def _derivative(expr: Expr, binding: Binding, frame: Frame) -> Expr:
    return concrete(slope(expr, binding, frame), {}, frame)


def _slope_at(expr: SlopeAt, binding: Binding, frame: Frame) -> Expr:
    body, variable, point = expr.args
    here = variable.func(*(concrete(a, binding, frame) for a in variable.args))
    rate = diff(concrete(body, binding, frame), here)
    prompt = here.args[1]
    places = {here.func(i, prompt): point.func(i, prompt) for i in range(frame.size)}
    return rate.xreplace(places)
