"""Links inside the course: they stay in the tab, which Markdown's links do not."""

from collections.abc import Mapping

import streamlit as st

from pages.parts import state
from pages.settings import settings

_PAGES = "pages"


def know(pages: Mapping[str, st.Page]) -> None:
    """Remember the screens of this run by their address; the router's to call."""
    state.put(_PAGES, dict(pages))


def origin() -> str:
    """Return the address of this server, without a final slash: the one set, or the visitor's."""
    seen = "/".join((st.context.url or "").split("/")[:3])
    return (settings().public_url or seen).rstrip("/")


def draw(path: str, label: str, *, icon: str | None = None, **query: str) -> None:
    """Draw a link to the screen at this address."""
    known: dict[str, st.Page] = state.get(_PAGES, default={})
    if path in known:
        st.page_link(known[path], label=label, icon=icon, query_params=query or None)


def paths() -> list[str]:
    """Return the addresses that lead into the course."""
    return list(state.get(_PAGES, default={}))


def go(to: object) -> None:
    """Switch to the screen that a link on the page named; what is no screen of ours stays here."""
    known: dict[str, st.Page] = state.get(_PAGES, default={})
    path, query = (to.get("path"), to.get("query")) if isinstance(to, dict) else (None, None)
    if not isinstance(path, str) or path not in known or not isinstance(query, dict):
        return
    st.switch_page(known[path], query_params={str(name): str(query[name]) for name in query})
