"""Data for our components as bytes: Streamlit looks through every value of a dict on every run."""

import json
from collections.abc import Callable
from typing import Any


def packed(data: dict[str, Any]) -> bytes:
    """Return the data as the components' scripts read it; cache what does not change."""
    return json.dumps(data, ensure_ascii=False).encode()


def kept(name: str, course: object, make: Callable[[], bytes]) -> bytes:
    """Return what was made of this course under `name`; made anew when the course was edited."""
    of, data = _kept.get(name, (None, b""))
    if of is not course:
        data = make()
        _kept[name] = (course, data)
    return data


_kept: dict[str, tuple[object, bytes]] = {}  # a few names; the latest course of each
