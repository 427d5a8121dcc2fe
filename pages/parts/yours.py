"""The record is its learner's: to move, to download, to bring from elsewhere, to delete."""

import json
from collections.abc import Callable
from typing import Literal

import streamlit as st

from drills import transfer
from drills.errors import DrillsError
from drills.events import Exported
from pages.parts import bringing, links, state
from pages.parts.bringing import Brought, Shelf
from pages.parts.learner import Learner
from pages.parts.quiet import quiet

NOT_KEPT = (
    "What you do here is not kept now, as the note above says, so there is nothing to move, to "
    "download or to delete."
)
_MIME = {"json": "application/json", "csv": "text/csv"}


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
        _download(who, "record.json", "Download my record", lambda: _json(who))
        if who.record.reviews.cards:
            reviews = who.record.reviews
            _download(who, "reviews.csv", "Reviews (CSV)", lambda: transfer.reviews_csv(reviews))
        _download(who, "answers.csv", "Answers (CSV)", lambda: transfer.answers_csv(who.record))


def _download(who: Learner, name: str, label: str, make: Callable[[], str]) -> None:
    """Draw a download that is made, and noted in the record, when it is asked for."""

    def made() -> str:
        text = make()
        form: Literal["json", "csv"] = "json" if name.endswith("json") else "csv"
        who.note("record", Exported(form=form, count=len(who.events)))
        return text

    st.download_button(
        label,
        made,
        file_name=f"surprisal-{name}",
        mime=_MIME[name[-4:].lstrip(".")],
        icon=":material/download:",
        on_click="ignore",  # a rerun would race with the making
        key=f"download-{name}",
    )


def _json(who: Learner) -> str:
    return json.dumps(who.export(), ensure_ascii=False, indent=1)


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
