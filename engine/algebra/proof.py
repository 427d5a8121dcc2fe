"""Deciding a line: refute it in numbers first, then prove it by algebra.

An equation holds when the difference of its sides has the canonical form zero in the field of
rational functions, exponentials and logarithms. An inequality needs a witness: an expression
that the gap is shown to equal, and that is a sum of products of things that are never negative.
Nothing here relies on `simplify`, which is not a decision procedure.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal

from sympy import Add, Expr, Mul, Pow, Symbol, diff, nan, oo, zoo
from sympy.core.relational import Equality, GreaterThan, LessThan, Relational

from engine.algebra.expressions import X1, X2, Excess, Named, Piece, Total, X
from engine.algebra.field import Field
from engine.algebra.instances import Binding, Frame, bindings, concrete
from engine.algebra.layout import tidy
from engine.algebra.numbers import Scene
from engine.algebra.text import plain
from engine.algebra.vocabulary import Partition, Reference
from engine.errors import EngineError

Outcome = Literal["proved", "refuted", "undecided"]
Heads = tuple[type[Named], ...]

EQUAL_POINTS = 12  # random worlds an equation has to survive before a proof is tried
UNEQUAL_POINTS = 40  # and an inequality, which a wrong one survives more easily
TOLERANCE = 1e-9  # of the larger side, between two floats that should be equal
SEED = 20230529  # of the random worlds: the same ones on every run


@dataclass(frozen=True)
class Check:
    """What became of a statement for one size of response set."""

    outcome: Outcome
    how: str  # a sentence: by what means it was decided
    residual: str | None = None  # of an equation: left minus right, factored, where not zero


@dataclass(frozen=True)
class Claim:
    """A statement together with what its proof may use."""

    relation: Relational
    normalized: Heads = ()  # distributions that are given to sum to one
    witness: Expr | None = None  # for an inequality: what the gap equals
    zero: frozenset[int] = frozenset()  # responses to which the reference gives no probability
    centered: Heads = ()  # logits that are given to sum to zero
    over: str = "responses"  # what is summed over, in the plural; empty if nothing is

    def among(self, size: int) -> str:
        """The opening of a sentence about one size: "For 3 responses "."""
        return f"For {size} {self.over} " if self.over else ""


@lru_cache(maxsize=4096)
def check(claim: Claim, size: int) -> Check:
    """Refute or prove a claim for response sets of `size`.

    Raises:
        EngineError: for fewer than two responses; there is nothing to prefer then.
    """
    if size < 2:
        raise EngineError.expected(
            "at least two responses", got=size, advice="Check a line for 2, 3 or 4 responses."
        )
    counterexample = _counterexample(claim, size)
    if counterexample is not None:
        return Check("refuted", counterexample, _residual_text(claim, size))
    return _prove(claim, size)


@lru_cache(maxsize=4096)
def residual(claim: Claim, size: int) -> Expr | None:
    """Left minus right where that is not zero, with Z kept as a symbol; None if it is zero.

    An undefined or infinite difference comes back as SymPy's `nan` or `oo`.
    """
    rests = (_rest(claim, Frame(size, zero=claim.zero), b) for b in bindings(claim.relation, size))
    rest = next((rest for rest in rests if rest != 0), None)
    return None if rest is None else tidy(rest)


def _residual_text(claim: Claim, size: int) -> str | None:
    rest = residual(claim, size) if isinstance(claim.relation, Equality) else None
    return None if rest is None else plain(rest)


def agree(relation: Relational, left: float, right: float) -> bool:
    """Whether two numbers stand in the relation, up to rounding; never if one is undefined."""
    if math.isnan(left) or math.isnan(right):
        return False
    if left == right:
        return True
    slack = TOLERANCE * max(1.0, abs(left), abs(right)) if math.isfinite(left - right) else 0.0
    if isinstance(relation, GreaterThan):
        return left >= right - slack
    if isinstance(relation, LessThan):
        return left <= right + slack
    return abs(left - right) <= slack


def _counterexample(claim: Claim, size: int) -> str | None:
    for scene in _scenes(claim, size):
        for binding in bindings(claim.relation, size):
            left = scene.value(claim.relation.lhs, binding)
            right = scene.value(claim.relation.rhs, binding)
            if not agree(claim.relation, left, right):
                found = f"the left side is {_told(left)} and the right side {_told(right)}"
                opening = f"For {size} {claim.over} and" if claim.over else "For"
                return f"{opening} numbers drawn at random {found}."
    return None


def _told(value: float) -> str:
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinity"
    return f"{value:.6g}".replace("-", "−")


def _scenes(claim: Claim, size: int) -> Iterator[Scene]:
    generator = random.Random(SEED)
    points = EQUAL_POINTS if isinstance(claim.relation, Equality) else UNEQUAL_POINTS
    for _ in range(points):
        prompts = {prompt: _Rows(claim, size, generator) for prompt in (X, X1, X2, None)}
        yield Scene(size, _Scalars(generator), prompts)


class _Scalars(dict[Symbol, float]):
    """A random number for each unknown symbol, positive where the symbol is."""

    def __init__(self, generator: random.Random) -> None:
        super().__init__()
        self._generator = generator

    def __missing__(self, symbol: Symbol) -> float:
        if symbol.is_positive:
            drawn = math.exp(self._generator.uniform(-1.2, 1.0))
        else:
            drawn = self._generator.uniform(-2, 2)
        return self.setdefault(symbol, drawn)


class _Rows(dict[type[Named], tuple[float, ...]]):
    """A row of random numbers for each unknown, as its assumptions and the claim allow."""

    def __init__(self, claim: Claim, size: int, generator: random.Random) -> None:
        super().__init__()
        self._claim, self._size, self._generator = claim, size, generator

    def __missing__(self, head: type[Named]) -> tuple[float, ...]:
        row = self._positive(head) if head.is_positive is True else self._real(head)
        return self.setdefault(head, row)

    def _positive(self, head: type[Named]) -> tuple[float, ...]:
        raw = self._drawn(0.1, 1.0)
        total = sum(raw) if head in self._claim.normalized else 1.0
        absent = self._claim.zero if head is Reference else ()
        return tuple(0.0 if i in absent else weight / total for i, weight in enumerate(raw))

    def _real(self, head: type[Named]) -> tuple[float, ...]:
        raw = self._drawn(-2, 2)
        mean = sum(raw) / self._size if head in self._claim.centered else 0.0
        return tuple(value - mean for value in raw)

    def _drawn(self, low: float, high: float) -> list[float]:
        return [self._generator.uniform(low, high) for _ in range(self._size)]


def _prove(claim: Claim, size: int) -> Check:
    if isinstance(claim.relation, Equality):
        return _prove_zero(claim, size)
    return _prove_inequality(claim, size)


def _prove_zero(claim: Claim, size: int) -> Check:
    for attempt in _attempts(claim, size):
        if all(attempt.zero(binding) for binding in bindings(claim.relation, size)):
            return Check("proved", attempt.how)
    told = f"{claim.among(size)}no random point refutes it and no rule proves it."
    return Check("undecided", _capitalized(told), _residual_text(claim, size))


def _capitalized(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


@dataclass(frozen=True)
class _Attempt:
    claim: Claim
    frame: Frame
    given: bool

    def zero(self, binding: Binding) -> bool:
        return bool(_rest(self.claim, self.frame, binding, given=self.given) == 0)

    @property
    def how(self) -> str:
        given = _given(self.claim) if self.given else ""
        opening = self.claim.among(self.frame.size)
        said = _capitalized(f"{opening}both sides reduce to the same expression{given}")
        if not _mentions_partition(self.claim):
            return f"{said}."
        return f"{said}; Z(x) {'is written out for it' if self.frame.opened else 'stays a symbol'}."


def _given(claim: Claim) -> str:
    """What the proof was given about sums, as the end of a sentence."""
    sums = (("probabilities", "one", claim.normalized), ("logits", "zero", claim.centered))
    told = [f"the {what} sum to {total}" for what, total, heads in sums if heads]
    return f", given that {' and '.join(told)}" if told else ""


def _mentions_partition(claim: Claim) -> bool:
    binding = next(bindings(claim.relation, 2))
    return any(concrete(side, binding, Frame(2)).has(Partition) for side in claim.relation.args)


def _attempts(claim: Claim, size: int) -> Iterator[_Attempt]:
    shut = Frame(size, zero=claim.zero)
    given = bool(claim.normalized or claim.centered)
    yield _Attempt(claim, shut, given=given)
    yield _Attempt(claim, Frame(size, opened=True, zero=claim.zero), given=given)


def _rest(claim: Claim, frame: Frame, binding: Binding, *, given: bool = True) -> Expr:
    sides = [concrete(side, binding, frame) for side in (claim.relation.lhs, claim.relation.rhs)]
    rest = sides[0] - sides[1]
    if rest.has(nan):
        return nan
    if rest.has(zoo, oo):
        return oo
    field = Field()
    fixed = _side_conditions(claim, frame.size) if given else {}
    return field.meaning(field.normal(rest, replaced=fixed))


def _side_conditions(claim: Claim, size: int) -> dict[Expr, Expr]:
    """The last number of each row whose sum is given, in terms of the others."""
    totals = {**dict.fromkeys(claim.normalized, 1), **dict.fromkeys(claim.centered, 0)}
    rows = ((total, [_at(head, i) for i in range(size)]) for head, total in totals.items())
    return {row[-1]: total - Add(*row[:-1]) for total, row in rows}


def _at(head: type[Named], place: int) -> Named:
    return head(place, X) if head.prompted else head(place)


def _prove_inequality(claim: Claim, size: int) -> Check:
    if claim.witness is None or not never_negative(claim.witness):
        return Check("undecided", "No witness shows that the gap is never negative.")
    relation = claim.relation
    gap = Equality(relation.gts - relation.lts, claim.witness, evaluate=False)
    identity = check(replace(claim, relation=gap, witness=None), size)
    if identity.outcome != "proved":
        return Check("undecided", f"The witness is not the gap. {identity.how}", identity.residual)
    return Check("proved", _capitalized(f"{claim.among(size)}{_never(claim.witness)}."))


def _never(witness: Expr) -> str:
    """Why the gap cannot be negative."""
    if not witness.has(Excess):
        return "the gap is a sum of squares, and a square is never negative"
    if isinstance(witness, Excess):
        return "the gap is f(t) = t − 1 − log t, which is never negative"
    return "the gap is a sum of terms p · f(t), and f(t) = t − 1 − log t is never negative"


def never_negative(expr: Expr) -> bool:
    """Whether an expression is built from parts that are never negative, by sums and products."""
    if isinstance(expr, Piece):
        return never_negative(expr.body)
    if isinstance(expr, Total):
        return never_negative(expr.args[0])
    if isinstance(expr, Excess):
        return bool(expr.args[0].is_positive) and _excess_is_never_negative()
    if isinstance(expr, Pow) and expr.exp.is_even:
        return bool(expr.base.is_real)
    if isinstance(expr, Add | Mul):
        return all(map(never_negative, expr.args))
    return bool(expr.is_positive)


@cache
def _excess_is_never_negative() -> bool:
    """f(1) = f'(1) = 0 and f'' > 0: a convex function that touches zero at t = 1 from above."""
    t = Symbol("t", positive=True)
    f = concrete(Excess(t).definition(), {}, Frame(2))
    touches = f.subs(t, 1) == 0 and diff(f, t).subs(t, 1) == 0
    return bool(touches and diff(f, t, 2).is_positive)
