"""Lesson prose: the course's Markdown, its roles put into Streamlit's spelling."""

from collections.abc import Iterable

import streamlit as st

from content.load import LoadedCourse
from content.markdown import Part, Role, Text, parts
from content.schema import Claim

COLORS = {
    "policy": "blue",
    "reference": "gray",
    "reward": "orange",
    "chosen": "green",
    "rejected": "red",
}


def draw(text: str, *, course: LoadedCourse, lesson: str | None = None) -> None:
    """Draw one Markdown field of a content file."""
    st.markdown(markdown(parts(text), course=course, lesson=lesson))


def markdown(pieces: Iterable[Part], *, course: LoadedCourse, lesson: str | None = None) -> str:
    """Return the pieces as Markdown for Streamlit."""
    return "".join(
        piece.markdown if isinstance(piece, Text) else _role(piece, course, lesson)
        for piece in pieces
    )


def field(text: str, *, course: LoadedCourse, lesson: str | None = None) -> str:
    """Return one Markdown field of a content file as Markdown for Streamlit."""
    return markdown(parts(text), course=course, lesson=lesson)


def claims_in(
    pieces: Iterable[Part], *, course: LoadedCourse, lesson: str
) -> tuple[tuple[str, Claim], ...]:
    """Return the claims that the pieces state, each once, as (target, claim)."""
    targets = dict.fromkeys(
        piece.target for piece in pieces if isinstance(piece, Role) and piece.name == "claim"
    )
    return tuple((target, course.claim(target, lesson=lesson)) for target in targets)


def cite(key: str, *, course: LoadedCourse, shown: str = "") -> str:
    """Return a link to the source."""
    source = course.sources[key]
    return f'[{shown or source.author_year}]({source.url} "{_plain(source.title)}")'


def _role(role: Role, course: LoadedCourse, lesson: str | None) -> str:
    if role.name == "cite":
        link = cite(role.target, course=course, shown=role.shown)
        return link if role.shown else f"({link})"
    if role.name == "term":
        key, term = course.term(role.target)
        return f'[{role.shown}](/glossary?term={key} "{_plain(term.definition)}")'
    if role.name == "claim":
        return role.shown or course.claim(role.target, lesson=lesson).shown
    return f":{COLORS[role.name]}[{role.shown}]"


def _plain(text: str) -> str:
    """Return text that can stand in a link's title: no dollars, quotes or line breaks."""
    flat = " ".join(
        piece.markdown if isinstance(piece, Text) else piece.shown for piece in parts(text)
    )
    return " ".join(flat.replace("$", "").replace('"', "'").replace("\\", "").split())
