"""The glossary: every term of the course, searchable; a link from prose opens its term."""

import streamlit as st

from content.load import LoadedCourse
from content.schema import Term
from pages import resources
from pages.parts import prose


def draw() -> None:
    """Draw the terms that match the search."""
    course = resources.course()
    st.title("Glossary", anchor=False)
    named = st.query_params.get("term", "")
    if named in course.glossary:
        _one(named, course)
        st.divider()
    sought = st.text_input("Search", key="glossary-search", placeholder="a term, or a word in it")
    found = {key: term for key, term in course.glossary.items() if _matches(term, sought)}
    if not found:
        st.markdown("No term holds what you typed. Try fewer letters.")
    for key, _term in sorted(found.items(), key=lambda each: each[1].term.lower()):
        _one(key, course)


def _matches(term: Term, sought: str) -> bool:
    return sought.strip().lower() in f"{term.term} {term.definition}".lower()


def _one(key: str, course: LoadedCourse) -> None:
    term = course.glossary[key]
    source = f" :gray[({prose.cite(term.source, course=course)})]" if term.source else ""
    st.markdown(f"**{term.term}** — {prose.field(term.definition, course=course)}{source}")
