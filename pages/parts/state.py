"""The one file that touches session state: what a tab remembers until it closes."""

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

T = TypeVar("T")


def once(key: str, make: Callable[[], T]) -> T:
    """Return this session's value for `key`, made on first use."""
    try:
        value: T = st.session_state[key]
    except KeyError:
        value = st.session_state[key] = make()
    return value


def get(key: str, default: Any = None) -> Any:  # noqa: ANN401  session state holds anything
    """Return what is kept under `key` in this session."""
    try:  # `in` and `.get` build the whole state anew, for every call
        return st.session_state[key]
    except KeyError:
        return default


def put(key: str, value: object) -> None:
    """Keep `value` under `key` for this session."""
    st.session_state[key] = value


def drop(key: str) -> None:
    """Forget `key`."""
    st.session_state.pop(key, None)
