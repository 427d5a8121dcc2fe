"""Your record: what it says in bits; and it is yours to take, move or delete."""

import json

import streamlit as st

from drills.errors import DrillsError
from drills.events import Answered, Event, Exported, Repredicted
from drills.record import ERRATA
from pages import resources
from pages.parts import ladder, learner, links, state, units
from pages.parts.learner import Learner
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.saving import save

EMPTY = (
    "Nothing is recorded yet. Commit to a prediction or answer a question in a lesson, and it "
    "will stand here with what it was worth in bits."
)


def draw() -> None:
    """Draw the record of this learner."""
    who = learner.current()
    st.title("Your record", anchor=False)
    if who.events:
        _figures(who)
        _lessons(who)
    else:
        st.markdown(EMPTY)
    if who.kept:
        _yours(who)


def _figures(who: Learner) -> None:
    answered, earned, gained = st.columns(3)
    unit = units.of_scores()
    items = {e.item for e in who.record.all(Answered) if e.lesson != ERRATA}
    answered.metric("questions answered", len(items))
    earned.metric(f"{unit} earned in quizzes", units.signed(who.record.bits_earned()))
    gained.metric(f"{unit} gained by reading", units.signed(who.record.bits_gained()))
    quiet(
        "A bit is a factor of two on the right answer, against knowing nothing. First answers "
        "count. Reading gains what the second answer to a prediction has over the first."
    )


def _lessons(who: Learner) -> None:
    course = resources.course()
    for lesson in course.lessons.values():
        place = Place(course, lesson, who)
        st.subheader(lesson.head.title, anchor=False)
        links.draw(lesson.id, "Open the lesson", icon=":material/menu_book:")
        ladder.draw(place)
        rows = _rows(place)
        if rows:
            st.dataframe(rows, hide_index=True, column_config=_COLUMNS)


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


def _yours(who: Learner) -> None:
    st.subheader("It is yours", anchor=False)
    move, take, delete = st.tabs(["Move to another device", "Download", "Delete"])
    with move:
        _move(who)
    with take:
        _take(who)
    with delete:
        _delete(who)


@st.fragment
def _move(who: Learner) -> None:
    st.markdown(
        "A recovery link opens this record in another browser, and brings it back if you lose "
        "your cookies. Who has the link has the record, so keep it to yourself. A new link "
        "replaces the old one."
    )
    if st.button("Make a recovery link", icon=":material/link:", disabled=not who.events):
        try:
            state.put("recovery", (who.id, who.recovery_code()))
        except DrillsError as error:
            st.error(str(error), icon=":material/error:")
    owner, code = state.get("recovery", (None, ""))
    if code and owner == who.id:  # not that of a record that this tab has left
        st.code(f"{links.origin()}/restore?code={code}", language=None)


@st.fragment
def _take(who: Learner) -> None:
    st.markdown("Everything this course knows about you, as JSON.")
    if not who.events:
        quiet("There is nothing to download yet.")
        return
    try:
        data = json.dumps(who.export(), ensure_ascii=False, indent=1)
    except DrillsError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.download_button(
        "Download my record",
        data,
        file_name="surprisal-record.json",
        mime="application/json",
        icon=":material/download:",
        on_click=_taken,
        args=(who,),
    )


def _taken(who: Learner) -> None:
    save(who, "record", Exported(form="json", count=len(who.events)))


@st.fragment
def _delete(who: Learner) -> None:
    st.markdown(
        "Deletes every answer, prediction and run of yours from the database, at once and for "
        "good. Download your record first if you may want it again."
    )
    typed = st.text_input("Type *delete* to confirm", key="delete-confirmation")
    if st.button("Delete my record", icon=":material/delete:", disabled=typed.strip() != "delete"):
        try:
            who.delete()
        except DrillsError as error:
            st.error(str(error), icon=":material/error:")
            return
        st.rerun(scope="app")
