r"""Markdown as Anki's HTML, by the parser that reads the lessons.

A note's field is HTML on one line: mathematics in `\( \)` and `\[ \]`, since Anki does not read
dollars, escaped inside as everything else is; roles as spans with a class, which the note type
colors; no raw HTML.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_role import myst_role_plugin

from content.markdown import COLORS
from content.syntax import QUANTITIES
from content.units import quantity

_SHOWN_AND_TARGET = re.compile(r"(?P<shown>[^<]+?)\s*<(?P<target>[^<>]+)>", re.DOTALL)
_LINE_END = re.compile(r"[ \t]*\n[ \t]*")


@dataclass(frozen=True)
class Names:
    """What the roles of one lesson stand for."""

    cite: Callable[[str], str]  # source key -> "(Rafailov et al. 2023)"
    claim: Callable[[str], str]  # claim id -> its value as prose shows it, in Markdown


def convert(text: str, names: Names) -> str:
    """Return `text` as HTML on one line; a lone paragraph stands without its `<p>`."""
    parser, env = _parser(), {"names": names}
    tokens = parser.parse(text, env)
    if [token.type for token in tokens[:1] + tokens[2:]] == ["paragraph_open", "paragraph_close"]:
        tokens = tokens[1:2]
    html = str(parser.renderer.render(tokens, parser.options, env))
    return html.strip().replace("\n", "").replace("\t", " ")


def convert_inline(text: str, names: Names) -> str:
    """Return `text`, which holds no blocks, as HTML."""
    return str(_parser().renderInline(text, {"names": names}))


def escaped(text: str) -> str:
    """Return `text` with everything escaped that HTML would read as markup."""
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    return text.replace(">", "&gt;").replace('"', "&quot;")


def on_one_line(text: str) -> str:
    """Return `text` with each line end as one space."""
    return _LINE_END.sub(" ", text) if "\n" in text else text


def role(name: str, body: str, names: Names, inline: Callable[[str], str]) -> str:
    """Return the HTML of `` {name}`body` ``; `inline` converts what is shown."""
    parted = _SHOWN_AND_TARGET.fullmatch(body)
    target = parted["target"] if parted else body
    if name in COLORS:
        return f'<span class="{name}">{inline(body)}</span>'
    if name in QUANTITIES:
        return quantity(body, name)
    if parted:
        return inline(parted["shown"])
    if name == "cite":
        return escaped(names.cite(target))
    return inline(names.claim(target) if name == "claim" else body)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin, allow_labels=False, allow_space=False, double_inline=True)
    parser.use(myst_role_plugin)
    for name, rule in _RULES.items():
        parser.add_render_rule(name, rule)
    return parser


_Rule = Callable[[RendererProtocol, list[Token], int, OptionsDict, EnvType], str]


def _maths(opening: str, closing: str) -> _Rule:
    def rule(_: RendererProtocol, tokens: list[Token], at: int, *__: object) -> str:
        return opening + escaped(on_one_line(tokens[at].content.strip())) + closing

    return rule


def _role(_: RendererProtocol, tokens: list[Token], at: int, __: OptionsDict, env: EnvType) -> str:
    names: Names = env["names"]
    name, body = tokens[at].meta["name"], tokens[at].content
    return role(name, body, names, lambda shown: convert_inline(shown, names))


def _code_block(_: RendererProtocol, tokens: list[Token], at: int, *__: object) -> str:
    code = escaped(tokens[at].content.rstrip("\n")).replace("\n", "&#10;")
    return f"<pre><code>{code}</code></pre>"


def _line_end(*_: object) -> str:
    return " "


def _alternative_text(_: RendererProtocol, tokens: list[Token], at: int, *__: object) -> str:
    return escaped(tokens[at].content)


_RULES: dict[str, _Rule] = {
    "math_inline": _maths(r"\(", r"\)"),
    "math_inline_double": _maths(r"\[", r"\]"),
    "math_block": _maths(r"\[", r"\]"),
    "math_block_label": _maths(r"\[", r"\]"),
    "myst_role": _role,
    "code_block": _code_block,
    "fence": _code_block,
    "softbreak": _line_end,
    "image": _alternative_text,
}
