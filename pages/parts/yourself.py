"""You as a model: what your answers cost, why, and whether that is getting better."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from drills import calibration, telling
from drills.calibration import Compared
from drills.events import Answered
from drills.score import Decomposition, Group
from pages.parts import chart, learner, links, record_charts, units
from pages.parts.lab import data
from pages.parts.learner import Learner
from pages.parts.quiet import quiet

ABOUT = (
    "Here you are measured as a language model is: by the probabilities you gave to what turned "
    "out to be right. Only first answers to questions and errata count, since feedback follows."
)
EMPTY = (
    "It will show your cross-entropy and what it is made of, your perplexity, and how often you "
    "are right when you say that you are sure. Answer a lesson's quiz and favor an option."
)
ANSWERS = "answers that favor one option"
COSTS = chart.Frame("What an answer costs", "{unit} per answer, less is better", "", height=190)
WORTH = chart.Frame("What the same questions cost", "{unit} per question", "", height=150)
WEEKS = chart.Frame("Better than an even split by", "{unit} per answer", "", height=150)
CURVE = chart.Frame(
    "How often you are right",
    "against how sure you were; bars are bands of 95%",
    "",
    x="probability given to the favorite",
    y="share right",
    domain=(0, 1),
    height=340,
)
Bar = tuple[str, str, float]  # group, role, bits


def draw(who: Learner) -> None:
    """Draw the measures, each with a sentence that says what it means."""
    st.markdown(ABOUT)
    found, groups = calibration.quiz(who.record), calibration.curve(who.record)
    if found is None or groups is None:
        st.markdown(telling.more(calibration.lacking(who.record), ANSWERS))
        quiet(EMPTY)
        links.draw("", "To the course", icon=":material/map:")
    else:
        _cost(found)
        _calibration(found, groups)
    _reading(calibration.reading(who.record))
    if who.record.all(Answered):
        _weeks(calibration.weeks(who.record, learner.now()))


def _cost(found: Decomposition) -> None:
    unit = units.of_scores()
    st.subheader("Cross-entropy", anchor=False)
    bars = [
        ("an even split", "reference", found.even),
        ("your answers", "policy", found.loss),
        ("as you expected", "optimum", found.entropy),
    ]
    said = telling.loss(found, unit)
    _levels(bars, COSTS, said, key="costs")
    with st.container(horizontal=True, gap="small"):
        cost, entropy = (units.from_bits(bits) for bits in (found.loss, found.entropy))
        st.metric(f"cross-entropy, {unit}", f"{cost:.2f}", width="content")
        st.metric("= entropy", f"{entropy:.2f}", help="of your beliefs", width="content")
        st.metric("+ excess", units.signed(found.gap), width="content")
    st.markdown(telling.split(found, unit))
    st.metric("your perplexity, in options", f"{found.perplexity:.2f}")
    st.markdown(telling.perplexity(found))


def _calibration(found: Decomposition, groups: Sequence[Group]) -> None:
    unit = units.of_scores()
    st.subheader("Calibration", anchor=False)
    said = telling.curve(groups)
    equal = [{"x": end, "y": end, "role": "reference", "name": ""} for end in (0.0, 1.0)]
    points = [_point(group) for group in groups]
    chart.plane(chart.told(CURVE, said), key="curve", dashed=equal, intervals=points, points=points)
    st.markdown(said)
    data([_numbers(group) for group in groups], name="calibration", key="curve")
    st.metric(f"KL of miscalibration, {unit}", f"{units.from_bits(found.miscalibration):.2f}")
    st.markdown(telling.miscalibration(found, groups, unit))


def _point(group: Group) -> dict[str, Any]:
    where = {"x": group.stated, "y": group.frequency, "low": group.low, "high": group.high}
    return where | {"role": "policy", "name": f"{group.right} of {group.count} right"}


def _numbers(group: Group) -> dict[str, Any]:
    return {
        "stated": round(group.stated, 4),
        "share right": round(group.frequency, 4),
        "right": group.right,
        "answers": group.count,
        "from": round(group.low, 4),
        "to": round(group.high, 4),
    }


def _reading(found: Compared) -> None:
    st.subheader("Before reading and after", anchor=False)
    if found.before is None or found.after is None:
        lacks = max(found.lacks_before, found.lacks_after)
        st.markdown(telling.more(lacks, "predictions that favor an option before and after"))
        quiet("A lesson's predictions are asked again at the end of what they are about.")
        return
    bars = [("before", "reference", found.before.loss), ("after", "policy", found.after.loss)]
    said = telling.reading(found.before, found.after, units.of_scores())
    _levels(bars, WORTH, said, key="reading")


def _weeks(found: Compared) -> None:
    st.subheader("This week and your first", anchor=False)
    if found.before is None and found.opens is None:
        st.markdown(telling.too_few_ever(found.lacks_before))
    elif found.before is None:
        st.markdown(telling.more(found.lacks_before, f"{ANSWERS} in the first week"))
    elif found.opens is not None:
        st.markdown(telling.opens(found.opens))
    elif found.after is None:
        st.markdown(telling.more(found.lacks_after, f"{ANSWERS} in the last seven days"))
    else:
        _two_weeks(found.before, found.after)


def _two_weeks(first: Decomposition, last: Decomposition) -> None:
    bars = [
        ("first week", "reference", first.even - first.loss),
        ("this week", "policy", last.even - last.loss),
    ]
    said = telling.weeks(first, last, units.of_scores())
    _levels(bars, WEEKS, said, key="weeks")


def _levels(bars: Sequence[Bar], frame: chart.Frame, said: str, *, key: str) -> None:
    """Draw quantities as bars in the reader's unit, what they mean, and the numbers behind them."""
    unit = units.of_scores()
    rows = [
        {
            "group": group,
            "role": role,
            "value": units.from_bits(bits),
            "shown": f"{units.from_bits(bits):.2f}".replace("-", "−"),
        }
        for group, role, bits in bars
    ]
    record_charts.levels(rows, chart.told(chart.in_unit(frame, unit), said), key=key)
    st.markdown(said)
    data([{"what": row["group"], unit: row["value"]} for row in rows], name=key, key=key)
