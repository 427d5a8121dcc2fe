"""Anki, out and back, without a browser: what a deck holds, what an export brings."""

import io
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from content.schema import Choice
from drills import deck
from drills.errors import DeckError
from drills.events import Answered, Exported, Payload, Suspended, item
from drills.record import Record
from drills.store import Entry
from pages import resources
from pages.parts.deck_choice import COURSE, LESSON, MISSED, TOPIC
from tests.conftest import OpenApp
from tests.test_drills_history import collection, packed

NOW = datetime.now(UTC)
AT_MS = 1_772_366_400_000


def said(app: AppTest) -> str:
    """Return all text of a screen that drew without an error."""
    assert list(app.exception) == []
    return "\n".join(each.value for each in app.markdown)


def record(token: str) -> Record:
    """Return the record of the learner with this token."""
    who = resources.store().ensure_learner(token, now=NOW)
    return Record.of(resources.store().events(who))


def happened(token: str, name: str, payload: Payload) -> None:
    """Write one event into the record of the learner with this token."""
    who = resources.store().ensure_learner(token, now=NOW)
    resources.store().append_all(who, [Entry(name, payload, f"{name}-{payload.kind}")], now=NOW)


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], bytes]]:
    """Return what each download would be made by, by file name, as the last run drew it."""
    found: dict[str, Callable[[], bytes]] = {}
    draw = st.download_button

    def button(label: str, data: Callable[[], bytes], **options: object) -> bool:
        found[str(options["file_name"])] = data
        return bool(draw(label, data, **options))  # type: ignore[arg-type]

    monkeypatch.setattr(st, "download_button", button)
    return found


def notes(apkg: bytes) -> set[str]:
    """Return the ids of the cards in a deck."""
    with zipfile.ZipFile(io.BytesIO(apkg)) as archive:
        data = archive.read("collection.anki2")
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(data)
        rows = database.execute("select sfld from notes").fetchall()
    return {name for (name,) in rows}


# --- out ------------------------------------------------------------------------------------------


def test_each_choice_holds_its_cards_and_no_others(
    open_app: OpenApp, files: dict[str, Callable[[], bytes]]
) -> None:
    lessons = resources.course().lessons
    every = {card.id: card for lesson in lessons.values() for card in lesson.cards}
    app = open_app("decks")
    assert notes(files["surprisal.apkg"]()) == set(every)
    assert app.radio(key="deck-scope").value == COURSE
    app.radio(key="deck-scope").set_value(LESSON).run()
    app.selectbox(key="deck-lesson").set_value("dpo").run()
    assert notes(files["surprisal-dpo.apkg"]()) == {card.id for card in lessons["dpo"].cards}
    app.radio(key="deck-scope").set_value(TOPIC).run()
    topic = app.selectbox(key="deck-topic").value
    assert notes(files[f"surprisal-{topic}.apkg"]()) == {
        name for name, card in every.items() if card.topic == topic
    }


def test_a_deck_is_made_on_demand_only(
    open_app: OpenApp,
    files: dict[str, Callable[[], bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built = list[str]()

    def build(*_: object, **__: object) -> bytes:
        built.append("deck")
        return b""

    monkeypatch.setattr(resources, "selected", build)
    open_app("decks").run()
    assert built == []
    files["surprisal.tsv"]()
    assert built == ["deck"]


def test_only_what_was_missed(
    open_app: OpenApp, token: str, files: dict[str, Callable[[], bytes]]
) -> None:
    lesson = resources.course().lessons["dpo"]
    app = open_app("decks")
    app.radio(key="deck-scope").set_value(MISSED).run()
    assert "You have missed nothing yet" in said(app)
    assert list(app.download_button) == []
    asked = next(q for q in lesson.questions if isinstance(q, Choice))
    wrong = (asked.answer + 1) % len(asked.options)
    belief = [0.1 / (len(asked.options) - 1)] * len(asked.options)
    belief[wrong] = 0.9
    answered = Answered(probabilities=tuple(belief), right=asked.answer)
    happened(token, item("dpo", asked.id), answered)
    app.run()
    missed = notes(files["surprisal-missed.apkg"]())
    near = {c.id for c in lesson.cards if c.section == asked.section}
    goal = {c.id for c in lesson.cards if asked.objective and c.objective == asked.objective}
    assert missed == near | goal
    assert missed


def test_suspended_cards_stay_out_if_that_is_wanted(
    open_app: OpenApp, token: str, files: dict[str, Callable[[], bytes]]
) -> None:
    card = resources.course().lessons["dpo"].cards[0].id
    happened(token, item("dpo", card), Suspended())
    app = open_app("decks")
    assert card not in notes(files["surprisal.apkg"]())
    app.checkbox(key="deck-suspended").uncheck().run()
    assert card in notes(files["surprisal.apkg"]())


def test_figures_ride_along_or_not(
    open_app: OpenApp, files: dict[str, Callable[[], bytes]]
) -> None:
    app = open_app("decks")
    assert b'"surprisal-' in files["surprisal.apkg"]()  # names of media
    app.checkbox(key="deck-pictures").uncheck().run()
    assert b'"surprisal-' not in files["surprisal.apkg"]()


def test_what_was_exported_is_recorded(
    open_app: OpenApp, token: str, files: dict[str, Callable[[], bytes]]
) -> None:
    open_app("decks")
    assert record(token).all(Exported) == ()
    files["surprisal.tsv"]()
    (event,) = record(token).all(Exported)
    cards = sum(len(lesson.asked) for lesson in resources.course().lessons.values())
    assert (event.item, event.payload.form, event.payload.count) == ("course", "tsv", cards)


# --- back -----------------------------------------------------------------------------------------


def export(*reviews: tuple[int, int]) -> bytes:
    """An export with these reviews, (milliseconds after AT_MS, rating), of the first card."""
    guid = deck.guid(next(c.id for c in resources.course().lessons["dpo"].cards))
    rows = [(AT_MS + after, 10, rating, 4_000, 1) for after, rating in reviews]
    named = f"update notes set guid = '{guid}' where id = 1;"
    return packed(collection(*rows, (AT_MS, 20, 3, 0, 1), extra=named))


def bring(app: AppTest, data: bytes) -> AppTest:
    """Bring a file to the uploader for exports."""
    app.file_uploader(key="bring-anki").upload("x.apkg", data, "application/octet-stream")
    return app.run()


def test_reviews_come_back_after_a_look_and_once(open_app: OpenApp, token: str) -> None:
    app = bring(open_app("decks"), export((0, 3), (86_400_000, 4)))
    assert "The file holds 2 entries, from March 1, 2026 to March 2, 2026." in said(app)
    assert "New here: 2 reviews." in said(app)
    assert "Left out: 1 review of other decks." in said(app)
    assert record(token).reviews.cards == {}
    app.button(key="add-anki").click().run()
    assert [each.value for each in app.success] == ["2 entries joined your record."]
    (learnt,) = record(token).reviews.cards.values()
    assert [(done.at_ms - AT_MS, done.rating) for done in learnt.log] == [(0, 3), (86_400_000, 4)]


def test_the_same_file_twice_brings_nothing_and_a_longer_one_the_rest(
    open_app: OpenApp, token: str
) -> None:
    bring(open_app("decks"), export((0, 3))).button(key="add-anki").click().run()
    again = bring(open_app("decks"), export((0, 3)))
    assert "The file holds 1 entry, all in your record: nothing is new." in said(again)
    assert "add-anki" not in [button.key for button in again.button]
    longer = bring(open_app("decks"), export((0, 3), (86_400_000, 4)))
    assert "New here: 1 review; 1 entry you have already." in said(longer)
    assert len(record(token).events) == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"not a zip", "not an Anki export"),
        (packed(b"not SQLite"), "damaged"),
        (packed(collection((AT_MS, 20, 3, 0, 1))), "none of a card of this course"),
        (packed(collection()), "Include scheduling information"),
    ],
)
def test_what_is_no_export_is_refused_and_touches_nothing(
    open_app: OpenApp, token: str, data: bytes, says: str
) -> None:
    app = bring(open_app("decks"), data)
    assert list(app.exception) == []
    (refused,) = [each.value for each in app.error]
    assert says in refused
    assert refused.endswith("Your record is as it was.")
    assert record(token).events == ()


def test_a_record_that_cannot_be_reached_keeps_the_file_and_says_so(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DeckError("The record cannot be reached.")

    app = bring(open_app("decks"), export((0, 3)))
    monkeypatch.setattr(type(resources.store()), "append_all", fail)
    app.button(key="add-anki").click().run()
    assert [each.value for each in app.error] == [
        "The record cannot be reached. Nothing was added."
    ]
    assert "New here: 1 review." in said(app)
