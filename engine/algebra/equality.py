"""Whether algebra proves that two typed expressions are equal."""

from fractions import Fraction
from functools import lru_cache

from sympy import Dummy, E, Expr, expand_log, factor, factorint, fraction

from engine.algebra import isolation
from engine.algebra.field import Field
from engine.algebra.misconceptions import names
from engine.algebra.sampling import SHARES
from engine.algebra.typed import SYMBOLS, Binary, Call, Minus, Number, Tree

MOST_TERMS = 1500  # of a line multiplied out, for a proof to be tried
_ONE, _TWO = Number(Fraction(1), "1"), Number(Fraction(2), "2")


def same(one: Tree, other: Tree) -> bool:
    """Whether two expressions are proved equal, wherever both have a value.

    What is taken from one (1 - p) is a probability, and positive.
    """
    return one == other or one.expr == other.expr or _zero(Binary("-", one, other))


def multiple(one: Tree, other: Tree) -> bool:
    """Whether one is proved to be the other, times something that never vanishes."""
    ratio = Binary("/", one, other)
    if terms(ratio) > MOST_TERMS:
        return False
    top, bottom = fraction(factor(Field().normal(_over_odds(ratio))))
    return bool(top.is_nonzero and bottom.is_nonzero)


def forget() -> None:
    """Forget the proofs of this process, so that their time can be measured."""
    _zero.cache_clear()


def written_alike(one: Tree, other: Tree) -> bool:
    """Whether two expressions are the same but for the order of what is added or multiplied."""
    return one == other or bool(one.expr == other.expr)


def terms(tree: Tree) -> int:
    """A bound on how many terms a tree has when it is multiplied out."""
    if isinstance(tree, Call | Minus):
        return terms(tree.argument)
    if not isinstance(tree, Binary):
        return 1
    if tree.operator in {"+", "-"}:
        return terms(tree.left) + terms(tree.right)
    if tree.operator in {"*", "/"}:
        return terms(tree.left) * terms(tree.right)
    power = max(1, abs(isolation.integer(tree.right) or 1))
    return int(min(10**6, terms(tree.left) ** power))


@lru_cache(maxsize=1024)
def _zero(tree: Tree) -> bool:
    if terms(tree) > MOST_TERMS:
        return False
    if Field().normal(_over_odds(tree)) == 0:
        return True
    apart = spread(tree)
    simpler = apart != tree and terms(apart) <= MOST_TERMS
    return simpler and bool(Field().normal(_over_odds(apart)) == 0)


def _over_odds(tree: Tree) -> Expr:
    """The expression with 1/(1 + odds) for each probability that is taken from one."""
    expr = expand_log(tree.expr) if tree.expr.has(E) else tree.expr
    return expr.xreplace(
        {SYMBOLS[name]: 1 / (1 + Dummy(positive=True)) for name in sorted(_rests(tree))}
    )


def _rests(tree: Tree) -> set[str]:
    """The probabilities that are taken from one somewhere."""
    if isinstance(tree, Call | Minus):
        return _rests(tree.argument)
    if not isinstance(tree, Binary):
        return set()
    own = tree.operator == "-" and isinstance(tree.left, Number)
    inside = _rests(tree.left) | _rests(tree.right)
    return inside | (names(tree.right) & SHARES if own else set())


# --- logarithms taken apart ---------------------------------------------------------------------


def spread(tree: Tree) -> Tree:
    """The tree with the logarithms of products, powers and numbers written as sums."""
    if isinstance(tree, Binary):
        return _with_rest(Binary(tree.operator, spread(tree.left), spread(tree.right)))
    if isinstance(tree, Minus):
        return Minus(spread(tree.argument))
    if not isinstance(tree, Call):
        return tree
    inside = spread(tree.argument)
    return _logarithm(inside) if tree.function == "log" else Call(tree.function, inside)


def _with_rest(tree: Binary) -> Tree:
    """1 - σ(u) as σ(-u)."""
    sigmoid = tree.right
    if tree.operator == "-" and tree.left == _ONE and isinstance(sigmoid, Call):
        return Call("sigma", Minus(sigmoid.argument)) if sigmoid.function == "sigma" else tree
    return tree


def _logarithm(inside: Tree) -> Tree:
    if isinstance(inside, Number) and inside.value > 0:
        return _of_number(inside)
    if isinstance(inside, Call):
        return _of_call(inside)
    if isinstance(inside, Binary) and inside.left.expr.is_positive:
        return _of_binary(inside)
    return Call("log", inside)


def _of_number(number: Number) -> Tree:
    """By the primes of numerator and denominator."""
    primes = factorint(number.value.numerator)
    for prime, power in factorint(number.value.denominator).items():
        primes[prime] = primes.get(prime, 0) - power
    parts = (
        Binary("*", _whole(power), Call("log", _whole(prime)))
        for prime, power in sorted(primes.items())
        if prime != 1
    )
    total: Tree = _whole(0)
    for part in parts:
        total = Binary("+", total, part)
    return total


def _of_call(inside: Call) -> Tree:
    if inside.function == "exp":
        return inside.argument
    if inside.function == "sigma":
        odds = Binary("+", _ONE, Call("exp", Minus(inside.argument)))
        return Minus(Call("log", odds))
    if inside.function == "sqrt":
        return Binary("/", _logarithm(inside.argument), _TWO)
    return Call("log", inside)


def _of_binary(inside: Binary) -> Tree:
    left, right = inside.left, inside.right
    if inside.operator == "^":
        return Binary("*", right, _logarithm(left))
    if inside.operator in {"*", "/"} and right.expr.is_positive:
        both = _logarithm(left), _logarithm(right)
        return Binary("+" if inside.operator == "*" else "-", *both)
    return Call("log", inside)


def _whole(number: int) -> Number:
    return Number(Fraction(int(number)), str(number))
