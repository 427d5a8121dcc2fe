"""Proofreading: every mistake in a piece of Markdown, and where in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from content.faults import suggest
from content.syntax import (
    COLORS,
    FIELD,
    KEBAB,
    QUANTITIES,
    ROLES,
    Source,
    Span,
    target_and_shown,
)


class Note(NamedTuple):
    """A mistake; the offset counts characters of the text that was read."""

    offset: int
    message: str


@dataclass(frozen=True, slots=True)
class Form:
    """How a directive is written."""

    argument: str | None = None  # what the argument is, in words
    pattern: re.Pattern[str] = re.compile(".+")
    body: str | None = None  # what the body is, in words


_NAME = re.compile(r"[a-z][a-z0-9_]*")
DIRECTIVES = {
    "predict": Form("the id of a prediction", KEBAB),
    "derivation": Form("the id of a derivation in kebab case", KEBAB),
    "lab": Form("the id of a lab in kebab case", KEBAB),
    "figure": Form("the id of a figure", KEBAB),
    "program": Form("the name of a module in engine, such as `dpo_from_scratch`", _NAME),
    "paper": Form("a source key", KEBAB, body="what the paper says"),
    "callout": Form("a title", body="its text"),
    "history": Form("a title", body="its text"),
    "quiz": Form(),
    "sources": Form(),
}
ONCE = frozenset({"predict", "derivation", "lab", "quiz"})  # a page keeps state under their name


def braces(maths: str) -> int | None:
    """The offset of a brace without its partner, or None."""
    opened: list[int] = []
    for match in re.finditer(r"\\.|[{}]", maths, re.DOTALL):
        if match.group() == "{":
            opened.append(match.start())
        elif match.group() == "}" and not opened:
            return match.start()
        elif match.group() == "}":
            opened.pop()
    return opened[-1] if opened else None


def _dollar_notes(source: Source) -> Iterator[Note]:
    """Dollars that open nothing: they would pair up across the words between them."""
    for match in source.free(_DOLLARS):
        yield Note(match.start(), _LONE[len(match.group()) > 1])


_DOLLARS = re.compile(r"\$+")
_LONE = {
    False: "`$` without its partner: mathematics is `$x$`, no space just inside the dollars; "
    r"a dollar sign is `\$`",
    True: "`$$` stands on a line of its own, before and after the formula, with no blank line "
    "between",
}


def _maths_notes(source: Source) -> Iterator[Note]:
    for span in source.spans:
        if span.kind == "math":
            yield from (Note(span.start, message) for message in _around(source.text, span))
            yield from _inside(span.start + 1, span.content)


def _around(text: str, span: Span) -> Iterator[str]:
    touching = text[span.start - 1 : span.start] + text[span.end : span.end + 1]
    if any(character.isdigit() for character in touching):
        yield f"a digit touches the mathematics ${span.content}$: put it inside the dollars"
    if "`" in span.content:
        yield f"the mathematics ${span.content}$ holds a backtick: is a `$` missing before it?"
    if r"\$" in span.content:
        yield r"`\$` inside mathematics does not work everywhere: put the dollar sign in the prose"


def _inside(start: int, maths: str) -> Iterator[Note]:
    wrong = braces(maths)
    if wrong is not None:
        message = f"`{maths[wrong]}` without its partner in the mathematics {_short(maths)}"
        yield Note(start + wrong, message)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


def _display_notes(source: Source) -> Iterator[Note]:
    for token in source.tokens:
        if token.type == "math_block" and token.map:
            first, last = token.map[0], token.map[1]
            start = source.starts[first]
            ends = [source.slice(line, line + 1).strip() for line in (first, last - 1)]
            if last - first < 2 or not all(_FENCE.fullmatch(end) for end in ends):
                yield Note(start, _LONE[True])
            if "$" in token.content:
                yield Note(start, "a `$` inside a formula between `$$`")
            yield from _inside(start, source.slice(first, last))


_FENCE = re.compile(r"[\s>*+\-\d.)]*\$\$")  # the `$$`, perhaps in a list or a quotation


def _table_notes(source: Source) -> Iterator[Note]:
    for (first, last), is_row in source.leaves.items():
        for span in source.between(source.starts[first], source.starts[last]):
            if is_row and span.kind == "math" and "|" in span.content:
                message = r"`|` inside mathematics splits the cell of a table: write \mid or \Vert"
                yield Note(span.start, message)


def _broken_tables(source: Source) -> Iterator[Note]:
    """The rule of a table inside a paragraph: the row above has another number of cells."""
    for (first, last), is_row in source.leaves.items():
        for line in range(first, last):
            if not is_row and _RULE.fullmatch(source.slice(line, line + 1).strip()):
                message = "no table: the rule and the row above it differ in their number of cells"
                yield Note(
                    source.starts[line], message + r" (inside mathematics write \mid for `|`)"
                )


_RULE = re.compile(r"\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)+\|?")


def _span_notes(source: Source) -> Iterator[Note]:
    """Raw HTML, images, and links that lead nowhere."""
    for span in source.spans:
        shown = _short(span.content or source.text[span.start : span.end])
        if span.kind == "html":
            yield Note(span.start, rf"raw HTML {shown}: write Markdown, or `\<` for the sign")
        elif span.kind == "image":
            yield Note(span.start, "an image in prose: figures are drawn by `:::{figure} id`")
        elif span.kind in {"link", "autolink"} and not _ADDRESS.match(span.content):
            yield Note(span.start, f"link to `{shown}`: expected http:// or https://")


_ADDRESS = re.compile(r"https?://[^/]")


def _block_notes(source: Source) -> Iterator[Note]:
    for line in source.definitions:
        message = "a link definition: write links in place, [words](https://...)"
        yield Note(source.starts[line], message)
    for token in source.tokens:
        start = source.starts[token.map[0]] if token.map else 0
        if token.type == "html_block":
            yield Note(start, f"raw HTML {_short(token.content)}: write Markdown")
        elif token.type == "fence" and token.info.lstrip().startswith("{"):
            yield Note(start, "a directive is fenced with colons, `:::{name}`, not with backticks")
        elif token.level and token.type in KINDS:
            yield Note(start, f"{KINDS[token.type]} inside a list or a quotation: move it out")


KINDS = {
    "heading_open": "a heading",
    "colon_fence": "a directive",
    "myst_target": "a section id",
}


def _role_notes(source: Source) -> Iterator[Note]:
    for span in source.spans:
        if span.kind == "role":
            yield from (Note(span.start, message) for message in _role_mistakes(span))
            if span.name in {"term", *COLORS}:
                shown = Source(target_and_shown(span.name, span.content)[1], FIELD)
                yield from (Note(span.start, note.message) for note in notes(shown))
    yield from _bare_roles(source)


def _role_mistakes(span: Span) -> Iterator[str]:
    target, shown = target_and_shown(span.name, span.content)
    if span.name not in ROLES:
        yield f"unknown role `{{{span.name}}}`{suggest(span.name, ROLES)}"
    elif not (target or shown):
        yield f"the role `{{{span.name}}}` is empty"
    elif span.name == "claim" and shown:
        yield "a claim shows its own value: write {claim}`" + target + "`"
    elif span.name in QUANTITIES and not _NUMBER.fullmatch(shown):
        yield f"the role `{{{span.name}}}` takes a number such as 0.693, not `{shown}`"


_NUMBER = re.compile(r"−?\d+(\.\d+)?")


def _bare_roles(source: Source) -> Iterator[Note]:
    """`{term}` not followed by a backtick is printed as it stands, which nobody wants."""
    for match in source.free(_BRACED):
        if match[1] in ROLES:
            message = f"the role `{match[0]}` needs its text in backticks right after it"
            yield Note(match.start(), message)


_BRACED = re.compile(r"\{(\w+)\}")


def unswitched(source: Source) -> Iterator[Note]:
    """Numbers in nats or bits that a reader's choice of unit would not reach."""
    formulas = {span.end for span in source.spans if span.kind == "math"}
    for match in source.free(_UNIT):
        before = source.text[: match.start()].rstrip()
        if len(before) in formulas or before[-1:].isdigit():
            yield Note(match.start(), _UNREACHED.replace("nats", match[1].rstrip("s") + "s"))


_UNIT = re.compile(r"\b(nats?|bits?)\b")
_UNREACHED = (
    "a quantity in nats: write {nats}`0.693`, so that it follows the reader's choice of unit, or "
    "{fixed}`0.693 nats` where the unit is the point"
)
_CHECKS = (
    _dollar_notes,
    _maths_notes,
    _display_notes,
    _table_notes,
    _broken_tables,
    _span_notes,
    _block_notes,
    _role_notes,
)


def notes(source: Source) -> Iterator[Note]:
    """Every mistake in a text, whatever kind of text it is."""
    for check in _CHECKS:
        yield from check(source)


def form_mistakes(name: str, argument: str, body: str) -> Iterator[str]:
    """How a directive departs from the form of its name."""
    form = DIRECTIVES.get(name)
    if form is None:
        yield f"unknown directive `:::{{{name}}}`{suggest(name, DIRECTIVES)}"
        return
    head = f"`:::{{{name}}}`"
    if form.body is None and body:
        yield f"{head} takes no text inside"
    elif form.body and not body:
        yield f"{head} needs {form.body} inside"
    if form.argument is None:
        if argument:
            yield f"{head} takes no argument, not `{argument}`"
    elif not argument:
        yield f"{head} needs {form.argument} after it"
    elif not form.pattern.fullmatch(argument):
        yield f"{head} takes {form.argument}, not `{argument}`"
