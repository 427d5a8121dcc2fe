r"""Card text as the fields of an Anki note: what is simple at once, the rest by the parser.

Most of a card is words, formulas, a role and a stressed word. That much is converted here in one
pass of one pattern, some ten times faster than by the parser; whatever could mean anything more
(a list, a link, a stray star) goes to `drills.anki_markdown`. Both give the same HTML for the same
text, which the tests check on generated texts.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from content.units import formulas
from drills.anki_markdown import Names, convert, escaped, on_one_line, role
from drills.errors import DeckError

_TEX = r"[^$\\]*(?:\\.[^$\\]*)*"  # up to a dollar without a backslash
_WORDS = r"[^\W_](?:[^*_`$\\\[\]{}<>&!]*[^\W_])?"
# Each alternative starts with a literal: `re` then leaps to the next one.
_TOKEN = re.compile(
    rf"""
      \$\$(?P<display>{_TEX})\$\$
    | \$(?<!\d\$)(?![\s$])(?P<maths>{_TEX})(?<!\s)\$(?!\d)
    | \*\*(?<![^\s(]\*\*)(?P<strong>{_WORDS})\*\*(?![\w*])
    | \*(?<![^\s(]\*)(?P<stressed>{_WORDS})\*(?![\w*])
    | \{{(?P<role>[a-z]+)\}}`(?P<body>[^`&]+)`
    | &(?:amp|lt);|\$|\*|_|`|~|\\|\[|\]
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK = r"[-+>#=~|:\s]|\d+[.)](?:\s|\Z)|\Z"  # may start something but a paragraph
_PLAIN = re.compile(r"[^\W\d_][^$*_`~\\\[\]&<>\"\t\r\n\0]*+(?<!\s)")  # words and nothing else
_LINE = rf"(?!{_BLOCK})[^\t\r\0\n]*+"
_PARAGRAPH = re.compile(rf"{_LINE}(?:(?<!\s\s)\n{_LINE})*+(?<!\s)")
_DOLLAR = re.compile(r"(?<!\\)\$")
_DISPLAY = re.compile(rf"\$\$({_TEX})\$\$", re.DOTALL)

_OPENING = re.compile(r"\{\{c([1-9]\d*)::")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_OPEN, _NUMBERED, _CLOSE = "\ue000", "\ue001", "\ue002"  # a gap's braces while it is converted
_OPENED = re.compile(f"{_OPEN}(\\d+){_NUMBERED}")
_TOUCHING = re.compile(rf"\}}(?=[}}{_CLOSE}])")
_WITHIN = f"[^{_OPEN}{_CLOSE}]*"
_INNERMOST = re.compile(f"{_OPEN}(\\d+){_NUMBERED}({_WITHIN}?)(?:::({_WITHIN}))?{_CLOSE}")


def to_html(text: str, names: Names) -> str:
    """Return card text as the HTML of a field, on one line."""
    if _PLAIN.fullmatch(text):
        return text
    text = formulas(text)
    try:
        return _quick(text, names)
    except _UnclearError:
        return convert(text, names)


@dataclass(frozen=True)
class Cloze:
    """A converted sentence with gaps, their braces still private characters."""

    marked: str

    @classmethod
    def of(cls, text: str, names: Names) -> "Cloze":
        """Convert `text`, Markdown with `{{c1::...}}` gaps.

        Raises:
            DeckError: there is no gap (Anki would make no card) or one is never closed.
        """
        marked = _gaps_marked(text)
        if marked == text:
            raise DeckError(f"expected a gap such as {{{{c1::words}}}}, got none in: {text}")
        return cls(_TOUCHING.sub("} ", to_html(marked, names)))

    @classmethod
    def unconverted(cls, text: str) -> "Cloze":
        """Mark the gaps of `text` and leave its Markdown alone, for who shows Markdown."""
        return cls(_gaps_marked(text))

    @property
    def field(self) -> str:
        """Return it as Anki's field, with `} }` wherever TeX would end a gap."""
        return _OPENED.sub(r"{{c\1::", self.marked).replace(_CLOSE, "}}")

    @property
    def numbers(self) -> list[int]:
        """Return the numbers of its gaps, each once, in order."""
        return sorted({int(number) for number in _OPENED.findall(self.marked)})

    @property
    def shut(self) -> str:
        """Return it as a question: each gap as its hint or as `[...]`."""
        return _each_gap(self.marked, lambda gap: f"[{_hint(gap)}]")

    @property
    def filled(self) -> str:
        """Return it as an answer: the sentence without gaps."""
        return _each_gap(self.marked, lambda gap: gap[2])

    def asked(self, number: int, stress: Callable[[str], str]) -> str:
        """Return it with the gaps of one number shut and the others filled, as Anki asks it.

        What is shut is stressed, except within a formula.
        """
        return self._one(number, lambda gap: f"[{_hint(gap)}]", stress)

    def answered(self, number: int, stress: Callable[[str], str]) -> str:
        """Return `filled` with what the gaps of one number hid stressed, as in `asked`."""
        return self._one(number, lambda gap: gap[2], stress)

    def _one(
        self, number: int, put: Callable[[re.Match[str]], str], stress: Callable[[str], str]
    ) -> str:
        def each(gap: re.Match[str]) -> str:
            return _unless_within(gap, put(gap), stress) if int(gap[1]) == number else gap[2]

        return _each_gap(self.marked, each)


class _UnclearError(Exception):
    """Only the parser can tell what this text means."""


def _quick(text: str, names: Names) -> str:
    if "\n\n" not in text:
        return _paragraph(text, names)
    return "".join(_block(block, names) for block in text.split("\n\n"))


def _block(text: str, names: Names) -> str:
    html = _paragraph(text, names)
    return html if text.startswith("$$") else f"<p>{html}</p>"


def _paragraph(text: str, names: Names) -> str:
    if text.startswith("$$"):
        return _display(text)
    if not _PARAGRAPH.fullmatch(text):
        raise _UnclearError
    return _inline(on_one_line(text), names)


def _display(text: str) -> str:
    found = _DISPLAY.fullmatch(text)
    if not found:
        raise _UnclearError
    return _formula(escaped(found[1]), r"\[", r"\]")


def _inline(text: str, names: Names) -> str:
    return _TOKEN.sub(lambda token: _token(token, names), escaped(text))


def _token(token: re.Match[str], names: Names) -> str:
    match token.lastgroup:
        case "maths":
            return rf"\({token['maths']}\)"
        case "display":
            return _formula(token["display"], r"\[", r"\]")
        case "stressed":
            return f"<em>{token['stressed']}</em>"
        case "strong":
            return f"<strong>{token['strong']}</strong>"
        case "body":
            return role(token["role"], token["body"], names, lambda body: _inline(body, names))
    raise _UnclearError


def _formula(tex: str, opening: str, closing: str) -> str:
    tex = on_one_line(tex.strip())
    if not tex:
        raise _UnclearError
    return opening + tex + closing


def _gaps_marked(text: str) -> str:
    """Put private characters in place of the braces of each gap."""
    opening = _OPENING.search(text)
    if not opening:
        return text
    end = _end_of_gap(text, opening.end())
    inside, after = _gaps_marked(text[opening.end() : end]), _gaps_marked(text[end + 2 :])
    number = opening[1]
    return f"{text[: opening.start()]}{_OPEN}{number}{_NUMBERED}{inside}{_CLOSE}{after}"


def _end_of_gap(text: str, start: int) -> int:
    """Return where the `}}` stands that ends the gap; TeX may open and close braces before it."""
    depth = 0
    for brace in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth < 0 and text.startswith("}}", brace.start()):
            return brace.start()
    raise DeckError(f"expected }}}} at the end of a gap, braces balanced before it; got: {text}")


def _hint(gap: re.Match[str]) -> str:
    return gap[3] or "..."


def _unless_within(gap: re.Match[str], text: str, stress: Callable[[str], str]) -> str:
    """Stress the text that takes a gap's place, unless the gap stands within a formula."""
    within = len(_DOLLAR.findall(gap.string[: gap.start()])) % 2
    return text if within else stress(text)


def _each_gap(marked: str, put: Callable[[re.Match[str]], str]) -> str:
    """Replace gap by gap, the inner ones first."""
    found = 1
    while found:
        marked, found = _INNERMOST.subn(put, marked)
    return marked
