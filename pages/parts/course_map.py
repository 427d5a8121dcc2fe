"""The map of the course: its lessons as a path, with what is earned and left on each."""

from pathlib import Path
from typing import Any

import streamlit as st

from content.load import LoadedCourse
from drills.record import Rung
from pages.parts import ladder, terms, units, used_in
from pages.parts.inline_html import inline_html
from pages.parts.journey import Journey, Next, Stop
from pages.parts.packing import packed

_HERE = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "surprisal_course_map",
    html="<div class='map'></div>\n",
    css=(_HERE / "course_map.css").read_text("utf-8"),
    js=(_HERE / "course_map.js").read_text("utf-8"),
)
_WHY = {"begin": "Begin here", "continue": "Continue where you were", "next": "Go on"}


def draw(journey: Journey) -> None:
    """Draw where to go on, what is left, and every lesson."""
    data = {
        "next": _next(journey.next, journey),
        "figures": _figures(journey),
        "stops": [_stop(stop, journey) for stop in journey.stops],
    }
    _COMPONENT(key="course-map", data=packed(data))


def _next(to: Next | None, journey: Journey) -> dict[str, str] | None:
    if to is None:
        return None
    stop = next(each for each in journey.stops if each.lesson is to.lesson)
    where = [f"{stop.number} · {inline_html(to.lesson.head.short)}"]
    if to.section:
        where.append(inline_html(to.lesson.section(to.section).title))
    lines = "".join(f"<span>{line}</span>" for line in where)
    return {"href": used_in.link(to.lesson, to.section or ""), "why": _WHY[to.why], "where": lines}


def _figures(journey: Journey) -> list[tuple[str, str]]:
    """Return what is left and earned in all, as (number, what it counts)."""
    most = sum(stop.most for stop in journey.stops)
    if journey.last is None:
        lessons = len(journey.stops)
        total = [(str(lessons), "lessons" if lessons > 1 else "lesson")]
        return [
            *total,
            (time(journey.minutes_left), "in all"),
            (f"{units.from_bits(most):.0f}", f"{units.of_scores()} to earn"),
        ]
    earned = units.signed(sum(stop.reached.bits for stop in journey.stops))
    left = [(time(journey.minutes_left), "left")] if journey.minutes_left else []
    done = (f"{journey.done} of {len(journey.stops)}", "lessons done")
    return [done, *left, (earned, f"of {units.from_bits(most):.0f} {units.of_scores()} earned")]


def _stop(stop: Stop, journey: Journey) -> dict[str, Any]:
    head = stop.lesson.head
    return {
        "number": stop.number,
        "href": f"/{stop.lesson.id}",
        "title": inline_html(head.title),
        "promise": _promise(stop, journey.course),
        "state": stop.state,
        "here": journey.next is not None and journey.next.lesson is stop.lesson,
        "share": round(1.0 if stop.state == "done" else stop.reached.share, 3),
        "facts": _facts(stop),
        "rungs": [_rung(rung) for rung in ladder.rungs(stop.reached) if rung.of],
    }


def _promise(stop: Stop, course: LoadedCourse) -> str:
    return terms.html(stop.lesson.head.promise, course=course)


def _facts(stop: Stop) -> str:
    minutes = stop.lesson.head.minutes
    most = f"{units.from_bits(stop.most):.1f} {units.of_scores()}"
    if stop.state == "new":
        return f"{minutes} min · {most} to earn"
    left = f"{stop.minutes_left} of {minutes} min left · " if stop.minutes_left else ""
    return f"{left}{units.signed(stop.reached.bits)} of {most}"


def _rung(rung: Rung) -> dict[str, Any]:
    name = ladder.name_of(rung.name)
    meaning = f"{name.capitalize()}: {ladder.MEANING[rung.name]}."
    return {
        "name": name,
        "done": rung.done,
        "of": rung.of,
        "earned": rung.earned,
        "meaning": meaning,
    }


def time(minutes: int) -> str:
    """Return a duration as "50 min" or "5 h 20 min"."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else ""]
    return " ".join(part for part in parts if part)
