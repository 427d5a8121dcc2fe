"""The glossary: every term of the course, searchable; a link from prose opens its term."""

import streamlit as st

from content.load import LoadedCourse
from content.schema import Term
from pages import resources
from pages.parts import catalog, terms, units, used_in
from pages.parts.inline_html import inline_html
from pages.parts.packing import kept
from pages.parts.quiet import quiet

LABELS = catalog.Labels(
    one="term",
    many="terms",
    search="Search for a term, or a word of its definition",
    empty="No term holds what you typed. Try fewer letters.",
)


def draw() -> None:
    """Draw every term; the one that the address names stands first."""
    course = resources.course()
    st.title("Glossary", anchor=False)
    named = st.query_params.get("term", "")
    term = course.glossary.get(named)
    if named and term is None:
        quiet(":material/link_off: Your link names a term that this glossary does not have.")
    first = _entry(named, term, course) if term else None
    catalog.draw(
        kept(f"glossary-{units.wanted()}", course, lambda: _listed(course)),
        key="glossary",
        first=first,
    )


def _listed(course: LoadedCourse) -> bytes:
    ordered = sorted(course.glossary.items(), key=lambda each: each[1].term.casefold())
    return catalog.listed([_entry(*each, course) for each in ordered], LABELS)


def _entry(key: str, term: Term, course: LoadedCourse) -> catalog.Entry:
    definition = terms.html(term.definition, course=course, linked=True)
    return catalog.Entry(
        key=key,
        group=catalog.initial(term.term),
        name=inline_html(term.term),
        body=f"<p>{definition}</p>{_aside(key, term, course)}",
        words=f"{term.term} {term.definition}",
    )


def _aside(key: str, term: Term, course: LoadedCourse) -> str:
    """Return where the definition comes from, and which sections use the term."""
    source = [f"Source: {terms.cited(term.source, course=course)}."] if term.source else []
    used = used_in.sections(course.uses.terms.get(key, ()), course)
    where = [f"Used in {'; '.join(used)}."] if used else []
    said = " ".join((*source, *where))
    return f'<p class="aside">{said}</p>' if said else ""
