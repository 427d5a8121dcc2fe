"""What the reviews amount to: what was kept, what is coming, how much was done on which day."""

from collections.abc import Mapping
from datetime import date, timedelta

import streamlit as st

from drills import statistics, telling
from drills.reviews import Stage
from drills.score import ENOUGH
from drills.statistics import Share
from pages import resources
from pages.parts import chart, learner, links, record_charts, tuning
from pages.parts.lab import data
from pages.parts.learner import Learner
from pages.parts.quiet import quiet

EMPTY = (
    "Here will stand what you keep: how much of what was due you recalled, what comes due on which "
    "day, and every day of the year on which you reviewed. Review the cards of a section you have "
    "read, or bring your reviews from Anki."
)
RECENT = 30  # days over which retention is counted
AHEAD = 30  # days of the forecast, today included
DUE = chart.Frame("What comes due", "cards a day, if each is answered on its day", "")
YEAR = chart.Frame("A year of reviews", "the stronger the color, the more reviews", "", height=215)
STAGES: Mapping[Stage, str] = {
    "new": "new",
    "learning": "learning",
    "young": "young",
    "mature": "mature",
}


def draw(who: Learner) -> None:
    """Draw it all; each number with a sentence that says what it means."""
    if not who.record.reviews.cards:
        st.markdown(EMPTY)
        links.draw("review", "To the reviews", icon=":material/cards_stack:")
        links.draw("decks", "From Anki", icon=":material/upload:")
        return
    _retention(who)
    _forecast(who)
    _year(who)
    _load(who)
    tuning.draw(who)


def _retention(who: Learner) -> None:
    reviews = who.record.reviews
    found = statistics.true_retention(reviews, learner.now(), days=RECENT)
    st.subheader("True retention", anchor=False)
    shown = {"of all": found.all, "of young": found.young, "of mature": found.mature}
    if found.all.of >= ENOUGH:
        with st.container(horizontal=True, gap="small"):
            for name, share in shown.items():
                said = f"{share.passed} of {share.of} recalled"
                st.metric(name, _percent(share), help=said, width="content")
    st.markdown(telling.retention(found, reviews.wishes.retention))
    if found.all.of >= ENOUGH:
        st.markdown(telling.kept(found.young, found.mature))
    quiet(
        f"First answers of each day over the last {RECENT} days. Young cards come back within "
        "three weeks, mature ones later."
    )


def _percent(share: Share) -> str:
    """Return a share of enough answers."""
    return f"{share.passed / share.of:.0%}" if share.of >= ENOUGH else f"{share.of} answers"


def _forecast(who: Learner) -> None:
    reviews, now = who.record.reviews, learner.now()
    found = statistics.forecast(reviews, resources.syllabus(), now, days=AHEAD)
    today = date.fromordinal(reviews.wishes.days.day(now))
    said = telling.forecast(found, today)
    st.subheader("Forecast", anchor=False)
    if found.overdue or any(found.days):
        days = [(_label(today, n), count) for n, count in enumerate(found.days)]
        rows = [{"label": name, "value": n, "role": "policy", "name": ""} for name, n in days]
        if found.overdue:
            late = {"label": "overdue", "value": found.overdue, "role": "rejected"}
            rows.insert(0, late | {"name": "overdue"})
        ticks = [_label(today, n) for n in range(0, AHEAD, 7)]
        record_charts.columns(rows, chart.told(DUE, said), ticks=ticks, key="forecast")
    st.markdown(said)
    table = [{"day": "overdue", "cards": found.overdue}]
    table += [
        {"day": (today + timedelta(days=n)).isoformat(), "cards": count}
        for n, count in enumerate(found.days)
    ]
    data(table, name="forecast", key="forecast")


def _label(today: date, ahead: int) -> str:
    day = today + timedelta(days=ahead)
    return f"{day:%b} {day.day}" if ahead else "today"


def _year(who: Learner) -> None:
    found = statistics.heatmap(who.record.reviews, learner.now())
    said = telling.heatmap(found)
    st.subheader("Days", anchor=False)
    rows = [
        {
            "week": _monday(day).isoformat(),
            "weekday": record_charts.WEEKDAYS[day.weekday()],
            "date": f"{day:%a} {day:%b} {day.day}",
            "value": count,
            "role": "policy",
        }
        for day, count in found.items()
    ]
    months = [_monday(day).isoformat() for day in found if day.day == 1]
    record_charts.calendar(rows, chart.told(YEAR, said), months=months, key="year")
    st.markdown(said)
    table = [{"day": day.isoformat(), "reviews": count} for day, count in found.items() if count]
    data(table, name="days", key="year")


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _load(who: Learner) -> None:
    reviews, syllabus = who.record.reviews, resources.syllabus()
    a_day, found = statistics.load(reviews, syllabus), statistics.stages(reviews, syllabus)
    st.subheader("Load", anchor=False)
    st.metric("reviews a day", f"{a_day:.1f}")
    st.markdown(telling.load(a_day, _seconds(who)))
    st.subheader("Stages", anchor=False)
    with st.container(horizontal=True, gap="small"):
        for stage, name in STAGES.items():
            st.metric(name, found[stage], width="content")
    st.markdown(telling.stages(found))


def _seconds(who: Learner) -> float | None:
    """Return what a timed review takes, on average; None while none was timed."""
    reviews = who.record.reviews
    spent = sum(reviews.milliseconds.values())
    counted = sum(sum(counts.values()) for counts in reviews.tally.values())
    return spent / counted / 1000 if spent and counted else None
