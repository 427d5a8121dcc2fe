"""Typed lines as formulas in Markdown, set so that long ones may break."""

import re
from importlib import import_module

from pages.parts import units

_TEX = {
    **{name: rf"\{name}" for name in ("pi", "pi_w", "pi_l", "tau", "beta")},
    **{f"ref{sub}": rf"\pi_{{\text{{ref}}{sub.replace('_', ',')}}}" for sub in ("", "_w", "_l")},
    **{name: name for name in ("r_w", "r_l", "h_w", "h_l")},
}
_NAMED = re.compile(rf"\b(?:{'|'.join(sorted(_TEX, key=len, reverse=True))}|[bhpqrtuxTZ])\b")
_PAREN = re.compile(r"\\(left|right)([()])")


def of(text: str) -> str:
    """Return a typed line, one of ours or one that was read before, as a formula in Markdown."""
    line, _ = import_module("engine.algebra.reader").parse(text)
    return inline(str(line.latex))


def recorded(text: str) -> str:
    """Return a line of the record; one that an older reader could read is shown as it was typed."""
    errors = import_module("engine.algebra.tokens")
    try:
        return of(text)
    except errors.ReadError:
        return f"`{text.replace('`', ' ')}`"


def inline(latex: str) -> str:
    """Return LaTeX that came from a parsed tree as a formula in the text."""
    return f"$\\displaystyle {breakable(natural(latex))}$"


def natural(latex: str) -> str:
    """Return LaTeX with the natural logarithm as the page writes it."""
    return latex.replace(r"\log", r"\ln") if units.wanted() == "bits" else latex


def words(sentence: str) -> str:
    """Return a sentence with the names of typed lines set as mathematics."""
    return _NAMED.sub(lambda found: f"${_TEX.get(found[0], found[0])}$", sentence)


def breakable(latex: str) -> str:
    r"""Return LaTeX without \left and \right, between which no line is ever broken."""
    opened: list[tuple[int, int]] = []  # in the parts, and in the text
    parts: list[str] = []
    end = 0
    for found in _PAREN.finditer(latex):
        parts += [latex[end : found.start()], found[2]]
        end = found.end()
        if found[1] == "left":
            opened.append((len(parts) - 1, end))
        elif opened:
            at, start = opened.pop()
            size = "bigg" if r"\frac" in latex[start : found.start()] else ""
            parts[at], parts[-1] = _sized(size, "l", "("), _sized(size, "r", ")")
    return "".join([*parts, latex[end:]])


def _sized(size: str, side: str, sign: str) -> str:
    return f"\\{size}{side}{sign}" if size else sign
