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
