"""Lesson prose: the course's Markdown, its roles put into Streamlit's spelling."""

from collections.abc import Iterable

import streamlit as st

from content.load import LoadedCourse
from content.markdown import Part, Role, Text, parts
from content.schema import Claim
from content.syntax import QUANTITIES
from content.units import quantity
from pages.parts import units

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
    return units.formulas(
        "".join(
            piece.markdown if isinstance(piece, Text) else _role(piece, course, lesson)
            for piece in pieces
        )
    )


def plain(
    text: str, *, course: LoadedCourse, lesson: str | None = None, linked: bool = False
) -> str:
    """Return one Markdown field without colors, and without links unless they are asked for."""
    pieces = (
        piece.markdown if isinstance(piece, Text) else _words(piece, course, lesson, linked=linked)
        for piece in parts(text)
    )
    return units.formulas("".join(pieces))


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
        return f"[{role.shown}](/glossary?term={course.term(role.target)[0]})"
    if role.name == "claim":
        return units.shown(course.claim(role.target, lesson=lesson))
    if role.name in QUANTITIES:
        return quantity(role.shown, role.name, units.wanted())
    return role.shown if role.name == "fixed" else f":{COLORS[role.name]}[{role.shown}]"


def _words(role: Role, course: LoadedCourse, lesson: str | None, *, linked: bool) -> str:
    if role.name in {"claim", *QUANTITIES} or (linked and role.name == "term"):
        return _role(role, course, lesson)
    if role.name != "cite":
        return role.shown
    source = course.sources[role.target]
    shown = role.shown or source.author_year
    return f"[{shown}]({source.url})" if linked else shown


def _plain(text: str) -> str:
    """Return text that can stand in a link's title: no dollars, quotes or line breaks."""
    flat = " ".join(
        piece.markdown if isinstance(piece, Text) else piece.shown for piece in parts(text)
    )
    return " ".join(flat.replace("$", "").replace('"', "'").replace("\\", "").split())
