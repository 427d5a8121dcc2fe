"""Bring the section that the address names into view, once: cards and links lead to sections."""

import streamlit as st

from pages.parts import state

_SCROLL = st.components.v2.component(
    "surprisal_scroll",
    html="<span></span>\n",
    js="""
export default function ({ data }) {
  const heading = document.getElementById(data.section)
  const patience = setTimeout(() => heading?.scrollIntoView({ block: "start" }), 350)
  return () => clearTimeout(patience)
}
""",
)


def to(section: str) -> None:
    """Scroll to the heading with this anchor, the first time it is asked for in this session."""
    key = f"scrolled-{section}"
    if state.get(key):
        return
    state.put(key, value=True)
    _SCROLL(key=key, data={"section": section})
