"""A list to look things up in: a search that answers at every key, groups, entries."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path

import streamlit as st

from pages.parts.packing import packed

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "surprisal_catalog",
    html="<div class='catalog'></div>\n",
    css=(_HERE / "catalog.css").read_text("utf-8"),
    js=(_HERE / "catalog.js").read_text("utf-8"),
    isolate_styles=False,  # terms in it are described by their definitions, in the same tree
)


@dataclass(frozen=True)
class Entry:
    """One thing to look up. `name` and `body` are HTML, `words` is what the search reads."""

    key: str
    group: str
    name: str
    body: str
    words: str


@dataclass(frozen=True)
class Labels:
    """What the list calls its entries, and says of its search."""

    one: str
    many: str
    search: str
    empty: str  # when nothing matches


def draw(data: bytes, *, key: str, first: Entry | None = None) -> None:
    """Draw a list that `listed` has prepared; `first` stands above it, marked, as well."""
    marked = packed({"marked": _entry(first) if first else ""})
    _COMPONENT(key=key, data=marked + b"\n" + data)


def listed(entries: Sequence[Entry], labels: Labels) -> bytes:
    """Return the list, its entries in this order, as it is sent; the same for all learners."""
    groups = "".join(_group(name, each) for name, each in groupby(entries, lambda e: e.group))
    return packed({"html": groups, "labels": vars(labels), "count": len(entries)})


def initial(name: str) -> str:
    """Return the letter under which a name is looked up."""
    letter = _plain(name)[:1].upper()
    return letter if letter.isalpha() else "#"


def _group(name: str, entries: Iterable[Entry]) -> str:
    inside = "".join(_entry(entry) for entry in entries)
    return f'<section class="group"><h2>{escape(name)}</h2><dl>{inside}</dl></section>'


def _entry(entry: Entry) -> str:
    words = escape(_plain(f"{entry.key} {entry.words}"))
    shown = f"<dt>{entry.name}</dt><dd>{entry.body}</dd>"
    return f'<div class="entry" data-words="{words}">{shown}</div>'


def _plain(text: str) -> str:
    """Return text as it is compared: lower case, without accents."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
