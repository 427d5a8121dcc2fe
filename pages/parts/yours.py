"""The record is its learner's: to move, to download, to bring from elsewhere, to delete."""

import json

import streamlit as st

from drills import transfer
from drills.errors import DrillsError
from drills.events import Exported
from pages.parts import bringing, links, state
from pages.parts.bringing import Brought, Shelf
from pages.parts.learner import Learner
from pages.parts.quiet import quiet
from pages.parts.saving import save

NOT_KEPT = (
    "What you do here is not kept now, as the note above says, so there is nothing to move, to "
    "download or to delete."
)
_JSON, _CSV = "application/json", "text/csv"


def draw(who: Learner) -> None:
    """Draw what can be done with the record."""
    if not who.kept:
        st.markdown(NOT_KEPT)
        return
    for title, part in (
        ("Move to another device", _move),
        ("Download", _take),
        ("Bring a downloaded record", _bring),
        ("Delete", _delete),
    ):
        st.subheader(title, anchor=False)
        part(who)


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


def _take(who: Learner) -> None:
    st.markdown(
        "Everything this course knows about you, as JSON, which can be brought back; and your "
        "reviews and your answers as tables."
    )
    if not who.events:
        quiet("There is nothing to download yet.")
        return
    with st.container(horizontal=True):
        st.download_button(
            "Download my record",
            lambda: json.dumps(who.export(), ensure_ascii=False, indent=1),
            file_name="surprisal-record.json",
            mime=_JSON,
            icon=":material/download:",
            on_click=_taken,
            args=(who, "json"),
        )
        st.download_button(
            "Reviews (CSV)",
            lambda: transfer.reviews_csv(who.record.reviews),
            file_name="surprisal-reviews.csv",
            mime=_CSV,
            on_click=_taken,
            args=(who, "csv"),
            disabled=not who.record.reviews.cards,
        )
        st.download_button(
            "Answers (CSV)",
            lambda: transfer.answers_csv(who.record),
            file_name="surprisal-answers.csv",
            mime=_CSV,
            on_click=_taken,
            args=(who, "csv"),
        )


def _taken(who: Learner, form: str) -> None:
    save(who, "record", Exported(form=form, count=len(who.events)))


@st.fragment
def _bring(who: Learner) -> None:
    st.markdown(
        "The JSON that you downloaded on another machine joins what is here; what is in both "
        "stands here once."
    )
    bringing.draw(who, Shelf("record", "A record (JSON)", _read))


def _read(data: bytes) -> Brought:
    return Brought(tuple(transfer.read(data)))


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
