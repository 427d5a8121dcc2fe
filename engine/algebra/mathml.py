"""Formulas as presentation MathML that a page can set in motion.

Only elements of MathML Core, which browsers draw themselves. Every name and every `Piece` carries
a `data-id`, unique in its formula and the same in the next line if it is the same thing there;
class tokens say what a color means: policy, reference, reward, chosen, rejected, partition. Pieces
nest; a page moves the outermost one that both lines have. Twins that cancel carry `data-cancel`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from html import escape

from sympy import Add, Expr, Mul, Pow, Symbol
from sympy.core.basic import Basic
from sympy.core.relational import Relational

from engine.algebra.expressions import (
    INDEX,
    Divergence,
    Expectation,
    Glyph,
    Indexed,
    Indicator,
    L,
    Limit,
    Named,
    Piece,
    Slope,
    SlopeAt,
    W,
    times,
)
from engine.algebra.layout import (
    LETTERS,
    Stated,
    Term,
    Typesetter,
    formula,
    infinite,
    is_fraction,
    is_name,
    sign,
    split,
    terms,
    unwrap,
)
from engine.algebra.text import Plain, spoken

SLANTED = ' mathvariant="normal" style="font-style: italic"'
PARTIAL = '<mo lspace="0" rspace="0">∂</mo>'
THIN = '<mspace width="0.167em"/>'
SEPARATORS = {
    ",": '<mo lspace="0" rspace="0.167em">,</mo>',
    ";": '<mo lspace="0" rspace="0.167em">;</mo>',
    "∣": '<mo stretchy="false" lspace="0.2em" rspace="0.2em">∣</mo>',
    "≻": '<mo lspace="0.25em" rspace="0.25em">≻</mo>',
}
OPERATORS = {mark: f'<mo form="infix">{mark}</mo>' for mark in "+−"}
LEADING = '<mo form="prefix">−</mo>'
ROLES = {W: "chosen", L: "rejected"}
EM_PER_CHARACTER = 0.41  # measured in STIX Two Math over the lines of a derivation
PHONE = 15.8  # em: what a line has on a phone 390 px wide, at 1.25 times the text size
INNER = 9.0  # em: in a line too wide for a phone, a sum in parentheses wider than this is stacked
SIGN = 1.4  # em: a relation or an operator with its spaces


class MathML(Typesetter):
    """Sets one formula; a new one for each, since ids count within a formula."""

    def __init__(self, *, reserved: frozenset[str] = frozenset(), natural: str = "log") -> None:
        super().__init__(natural=natural)
        self._used = set(reserved)
        self._stacked = False

    def relation(self, relation: Relational) -> str:
        sides = (self.draw(relation.lhs), self.draw(relation.rhs))
        return row(sides[0], self._sign(relation), sides[1])

    def rows(self, relation: Relational) -> str:
        """The relation broken at its sign, at its terms and before its last factor."""
        left, sign_mark = self.draw(relation.lhs), self._sign(relation)
        first, *others = (self._line(*line) for line in _lines(relation.rhs))
        opening = width(relation.lhs) + SIGN + width(next(_lines(relation.rhs))[1])
        short = is_name(relation.lhs) or isinstance(unwrap(relation.lhs), Slope)
        if short and opening <= PHONE:
            head = [row(left, sign_mark, first)]
        else:
            head = [left, row(_INDENT, sign_mark, first)]
        return _table([*head, *(row(_INDENT, line) for line in others)])

    def piece(self, piece: Piece) -> str:
        attributes = f' data-id="{piece.id}"'
        if piece.role:
            attributes += f' class="{piece.role}"'
        if piece.cancels:
            attributes += ' data-cancel="true"'
        return f"<mrow{attributes}>{self.draw(piece.body)}</mrow>"

    def named(self, name: Named) -> str:
        opening = f'<mrow data-id="{self._free(_motion_id(name))}"{_class(name.glyph.role)}>'
        tall = any(not isinstance(a, type) and not a.is_Atom for a in name.shown())
        arguments = self._arguments(name)
        fenced = fence("(", arguments, ")", tall=tall) if arguments else ""
        return f"{opening}{self._head(name)}{fenced}</mrow>"

    def _head(self, name: Named) -> str:
        """The letter; an index stands below it, under a star that it may have."""
        if not isinstance(name, Indexed):
            return self.glyph(name.glyph)
        index = _numeral(name.args[0]) or self.draw(name.args[0])
        if not name.glyph.sup:
            return f"<msub>{self.glyph(name.glyph)}{index}</msub>"
        star = f'<mo lspace="0" rspace="0">{name.glyph.sup}</mo>'
        return f"<msubsup>{self.glyph(replace(name.glyph, sup=''))}{index}{star}</msubsup>"

    def glyph(self, glyph: Glyph) -> str:
        base = identifier(glyph.letter)
        if glyph.hat:
            base = f'<mover accent="true">{base}<mo stretchy="false">^</mo></mover>'
        if glyph.sup:
            return f'<msup>{base}<mo lspace="0" rspace="0">{glyph.sup}</mo></msup>'
        return f"<msub>{base}{identifier(glyph.sub)}</msub>" if glyph.sub else base

    def symbol(self, symbol: Symbol) -> str:
        if symbol.is_real and not symbol.is_integer:
            return self._scalar(symbol)
        letter, _, sub = LETTERS.get(symbol.name, symbol.name).partition("_")
        if not sub:
            return identifier(letter)
        script = f"<mn>{sub}</mn>" if sub.isdigit() else identifier(sub)
        return f"<msub{_class(ROLES.get(symbol, ''))}>{identifier(letter)}{script}</msub>"

    def _scalar(self, symbol: Symbol) -> str:
        """An unknown number such as β, which travels from line to line; σ² has its exponent."""
        name = symbol.name.removesuffix("^2")
        letter, found = LETTERS.get(name, name), f' data-id="{self._free(name)}"'
        if name == symbol.name:
            return identifier(letter).replace("<mi", f"<mi{found}", 1)
        return f"<msup{found}>{identifier(letter)}<mn>2</mn></msup>"

    def number(self, number: Expr) -> str:
        if not number.is_finite:
            return f"<mtext>{infinite(number)}</mtext>"
        return f"<mn>{number}</mn>"

    def sum(self, parts: Sequence[Term]) -> str:
        (mark, first), *others = parts
        opening = LEADING if mark == "−" else ""
        following = (OPERATORS[mark] + self.within(term) for mark, term in others)
        return opening + self.within(first) + "".join(following)

    def product(self, factors: Sequence[Expr]) -> str:
        return row(THIN.join(map(self.within, factors)))

    def fraction(self, top: str, bottom: str) -> str:
        return f"<mfrac>{row(top)}{row(bottom)}</mfrac>"

    def power(self, power: Pow) -> str:
        return f"<msup>{row(self.within(power.base))}{row(self.draw(power.exp))}</msup>"

    def slash(self, top: str, bottom: str) -> str:
        return row(top, '<mo stretchy="false" lspace="0" rspace="0">/</mo>', bottom)

    def logarithm(self, argument: Expr) -> str:
        name = identifier(self.natural)
        if is_name(argument) or is_fraction(argument):
            return row(name, THIN, self.draw(argument))
        return row(name, self.parenthesized(argument))

    def root(self, radicand: Expr) -> str:
        return f"<msqrt>{self.draw(radicand)}</msqrt>"

    def size(self, body: str) -> str:
        return fence("|", body, "|", tall=True)

    def exponential(self, exponent: Expr) -> str:
        return f"<msup><mi>e</mi>{row(self.inline(exponent))}</msup>"

    def parenthesized(self, expr: Expr) -> str:
        bare = unwrap(expr)
        if self._stacked and isinstance(bare, Add) and width(bare) > INNER:
            return fence("(", self._stack(bare), ")", tall=True)
        return fence("(", self.draw(expr), ")", tall=True)

    def total(self, index: Symbol, body: str) -> str:
        mark = f'<mo data-id="{self._free("sum")}" largeop="true" movablelimits="false">∑</mo>'
        return row(f"<munder>{mark}{self.symbol(index)}</munder>", body)

    def expectation(self, mean: Expectation) -> str:
        distribution, body, index = mean.args
        under = row(self.symbol(index), "<mo>∼</mo>", self.glyph(distribution.glyph))
        head = f"<msub><mi>𝔼</mi>{under}</msub>"
        return row(head, fence("[", self.draw(body), "]", tall=True))

    def divergence(self, divergence: Divergence) -> str:
        p, q, _ = divergence.args
        bar = '<mo stretchy="false" lspace="0.25em" rspace="0.25em">∥</mo>'
        head = self.glyph(divergence.glyph)
        return row(head, fence("(", self.letter(p) + bar + self.letter(q), ")", tall=True))

    def letter(self, distribution: Expr) -> str:
        prompted = distribution.prompted
        return self.draw(distribution) if prompted else self._letter(type(distribution))

    def gradient(self, body: Expr) -> str:
        return row('<msub><mo rspace="0">∇</mo><mi>θ</mi></msub>', THIN, self.within(body))

    def slope(self, slope: SlopeAt) -> str:
        bar = '<mo form="postfix" fence="true" stretchy="true" symmetric="true">|</mo>'
        rate = row(self._rate(slope), bar)
        return f"<msub>{rate}{row('<mo>=</mo>'.join(self.place(slope)))}</msub>"

    def rate(self, slope: Slope) -> str:
        return self._rate(slope)

    def _rate(self, slope: SlopeAt | Slope) -> str:
        above, below = (row(PARTIAL, self.draw(part)) for part in slope.args[:2])
        return self.fraction(above, below)

    def limit(self, limit: Limit) -> str:
        body, variable = limit.args
        under = row(self.draw(variable), "<mo>→</mo>", "<mi>∞</mi>")
        return row(f'<munder><mo movablelimits="false">lim</mo>{under}</munder>', self.within(body))

    def indicator(self, indicator: Indicator) -> str:
        return fence("[", "<mo>=</mo>".join(map(self.draw, indicator.args)), "]", tall=False)

    def _line(self, mark: str, expr: Expr) -> str:
        self._stacked = width(expr) + SIGN + 1 > PHONE
        drawn = self.within(expr)
        self._stacked = False
        return mark + drawn

    def _stack(self, bare: Add) -> str:
        lines = enumerate(terms(bare))
        return _table([row(_opening(k, mark), self.within(term)) for k, (mark, term) in lines])

    def _sign(self, relation: Relational) -> str:
        return f'<mo data-id="relation">{sign(relation)}</mo>'

    def _arguments(self, name: Named) -> str:
        shown = [self._argument(argument) for argument in name.shown()]
        marks = ["", *(SEPARATORS[mark] for mark in name.separators)]
        return "".join(mark + a for mark, a in zip(marks, shown, strict=False))

    def _argument(self, argument: Basic | type[Named]) -> str:
        if isinstance(argument, type):
            return self._letter(argument)
        if argument.is_Integer:
            return f"<msub><mi>y</mi><mn>{int(argument) + 1}</mn></msub>"
        stacked = self._stacked and isinstance(argument, Add) and width(argument) > INNER
        return self._stack(argument) if stacked else self.draw(argument)

    def _letter(self, name: type[Named]) -> str:
        opening = f'<mrow data-id="{self._free(name.slug)}"{_class(name.glyph.role)}>'
        return f"{opening}{self.glyph(name.glyph)}</mrow>"

    def _free(self, name: str) -> str:
        """`name`, or the first of name-2, name-3 … that this formula has not used yet."""
        count, candidate = 1, name
        while candidate in self._used:
            count += 1
            candidate = f"{name}-{count}"
        self._used.add(candidate)
        return candidate


_INDENT = '<mspace width="1em"/>'


def presentation(thing: Relational | Stated, *, narrow: bool = False, natural: str = "log") -> str:
    """A line as a `<math display="block">` element, its spoken form as `alttext`.

    Args:
        thing: a line, or any relation over the vocabulary.
        narrow: broken into rows where it would be too wide for a phone; the ids are the same.
        natural: how the natural logarithm is written, "log" or "ln".
    """
    return _presentation(formula(thing), narrow=narrow, natural=natural)


@lru_cache(maxsize=4096)
def _presentation(relation: Relational, *, narrow: bool, natural: str) -> str:
    setter = MathML(reserved=_explicit(relation), natural=natural)
    broken = narrow and width(relation.lhs) + SIGN + width(relation.rhs) > PHONE
    body = setter.rows(relation) if broken else setter.relation(relation)
    said = escape(spoken(relation, natural=natural))
    return f'<math display="block" alttext="{said}">{body}</math>'


@lru_cache(maxsize=4096)
def expression(tree: Expr, *, natural: str = "log") -> str:
    """An expression on its own, such as a residual, as an inline `<math>` element."""
    body = MathML(reserved=_explicit(tree), natural=natural).draw(tree)
    return f'<math alttext="{escape(spoken(tree, natural=natural))}">{row(body)}</math>'


@lru_cache(maxsize=4096)
def width(expr: Basic) -> float:
    """About how wide a formula is drawn, in em."""
    return len(_Breadth().draw(expr)) * EM_PER_CHARACTER


class _Breadth(Plain):
    """Plain text about as long as the drawn formula is wide."""

    def fraction(self, top: str, bottom: str) -> str:
        return max(top, bottom, key=len)

    def glyph(self, glyph: Glyph) -> str:
        return glyph.letter + glyph.sub[: (len(glyph.sub) + 1) // 2] + glyph.sup

    def symbol(self, symbol: Symbol) -> str:
        return super().symbol(symbol).replace("_", "")

    def subscripted(self, glyph: Glyph, index: str) -> str:
        return self.glyph(glyph) + index

    def exponential(self, exponent: Expr) -> str:
        script = self.inline(exponent)
        return "e" + script[: 2 * len(script) // 3]

    def _rate(self, slope: SlopeAt | Slope) -> str:
        return self.fraction(*(f"∂{self.draw(part)}" for part in slope.args[:2]))

    def slope(self, slope: SlopeAt) -> str:
        above, below = (self.draw(part) for part in slope.args[:2])
        place = "=".join(self.place(slope))
        return self.fraction(above, below) + "|" + place[: max(3, 2 * len(place) // 3)]


def identifier(name: str) -> str:
    """An `<mi>`: one letter is set in italics, more than one upright.

    Unicode's italic h is the Planck constant, which our subset of the font lacks: h is slanted.
    """
    return f"<mi{SLANTED if name == 'h' else ''}>{name}</mi>"


def row(*parts: str) -> str:
    """An `<mrow>`."""
    return f"<mrow>{''.join(parts)}</mrow>"


def fence(opening: str, body: str, closing: str, *, tall: bool) -> str:
    """Parentheses around `body`, as tall as it is or, for plain arguments, as a letter."""
    stretchy = ' stretchy="true"' if tall else ' stretchy="false"'
    marks = [
        f'<mo form="{form}" fence="true"{stretchy}>{mark}</mo>'
        for form, mark in (("prefix", opening), ("postfix", closing))
    ]
    return row(marks[0], body, marks[1])


def _table(rows: Sequence[str]) -> str:
    cells = "".join(
        f'<mtr><mtd style="text-align: left; padding: 0.2em 0">{line}</mtd></mtr>' for line in rows
    )
    return f'<mtable displaystyle="true">{cells}</mtable>'


def _opening(place: int, mark: str) -> str:
    """The operator a row begins with: a first term that is added needs none."""
    if place:
        return OPERATORS[mark]
    return LEADING if mark == "−" else ""


def _lines(expr: Expr) -> Iterator[tuple[str, Expr]]:
    for place, (sign_of_term, term) in enumerate(terms(expr)):
        mark = _opening(place, sign_of_term)
        bare = unwrap(term)
        if _breakable(bare):
            *front, last = bare.args
            yield mark, times(*front)
            yield _INDENT, last
        else:
            yield mark, term


def _breakable(expr: Expr) -> bool:
    """Whether a product is too wide and ends in a sum that can stand on a line of its own."""
    wide = isinstance(expr, Mul) and width(expr) > PHONE
    return (
        wide
        and len(expr.args) > 2
        and isinstance(unwrap(expr.args[-1]), Add)
        and not split(expr)[1]
    )


def _motion_id(name: Named) -> str:
    suffixes = [_suffix(a) for a in name.shown() if isinstance(a, Basic)]
    index = [str(name.args[0])] if isinstance(name, Indexed) and name.args[0] != INDEX else []
    return "-".join([name.slug, *index, *filter(None, suffixes)])


def _numeral(index: Basic) -> str:
    """A bare number as an index names an outcome, from 1."""
    return f"<mn>{int(index) + 1}</mn>" if index.is_Integer else ""


def _suffix(argument: Basic) -> str:
    if argument.is_Integer:
        return str(int(argument) + 1)
    return argument.name.partition("_")[2] if isinstance(argument, Symbol) else ""


def _class(role: str) -> str:
    return f' class="{role}"' if role else ""


def _explicit(formula: Basic) -> frozenset[str]:
    return frozenset(piece.id for piece in formula.atoms(Piece))
