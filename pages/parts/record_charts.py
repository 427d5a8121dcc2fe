"""The charts of a learner's record: bits compared, cards to come by day, a year of reviews."""

from collections.abc import Sequence

from pages.parts import chart
from pages.parts.chart import Frame, Rows

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTH = "utcFormat(toDate(datum.value), '%b')"  # dates of a calendar have no zone


def levels(rows: Rows, frame: Frame, *, key: str) -> None:
    """Draw lying bars with their values, one below the other: dicts with `group`, `role`, `value`.

    `shown` is the value as it is written beside its bar.
    """
    value = {"field": "value", "type": "quantitative", "title": None, "axis": None}
    group = {
        "field": "group",
        "type": "nominal",
        "title": None,
        "sort": None,
        "axis": {"labelLimit": 220, "grid": False},
    }
    top = 1.2 * max((row["value"] for row in rows), default=1) or 1  # room for the written value
    encoding = {"y": group, "x": value | {"scale": {"domain": [0, top]}}}
    layers = [
        {
            "mark": {"type": "bar", "cornerRadiusEnd": 1, "height": 20},
            "encoding": {"color": chart.ROLE, "tooltip": chart.tooltip("group", number="value")},
        },
        {"mark": chart.text(dx=6), "encoding": {"text": {"field": "shown"}}},
    ]
    spec = {"data": {"values": list(rows)}, "encoding": encoding, "layer": layers}
    chart.draw(spec, frame, key)


def columns(rows: Rows, frame: Frame, *, ticks: Sequence[str], key: str) -> None:
    """Draw upright bars in their order: dicts with `label`, `role`, `value` and a `name`, or "".

    A name is written upwards over its bar, where it meets no other, and the axis leaves it room.
    """
    top = max(row["value"] * (1.5 if row["name"] else 1) for row in rows)
    axis = {"values": list(ticks), "labelAngle": 0, "labelOverlap": "greedy"}
    label = {"field": "label", "type": "nominal", "title": None, "sort": None, "axis": axis}
    scale = {"domain": [0, top], "nice": True}
    value = {"field": "value", "type": "quantitative", "title": frame.y, "scale": scale}
    layers = [
        {
            "mark": {"type": "bar", "cornerRadiusEnd": 1},
            "encoding": {"color": chart.ROLE, "tooltip": chart.tooltip("label", number="value")},
        },
        {"mark": chart.text(angle=-90, dx=6), "encoding": {"text": {"field": "name"}}},
    ]
    spec = {"data": {"values": list(rows)}, "encoding": {"x": label, "y": value}, "layer": layers}
    chart.draw(spec, frame, key)


def calendar(rows: Rows, frame: Frame, *, months: Sequence[str], key: str) -> None:
    """Draw a year as weeks and weekdays: dicts with `week` (its first day), `weekday`, `value`.

    `months` are the weeks under which the name of a month stands; `date` is what a pointer shows.
    """
    month = {"values": list(months), "labelAngle": 0, "labelExpr": _MONTH, "labelOverlap": "greedy"}
    most = max((row["value"] for row in rows), default=1) or 1
    encoding = {
        "x": {"field": "week", "type": "ordinal", "title": None, "axis": month},
        "y": {
            "field": "weekday",
            "type": "ordinal",
            "title": None,
            "sort": list(WEEKDAYS),
            "axis": {"values": list(WEEKDAYS[::2]), "grid": False},
        },
        "color": chart.ROLE,
        "opacity": {
            "field": "value",
            "type": "quantitative",
            "scale": {"domain": [0, most], "range": [0.07, 1]},
            "legend": None,
        },
        "tooltip": chart.tooltip("date", number="value"),
    }
    chart.draw({"data": {"values": list(rows)}, "mark": "rect", "encoding": encoding}, frame, key)
