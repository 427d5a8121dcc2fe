"""Figures of the lessons, one file per subject; a lesson names a function, and it is drawn here.

Every public function of a file here takes a palette and returns a matplotlib Figure. No two share a
name.
"""

from collections.abc import Callable
from functools import cache

from matplotlib.figure import Figure

from engine import modules
from engine.errors import EngineError
from engine.figures.style import Palette

_HELPERS = "engine.figures.style"


def draw(name: str, palette: Palette) -> Figure:
    """The figure that the function of this name draws.

    Raises:
        EngineError: there is no such function.
    """
    known = functions()
    if name not in known:
        raise EngineError.expected(
            f"a figure among {', '.join(sorted(known))}",
            got=repr(name),
            advice="Name one of these, or add a function to a file in engine/figures.",
        )
    return known[name](palette)


@cache
def functions() -> dict[str, Callable[[Palette], Figure]]:
    """Every figure by its name."""
    return modules.functions(__name__, leaving_out=_HELPERS)
