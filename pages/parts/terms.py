"""Terms in place: a definition where the term stands; and links of the course stay in the tab."""

from pathlib import Path

import streamlit as st

from content.load import LoadedCourse
from content.schema import Term
from pages.parts import links, prose, scroll, units
from pages.parts.inline_html import inline_html
from pages.parts.packing import kept, packed

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "surprisal_terms",
    html=(
        "<div class='term-in-place' popover='manual' role='dialog' tabindex='-1'\n"
        " aria-labelledby='term-in-place-name' aria-describedby='term-in-place-definition'></div>\n"
    ),
    css=(_HERE / "terms.css").read_text("utf-8"),
    js=(_HERE / "terms.js").read_text("utf-8"),
    isolate_styles=False,  # what the links are described by must lie in their own tree
)
_LABELS = {"glossary": "In the glossary", "from": "Source:"}


def in_place(course: LoadedCourse, here: str) -> None:
    """Give every term on the page its definition; the router's to call, after the screen `here`.

    Where the reader follows a link into the course, the run ends here and that screen is drawn.
    """
    scroll.left(here)
    data = kept(f"terms-{here}-{units.wanted()}", course, lambda: _packed(course, here))
    to = _COMPONENT(key="terms-in-place", data=data, on_go_change=lambda: None).go
    if to:
        links.go(to)


def html(text: str, *, course: LoadedCourse, linked: bool = False) -> str:
    """Return one Markdown field as HTML, its roles as words, or terms and citations as links."""
    return inline_html(prose.plain(text, course=course, linked=linked))


def cited(source: str, *, course: LoadedCourse) -> str:
    """Return the source as an HTML link, by author and year."""
    work = course.sources[source]
    return inline_html(f"[{work.author_year}]({work.url})")


def _packed(course: LoadedCourse, here: str) -> bytes:
    terms = {key: _term(course.glossary[key], course) for key in _on(here, course)}
    return packed({"terms": terms, "paths": links.paths(), "labels": _LABELS})


def _on(here: str, course: LoadedCourse) -> list[str]:
    """Return the keys of the terms that a screen can show: of a lesson its own, else all."""
    if here not in course.lessons:
        return list(course.glossary)
    return [k for k, uses in course.uses.terms.items() if any(use.lesson == here for use in uses)]


def _term(term: Term, course: LoadedCourse) -> dict[str, str]:
    return {
        "term": inline_html(term.term),
        "definition": html(term.definition, course=course),
        "source": cited(term.source, course=course) if term.source else "",
    }
