"""Figures drawn by matplotlib: as SVG in the visitor's theme, drawn once per process."""

from functools import lru_cache
from importlib import import_module

import streamlit as st

WIDTH = 560  # pixels at most; a phone scales it down


def draw(function: str, *, alt: str) -> None:
    """Draw the figure that `engine.figures.<function>` makes."""
    theme = "dark" if st.context.theme.type == "dark" else "light"
    st.image(_svg(function, theme), alt=alt, width=WIDTH)


@lru_cache(maxsize=64)
def _svg(function: str, theme: str) -> str:
    figures = import_module("engine.figures")

    palette = {"light": figures.LIGHT, "dark": figures.DARK}[theme]
    drawn: str = figures.svg(getattr(figures, function)(palette))
    return drawn
