"""Markdown for components becomes HTML that shows everything and does nothing."""

import pytest

from pages.parts.inline_html import inline_html

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "[here](javascript:alert(1))",
    r"$\text{<svg/onload=alert(1)>}$",
    r"$\text{<mi/onclick=alert(1)/>}$",
    r"$\href{javascript:alert(1)}{x}$",
]


def test_emphasis_code_and_mathematics_are_drawn() -> None:
    assert inline_html("*a* `b`") == "<em>a</em> <code>b</code>"
    assert inline_html(r"$\beta < 1$").startswith("<math")
    assert "&lt;" in inline_html("a < b")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_text_acts(text: str) -> None:
    html = inline_html(text).lower()
    assert not any(tag in html for tag in ("<img", "<script", "<svg", "<a ", "<mi/", 'href="'))
