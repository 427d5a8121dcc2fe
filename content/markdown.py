"""Lessons and text fields: Markdown with mathematics, roles and directives.

The grammar is CommonMark with tables, dollar mathematics and MyST roles, targets and colon fences,
read by markdown-it-py. Prose is handed on verbatim, only its roles are cut out, so that a page can
give it to its own Markdown renderer; every mistake is noted with its line.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from markdown_it.token import Token

from content.proofread import KINDS, Note, form_mistakes, notes, unswitched
from content.syntax import COLORS as COLORS
from content.syntax import FIELD, KEBAB, LESSON, QUANTITIES, Source, Span, target_and_shown
from content.units import quantity

OPENING = "opening"  # the id of what stands before the first heading


@dataclass(frozen=True, slots=True)
class Text:
    """Markdown as it was written."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Role:
    """An inline role.

    `term`: `target` names the term, `shown` is what to print. `cite` and `claim`: `target` is the
    key, `shown` is empty unless the author chose other words. `nats` and `bits`: `shown` is the
    number. `fixed`: `shown` is a quantity with its unit, which is the point and never switches.
    Colors: `shown` is the Markdown to color, `target` is empty.
    """

    name: str
    target: str
    shown: str


Part = Text | Role


@dataclass(frozen=True, slots=True)
class Prose:
    """A run of Markdown between two headings or directives."""

    parts: tuple[Part, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Directive:
    """`:::{name} argument`, then `:key: value` options, then a body of Markdown."""

    name: str
    argument: str
    options: dict[str, str]
    body: str
    parts: tuple[Part, ...]  # the body with its roles cut out
    line: int


Block = Prose | Directive


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one `##` heading. `title` is inline Markdown without roles."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    line: int


class Formula(NamedTuple):
    """A displayed formula, and what it rests on: its first line, `% claim log-partition`."""

    line: int
    basis: str  # "definition", "line" (of a derivation), "claim"; "" if the first line does not say
    target: str  # derivation/line, or the id of a claim


class Place(NamedTuple):
    """A role, and where in the text it stands."""

    offset: int
    role: Role


@dataclass
class Page:
    """A lesson as it was read, mistakes and all."""

    front: str | None = None
    sections: list[Section] = field(default_factory=list)
    mistakes: list[tuple[int, str]] = field(default_factory=list)  # line, message
    roles: list[tuple[int, Role]] = field(default_factory=list)  # line, role
    formulas: list[Formula] = field(default_factory=list)
    words: int = 0
    whole: bool = True  # False when an unclosed directive has swallowed part of the text


@dataclass(frozen=True, slots=True)
class Passage:
    """A text field, or the body of a directive, as it was read."""

    parts: tuple[Part, ...]
    notes: tuple[Note, ...] = ()
    roles: tuple[Place, ...] = ()
    words: int = 0
    unswitched: tuple[Note, ...] = ()  # quantities that a reader's choice of unit would not reach


# --- roles and parts ----------------------------------------------------------------------------


def _role(span: Span) -> Role:
    return Role(span.name, *target_and_shown(span.name, span.content))


def _parts(source: Source, start: int, end: int) -> tuple[Part, ...]:
    """The text between two offsets, roles cut out, nothing else changed."""
    found: list[Part] = []
    for span in source.between(start, end):
        if span.kind == "role":
            found += [Text(source.text[start : span.start]), _role(span)]
            start = span.end
    found.append(Text(source.text[start:end]))
    return tuple(part for part in found if part != Text(""))


def _places(source: Source) -> Iterator[Place]:
    for span in source.spans:
        if span.kind == "role":
            yield Place(span.start, _role(span))


@lru_cache(maxsize=4096)
def parts(text: str) -> tuple[Part, ...]:
    """A text field as Markdown and roles; mistakes are left as text. Never raises."""
    if "{" not in text:
        return (Text(text),) if text else ()
    return _parts(Source(text, FIELD), 0, len(text))


def words(text: str) -> str:
    """A text field in plain words, for places that take no Markdown; claims and citations go."""
    pieces = (piece.markdown if isinstance(piece, Text) else _said(piece) for piece in parts(text))
    return "".join(pieces)


def _said(role: Role) -> str:
    return quantity(role.shown, role.name) if role.name in QUANTITIES else role.shown


# --- words --------------------------------------------------------------------------------------


def _words(tokens: Iterable[Token]) -> int:
    return sum(_count(token.children or []) for token in tokens if token.type == "inline")


def _count(children: Iterable[Token]) -> int:
    text = "".join(_read(child) for child in children)
    return sum(any(map(str.isalnum, word)) for word in text.split())


def _read(token: Token) -> str:
    """A token as it counts: a formula and a citation are one word each."""
    if token.type in {"softbreak", "hardbreak"}:
        return " "
    if token.type == "myst_role":
        shown = target_and_shown(token.meta["name"], token.content)[1] or "x"
        return re.sub(r"\$[^$]*\$", "x", shown)
    return "x" if token.type == "math_inline" else token.content


# --- text fields and bodies ---------------------------------------------------------------------


@lru_cache(maxsize=4096)
def passage(text: str) -> Passage:
    """A text field, or the body of a directive: its parts, and every mistake in it."""
    source = Source(text, FIELD)
    found = [*notes(source), *_misplaced(source)]
    return Passage(
        _parts(source, 0, len(text)),
        tuple(found),
        tuple(_places(source)),
        _words(source.tokens),
        tuple(unswitched(source)),
    )


def _misplaced(source: Source) -> Iterator[Note]:
    for token in source.tokens:
        if token.type in KINDS and not token.level and token.map:
            message = f"{KINDS[token.type]} has no place in this text"
            yield Note(source.starts[token.map[0]], message)


# --- lessons ------------------------------------------------------------------------------------


def lesson(text: str) -> Page:
    """The whole of a `lesson.md`. Never raises: what is wrong is in `mistakes`."""
    return _Walk(text).page


_BASIS = re.compile(r"\s*%\s*(definition|line|claim)(?:[ \t]+(\S+))?[ \t]*(?:\n|$)")


def _displayed(tokens: Iterable[Token]) -> Iterator[Token]:
    return (token for token in tokens if token.type == "math_block" and token.map)


def _formula(token: Token) -> Formula:
    said = _BASIS.match(token.content)
    line = token.map[0] + 1 if token.map else 1
    return Formula(line, said[1], said[2] or "") if said else Formula(line, "", "")


class _Walk:
    """Goes through the top-level blocks of a lesson and gathers them into sections."""

    def __init__(self, text: str) -> None:
        self.source = Source(text, LESSON)
        self.page = Page(words=_words(self.source.tokens))
        self.heading = ("", OPENING, 1)  # title, id, line
        self.target: tuple[str, int] | None = None  # a section id, and its line
        self.blocks: list[Block] = []
        self.prose: tuple[int, int] | None = None  # lines from 0, the last not included
        for note in (*notes(self.source), *unswitched(self.source)):
            self._mistake(self.source.line(note.offset), note.message)
        for place in _places(self.source):
            self.page.roles.append((self.source.line(place.offset), place.role))
        self.page.formulas = [_formula(token) for token in _displayed(self.source.tokens)]
        self._walk()

    def _mistake(self, line: int, message: str) -> None:
        self.page.mistakes.append((line, message))

    def _walk(self) -> None:
        for token, following in pairwise([*self.source.tokens, Token("end", "", 0)]):
            if token.level == 0 and token.nesting >= 0 and token.map:
                self._block(token, following, token.map[0], token.map[1])
        self._lose_target()
        self._end_section()

    def _block(self, token: Token, following: Token, first: int, last: int) -> None:
        if token.type == "heading_open" and token.tag == "h2":
            self._section(token, following, first)
            return
        self._lose_target()
        if token.type == "heading_open":
            self._heading(token, following, first + 1)
        if token.type == "front_matter":
            self.page.front = token.content
        elif token.type == "myst_target":
            self._end_prose()
            self.target = (token.content, first + 1)
        elif token.type == "colon_fence":
            self._end_prose()
            self._directive(token, first, last)
        else:
            self.prose = (self.prose[0] if self.prose else first, last)

    def _lose_target(self) -> None:
        if self.target:
            self._mistake(self.target[1], "a section id stands right above a `##` heading")
        self.target = None

    def _heading(self, token: Token, title: Token, line: int) -> None:
        if any(child.type == "myst_role" for child in title.children or []):
            self._mistake(line, "a heading holds words and mathematics, no roles")
        if not title.content:
            self._mistake(line, "a heading without words")
        if not token.markup.startswith("#"):
            self._mistake(
                line,
                "an underlined heading: write `## ` before it, or leave a blank "
                "line above the rule",
            )
        elif token.tag not in {"h2", "h3"}:
            self._mistake(line, f"`{token.markup}` heading: sections are `##`, parts of them `###`")

    def _section(self, token: Token, title: Token, first: int) -> None:
        self._end_section()
        self._heading(token, title, first + 1)
        name, line = self.target or ("", first + 1)
        self.target = None
        if not name:
            self._mistake(line, "a section without an id: put `(its-id)=` on the line above")
        elif not KEBAB.fullmatch(name):
            self._mistake(line, f"section id `{name}`: expected kebab case, as `why-z-cancels`")
        self.page.words -= _words([title])
        self.heading = (title.content, name, first + 1)

    def _end_prose(self) -> None:
        if self.prose:
            first, last = self.prose
            start = self.source.starts[first]
            end = start + len(self.source.slice(first, last).rstrip())
            self.blocks.append(Prose(_parts(self.source, start, end), first + 1))
        self.prose = None

    def _end_section(self) -> None:
        self._end_prose()
        title, name, line = self.heading
        if name != OPENING or self.blocks:
            self.page.sections.append(Section(name, title, tuple(self.blocks), line))
        self.blocks = []

    def _directive(self, token: Token, first: int, last: int) -> None:
        opened = re.fullmatch(r"\{([^{}\s]*)\}\s*(.*)", token.info.strip())
        if not opened:
            message = f"`{token.markup}` opens nothing: a directive starts `:::{{name}}`"
        elif not self._is_closed(token, first, last):
            message = f"`:::{{{opened[1]}}}` is not closed by a line `{token.markup}`"
        else:
            self._add(*_directive(opened[1], opened[2], token.content, first + 1))
            return
        self.page.whole = False
        self._mistake(first + 1, message)

    def _is_closed(self, token: Token, first: int, last: int) -> bool:
        end = self.source.slice(last - 1, last).strip()
        closed = last - first > 1 and len(end) >= len(token.markup) and not end.strip(":")
        return closed and not re.search(r"^\s*:::+\s*\{", token.content, re.MULTILINE)

    def _add(self, directive: Directive, above: int) -> None:
        """Take a directive whose body starts below line `above`."""
        self.blocks.append(directive)
        for message in form_mistakes(directive.name, directive.argument, directive.body):
            self._mistake(directive.line, message)
        read = passage(directive.body)
        self.page.words += read.words
        for offset, message in (*read.notes, *read.unswitched):
            self._mistake(above + 1 + directive.body.count("\n", 0, offset), message)
        for offset, role in read.roles:
            self.page.roles.append((above + 1 + directive.body.count("\n", 0, offset), role))


def _directive(name: str, argument: str, content: str, line: int) -> tuple[Directive, int]:
    """The directive that opens in `line`, and the line above its body."""
    lines = content.split("\n")
    options: dict[str, str] = {}
    while lines and (option := re.fullmatch(r":([a-z][a-z0-9-]*):\s*(.*?)\s*", lines[0])):
        options[option[1]] = option[2]
        del lines[0]
    while lines and not lines[0].strip():
        del lines[0]
    above = line + content.count("\n") + 1 - len(lines)
    body = "\n".join(lines).rstrip()
    return Directive(name, argument, options, body, parts(body), line), above
