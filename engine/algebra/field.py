"""Deciding whether an expression with logarithms and exponentials is zero.

Every exponential of a monomial (u = e^(−βm)) and every logarithm of an irreducible factor becomes
a symbol of its own; what remains is a rational function, and `cancel` decides about those. The
rules used on the way, log ab = log a + log b and e^(a+b) = e^a e^b, hold because every factor of
a logarithm's argument is positive; a factor not known to be positive is left inside.

A zero found here is a proof. A nonzero rest is not a refutation: two of the new symbols may
depend on each other in a way the rules do not see.
"""

from collections.abc import Iterator

from sympy import (
    Add,
    Dummy,
    Expr,
    Integer,
    Mul,
    Pow,
    cancel,
    exp,
    expand,
    factor,
    factor_list,
    fraction,
    log,
)
from sympy import together as over_one_denominator
from sympy.polys.rings import sring


class Field:
    """Rational functions over the unknowns of one problem, its exponentials and its logarithms."""

    def __init__(self) -> None:
        self._symbols: dict[Expr, Expr] = {}  # unknown, e^monomial or log factor -> symbol
        self._meanings: dict[Expr, Expr] = {}  # the way back
        self._exponents: dict[Expr, Expr] = {}  # symbol of e^m -> m
        self._arguments: dict[Expr, Expr] = {}  # symbol of log f -> f

    def image(self, expr: Expr) -> Expr:
        """`expr` as a rational function of symbols."""
        if expr.is_Number:
            return expr
        if isinstance(expr, exp):
            return self._exponential(self.image(expr.args[0]))
        if isinstance(expr, log):
            return self._logarithm(self.image(expr.args[0]))
        if expr.is_Pow:
            return self._power(expr)
        if expr.is_Add or expr.is_Mul:
            return expr.func(*map(self.image, expr.args))
        return self._symbol(expr, expr)

    def normal(self, expr: Expr, *, replaced: dict[Expr, Expr] | None = None) -> Expr:
        """The canonical form of `expr`: zero exactly when the rules prove that it is.

        Args:
            expr: any concrete expression.
            replaced: unknowns (as they are in `expr`) that a side condition fixes; they are
                replaced where they stand outside logarithms.
        """
        form = self.image(expr)
        if replaced:
            form = form.xreplace({self.image(a): self.image(b) for a, b in replaced.items()})
        whole = over_one_denominator(form)
        _, top = sring(fraction(whole)[0])
        return Integer(0) if top == 0 else cancel(whole)  # `cancel` takes far longer to find a zero

    def meaning(self, form: Expr) -> Expr:
        """A canonical form in the names it came from, factored."""
        return self._back(factor(form))

    def reduced(self, expr: Expr) -> Expr:
        """An equal expression, in canonical form but in the names it came from."""
        return self.meaning(self.normal(expr))

    def _back(self, form: Expr) -> Expr:
        names = {
            symbol: self._meanings[symbol] for symbol in form.free_symbols & set(self._meanings)
        }
        return form.xreplace(names)

    def _symbol(self, key: Expr, meaning: Expr) -> Expr:
        if key not in self._symbols:
            symbol = Dummy(positive=True) if meaning.is_positive else Dummy(real=True)
            self._symbols[key] = symbol
            self._meanings[symbol] = meaning
        return self._symbols[key]

    def _power(self, expr: Expr) -> Expr:
        base, exponent = expr.as_base_exp()
        if exponent.is_Integer:
            return Pow(self.image(base), exponent)
        return self._exponential(self.image(exponent) * self._logarithm(self.image(base)))

    def _exponential(self, exponent: Expr) -> Expr:
        return Mul(*map(self._exponential_term, Add.make_args(expand(cancel(exponent)))))

    def _exponential_term(self, term: Expr) -> Expr:
        coefficient, monomial = term.as_coeff_Mul()
        if monomial in self._arguments:
            return Pow(self._arguments[monomial], coefficient)
        if monomial == 1:
            coefficient, monomial = Integer(1), coefficient
        if monomial == 0:
            return Integer(1)
        symbol = self._symbol(exp(monomial, evaluate=False), exp(self._back(monomial)))
        self._exponents[symbol] = monomial
        return Pow(symbol, coefficient)

    def _logarithm(self, argument: Expr) -> Expr:
        top, bottom = fraction(over_one_denominator(argument))
        factors = [*_factors(top, Integer(1)), *_factors(bottom, Integer(-1))]
        if not all(base.is_positive for base, _ in factors):
            return self._log_of(cancel(argument))
        return Add(*(power * self._log_of(base) for base, power in factors))

    def _log_of(self, base: Expr) -> Expr:
        if base in self._exponents:
            return self._exponents[base]
        if base == 1:
            return Integer(0)
        symbol = self._symbol(log(base, evaluate=False), log(self._back(base), evaluate=False))
        self._arguments[symbol] = base
        return symbol


def _factors(product: Expr, sign: Expr) -> Iterator[tuple[Expr, Expr]]:
    """Irreducible factors with their powers, times `sign`; a number is its own factor."""
    for part in Mul.make_args(product):
        base, power = part.as_base_exp()
        if not power.is_Rational:
            yield part, sign
        elif base.is_Add:
            yield from ((b, sign * power * p) for b, p in _factors_of_sum(base))
        else:
            yield base, sign * power


def _factors_of_sum(base: Expr) -> Iterator[tuple[Expr, Expr]]:
    content, factors = factor_list(base)
    yield content, Integer(1)
    yield from factors
