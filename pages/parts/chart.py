"""Charts as Vega-Lite. A color is a role: the same in every chart, formula and sentence."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any

import streamlit as st

Rows = Sequence[Mapping[str, Any]]
ROLES = ("policy", "reference", "reward", "chosen", "rejected", "optimum")
# The theme's categorical colors stand in this order, so a chart follows light and dark by itself.
ROLE = {"field": "role", "type": "nominal", "scale": {"domain": list(ROLES)}, "legend": None}
HEIGHT = 255


@dataclass(frozen=True)
class Frame:
    """What stands around the data."""

    title: str
    unit: str  # of the vertical axis
    alt: str  # for who cannot see it
    x: str = "step"  # title of the horizontal axis; "": there is nothing to read on it
    y: str | None = None
    log: bool = False  # whether the vertical axis is logarithmic
    log_x: bool = False  # whether the horizontal one is, of a plane
    root_x: bool = False  # whether it is a square root's, of a plane
    names_first: bool = False  # whether names stand at the left ends of a plane's lines
    domain: tuple[float, float] | None = None  # of the vertical axis; None: what the data need
    last: float | None = None  # right end of the horizontal axis, which begins at 0
    at: int | None = None  # the step that is marked
    height: int = HEIGHT  # pixels, of the whole chart


def told(frame: Frame, sentence: str) -> Frame:
    """Return a frame whose chart is described by what it shows, told in a sentence."""
    return replace(frame, alt=f"{frame.title}. {sentence}")


def in_unit(frame: Frame, unit: str) -> Frame:
    """Return a frame whose axis is in this unit of information."""
    return replace(frame, unit=frame.unit.format(unit=unit))


def curves(rows: Rows, frame: Frame, *, key: str) -> None:
    """Draw lines over training steps: dicts with `step`, `value`, `role` and a `name`, or ""."""
    layers = [*_zero(rows, frame), _lines(frame), *_ends(rows, frame), *_mark(frame.at)]
    draw({"data": {"values": list(rows)}, "layer": layers}, frame, key)


def bars(rows: Rows, frame: Frame, *, key: str, spread: Rows = ()) -> None:
    """Draw grouped bars: dicts with `group`, `role`, `name` and `value`.

    `spread` has `group`, `low` and `high`: how far a group's value may be off.
    """
    encoding: dict[str, Any] = {
        "x": {
            "field": "group",
            "type": "nominal",
            "title": None,
            "sort": None,  # the order of the rows
            "axis": {"labelAngle": 0},
        },
        "xOffset": {"field": "name", "sort": _names(rows)},
        "y": {
            "field": "value",
            "type": "quantitative",
            "title": None,
            "scale": {"domain": list(frame.domain or (0, 1))},
        },
        "color": ROLE | {"legend": _legend(rows)},
        "tooltip": tooltip("group", "name", number="value"),
    }
    mark = {"type": "bar", "cornerRadiusEnd": 1}
    drawn = {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}
    if not spread:
        draw(drawn, frame, key)
        return
    ends = {"x": encoding["x"], "y": encoding["y"] | {"field": "low"}, "y2": {"field": "high"}}
    rule = {"type": "rule", "color": _QUIET, "strokeWidth": 2}
    errors = {"data": {"values": list(spread)}, "mark": rule, "encoding": ends}
    draw({"layer": [drawn, errors]}, frame, key)


def _legend(rows: Rows) -> dict[str, Any]:
    """A swatch for each role that occurs, called by the name that its bars have."""
    names = {row["role"]: row["name"] for row in rows}
    said = json.dumps(names, ensure_ascii=False)
    return {
        "orient": "bottom",
        "title": None,
        "values": list(names),
        "labelExpr": f"{said}[datum.value]",
    }


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
        "encoding": {"x": x, "y": y, "color": ROLE, "tooltip": tooltip("name", number="y")},
    }
    draw({"layer": [equal, points]}, frame, key)


def plane(frame: Frame, *, key: str, **layers: Rows) -> None:
    """Draw layers over two numbers, each a list of dicts with `x`, `role` and a `name`, or "".

    In the order in which they are given: `areas` (y, filled to zero), `steps` (the same, as a
    histogram), `bands` (low, high), `lines` and `dashed` (y, joined by name), `paths` (the same in
    the order of the rows, wherever they turn), `points` (y), `intervals` (low, high: an upright
    line), `marks` (an upright rule at x), `names` (y: a name alone, centered there). What is
    computed exactly is dashed where something trained or sampled is drawn over it. A line's `label`
    stands at its end in place of its name.
    `faint` are lines in the background, `rests` dashed ones; neither bears its name, but under the
    pointer.
    """
    drawn = [layer for name, rows in layers.items() for layer in _PLANE[name](rows, frame)]
    draw({"layer": drawn}, frame, key)


def draw(spec: dict[str, Any], frame: Frame, key: str) -> None:
    """Draw a Vega-Lite specification inside a frame, with the course's type and grays."""
    around = {
        "title": _title(frame),
        "height": frame.height,
        "config": _CONFIG,
    }
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


def _ink(role: str) -> dict[str, str]:
    """Return a role's color for text, given as an expression: 4.5:1 on either background.

    Fills may be paler than text. Where the theme's are made for a light ground, text is darker.
    """
    color = f"hcl(scale('color', {role}))"
    dark = f"hcl(scale('color', '{ROLES[0]}')).l > {_TEXT_LIGHTNESS + 10}"
    return {
        "expr": f"{dark} ? {color} : hcl({color}.h, {color}.c, min({color}.l, {_TEXT_LIGHTNESS}))"
    }


_TEXT_LIGHTNESS = 46  # of 100
_GRAY_INK, _ROLE_INK = _ink("'reference'"), _ink("datum.role")
_CLEAR = {"stroke": {"expr": "background"}, "strokeWidth": 4, "strokeJoin": "round", "aria": False}
_CONFIG = {
    "view": {"stroke": None},
    "axis": {
        "grid": True,
        "tickCount": 4,
        "domain": False,
        "ticks": False,
        "labelColor": _GRAY_INK,
        "labelPadding": 6,
        "labelFontSize": 12,
        "titleColor": _GRAY_INK,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
    "axisX": {"grid": False},
    "legend": {
        "labelColor": _GRAY_INK,
        "labelFontSize": 12,
        "labelOffset": 4,
        "offset": 4,
        "padding": 0,
        "symbolSize": 80,
    },
}


def _layer(rows: Rows, mark: dict[str, Any], encoding: dict[str, Any]) -> list[dict[str, Any]]:
    if not rows:
        return []
    named = {"color": ROLE, "detail": {"field": "name"}}
    return [{"data": {"values": list(rows)}, "mark": mark, "encoding": named | encoding}]


def _across(frame: Frame) -> dict[str, Any]:
    axis = _number("x", frame.x) | ({} if frame.x else {"axis": None})
    if frame.root_x:
        return axis | {"scale": {"type": "sqrt", "nice": False}}
    scale: dict[str, Any] = {"type": "log"} if frame.log_x else {"zero": False}
    scale |= {"nice": False}
    return axis | {"scale": scale | ({"domain": [0, frame.last]} if frame.last else {})}


def _up(frame: Frame, name: str = "y") -> dict[str, Any]:
    axis: dict[str, Any] = {"field": name, "type": "quantitative", "title": frame.y}
    axis |= _LOG if frame.log else _FREE
    if frame.domain is not None:
        axis |= {"scale": axis["scale"] | {"domain": list(frame.domain)}}
    if frame.names_first:
        axis |= {"axis": axis.get("axis", {}) | {"offset": _NAMES}}
    return axis


def _joined(rows: Rows, frame: Frame, **style: object) -> list[dict[str, Any]]:
    return _unlabeled(rows, frame, **style) + _labels(rows, frame)


def _unlabeled(rows: Rows, frame: Frame, **style: object) -> list[dict[str, Any]]:
    encoding = {"x": _across(frame), "y": _up(frame), "tooltip": tooltip("name", number="y")}
    return _layer(rows, {"type": "line", "strokeWidth": 2, "clip": True} | style, encoding)


def _labels(rows: Rows, frame: Frame) -> list[dict[str, Any]]:
    """The name of each line at its right end, or at its left one."""
    ordered = list(reversed(rows)) if frame.names_first else rows
    ends = {row["name"]: {**row, "name": row.get("label", row["name"])} for row in ordered}
    named = [row for row in ends.values() if row["name"]]
    style = {"align": "right", "dx": -4} if frame.names_first else {}
    return _named(_apart(named, rows, frame, "y"), _across(frame), _up(frame), **style)


def _alone(rows: Rows, frame: Frame) -> list[dict[str, Any]]:
    return _named(rows, _across(frame), _up(frame), align="center", dx=0, dy=0)


def _filled(rows: Rows, frame: Frame, **style: object) -> list[dict[str, Any]]:
    mark = {"type": "area", "opacity": 0.25, "line": {"strokeWidth": 2}, "clip": True} | style
    encoding = {"x": _across(frame), "y": _up(frame) | {"stack": None}}
    return _layer(rows, mark, encoding)


def _between(rows: Rows, frame: Frame, mark: dict[str, Any]) -> list[dict[str, Any]]:
    encoding = {"x": _across(frame), "y": _up(frame, "low"), "y2": {"field": "high"}}
    return _layer(rows, mark, encoding)


def _dots(rows: Rows, frame: Frame) -> list[dict[str, Any]]:
    encoding = {"x": _across(frame), "y": _up(frame), "tooltip": tooltip("name", number="y")}
    return _layer(rows, {"type": "circle", "size": 56, "opacity": 0.9, "clip": True}, encoding)


def _upright(rows: Rows, frame: Frame) -> list[dict[str, Any]]:
    rules = _layer(rows, {"type": "rule", "strokeWidth": 2}, {"x": _across(frame)})
    named = [row for row in rows if row["name"]]
    return rules + _words(named, {"x": _across(frame)}, align="center", y=-8)


_PLANE: Mapping[str, Callable[[Rows, Frame], list[dict[str, Any]]]] = {
    "areas": _filled,
    "steps": partial(_filled, interpolate="step-after"),
    "bands": partial(_between, mark={"type": "area", "opacity": 0.2, "clip": True}),
    "lines": _joined,
    "dashed": partial(_joined, strokeDash=[6, 4]),
    "paths": partial(_joined, order=None),
    "faint": partial(_unlabeled, strokeWidth=1, opacity=0.45),
    "rests": partial(_unlabeled, strokeDash=[6, 4]),
    "points": _dots,
    "intervals": partial(_between, mark={"type": "rule", "strokeWidth": 2, "clip": True}),
    "marks": _upright,
    "names": _alone,
}


def _title(frame: Frame) -> dict[str, Any]:
    return {
        "text": frame.title,
        "subtitle": frame.unit,
        "anchor": "start",
        "fontWeight": 600,
        "fontSize": 15,
        "subtitleFontSize": 12,
        "subtitleColor": _GRAY_INK,
        "offset": 10,
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
            "color": ROLE,
            "detail": {"field": "name"},
            "tooltip": tooltip("step", number="value"),
        },
    }


def _ends(rows: Rows, frame: Frame) -> list[dict[str, Any]]:
    """Direct labels behind the right end of each line: no legend to look up."""
    last = max((row["step"] for row in rows), default=0)
    ends = [row for row in rows if row["step"] == last and row["name"]]
    x = {"field": "step", "type": "quantitative"}
    return _named(_apart(ends, rows, frame, "value"), x, {"field": "value", "type": "quantitative"})


def _named(
    ends: Rows, x: dict[str, Any], y: dict[str, Any], **style: object
) -> list[dict[str, Any]]:
    return _words(ends, {"x": x, "y": y}, **{"dy": {"expr": "datum.dy"}, "dx": 4} | style)


def _words(rows: Rows, place: dict[str, Any], **style: object) -> list[dict[str, Any]]:
    """The names of rows, written at their places; what passes behind a name stops short of it."""
    if not rows:
        return []
    encoding = place | {"text": {"field": "name"}}
    marks = text(**style) | _CLEAR, text(**style)
    return [{"data": {"values": list(rows)}, "mark": it, "encoding": encoding} for it in marks]


def text(**style: object) -> dict[str, Any]:
    """Return the mark of words beside data, in the color of the row's role."""
    return {"type": "text", "align": "left", "fontSize": 13, "color": _ROLE_INK} | style


def _apart(ends: Rows, rows: Rows, frame: Frame, field: str) -> list[dict[str, Any]]:
    """Give each name its place beside its line, or above the name that is there already."""
    placed, taken = [], -math.inf
    for row in sorted(ends, key=lambda row: float(row[field])):
        here = _height(float(row[field]), rows, frame, field)
        taken = max(here, taken + _LINE)
        placed.append({**row, "dy": here - taken})
    return placed


def _height(value: float, rows: Rows, frame: Frame, field: str) -> float:
    """Return about how many pixels above the axis a value stands."""
    scale: Callable[[float], float] = math.log if frame.log else float
    ends = frame.domain or _span([row[field] for row in rows])
    low, high = (scale(end) for end in ends)
    plot = frame.height - _AROUND
    return plot * (scale(value) - low) / ((high - low) or 1.0)


def _span(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)


_LINE, _AROUND = 15, 75  # pixels: a line of names, what stands above and below a plot
_NAMES = 34  # pixels: room for names at the left ends


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


def tooltip(*fields: str, number: str) -> list[dict[str, str]]:
    """Return what a pointer shows: some fields as words, then a number."""
    named = [{"field": field, "type": "nominal"} for field in fields]
    return [*named, {"field": number, "type": "quantitative", "format": ".4g"}]
