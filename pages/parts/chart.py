"""Charts as Vega-Lite. A color is a role: the same in every chart, formula and sentence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import streamlit as st

Rows = Sequence[Mapping[str, Any]]
ROLES = ("policy", "reference", "reward", "chosen", "rejected", "optimum")
# The theme's categorical colors stand in this order, so a chart follows light and dark by itself.
_ROLE = {"field": "role", "type": "nominal", "scale": {"domain": list(ROLES)}, "legend": None}
HEIGHT = 255


@dataclass(frozen=True)
class Frame:
    """What stands around the data."""

    title: str
    unit: str  # of the vertical axis
    alt: str  # for who cannot see it
    x: str = "step"  # title of the horizontal axis
    y: str | None = None
    log: bool = False  # whether the vertical axis is logarithmic
    last: int | None = None  # right end of the horizontal axis
    at: int | None = None  # the step that is marked


def curves(rows: Rows, frame: Frame, *, key: str) -> None:
    """Draw lines over training steps: dicts with `step`, `value`, `role` and a `name`, or ""."""
    layers = [*_zero(rows, frame), _lines(frame), *_ends(rows), *_mark(frame.at)]
    _draw({"data": {"values": list(rows)}, "layer": layers}, frame, key)


def bars(rows: Rows, frame: Frame, *, key: str) -> None:
    """Draw grouped bars: dicts with `group`, `role`, `name` and `value`."""
    encoding = {
        "x": {"field": "group", "type": "nominal", "title": None, "axis": {"labelAngle": 0}},
        "xOffset": {"field": "name", "sort": _names(rows)},
        "y": {
            "field": "value",
            "type": "quantitative",
            "title": None,
            "scale": {"domain": [0, 1]},
        },
        "color": _ROLE | {"legend": {"orient": "bottom", "title": None, "values": _names(rows)}},
        "tooltip": _tooltip("group", "name", number="value"),
    }
    mark = {"type": "bar", "cornerRadiusEnd": 1}
    _draw({"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}, frame, key)


def against(rows: Rows, frame: Frame, *, key: str) -> None:
    """Draw points `x` against `y`, and the line on which they are equal."""
    x, y = (_number(axis, title) for axis, title in (("x", frame.x), ("y", frame.y)))
    equal = {
        "data": {"values": _diagonal(rows)},
        "mark": {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1, "color": _QUIET},
        "encoding": {"x": x, "y": y},
    }
    points = {
        "data": {"values": list(rows)},
        "mark": {"type": "circle", "size": 46, "opacity": 0.8},
        "encoding": {"x": x, "y": y, "color": _ROLE, "tooltip": _tooltip("name", number="y")},
    }
    _draw({"layer": [equal, points]}, frame, key)


def _draw(spec: dict[str, Any], frame: Frame, key: str) -> None:
    around = {"title": _title(frame), "height": HEIGHT, "config": _CONFIG}
    st.vega_lite_chart(spec | around, key=key, width="stretch", alt=frame.alt)


def thin(count: int, *, most: int = 240) -> Iterable[int]:
    """Return which of `count` steps to draw: first and last always, at most about `most`."""
    stride = max(1, count // most)
    drawn = list(range(0, count, stride))
    return drawn if not drawn or drawn[-1] == count - 1 else [*drawn, count - 1]


# Vega has no superscripts: the exponent's digits are replaced one by one.
_POWER = reduce(
    lambda expression, pair: f"replace({expression}, /{pair[0]}/g, '{pair[1]}')",
    zip("−0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True),
    "format(log(datum.value) / LN10, '.0f')",
)
_POWER = f"'10' + {_POWER}"
_LOG: dict[str, Any] = {"scale": {"type": "log"}, "axis": {"labelExpr": _POWER, "grid": False}}
_FREE: dict[str, Any] = {"scale": {"zero": False}}
_QUIET = "#8A867E"  # reads on both backgrounds; for lines that carry no data
_CONFIG = {
    "view": {"stroke": None},
    "axis": {
        "grid": True,
        "tickCount": 4,
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
    "axisX": {"grid": False},
    "legend": {"labelFontSize": 12, "symbolSize": 80},
}


def _title(frame: Frame) -> dict[str, Any]:
    return {
        "text": frame.title,
        "subtitle": frame.unit,
        "anchor": "start",
        "fontWeight": 600,
        "fontSize": 15,
        "subtitleFontSize": 12,
        "subtitleColor": _QUIET,
        "offset": 8,
    }


def _lines(frame: Frame) -> dict[str, Any]:
    across = {"nice": False} | ({"domain": [0, frame.last]} if frame.last else {})
    y: dict[str, Any] = {"field": "value", "type": "quantitative", "title": frame.y}
    y |= _LOG if frame.log else _FREE
    return {
        "mark": {"type": "line", "strokeWidth": 2, "clip": True},
        "encoding": {
            "x": {"field": "step", "type": "quantitative", "title": frame.x, "scale": across},
            "y": y,
            "color": _ROLE,
            "detail": {"field": "name"},
            "tooltip": _tooltip("step", number="value"),
        },
    }


def _ends(rows: Rows) -> list[dict[str, Any]]:
    """Direct labels at the right end of each line: no legend to look up.

    Every other name stands below its line, so that two lines that end together can be told apart.
    """
    last = max((row["step"] for row in rows), default=0)
    ends = [row for row in rows if row["step"] == last and row["name"]]
    return [_named(ends[side::2], dy) for side, dy in enumerate((-9, 12))] if ends else []


def _named(ends: Rows, dy: int) -> dict[str, Any]:
    return {
        "data": {"values": list(ends)},
        "mark": {"type": "text", "align": "right", "dy": dy, "dx": -2, "fontSize": 13},
        "encoding": {
            "x": {"field": "step", "type": "quantitative"},
            "y": {"field": "value", "type": "quantitative"},
            "text": {"field": "name"},
            "color": _ROLE,
        },
    }


def _zero(rows: Rows, frame: Frame) -> list[dict[str, Any]]:
    values = [row["value"] for row in rows]
    if frame.log or not values or not min(values) < 0 < max(values):
        return []
    return [_rule({"y": {"datum": 0}})]


def _mark(at: int | None) -> list[dict[str, Any]]:
    return [] if at is None else [_rule({"x": {"datum": at}}, strokeDash=[3, 3])]


def _rule(encoding: dict[str, Any], **style: object) -> dict[str, Any]:
    mark = {"type": "rule", "color": _QUIET, "strokeWidth": 1, "aria": False} | style
    return {"data": {"values": [{}]}, "mark": mark, "encoding": encoding}


def _diagonal(rows: Rows) -> list[dict[str, float]]:
    ends = [row[axis] for row in rows for axis in ("x", "y")] or [0.0, 1.0]
    return [{"x": end, "y": end} for end in (min(ends), max(ends))]


def _number(axis: str, title: str | None) -> dict[str, Any]:
    return {"field": axis, "type": "quantitative", "title": title} | _FREE


def _names(rows: Rows) -> list[str]:
    return list(dict.fromkeys(row["name"] for row in rows))


def _tooltip(*fields: str, number: str) -> list[dict[str, str]]:
    named = [{"field": field, "type": "nominal"} for field in fields]
    return [*named, {"field": number, "type": "quantitative", "format": ".4g"}]
