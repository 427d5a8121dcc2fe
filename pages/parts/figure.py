"""Figures drawn by matplotlib: as SVG in the visitor's theme, drawn once per process."""

from dataclasses import replace
from functools import lru_cache
from importlib import import_module

import streamlit as st

from content.units import Unit
from pages.parts import units

WIDTH = 560  # pixels at most; a phone scales it down


def draw(function: str, *, alt: str) -> None:
    """Draw the figure that a function of `engine.figures` makes."""
    theme = "dark" if st.context.theme.type == "dark" else "light"
    st.image(_svg(function, theme, units.wanted()), alt=alt, width=WIDTH)


def prepare(function: str) -> None:
    """Draw it ahead of the first visitor, in both themes; an unknown one is left to the page."""
    known = function in import_module("engine.figures").functions()
    for theme in ("light", "dark") if known else ():
        _svg(function, theme, None)


@lru_cache(maxsize=256)
def _svg(function: str, theme: str, unit: Unit | None) -> str:
    style = import_module("engine.figures.style")
    palette = replace({"light": style.LIGHT, "dark": style.DARK}[theme], unit=unit)
    drawn: str = style.svg(import_module("engine.figures").draw(function, palette))
    return drawn
