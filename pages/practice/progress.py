"""Your record: how far you are, what you keep, how well you know what you know; and it is yours."""

import streamlit as st

from drills.events import Answered, Event, Repredicted
from drills.record import ERRATA
from pages import resources
from pages.parts import kept, ladder, learner, links, preferences, units, yours, yourself
from pages.parts.learner import Learner
from pages.parts.place import Place
from pages.parts.quiet import quiet

EMPTY = (
    "Nothing is recorded yet. Commit to a prediction or answer a question in a lesson, and it "
    "will stand here with what it was worth in bits."
)
PARTS = ("Lessons", "Memory", "You as a model", "Yours")  # short: four fit on a phone
PART = "part"  # of the address


def draw() -> None:
    """Draw the record of this learner: a table of contents, and the part that is open."""
    who = learner.current()
    st.title("Your record", anchor=False)
    if who.events:
        preferences.remember_zone(who)
        _figures(who)
    else:
        st.markdown(EMPTY)
    tabs = st.tabs(PARTS, key=PART, on_change="rerun", bind="query-params")
    for tab, part in zip(tabs, (_lessons, kept.draw, yourself.draw, yours.draw), strict=True):
        if tab.open:
            with tab:
                part(who)


def _figures(who: Learner) -> None:
    unit, record = units.of_scores(), who.record
    items = {e.item for e in record.all(Answered) if e.lesson != ERRATA}
    with st.container(horizontal=True, gap="small"):
        st.metric("answered", len(items), width="content")
        st.metric(f"{unit} in quizzes", units.signed(record.bits_earned()), width="content")
        st.metric(f"{unit} by reading", units.signed(record.bits_gained()), width="content")
    factor = "bit is a factor of two" if unit == "bits" else "nat is a factor of e, 2.72,"
    quiet(
        f"A {factor} on the right answer, against knowing nothing. First answers count. "
        "Reading gains what the second answer to a prediction has over the first."
    )


def _lessons(who: Learner) -> None:
    course = resources.course()
    for lesson in course.lessons.values():
        place = Place(course, lesson, who)
        st.subheader(lesson.head.title, anchor=False)
        ladder.draw(place)
        with st.container(horizontal=True, vertical_alignment="center"):
            links.draw(lesson.id, "Open the lesson", icon=":material/menu_book:")
            rows = _rows(place)
            if rows:
                _answers(lesson.id, rows)
    ladder.legend()


def _answers(lesson: str, rows: list[dict[str, object]]) -> None:
    """Draw the answers one by one, once they are asked for."""
    popover = st.popover(
        "Answers", icon=":material/list:", on_change="rerun", key=f"answers-{lesson}"
    )
    if popover.open:
        popover.dataframe(rows, hide_index=True, column_config=_COLUMNS)


_COLUMNS = {
    "right": st.column_config.NumberColumn("given to the right answer", format="percent"),
    "bits": st.column_config.NumberColumn("bits", format="%.2f"),
    "nats": st.column_config.NumberColumn("nats", format="%.2f"),
    "when": st.column_config.DatetimeColumn("when", format="distance"),
}


def _rows(place: Place) -> list[dict[str, object]]:
    record, lesson = place.learner.record, place.lesson
    answered = [
        (f"question {number}", record.first(Answered, place.item(question.id)))
        for number, question in enumerate(lesson.questions, start=1)
    ]
    predicted = [
        (f"prediction {number}, asked again", record.first(Repredicted, place.item(name)))
        for number, name in enumerate(lesson.predictions, start=1)
    ]
    return [_row(what, event) for what, event in (*answered, *predicted) if event is not None]


def _row(what: str, event: Event[Answered] | Event[Repredicted]) -> dict[str, object]:
    payload = event.payload
    return {
        "what": what,
        "right": payload.probabilities[payload.right],
        units.of_scores(): units.from_bits(payload.bits),
        "when": event.at,
    }
