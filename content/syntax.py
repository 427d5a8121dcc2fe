"""The grammar of lessons: markdown-it-py with its plugins, and where in the text it matched."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from markdown_it import MarkdownIt, rules_inline
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.dollarmath.index import math_inline_dollar
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin
from mdit_py_plugins.myst_role import myst_role_plugin
from mdit_py_plugins.myst_role.index import myst_role

COLORS = ("policy", "reference", "reward", "chosen", "rejected")
QUANTITIES = ("nats", "bits")  # a number of that unit; a page may show it in the other
ROLES = ("term", "cite", "claim", *QUANTITIES, "fixed", *COLORS)
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Span(NamedTuple):
    """A piece of inline syntax; offsets into the whole text."""

    kind: str
    start: int
    end: int
    content: str
    name: str = ""


Rule = Callable[[StateInline, bool], bool]


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - the name is markdown-it's
        """Take every address, so that a bad one is seen and reported."""
        return True


def _recorded(kind: str, rule: Rule) -> Rule:
    """The rule, noting in the environment where it matched; markdown-it itself keeps no columns."""

    def wrapped(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
        start, count = state.pos, len(state.tokens)
        if not rule(state, silent):
            return False
        if not silent and state.src is state.env.get("source"):
            content, name = _content(kind, state.tokens[count:])
            state.env["spans"].append(Span(kind, start, state.pos, content, name))
        return True

    return wrapped


def _content(kind: str, tokens: Sequence[Token]) -> tuple[str, str]:
    if kind == "role":
        return tokens[-1].content, str(tokens[-1].meta["name"])
    if kind == "math":
        return tokens[-1].content, ""
    if kind in {"link", "autolink"}:
        opened = next(token for token in tokens if token.type == "link_open")
        return str(opened.attrGet("href")), ""
    return "", ""


_INLINE: dict[str, tuple[str, Rule]] = {
    "myst_role": ("role", myst_role),
    "math_inline": ("math", math_inline_dollar(allow_space=False)),
    "escape": ("escape", rules_inline.escape),
    "backticks": ("code", rules_inline.backtick),
    "link": ("link", rules_inline.link),
    "image": ("image", rules_inline.image),
    "autolink": ("autolink", rules_inline.autolink),
    "html_inline": ("html", rules_inline.html_inline),
}


def _parser() -> MarkdownIt:
    parser = _Parser("commonmark").enable(["table", "strikethrough"])
    parser.use(front_matter_plugin).use(colon_fence_plugin).use(myst_role_plugin)
    parser.use(myst_block_plugin).use(
        dollarmath_plugin, allow_labels=False, allow_blank_lines=False
    )
    parser.disable(["myst_line_comment", "myst_block_break"])  # `% of` may start a line of prose
    for name, (kind, rule) in _INLINE.items():
        parser.inline.ruler.at(name, _recorded(kind, rule))
    return parser


LESSON = _parser()
FIELD = _parser().disable("front_matter")


class Source:
    """A text, its block tokens, and the inline syntax in it by offset."""

    def __init__(self, text: str, parser: MarkdownIt) -> None:
        self.text = text if text.endswith("\n") else text + "\n"
        self.starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        env: dict[str, Any] = {}
        self.tokens = parser.parse(self.text, env)
        self.definitions = [entry["map"][0] for entry in env.get("references", {}).values()]
        self.leaves = _leaves(self.tokens)
        self.spans = [span for leaf in self.leaves for span in self._spans(*leaf)]
        self.taken = _mask(len(self.text), self.spans)

    def line(self, offset: int) -> int:
        """The line, from 1, of an offset."""
        return bisect_right(self.starts, offset)

    def slice(self, first: int, last: int) -> str:
        """Lines `first` up to and without `last`, counted from 0."""
        return self.text[self.starts[first] : self.starts[last]]

    def between(self, start: int, end: int) -> Iterator[Span]:
        """The inline syntax that starts within two offsets."""
        low = bisect_left(self.spans, start, key=lambda span: span.start)
        high = bisect_left(self.spans, end, lo=low, key=lambda span: span.start)
        return iter(self.spans[low:high])

    def free(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Where a pattern matches in inline text that is no mathematics, code, role, escape."""
        for first, last in self.leaves:
            for match in pattern.finditer(self.text, self.starts[first], self.starts[last]):
                if not self.taken[match.start()]:
                    yield match

    def _spans(self, first: int, last: int) -> Iterator[Span]:
        start = self.starts[first]
        source = self.slice(first, last)
        env: dict[str, Any] = {"source": source, "spans": []}
        FIELD.inline.parse(source, FIELD, env, [])
        for kind, begin, end, content, name in sorted(env["spans"], key=lambda span: span.start):
            yield Span(kind, start + begin, start + end, content, name)


def _mask(length: int, spans: Iterable[Span]) -> bytearray:
    """One byte for each character: whether inline syntax has taken it. Links hold more inside."""
    mask = bytearray(length)
    for span in spans:
        if span.kind != "link":
            mask[span.start : span.end] = b"\1" * (span.end - span.start)
    return mask


def _leaves(tokens: Sequence[Token]) -> dict[tuple[int, int], bool]:
    """The line ranges that hold inline text; True for rows of a table."""
    found: dict[tuple[int, int], bool] = {}
    for before, token in pairwise(tokens):
        if token.type == "inline" and token.map:
            found[token.map[0], token.map[1]] = before.type in {"th_open", "td_open"}
    return found


_TITLED = re.compile(r"(?P<shown>.*\S)\s*<(?P<target>[^<>]+)>", re.DOTALL)


def target_and_shown(name: str, content: str) -> tuple[str, str]:
    """What a role points to and what it shows; see `content.markdown.Role`."""
    content = content.strip()
    if name not in {"term", "cite", "claim"}:
        return "", content
    if titled := _TITLED.fullmatch(content):
        return titled["target"].strip(), titled["shown"]
    return content, content if name == "term" else ""
