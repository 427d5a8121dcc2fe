"""Gaps: `{{c1::hidden}}` or `{{c1::hidden::hint}}`, read as Anki reads them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from content.proofread import Note, braces

_MARK = re.compile(r"\{\{c(\d+)::|\}\}")
_DOLLAR = re.compile(r"(?<!\\)\$")


@dataclass(frozen=True)
class Gap:
    """A gap: its number, and what it hides, between two offsets of the text."""

    number: int
    start: int  # of what is hidden
    end: int


@dataclass(frozen=True)
class Cloze:
    """A text with gaps; `filled` is what it says once they are filled in."""

    text: str
    gaps: tuple[Gap, ...]
    unclosed: tuple[int, ...]  # offsets of `{{c1::` without `}}`
    has_stray_end: bool  # a `}}` that ends no gap: fine by itself, a hint if a gap looks torn
    filled: str
    origin: tuple[int, ...]  # for each character of `filled`, and its end: the offset in `text`


def read(text: str) -> Cloze:
    """Find the gaps: each runs to the first `}}` that no inner gap has used, as in Anki."""
    gaps: list[Gap] = []
    opened: list[re.Match[str]] = []
    marks: list[re.Match[str]] = []
    strays = 0
    for mark in _MARK.finditer(text):
        if mark[1]:
            opened.append(mark)
        elif opened:
            start = opened.pop()
            gaps.append(Gap(int(start[1]), start.end(), mark.start()))
            marks += [start, mark]
        else:
            strays += 1
    removed = {index for mark in marks for index in range(*mark.span())}
    kept = [index for index in range(len(text)) if index not in removed]
    filled = "".join(text[index] for index in kept)
    unclosed = tuple(mark.start() for mark in opened)
    return Cloze(text, tuple(gaps), unclosed, strays > 0, filled, (*kept, len(text)))


def numbers(text: str) -> list[int]:
    """Return the numbers of the gaps, each once, in order: Anki makes a card of each."""
    return sorted({gap.number for gap in read(text).gaps})


def card_id(name: str, number: int) -> str:
    """Return the id of the card that asks for a gap; the first has that of its sentence."""
    return name if number == 1 else f"{name}-gap-{number}"


def torn(cloze: Cloze) -> list[Note]:
    """Gaps that end where their author did not mean them to, or that cut through mathematics."""
    return [note for gap in cloze.gaps for note in _torn(cloze, gap)]


def notes(cloze: Cloze) -> Iterator[Note]:
    """Every mistake in the gaps themselves."""
    for offset in cloze.unclosed:
        yield Note(offset, "a gap without its end `}}`")
    if not cloze.gaps and not cloze.unclosed:
        yield Note(0, "a cloze card without a gap: write {{c1::...}} around what it asks for")
    for gap in cloze.gaps:
        if not cloze.text[gap.start : gap.end].strip():
            yield Note(gap.start, f"the gap c{gap.number} hides nothing")
    yield from _missing_numbers(cloze)


def _torn(cloze: Cloze, gap: Gap) -> Iterator[Note]:
    hidden = cloze.text[gap.start : gap.end]
    if braces(hidden) is not None and (cloze.has_stray_end or braces(cloze.filled) is None):
        message = f"the gap c{gap.number} ends at the first `}}}}`, with a brace left open"
        yield Note(gap.start, message + ": inside mathematics write `} }`")
    elif any(len(_DOLLAR.findall(piece)) % 2 for piece in hidden.split("::")):
        message = f"the gap c{gap.number} cuts through mathematics: take in both dollars, or none"
        yield Note(gap.start, message)


def _missing_numbers(cloze: Cloze) -> Iterator[Note]:
    numbers = {gap.number for gap in cloze.gaps}
    absent = sorted(set(range(1, max(numbers, default=0) + 1)) - numbers)
    if absent and len(absent) < 20:
        names = ", ".join(f"c{number}" for number in absent)
        yield Note(0, f"gaps are numbered from c1 without a hole; missing: {names}")
    elif absent or 0 in numbers:
        yield Note(0, "gaps are numbered from c1 without a hole")
