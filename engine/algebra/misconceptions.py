"""Wrong forms that learners write, each with the sentence that goes with it.

A misconception is a change made to the right line. What was typed is held against each in turn,
the most telling first, so that a mistake can be named instead of only counted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from engine.algebra.typed import Binary, Call, Minus, Name, Number, Tree

_ONE, _TWO = Number(Fraction(1), "1"), Number(Fraction(2), "2")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What went wrong, as an id for the record and a sentence for the learner."""

    id: str
    sentence: str


def wrong_forms(right: Tree) -> Iterator[tuple[Mistake, Tree]]:
    """Every recognized wrong form of an expression."""
    for mistake, change in _EVERYWHERE:
        changed = change(right)
        if changed != right:
            yield mistake, changed
    for mistake, local in _SOMEWHERE:
        for changed in _each(right, local):
            yield mistake, changed
    yield from _around(right)


def names(tree: Tree) -> set[str]:
    """The names that stand in a tree."""
    if isinstance(tree, Name):
        return {tree.name} - {"e"}
    if isinstance(tree, Number):
        return set()
    if isinstance(tree, Binary):
        return names(tree.left) | names(tree.right)
    return names(tree.argument)


def replaced(tree: Tree, table: dict[str, Tree]) -> Tree:
    """The tree with names put in the place of others."""
    if isinstance(tree, Name):
        return table.get(tree.name, tree)
    if isinstance(tree, Number):
        return tree
    if isinstance(tree, Binary):
        return Binary(tree.operator, replaced(tree.left, table), replaced(tree.right, table))
    if isinstance(tree, Call):
        return Call(tree.function, replaced(tree.argument, table))
    return Minus(replaced(tree.argument, table))


def _swapped(*pairs: tuple[str, str]) -> Callable[[Tree], Tree]:
    table: dict[str, Tree] = {}
    for one, other in pairs:
        table |= {one: Name(other), other: Name(one)}
    return lambda tree: replaced(tree, table)


def _dropped(*gone: str) -> Callable[[Tree], Tree]:
    table: dict[str, Tree] = dict.fromkeys(gone, _ONE)
    return lambda tree: replaced(tree, table)


_EVERYWHERE: tuple[tuple[Mistake, Callable[[Tree], Tree]], ...] = (
    (
        Mistake("swapped-responses", "The chosen and the rejected response have changed places."),
        _swapped(("pi_w", "pi_l"), ("ref_w", "ref_l"), ("r_w", "r_l"), ("h_w", "h_l")),
    ),
    (
        Mistake("inverted-ratio", "The ratio stands on its head: policy over reference is meant."),
        _swapped(("pi", "ref"), ("pi_w", "ref_w"), ("pi_l", "ref_l")),
    ),
    (
        Mistake("swapped-distributions", "p and q have changed places."),
        _swapped(("p", "q")),
    ),
    (
        Mistake("reference-dropped", "The reference is missing: log-ratios are measured from it."),
        _dropped("ref", "ref_w", "ref_l"),
    ),
    (Mistake("beta-dropped", "A β is missing: it is the price of each nat."), _dropped("beta")),
    (
        Mistake(
            "partition-dropped",
            "Z is missing: it depends on the prompt alone, and it has not canceled here.",
        ),
        _dropped("Z"),
    ),
    (
        Mistake("temperature-dropped", "The temperature T is missing."),
        _dropped("T"),
    ),
)


def _each(tree: Tree, change: Callable[[Tree], Tree | None]) -> Iterator[Tree]:
    """The tree with the change made at one place, for every place where it can be made."""
    here = change(tree)
    if here is not None and here != tree:
        yield here
    if isinstance(tree, Binary):
        yield from (Binary(tree.operator, each, tree.right) for each in _each(tree.left, change))
        yield from (Binary(tree.operator, tree.left, each) for each in _each(tree.right, change))
    elif isinstance(tree, Call):
        yield from (Call(tree.function, each) for each in _each(tree.argument, change))
    elif isinstance(tree, Minus):
        yield from (Minus(each) for each in _each(tree.argument, change))


def _without_one(name: str) -> Callable[[Tree], Tree | None]:
    """One factor of a name left out; of its square, one of the two."""
    symbol, square = Name(name), Binary("^", Name(name), _TWO)
    return lambda tree: _ONE if tree == symbol else symbol if tree == square else None


def _beta_outside(tree: Tree) -> Tree | None:
    """σ(β u) as β σ(u), or log σ(β u) as β log σ(u)."""
    sigmoid = tree.argument if isinstance(tree, Call) and tree.function == "log" else tree
    if not isinstance(sigmoid, Call) or sigmoid.function != "sigma":
        return None
    bare = _dropped("beta")(tree)
    return Binary("*", Name("beta"), bare) if bare != tree else None


def _flipped(tree: Tree) -> Tree | None:
    """A sign turned around."""
    if isinstance(tree, Binary) and tree.operator in {"+", "-"}:
        return Binary("-" if tree.operator == "+" else "+", tree.left, tree.right)
    return tree.argument if isinstance(tree, Minus) else None


def _negated_argument(tree: Tree) -> Tree | None:
    if isinstance(tree, Call) and tree.function in {"sigma", "exp"}:
        return Call(tree.function, Minus(tree.argument))
    return None


def _without_function(tree: Tree) -> Tree | None:
    return tree.argument if isinstance(tree, Call) and tree.function in {"log", "exp"} else None


def _upside_down(tree: Tree) -> Tree | None:
    inside = tree.argument if isinstance(tree, Call) and tree.function == "log" else None
    if not isinstance(inside, Binary) or inside.operator != "/":
        return None
    return Call("log", Binary("/", inside.right, inside.left))


def _split_logarithm(tree: Tree) -> Tree | None:
    """The logarithm of a quotient or product taken as a quotient or product of logarithms."""
    return _term_by_term(tree, "*/")


def _split_sum(tree: Tree) -> Tree | None:
    """The logarithm of a sum taken as a sum of logarithms."""
    return _term_by_term(tree, "+-")


def _term_by_term(tree: Tree, operators: str) -> Tree | None:
    inside = tree.argument if isinstance(tree, Call) and tree.function == "log" else None
    if not isinstance(inside, Binary) or inside.operator not in operators:
        return None
    return Binary(inside.operator, Call("log", inside.left), Call("log", inside.right))


def _plus_for_times(tree: Tree) -> Tree | None:
    inside = tree.argument if isinstance(tree, Call) and tree.function == "log" else None
    if isinstance(inside, Binary) and inside.operator in {"*", "/"}:
        return Call(
            "log", Binary("+" if inside.operator == "*" else "-", inside.left, inside.right)
        )
    return None


_SOMEWHERE: tuple[tuple[Mistake, Callable[[Tree], Tree | None]], ...] = (
    (
        Mistake("one-beta-dropped", "One β is missing: go through the terms and count the βs."),
        _without_one("beta"),
    ),
    (
        Mistake("one-temperature-dropped", "One T is missing: count the Ts of each term."),
        _without_one("T"),
    ),
    (
        Mistake("beta-outside", "β belongs inside the sigmoid, next to the margin."),
        _beta_outside,
    ),
    (
        Mistake("argument-sign", "What stands inside the function has the wrong sign."),
        _negated_argument,
    ),
    (Mistake("sign", "A sign is turned around: check each plus and minus."), _flipped),
    (
        Mistake("inverted-ratio", "The ratio inside the logarithm stands on its head."),
        _upside_down,
    ),
    (
        Mistake("split-logarithm", "The logarithm of a ratio is a difference of logarithms."),
        _split_logarithm,
    ),
    (
        Mistake("logarithm-of-sum", "The logarithm of a sum is not the sum of the logarithms."),
        _split_sum,
    ),
    (
        Mistake("logarithm-of-sum", "A logarithm turns products into sums, not sums into sums."),
        _plus_for_times,
    ),
    (Mistake("function-dropped", "A logarithm or an exponential is missing."), _without_function),
)


def _around(right: Tree) -> Iterator[tuple[Mistake, Tree]]:
    """Things put before, after or under the whole."""
    yield Mistake("sign", "The whole has the wrong sign."), Minus(right)
    yield from _partition_kept(right)
    upside = Mistake("inverted", "The whole stands on its head: take one over it.")
    yield upside, Binary("/", _ONE, right)
    for name, letter in (("beta", "β"), ("T", "T")):
        yield from _scaled(right, name, letter)
    double = Mistake("factor-two", "This is twice what it should be.")
    yield double, Binary("*", _TWO, right)
    half = Mistake("factor-two", "This is half of what it should be.")
    yield half, Binary("/", right, _TWO)


def _partition_kept(right: Tree) -> Iterator[tuple[Mistake, Tree]]:
    log_z: Tree = Call("log", Name("Z"))
    kept = Mistake("partition-kept", "Z has canceled by now: leave its term out.")
    for term in (Binary("*", Name("beta"), log_z), log_z):
        yield kept, Binary("+", right, term)
        yield kept, Binary("-", right, term)


def _scaled(right: Tree, name: str, letter: str) -> Iterator[tuple[Mistake, Tree]]:
    many = Mistake(f"extra-{name.lower()}", f"There is a factor {letter} too many: divide by it.")
    yield many, Binary("*", Name(name), right)
    below = Mistake(f"over-{name.lower()}", f"It is divided by {letter} once too often.")
    yield below, Binary("/", right, Name(name))
