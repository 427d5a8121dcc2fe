"""Markdown is cut where its roles stand and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content import cloze
from content.markdown import Role, Text, lesson, parts, passage


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("words", (Text("words"),)),
        ("{cite}`a2020`", (Role("cite", "a2020", ""),)),
        ("see {cite}`the paper <a2020>`.", (
            Text("see "), Role("cite", "a2020", "the paper"), Text("."))),
        ("{term}`KL divergence`", (Role("term", "KL divergence", "KL divergence"),)),
        ("{term}`it\n  diverges <KL divergence>`", (
            Role("term", "KL divergence", "it   diverges"),)),
        ("{policy}`$\\pi(y \\mid x)$` and", (
            Role("policy", "", "$\\pi(y \\mid x)$"), Text(" and"))),
        ("{policy}`$x<y>$`", (Role("policy", "", "$x<y>$"),)),
        ("{reward}``a `b` c``", (Role("reward", "", "a `b` c"),)),
        # not roles
        ("`{cite}`a2020``", (Text("`{cite}`a2020``"),)),
        ("``{cite}`a` ``", (Text("``{cite}`a` ``"),)),
        ("\\{cite}`a`", (Text("\\{cite}`a`"),)),
        ("$\\frac{a}{b}$", (Text("$\\frac{a}{b}$"),)),
        ("    {cite}`a`", (Text("    {cite}`a`"),)),
        ("```\n{cite}`a`\n```", (Text("```\n{cite}`a`\n```"),)),
        # roles inside other syntax
        ("**{cite}`a`**", (Text("**"), Role("cite", "a", ""), Text("**"))),
        ("- one\n- {cite}`a`\n", (Text("- one\n- "), Role("cite", "a", ""), Text("\n"))),
        ("> one\n> {cite}`a`", (Text("> one\n> "), Role("cite", "a", ""))),
        ("|a|b|\n|-|-|\n|{cite}`x`|{cite}`y`|", (
            Text("|a|b|\n|-|-|\n|"), Role("cite", "x", ""), Text("|"),
            Role("cite", "y", ""), Text("|"))),
        ("{{c1::{chosen}`up`}} {cite}`a`", (
            Text("{{c1::"), Role("chosen", "", "up"), Text("}} "), Role("cite", "a", ""))),
        ("{cite}`a`\n\n# é\n\n𝜋 {cite}`b`", (
            Role("cite", "a", ""), Text("\n\n# é\n\n𝜋 "), Role("cite", "b", ""))),
    ],
)  # fmt: skip
def test_parts(text: str, expected: tuple[Text | Role, ...]) -> None:
    assert parts(text) == expected


MARKUP = st.text(alphabet="ab \n{}`$\\<>#-|*_:()[]=!&;.1é\t", max_size=80)


@given(MARKUP)
def test_reading_never_fails_and_text_is_verbatim(text: str) -> None:
    position = 0
    for part in parts(text):
        if isinstance(part, Text):
            position = text.index(part.markdown, position) + len(part.markdown)
    if not any(isinstance(part, Role) for part in parts(text)):
        assert "".join(part.markdown for part in parts(text) if isinstance(part, Text)) == text
    read = passage(text)
    assert read.parts == parts(text)
    assert all(0 <= note.offset <= len(text) for note in read.notes)


@given(MARKUP)
def test_any_lesson_is_read_and_its_lines_are_its_own(text: str) -> None:
    page = lesson(text)
    last = text.count("\n") + 1
    assert all(1 <= line <= last for line, _ in page.mistakes)
    assert all(1 <= line <= last for line, _ in page.roles)


BLOCKS = st.sampled_from(
    ["---\n", "(a)=\n", "## A\n", ":::{predict} a\n", ":::\n", "::::\n", "$$\n", ":k: v\n", "\n",
     "x $y$ {cite}`z`\n", "- a\n", ":::{callout} B\n", "```\n", "| a | b |\n", "|---|---|\n",
     "> q\n", "  :::{lab} a\n", "a\n---\n"]
)  # fmt: skip


@given(st.lists(BLOCKS, max_size=25).map("".join))
def test_any_pile_of_blocks_is_read(text: str) -> None:
    page = lesson(text)
    last = text.count("\n") + 1
    assert all(1 <= line <= last for line, _ in page.mistakes)
    for section in page.sections:
        assert all(1 <= block.line <= last for block in section.blocks)


# --- gaps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hidden", "filled"),
    [
        ("a {{c1::b}} c", ["b"], "a b c"),
        ("{{c1::a::hint}}{{c2::b}}", ["a::hint", "b"], "a::hintb"),
        ("{{c1::a {{c2::b}} c}}", ["b", "a {{c2::b}} c"], "a b c"),
        ("$L = {{c1::-\\log\\sigma(h)}}$", ["-\\log\\sigma(h)"], "$L = -\\log\\sigma(h)$"),
        ("$a^{b_{c}}$ {{c1::d}}", ["d"], "$a^{b_{c}}$ d"),
        ("{{c1::$a_{b_{c} }$}}", ["$a_{b_{c} }$"], "$a_{b_{c} }$"),
    ],
)
def test_gaps_that_hold_together(text: str, hidden: list[str], filled: str) -> None:
    read = cloze.read(text)
    assert [text[gap.start : gap.end] for gap in read.gaps] == hidden
    assert read.filled == filled
    assert [text[offset] for offset in read.origin[:-1]] == list(filled)
    assert [*cloze.torn(read), *cloze.notes(read)] == []


@pytest.mark.parametrize(
    "text",
    [
        "{{c1::$a_{b_{c}}$}}",
        "$y = {{c1::x_{a}}}$",
        "$y = {{c1::\\frac{1}{Z_{a}}}}$",
        "{{c1::the set {1, 2}}}",
        "a $b {{c1::c$ d}}",
    ],
)
def test_gaps_that_anki_would_tear(text: str) -> None:
    assert cloze.torn(cloze.read(text))


@given(st.text(alphabet="{}c12:$ab ", max_size=60))
def test_any_gaps_are_read(text: str) -> None:
    read = cloze.read(text)
    assert len(read.origin) == len(read.filled) + 1
    for note in [*cloze.torn(read), *cloze.notes(read)]:
        assert 0 <= note.offset <= len(text)
