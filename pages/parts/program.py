"""A program of the engine in the lesson: its source, and what it prints when run here and now."""

import inspect
import time
from functools import lru_cache
from importlib import import_module

import streamlit as st

from content.markdown import Directive
from pages.parts import state
from pages.parts.place import Place
from pages.parts.quiet import quiet


@st.fragment
def draw(block: Directive, _place: Place) -> None:
    """Draw the source, what it printed when the server started, and a button that runs it now."""
    name = block.argument
    key = f"program-{name}"
    source = _source(name)
    st.code(source, language="python", line_numbers=True)
    quiet(f"{len(source.splitlines())} lines. On your machine: `python -m engine.{name}`")
    if st.button("Run it here", icon=":material/play_arrow:", key=f"{key}-run"):
        state.put(key, run(name))
    printed, seconds = state.get(key) or run_once(name)
    st.code(printed, language=None)
    quiet(f"This is what it printed on this server, in {seconds:.2f} s.")


def run(name: str) -> tuple[str, float]:
    """Run `engine.<name>.main()`; return what it prints and the seconds it took."""
    began = time.perf_counter()
    printed: str = import_module(f"engine.{name}").main()
    return printed, time.perf_counter() - began


@lru_cache(maxsize=8)
def run_once(name: str) -> tuple[str, float]:
    """Run it the first time it is asked for; the warm-up asks before the visitors do."""
    return run(name)


@lru_cache(maxsize=8)
def _source(name: str) -> str:
    return inspect.getsource(import_module(f"engine.{name}"))
