"""The sources: every work the course rests on, whether it was opened, and where it is used."""

from html import escape

import streamlit as st

from content.load import LoadedCourse
from content.schema import Source
from content.uses import Use
from pages import resources
from pages.parts import catalog, used_in
from pages.parts.inline_html import inline_html
from pages.parts.packing import kept
from pages.parts.quiet import quiet

ABOUT = (
    "*Read in the original* means that what the course takes from a work was seen in the work "
    "itself, or in its abstract if it is stated there. The others are cited from their reference."
)
OPENED = {True: "Read in the original.", False: "Cited from its reference, not re-read."}
LABELS = catalog.Labels(
    one="work",
    many="works",
    search="Search by author, title, year or identifier",
    empty="No work matches what you typed. Try fewer letters.",
)


def draw() -> None:
    """Draw every work, by author."""
    course = resources.course()
    st.title("Sources", anchor=False)
    quiet(ABOUT)
    catalog.draw(kept("sources", course, lambda: _listed(course)), key="sources")


def _listed(course: LoadedCourse) -> bytes:
    ordered = sorted(course.sources.items(), key=lambda each: _place(each[1]))
    return catalog.listed([_entry(*each, course) for each in ordered], LABELS)


def _place(source: Source) -> tuple[str, int, str]:
    return source.author_year.casefold(), source.year, source.title


def _entry(key: str, source: Source, course: LoadedCourse) -> catalog.Entry:
    return catalog.Entry(
        key=key,
        group=catalog.initial(source.author_year),
        name=escape(source.author_year),
        body=_body(source, course.uses.sources.get(key, ()), course),
        words=f"{source.title} {' '.join(source.authors)} {source.year} {source.identifier} "
        f"{OPENED[source.opened]}",
    )


def _body(source: Source, uses: tuple[Use, ...], course: LoadedCourse) -> str:
    identifier = f'<a href="{escape(str(source.url))}">{escape(source.identifier)}</a>'
    return (
        f"<p><em>{escape(source.title)}</em></p>"
        f'<p class="aside">{escape(", ".join(source.authors))}. {identifier}. '
        f"{OPENED[source.opened]}</p>{_used(uses, course)}"
    )


def _used(uses: tuple[Use, ...], course: LoadedCourse) -> str:
    """Return where the work is used: sections, then what is counted, errata and terms."""
    phrases = [*used_in.sections(uses, course), used_in.counts(uses)]
    errata = sum(use.kind == "erratum" for use in uses)
    if errata:
        phrases.append(f'<a href="/errata">{errata} {"erratum" if errata == 1 else "errata"}</a>')
    words = ", ".join(_term(use.name, course) for use in uses if use.kind == "term")
    phrases.append(f"glossary: {words}" if words else "")
    said = "; ".join(phrase for phrase in phrases if phrase)
    return f'<p class="aside">Used in {said}.</p>' if said else ""


def _term(key: str, course: LoadedCourse) -> str:
    return f'<a href="/glossary?term={key}">{inline_html(course.glossary[key].term)}</a>'
