"""Which screens exist, in which section. The script that `app.py` serves on every run."""

import sys
from base64 import b64encode
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Literal

ROOT = str(Path(__file__).parent.parent)
if ROOT not in sys.path:  # `streamlit run` puts only this file's folder on the path
    sys.path.insert(0, ROOT)

import streamlit as st  # noqa: E402  the path comes first

from content.load import ContentError, LoadedCourse  # noqa: E402
from pages import resources  # noqa: E402
from pages.parts import faults, learner, links, terms, units  # noqa: E402

# As data: a page's own icon would be fetched from elsewhere, a file read again on every run.
ICON = (
    "data:image/png;base64,"
    + b64encode((Path(__file__).parent / "static" / "favicon.png").read_bytes()).decode()
)
PROJECTED = ("lab",)  # screens for the whole width


def main() -> None:
    """Load the course, and run the screen that the address names."""
    st.set_page_config(page_icon=ICON)
    try:
        course = resources.course()
    except ContentError as error:
        faults.draw(error)
        return
    sections = screens(course)
    links.know({page.url_path: page for pages in sections.values() for page in pages})
    page = st.navigation(sections, expanded=True)
    layout: Literal["wide", "centered"] = "wide" if page.url_path in PROJECTED else "centered"
    st.set_page_config(layout=layout)
    faults.notice(resources.faults())
    learner.notice(learner.arrive())
    units.choose()
    page.run()
    terms.in_place(course, page.url_path)


def screens(course: LoadedCourse) -> dict[str, list[st.Page]]:
    """Return every screen, by section of the sidebar."""
    lessons = [
        st.Page(partial(_draw, "course.lesson", lesson), title=each.head.short, url_path=lesson)
        for lesson, each in course.lessons.items()
    ]
    return {
        "": [_screen("course.home", "Course", icon="map", default=True)],
        "Lessons": lessons,
        "Practice": [
            _screen("practice.review", "Review", icon="cards_stack"),
            _screen("practice.mixed", "Mixed practice", path="practice", icon="shuffle"),
            _screen("practice.prove", "Prove it", icon="function"),
            _screen("labs.screen", "Labs", path="lab", icon="science"),
            _screen("practice.progress", "Your record", icon="monitoring"),
            _screen("practice.decks", "Anki decks", icon="style"),
            _screen("practice.restore", "Continue here", visibility="hidden"),
        ],
        "Reference": [
            _screen("course.glossary", "Glossary", icon="menu_book"),
            _screen("course.errata", "Errata", icon="rule"),
            _screen("course.sources", "Sources", icon="article"),
        ],
    }


def _screen(
    module: str, title: str, *, icon: str = "", path: str | None = None, **options: object
) -> st.Page:
    return st.Page(
        partial(_draw, module),
        title=title,
        icon=f":material/{icon}:" if icon else None,
        url_path=path or module.rpartition(".")[2],
        **options,  # type: ignore[arg-type]  # default= and visibility= pass through
    )


def _draw(module: str, *arguments: str) -> None:
    """Import a screen when it is first visited, and draw it."""
    import_module(f"pages.{module}").draw(*arguments)


main()
