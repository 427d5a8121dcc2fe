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


_SEEN = "scrolled-to"


def to(heading: str, *, here: str) -> None:
    """Scroll to the heading with this anchor, once for each arrival at the screen `here`."""
    if state.get(_SEEN) == (here, heading):
        return
    state.put(_SEEN, (here, heading))
    _SCROLL(key=f"scroll-{here}-{heading}", data={"section": heading})


def left(here: str) -> None:
    """Note which screen was drawn: coming back to another one is a new arrival there."""
    seen = state.get(_SEEN)
    if seen and seen[0] != here:
        state.drop(_SEEN)
