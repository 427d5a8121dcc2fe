"""The controls of a lab as data. Each is bound to the address, so a link brings a setting along."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import streamlit as st

from pages.parts import lab, state

Values = Mapping[str, Any]


def _always(_values: Values) -> bool:
    return True


class Control(Protocol):
    """One setting: how it is drawn, and how the address writes it."""

    @property
    def name(self) -> str:
        """The name of the setting."""
        ...

    def draw(self, lab_id: str, values: Values) -> Any:  # noqa: ANN401  a word, a number or a text
        """Draw it, given the settings before it; return what is set."""
        ...

    def face(self, value: Any) -> str:  # noqa: ANN401  the same
        """Return a value as the address writes it: by what is on the control's face."""
        ...


@dataclass(frozen=True)
class Segments:
    """One of a few words, all in sight. The first is usual."""

    name: str
    label: str
    options: Mapping[str, str]  # setting -> what is on its face

    def draw(self, lab_id: str, _values: Values) -> str:
        """Draw all words side by side; `?dpo_policy=` in the address selects none of them."""
        chosen = st.segmented_control(
            self.label,
            list(self.options),
            default=next(iter(self.options)),
            format_func=self.options.__getitem__,
            key=lab.parameter(lab_id, self.name),
            bind="query-params",
            required=True,
        )
        return str(chosen or next(iter(self.options)))

    def face(self, value: object) -> str:
        """The words on it."""
        return self.options[str(value)]


@dataclass(frozen=True)
class Select:
    """One of several words. The first is usual."""

    name: str
    label: str
    options: Mapping[str, str]
    when: Callable[[Values], bool] = _always  # whether it matters, given the settings before it

    def draw(self, lab_id: str, values: Values) -> str:
        """Draw a menu."""
        return str(
            st.selectbox(
                self.label,
                list(self.options),
                format_func=self.options.__getitem__,
                key=lab.parameter(lab_id, self.name),
                bind="query-params",
                disabled=not self.when(values),
            )
        )

    def face(self, value: object) -> str:
        """The words on it."""
        return self.options[str(value)]


@dataclass(frozen=True)
class Slide:
    """One of a row of numbers."""

    name: str
    label: str
    values: Sequence[float]
    usual: float
    when: Callable[[Values], bool] = _always

    def draw(self, lab_id: str, values: Values) -> float:
        """Draw a slider with a stop at each number."""
        return st.select_slider(
            self.label,
            self.values,
            self.usual,
            key=lab.parameter(lab_id, self.name),
            bind="query-params",
            disabled=not self.when(values),
        )

    def face(self, value: object) -> str:
        """The number."""
        return f"{value}"


@dataclass(frozen=True)
class Number:
    """A whole number in bounds."""

    name: str
    label: str
    bounds: tuple[int, int, int]  # least, usual, most
    when: Callable[[Values], bool] = _always

    def draw(self, lab_id: str, values: Values) -> int:
        """Draw a field with a step up and down."""
        least, usual, most = self.bounds
        key = lab.parameter(lab_id, self.name)
        return int(
            st.number_input(
                self.label,
                least,
                most,
                usual,
                key=key,
                bind=lab.binding(key),
                disabled=not self.when(values),
            )
        )

    def face(self, value: object) -> str:
        """The number."""
        return f"{value}"


@dataclass(frozen=True)
class Kept:
    """A text that something else on the page sets, such as a shape that was drawn by hand."""

    name: str
    usual: str
    check: Callable[[str], bool] = field(default=lambda text: len(text) <= 200)

    def draw(self, lab_id: str, _values: Values) -> str:
        """Draw nothing; return what the address says, else what was set last in this tab."""
        key = lab.parameter(lab_id, self.name)
        text = str(st.query_params.get(key, state.get(key, default=self.usual)))
        return text if self.check(text) else self.usual

    def face(self, value: object) -> str:
        """The text."""
        return f"{value}"


def keep(lab_id: str, name: str, text: str) -> None:
    """Set a kept text, in this tab and in the address."""
    keep_all(lab_id, {name: text})


def keep_all(lab_id: str, texts: Mapping[str, str]) -> None:
    """Set kept texts that belong together; for *Back* they are one change, and none if equal."""
    kept = {lab.parameter(lab_id, name): text for name, text in texts.items()}
    for key, text in kept.items():
        state.put(key, text)
    if any(st.query_params.get(key) != text for key, text in kept.items()):
        st.query_params.update(kept)


SEED = Number("seed", "Seed", (0, 0, 2**31 - 1))  # of every run that draws at random


def all_in(lab_id: str, controls: Iterable[Control], values: Values) -> dict[str, Any]:
    """Draw controls one after the other; return their settings."""
    drawn: dict[str, Any] = {}
    for each in controls:
        drawn[each.name] = each.draw(lab_id, {**values, **drawn})
    return drawn


def in_a_row(lab_id: str, controls: Sequence[Control], values: Values) -> dict[str, Any]:
    """Draw controls side by side, each as wide as it needs; return their settings."""
    drawn: dict[str, Any] = {}
    columns = st.columns([_SHARE.get(type(each), 2) for each in controls])
    for each, column in zip(controls, columns, strict=True):
        with column:
            drawn[each.name] = each.draw(lab_id, {**values, **drawn})
    return drawn


_SHARE = {Slide: 2.4, Select: 2.2, Number: 2}
