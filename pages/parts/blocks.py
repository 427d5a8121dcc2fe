"""The blocks of a lesson that are read: prose, callouts, the paper card, figures, sources."""

import streamlit as st

from content.markdown import Directive, Part, Prose, Role
from content.schema import Source
from pages.parts import claim, figure, prose
from pages.parts.place import Place
from pages.parts.quiet import quiet


def text(block: Prose, place: Place) -> None:
    """Draw a run of prose, and under it a *verify* control for each number it states."""
    _with_claims(block.parts, place, key=f"prose-{block.line}")


def callout(block: Directive, place: Place) -> None:
    """Draw an aside under its title."""
    with st.container(border=True, key=f"callout-{place.lesson.id}-{block.line}"):
        st.markdown(f"**{block.argument}**")
        _with_claims(block.parts, place, key=f"callout-{block.line}")


def history(block: Directive, place: Place) -> None:
    """Draw a historical note: an aside that is open to skip."""
    with st.container(border=True, key=f"history-{place.lesson.id}-{block.line}"):
        st.markdown(f":material/history_edu: **{block.argument}**")
        _with_claims(block.parts, place, key=f"history-{block.line}")


def paper(block: Directive, place: Place) -> None:
    """Draw the card of a paper: what it is, where it is, what it showed."""
    source = place.course.sources[block.argument]
    with st.container(border=True, key=f"paper-{place.lesson.id}-{block.line}"):
        st.markdown(f":material/article: **{source.title}**")
        quiet(f"{_authors(source.authors)} · {source.year} · [{source.identifier}]({source.url})")
        _with_claims(block.parts, place, key=f"paper-{block.line}")


def drawing(block: Directive, place: Place) -> None:
    """Draw a figure of the lesson, its caption saying what to see."""
    drawn = next(each for each in place.lesson.head.figures if each.id == block.argument)
    figure.draw(drawn.function, alt=place.plain(drawn.alt))
    quiet(place.words(drawn.caption))


def sources(_block: Directive, place: Place) -> None:
    """List every work the lesson cites."""
    works = sorted((place.course.sources[key] for key in cited(place)), key=_by_author)
    st.markdown("\n\n".join(_work(source) for source in works))


def _by_author(source: Source) -> str:
    return source.author_year


def _work(source: Source) -> str:
    checked = "" if source.opened else " · :gray[cited from its reference, not re-read]"
    return (
        f"{_authors(source.authors)} ({source.year}). *{source.title}*. "
        f"[{source.identifier}]({source.url}){checked}"
    )


def cited(place: Place) -> set[str]:
    """Return the keys of all sources that the lesson's text, questions and claims rest on."""
    lesson = place.lesson
    roles = [part for block in _blocks(place) for part in block.parts if isinstance(part, Role)]
    keys = {role.target for role in roles if role.name == "cite"}
    entries = (*lesson.questions, *lesson.predictions.values(), *lesson.claims.values())
    papers = {b.argument for b in _blocks(place) if isinstance(b, Directive) and b.name == "paper"}
    return keys | papers | {entry.source for entry in entries}


def _blocks(place: Place) -> list[Prose | Directive]:
    return [block for section in place.lesson.sections for block in section.blocks]


def _with_claims(pieces: tuple[Part, ...], place: Place, *, key: str) -> None:
    lesson = place.lesson.id
    st.markdown(prose.markdown(pieces, course=place.course, lesson=lesson))
    stated = prose.claims_in(pieces, course=place.course, lesson=lesson)
    if stated:
        claim.verify(stated, place, key=key)


def _authors(names: list[str]) -> str:
    return (
        ", ".join(names)
        if len(names) <= 6
        else f"{', '.join(names[:3])} and {len(names) - 3} others"
    )
