"""Short Markdown as safe HTML with MathML, for components that Streamlit's Markdown can't reach."""

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from xml.etree import ElementTree

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

_NAME = re.compile(r"(<mi>(?:log|exp|ln|max|min)</mi>)")


@lru_cache(maxsize=2048)
def inline_html(text: str) -> str:
    """Render one line of Markdown: emphasis, code and $..$ mathematics; raw HTML is escaped."""
    html: str = _markdown().renderInline(text)
    return html


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False})
    parser.use(dollarmath_plugin, allow_space=False, allow_digits=False)
    parser.add_render_rule("math_inline", _math)
    return parser


def _math(_self: object, tokens: Sequence[Token], index: int, *_rest: object) -> str:
    tex = tokens[index].content
    mathml = _spaced(convert(tex))
    return mathml if _is_plain(mathml) else f"<code>{escape(tex)}</code>"


def _is_plain(mathml: str) -> bool:
    r"""Say no when words in \text{..}, which the converter does not escape, would act as HTML."""
    try:
        nodes = list(ElementTree.fromstring(mathml).iter())
    except ElementTree.ParseError:
        return False
    return not any(
        name.startswith("on") or name == "href" for node in nodes for name in node.attrib
    )


def _spaced(mathml: str) -> str:
    """Set log, exp and the like apart from what stands before them, as TeX does."""
    return _NAME.sub(r'<mspace width="0.17em"/>\1<mspace width="0.17em"/>', mathml)
