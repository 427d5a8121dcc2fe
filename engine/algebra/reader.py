r"""Reading what people type: a grammar of its own, in which nothing is evaluated as a program.

    line     =  sum [ "=" sum ]
    sum      =  ["+" | "-"] product { ("+" | "-") product }
    product  =  power { ["*" | "/"] power }           a missing sign is a product
    power    =  atom [ "^" exponent ]                 exponent: an atom, perhaps with a sign
    atom     =  number | name | function argument | "(" sum ")" | \frac{sum}{sum}

An index (p_i) and the arguments of the lessons (p(x), π(y | x)) are read past.

Where mathematicians themselves disagree (log a/b, a/b c) the reader asks for parentheses.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from sympy import Expr, nan, oo, zoo
from sympy.core.relational import Equality

from engine.algebra.tokens import ReadError as ReadError
from engine.algebra.tokens import Token, tokens
from engine.algebra.typed import Binary, Call, Function, Line, Minus, Name, Number, Operator, Tree

MOST_NODES = 150
DEEPEST = 25
LARGEST_EXPONENT = 12
HIGHEST_DEGREE = 32  # of powers of powers, multiplied
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_STARTS = {"number", "name", "function", "fraction", "open"}


def read(text: str) -> Expr | Equality:
    """What a line says: an expression, or an equation left as it stands.

    Raises:
        ReadError: with a learner's sentence and a `position`, where it cannot be read.
    """
    return parse(text)[1]


@lru_cache(maxsize=1024)
def parse(text: str) -> tuple[Line, Expr | Equality]:
    """The line as it was typed, to be echoed, and what it says.

    Raises:
        ReadError: as `read` does.
    """
    parser = _Parser(text)
    line = parser.line()
    says = line.sympy
    if says.has(zoo, oo, nan) or parser.has_power_of_zero:
        raise parser.without_value()
    return line, says


class _Parser:
    """One pass over the tokens, by descent."""

    def __init__(self, text: str) -> None:
        self.tokens: Sequence[Token] = list(tokens(text))
        self.at = 0
        self.depth = 0
        self.nodes = 0
        self.places: list[tuple[Tree, int]] = []  # what may divide by zero, and where it stands

    def line(self) -> Line:
        if self._token.kind == "end":
            raise ReadError("There is nothing to read yet. Type a line.", 0)
        left = self._sum()
        if not self._is("="):
            self._finish()
            return Line(left)
        self.at += 1
        right = self._sum()
        self._finish()
        return Line(left, right)

    @property
    def _token(self) -> Token:
        return self.tokens[self.at]

    def _is(self, *signs: str) -> bool:
        return self._token.kind == "operator" and self._token.text in signs

    def _finish(self) -> None:
        token = self._token
        if token.kind == "close":
            raise ReadError(f"This {token.text} closes nothing that was opened.", token.position)
        if token.kind != "end":
            sentence = (
                "A line has one equals sign." if token.text == "=" else "The line should end here."
            )
            raise ReadError(sentence, token.position)

    @property
    def has_power_of_zero(self) -> bool:
        """Whether something is raised to a power that is zero, and is itself zero."""
        return any(_is_power_of_zero(tree) for tree, _ in self.places)

    def without_value(self) -> ReadError:
        """The innermost part that has no value."""
        for tree, position in self.places:
            if _is_power_of_zero(tree):
                return ReadError("Zero to the power of zero has no value.", position)
            if tree.expr.has(zoo, oo, nan):
                return ReadError(_why_without_value(tree), position)
        return ReadError("This has no value: it divides by zero.", 0)

    # --- sums and products ----------------------------------------------------------------------

    def _sum(self) -> Tree:
        self._descend()
        tree = self._signed_product()
        while self._is("+", "-"):
            sign: Operator = "+" if self._token.text == "+" else "-"
            self.at += 1
            tree = self._made(Binary(sign, tree, self._product()))
        self.depth -= 1
        return tree

    def _descend(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            sentence = f"Parentheses may be nested {DEEPEST - 1} deep."
            raise ReadError(sentence, self._token.position)

    def _signed_product(self) -> Tree:
        if self._is("-"):
            self.at += 1
            return self._made(Minus(self._product()))
        if self._is("+"):
            self.at += 1
        return self._product()

    def _product(self) -> Tree:
        tree, divided = self._power(), False
        while True:
            if self._is("*", "/"):
                divided = self._token.text == "/"
                tree = self._next_factor(tree)
            elif self._token.kind in _STARTS:
                tree = self._made(Binary("*", tree, self._beside(divided=divided)))
            else:
                return tree

    def _next_factor(self, before: Tree) -> Tree:
        """What stands behind a sign for times or over."""
        sign = self._token
        self.at += 1
        if sign.text == "*":
            return self._made(Binary("*", before, self._power()))
        return self._placed(Binary("/", before, self._power()), sign.position)

    def _placed(self, tree: Tree, position: int) -> Tree:
        """A part that may have no value."""
        self.places.append((tree, position))
        return self._made(tree)

    def _beside(self, *, divided: bool) -> Tree:
        """What stands next to something without a sign: a factor."""
        token = self._token
        if divided:
            sentence = "Is this under the bar too? Write a/(b*c) or (a/b)*c."
            raise ReadError(sentence, token.position)
        if token.kind == "number":
            raise ReadError("Put a number before what it multiplies, or write *.", token.position)
        return self._power()

    # --- powers and atoms -----------------------------------------------------------------------

    def _power(self) -> Tree:
        base = self._atom()
        if not self._is("^"):
            return base
        return self._raised(base)

    def _raised(self, base: Tree) -> Tree:
        position = self._token.position
        self.at += 1
        exponent = self._exponent()
        if self._is("^"):
            sentence = "A power of a power needs parentheses: (x^a)^b or x^(a^b)."
            raise ReadError(sentence, self._token.position)
        if base == Name("e"):
            return self._made(Call("exp", exponent))
        tree = Binary("^", base, exponent)
        _check_exponent(tree, position)
        return self._placed(tree, position)

    def _exponent(self) -> Tree:
        if self._is("-"):
            self.at += 1
            return self._made(Minus(self._atom()))
        return self._atom()

    def _atom(self) -> Tree:
        token = self._token
        if token.kind == "number":
            self.at += 1
            return self._made(Number(Fraction(token.text), token.text))
        if token.kind == "name":
            self.at += 1
            return self._made(Name(token.text))
        if token.kind == "function":
            return self._function()
        if token.kind == "fraction":
            self.at += 1
            return self._placed(Binary("/", self._group("{"), self._below()), token.position)
        if token.kind == "open":
            return self._group()
        raise self._missing(token)

    def _missing(self, token: Token) -> ReadError:
        before = self.tokens[self.at - 1] if self.at else None
        if token.text in {"+", "-"} and before and before.text in {"+", "-", "*", "/"}:
            sentence = (
                "Two signs in a row. Put the second with its number in parentheses: x + (-1)."
            )
            return ReadError(sentence, token.position)
        if token.text == "=" and before and before.text == "=":
            return ReadError("One equals sign is enough: x = y.", token.position)
        if token.kind == "operator":
            what = "Something is missing" if before else "A line cannot start with this sign:"
            said = f"{what} before this {token.text}." if before else f"{what} {token.text}."
            return ReadError(said, token.position)
        if token.kind == "close":
            return ReadError(f"Something is missing before this {token.text}.", token.position)
        return ReadError("The line breaks off here: something is missing.", token.position)

    def _group(self, opening: str | None = None) -> Tree:
        """A sum in parentheses or braces."""
        token = self._token
        if token.kind != "open" or (opening and token.text != opening):
            raise ReadError("A fraction is \\frac{above}{below}.", token.position)
        self.at += 1
        tree = self._sum()
        self._close(token)
        return tree

    def _below(self) -> Tree:
        r"""What stands under the bar of a fraction: in braces, or a name alone as in \frac1T."""
        token = self._token
        if token.kind != "name":
            return self._group("{")
        self.at += 1
        return self._made(Name(token.text))

    def _close(self, opened: Token) -> None:
        token, wanted = self._token, _PAIRS[opened.text]
        if token.kind != "close":
            if self._is("="):
                sentence = f"The parenthesis {opened.text} is still open at this equals sign."
                raise ReadError(sentence, token.position)
            sentence = f"This {opened.text} is never closed: a {wanted} is missing."
            raise ReadError(sentence, opened.position)
        if token.text != wanted:
            sentence = f"This {token.text} closes a {opened.text}; a {wanted} is expected."
            raise ReadError(sentence, token.position)
        self.at += 1

    # --- functions ------------------------------------------------------------------------------

    def _function(self) -> Tree:
        token = self._token
        self.at += 1
        self._descend()
        power = self._function_power(token)
        tree = self._placed(Call(_function(token.text), self._argument(token)), token.position)
        self.depth -= 1
        return self._made(Binary("^", tree, power)) if power else tree

    def _function_power(self, function: Token) -> Tree | None:
        """The 2 of log^2(x); a power without an argument is explained."""
        if not self._is("^"):
            return None
        self.at += 1
        exponent = self._exponent()
        if not isinstance(exponent, Number) or self._token.kind not in _STARTS:
            raise self._variance(function) if function.text == "sigma" else self._bare(function)
        _check_exponent(Binary("^", Name("x"), exponent), function.position)
        return exponent

    def _argument(self, function: Token) -> Tree:
        if self._token.kind == "open":
            return self._group()
        if self._token.kind not in _STARTS:
            raise self._bare(function)
        argument = self._power()
        ends = function.text == "√"  # √p/q, unlike log p/q, is read in one way only
        if self._token.kind in _STARTS or (self._is("/") and not ends):
            name = function.text
            sentence = f"How far does this {name} reach? Put what it takes in parentheses."
            raise ReadError(sentence, function.position)
        return argument

    def _bare(self, function: Token) -> ReadError:
        name = _function(function.text)
        sentence = f"{name} is a function and needs something to work on: {name}(x)."
        return ReadError(sentence, function.position)

    def _variance(self, function: Token) -> ReadError:
        sentence = "The variance σ² is typed tau; sigma is the sigmoid: sigma(u)."
        return ReadError(sentence, function.position)

    def _made(self, tree: Tree) -> Tree:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            sentence = "This line is too long to be checked. Write it in a shorter form."
            raise ReadError(sentence, self._token.position)
        return tree


def _is_power_of_zero(tree: Tree) -> bool:
    if not isinstance(tree, Binary) or tree.operator != "^":
        return False
    return bool(tree.right.expr == 0 and tree.left.expr == 0)


def _why_without_value(tree: Tree) -> str:
    if isinstance(tree, Call) and tree.argument.expr == 0:
        return "Zero has no logarithm."
    if isinstance(tree, Binary) and tree.operator == "/" and tree.right.expr == 0:
        return "This divides by zero."
    if isinstance(tree, Binary) and tree.operator == "^":
        return "Zero to a negative power divides by zero."
    return "This has no value: something in it divides by zero or grows without end."


def _function(name: str) -> Function:
    functions: dict[str, Function] = {"log": "log", "exp": "exp", "sqrt": "sqrt", "sigma": "sigma"}
    return "sqrt" if name == "√" else functions[name]


def _check_exponent(power: Tree, position: int) -> None:
    """Refuse powers whose value would fill the screen, or whose expansion the machine."""
    if not isinstance(power, Binary):
        return
    size = _size(power.right)
    if size is not None and size > LARGEST_EXPONENT:
        raise ReadError(f"Exponents go up to {LARGEST_EXPONENT} here.", position)
    if _degree(power) > HIGHEST_DEGREE:
        raise ReadError("These powers of powers grow too large to be checked.", position)


def _size(tree: Tree) -> Fraction | None:
    """The size of an exponent that is a number (however written), None if it is not one."""
    if isinstance(tree, Number):
        return tree.value
    if isinstance(tree, Minus):
        return _size(tree.argument)
    if isinstance(tree, Binary):
        left, right = _size(tree.left), _size(tree.right)
        if left is None or right is None:
            return None
        return _of_sizes(tree.operator, left, right)
    return None


def _of_sizes(operator: Operator, left: Fraction, right: Fraction) -> Fraction:
    """A bound on the size of a number made of two."""
    if operator == "/":
        return left / right if right else Fraction(10**6)
    if operator == "*":
        return left * right
    return left + right if operator in {"+", "-"} else Fraction(10**6)


def _degree(tree: Tree) -> int:
    """A bound on the degree to which powers multiply what they hold."""
    if isinstance(tree, Binary) and tree.operator == "^":
        size = _size(tree.right)
        own = max(1, int(size)) if size is not None else 2
        return own * _degree(tree.left)
    if isinstance(tree, Binary):
        degrees = (_degree(tree.left), _degree(tree.right))
        return sum(degrees) if tree.operator in {"*", "/"} else max(degrees)
    if isinstance(tree, Call | Minus):
        return _degree(tree.argument)
    return 1
