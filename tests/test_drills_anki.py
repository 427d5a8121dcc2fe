"""The exported files in the real Anki: what a learner's collection makes of them."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from anki.collection import (
    Collection,
    ImportAnkiPackageOptions,
    ImportAnkiPackageRequest,
    ImportCsvRequest,
    ImportLogWithChanges,
)

from content import stamps
from content.load import load_course
from drills import deck, history
from drills.queue import Syllabus
from tests.small_course import edit, write_course

if TYPE_CHECKING:  # at run time `anki.collection` has to come first
    from anki.cards import Card
    from anki.notes import Note

THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EPOCH = int(THEN.timestamp())
DECK = "Series::Ch 01::Coins"
GOOD: Literal[3] = 3
LATER_S = 10 * 365 * 86_400  # newer than anything a learner writes today
OUTCOMES = (
    *("new", "updated", "duplicate", "conflicting", "first_field_match"),
    *("missing_notetype", "missing_deck", "empty_first_field"),
)
REVIEWED = """
select id, nid, did, ord, type, queue, due, ivl, factor, reps, lapses, left, flags, data
from cards order by id
"""

MORE_CARDS = r"""
- id: sums-of-tokens
  topic: sums
  question: What is $\log p(y)$ for a text of tokens $y_{<t} \& y_t$?
  answer: |
    A sum, so never above zero & rarely near it:

    $$
    \log p(y) = \sum_{t} \log p(y_t \mid y_{<t}) \quad [0 < p \le 1]
    $$

    - over {policy}`tokens`, not *words*
    - `"quoted"` and a [link](https://example.org)
  section: entropy
  source: shannon1948
- id: third-kind
  kind: cloze
  topic: sums
  text: The sum is {{c1::$\frac{1}{\sum_{i} p_{i} }$}} and {chosen}`$e^{x_{i}}$` {{c2::follows}}.
  section: entropy
  source: shannon1948
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a course of four cards, all on record since THEN."""
    made = write_course(tmp_path / "course")
    with (made / "lessons/coins/cards.yaml").open("a", encoding="utf-8") as file:
        file.write(MORE_CARDS)
    stamps.write(made, stamps.renewed(load_course(made), THEN))
    return made


class Anki:
    """A learner's collection."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.collection = Collection(str(folder / "collection.anki2"))

    def take(self, apkg: bytes) -> dict[str, int]:
        """Import a deck and return how many notes Anki calls new, updated, conflicting ..."""
        path = self.folder / "deck.apkg"
        path.write_bytes(apkg)
        options = ImportAnkiPackageOptions()
        request = ImportAnkiPackageRequest(package_path=str(path), options=options)
        return _counts(self.collection.import_anki_package(request).log)

    def take_table(self, tsv: bytes) -> dict[str, int]:
        """Import a table as Anki's dialog does when nothing is changed in it."""
        path = self.folder / "deck.tsv"
        path.write_bytes(tsv)
        metadata = self.collection.get_csv_metadata(path=str(path), delimiter=None)
        request = ImportCsvRequest(path=str(path), metadata=metadata)
        return _counts(self.collection.import_csv(request).log)

    def cards(self) -> "list[Card]":
        """Return the cards in the order in which new ones are shown."""
        ids = self.collection.find_cards("", order="c.due, c.ord")
        return [self.collection.get_card(each) for each in ids]

    def note(self, card_id: str) -> "Note":
        """Return the note of a card of the course."""
        (found,) = self.collection.find_notes(f"CardID:{card_id}")
        return self.collection.get_note(found)

    def style(self) -> str:
        """Return the CSS of the basic cards."""
        self.collection.models._clear_cache()
        made = self.collection.models.by_name("Surprisal")
        assert made
        return str(made["css"])

    def edit(self, card_id: str, field: str, text: str) -> None:
        """Write into a note, as its owner may."""
        note = self.note(card_id)
        note[field] = text
        self.collection.update_note(note)

    def review(self, count: int) -> None:
        """Answer the first cards of the deck with "Good"."""
        self.open_deck()
        for _ in range(count):
            card = self.collection.sched.getCard()
            assert card
            self.collection.sched.answerCard(card, GOOD)

    def open_deck(self) -> None:
        """Choose the deck to study."""
        chosen = self.collection.decks.id_for_name(DECK)
        assert chosen
        self.collection.decks.select(chosen)

    def note_type(self, note: "Note") -> str:
        """Return the name of a note's type."""
        made = note.note_type()
        assert made
        return str(made["name"])

    def rows(self, query: str) -> list[list[object]]:
        """Return what SQL finds in the collection."""
        assert self.collection.db
        return [list(row) for row in self.collection.db.all(query)]

    def reviewed(self) -> list[list[object]]:
        """Return all that reviewing has written, card by card and answer by answer."""
        return [*self.rows(REVIEWED), *self.rows("select * from revlog order by id")]


@pytest.fixture
def anki(tmp_path: Path) -> Iterator[Anki]:
    """Return an empty collection."""
    made = Anki(tmp_path / "anki")
    yield made
    made.collection.close()


def _counts(log: ImportLogWithChanges.Log) -> dict[str, int]:
    lists = {name: len(getattr(log, name)) for name in OUTCOMES}
    return {name: count for name, count in lists.items() if count}


# --- the deck -----------------------------------------------------------------------------------


def test_a_first_import_is_all_new(anki: Anki, folder: Path) -> None:
    course = load_course(folder)
    assert anki.take(deck.build_apkg(course, epoch=EPOCH)) == {"new": 4}
    assert len(anki.cards()) == 6  # two of the four have two gaps each
    assert {each.type for each in anki.cards()} == {0}
    names = {each.name for each in anki.collection.decks.all_names_and_ids()}
    assert {"Series", "Series::Ch 01", DECK} <= names
    assert {anki.collection.decks.name(each.did) for each in anki.cards()} == {DECK}


@pytest.mark.parametrize("shipped", [True, False], ids=["shipped", "small"])
def test_anki_and_the_reviews_have_the_same_cards(
    anki: Anki, folder: Path, *, shipped: bool
) -> None:
    course = load_course(None if shipped else folder)
    anki.take(deck.build_apkg(course, epoch=EPOCH))
    made = {(card.note().guid, card.ord) for card in anki.cards()}
    known = history.known(course)
    assert made == set(known)
    assert sorted(known.values()) == sorted(Syllabus.of(course).cards)


def test_the_notes_are_the_course_s_in_its_order(anki: Anki, folder: Path) -> None:
    anki.take(deck.build_apkg(load_course(folder), epoch=EPOCH))
    ids = [each.note()["CardID"] for each in anki.cards()]
    assert list(dict.fromkeys(ids)) == [
        "entropy-fair",
        "surprisal-cloze",
        "sums-of-tokens",
        "third-kind",
    ]
    anki.open_deck()
    first = anki.collection.sched.getCard()
    assert first
    assert first.note()["CardID"] == "entropy-fair"
    assert anki.note("third-kind").tags == ["kind::cloze", "surprisal::coins", "topic::sums"]
    assert anki.note("third-kind").guid == deck.guid("third-kind")


def test_an_unchanged_rebuild_changes_nothing(anki: Anki, folder: Path) -> None:
    first = deck.build_apkg(load_course(folder), epoch=EPOCH)
    later = deck.build_apkg(load_course(folder), epoch=int(time.time()) + LATER_S)
    assert later == first
    anki.take(first)
    anki.review(2)
    anki.edit("sums-of-tokens", "Question", "as I would put it")
    before = (anki.rows("select * from notes order by id"), anki.reviewed())
    assert anki.take(later) == {"duplicate": 4}
    assert (anki.rows("select * from notes order by id"), anki.reviewed()) == before


def test_an_edited_card_updates_its_note_and_no_other(anki: Anki, folder: Path) -> None:
    anki.take(deck.build_apkg(load_course(folder), epoch=EPOCH))
    anki.review(4)
    anki.edit("sums-of-tokens", "Question", "as I would put it")
    before = anki.reviewed()
    edit(folder, "lessons/coins/cards.yaml", "a fair coin?", "an honest coin?")

    rebuilt = deck.build_apkg(load_course(folder), epoch=int(time.time()) + 60)
    assert anki.take(rebuilt) == {"updated": 1, "duplicate": 3}
    assert anki.note("entropy-fair")["Question"] == "What is the entropy of an honest coin?"
    assert anki.note("sums-of-tokens")["Question"] == "as I would put it"
    assert anki.reviewed() == before


def test_stamping_the_change_afterwards_updates_nothing_again(anki: Anki, folder: Path) -> None:
    edit(folder, "lessons/coins/cards.yaml", "a fair coin?", "an honest coin?")
    course, now = load_course(folder), datetime.now(UTC)
    anki.take(deck.build_apkg(course, epoch=int(now.timestamp())))
    stamps.write(folder, stamps.renewed(course, now))
    rebuilt = deck.build_apkg(load_course(folder), epoch=int(now.timestamp()) + LATER_S)
    assert anki.take(rebuilt) == {"duplicate": 4}


def test_stamping_every_note_with_now_would_overwrite_the_learner(anki: Anki, folder: Path) -> None:
    """What genanki does by default: the wrong rebuild, without the record."""
    unrecorded = replace(load_course(folder), stamps={})
    anki.take(deck.build_apkg(unrecorded, epoch=EPOCH))
    anki.edit("sums-of-tokens", "Question", "as I would put it")
    wrong = deck.build_apkg(unrecorded, epoch=int(time.time()) + 60)
    assert anki.take(wrong) == {"updated": 4}
    assert anki.note("sums-of-tokens")["Question"] != "as I would put it"


def test_a_dropped_card_stays_and_a_new_one_joins(anki: Anki, folder: Path) -> None:
    course = load_course(folder)
    first, *others = course.lessons["coins"].cards
    added = first.model_copy(update={"id": "late-comer", "question": "What else?"})
    anki.take(deck.build_apkg(course, epoch=EPOCH))
    changed = replace(course.lessons["coins"], cards=(*others, added))
    changed_course = replace(course, lessons={"coins": changed})
    rebuilt = deck.build_apkg(changed_course, epoch=int(time.time()))
    assert anki.take(rebuilt) == {"new": 1, "duplicate": 3}
    assert len(anki.rows("select id from notes")) == 5


def test_two_lessons_exported_one_by_one_join_in_one_collection(anki: Anki, folder: Path) -> None:
    course = load_course(folder)
    coins = course.lessons["coins"]
    cards = tuple(card.model_copy(update={"id": f"{card.id}-2"}) for card in coins.cards)
    head = coins.head.model_copy(update={"title": "Dice"})
    dice = replace(coins, id="dice", head=head, cards=cards)
    both = replace(course, lessons={"coins": coins, "dice": dice})
    for lesson in both.lessons:
        assert anki.take(deck.build_apkg(both, lesson=lesson, epoch=EPOCH)) == {"new": 4}
    assert anki.take(deck.build_apkg(both, epoch=EPOCH)) == {"duplicate": 8}
    assert len(anki.cards()) == 12


def test_a_retired_card_is_found_by_its_tag(anki: Anki, folder: Path) -> None:
    anki.take(deck.build_apkg(load_course(folder), epoch=EPOCH))
    edit(folder, "lessons/coins/cards.yaml", "topic: entropy", "topic: retired")
    rebuilt = deck.build_apkg(load_course(folder), epoch=int(time.time()) + 60)
    assert anki.take(rebuilt) == {"updated": 1, "duplicate": 3}
    assert list(anki.collection.find_notes("tag:topic::retired")) == [anki.note("entropy-fair").id]


def test_new_templates_reach_who_has_the_deck_and_old_ones_leave_theirs(
    anki: Anki, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = load_course(folder)
    anki.take(deck.build_apkg(course, epoch=EPOCH))
    model = deck.note_type("basic")
    monkeypatch.setattr(model, "css", "/* new */")
    anki.take(deck.build_apkg(course, epoch=EPOCH))
    assert anki.style() != "/* new */"
    monkeypatch.setattr(deck, "TEMPLATES_CHANGED", int(time.time()) + 60)
    assert anki.take(deck.build_apkg(course, epoch=EPOCH)) == {"duplicate": 4}
    assert anki.style() == "/* new */"


# --- how cards look -----------------------------------------------------------------------------


@pytest.mark.parametrize("shipped", [True, False], ids=["shipped", "small"])
def test_every_card_renders_clean(anki: Anki, folder: Path, *, shipped: bool) -> None:
    course = load_course(None if shipped else folder)
    cards = sum(len(lesson.cards) for lesson in course.lessons.values())
    assert anki.take(deck.build_apkg(course, epoch=EPOCH)) == {"new": cards}
    assert len(anki.cards()) >= cards
    for card in anki.cards():
        made = card.render_output()
        for face in (made.question_text, made.answer_text):
            assert _stray(face) == []


def test_a_card_shows_its_source_and_the_way_back(anki: Anki, folder: Path) -> None:
    anki.take(deck.build_apkg(load_course(folder), epoch=EPOCH, base_url="http://127.0.0.1:8501"))
    for card in anki.cards():
        made = card.render_output()
        section = "throwing" if card.note()["CardID"] == "surprisal-cloze" else "entropy"
        link = f'<a href="http://127.0.0.1:8501/coins?section={section}">Open the lesson</a>'
        assert link in made.answer_text
        assert "Shannon 1948, <cite>A Mathematical" in made.answer_text
        assert link not in made.question_text
        assert "Shannon 1948, <cite>" not in made.question_text


def test_a_gap_is_shut_in_front_and_filled_behind(anki: Anki, folder: Path) -> None:
    anki.take(deck.build_apkg(load_course(folder), epoch=EPOCH))
    first, second = (card.render_output() for card in anki.note("third-kind").cards())
    gap = r"\(\frac{1}{\sum_{i} p_{i} }\)"
    assert gap not in first.question_text
    assert ">[...]</span>" in first.question_text
    assert re.search(rf'<span class="cloze"[^>]*>{re.escape(gap)}</span>', first.answer_text)
    assert gap in second.question_text
    assert r'<span class="chosen">\(e^{x_{i} }\)</span>' in second.question_text


def _stray(face: str) -> list[str]:
    """Return whatever a learner would see as broken."""
    words = re.sub(r"<code>.*?</code>|<[^>]*>", "", face)
    marks = [r"\$", "`", r"\*\*", r"\{\{", r"\}\}", "<", r"\{[a-z]+\}\W", "&lt;[a-z/]", "\ue000"]
    prose = re.sub(r"\\\(.*?\\\)|\\\[.*?\\\]", "", words, flags=re.DOTALL)
    found = [mark for mark in marks if re.search(mark, prose)]
    return [*found, *_torn_maths(face)]


def _torn_maths(face: str) -> list[str]:
    """Return formulas that do not close, hold markup, or whose braces do not match."""
    inside = re.findall(r"\\\((.*?)\\\)|\\\[(.*?)\\\]", face, flags=re.DOTALL)
    formulas = [first or second for first, second in inside]
    torn = [tex for tex in formulas if "<" in tex or tex.count("{") != tex.count("}")]
    openings = len(re.findall(r"(?<!\\)\\[(\[]", face))
    closings = len(re.findall(r"(?<!\\)\\[)\]]", face))
    return torn if openings == closings == len(formulas) else [*torn, "unbalanced"]


@pytest.mark.parametrize(
    "face",
    ["a $x$", r"\(a", r"\(a<br>b\)", r"\({a\)", "`x`", "{policy} x", "<p>&lt;b&gt;</p>", "**"],
)
def test_the_eye_for_broken_cards_sees_them(face: str) -> None:
    assert _stray(face)


# --- the table ----------------------------------------------------------------------------------


def test_the_table_over_the_deck_changes_nothing(anki: Anki, folder: Path) -> None:
    """Notes with gaps are "conflicting", since a table has one note type: they stay as they are."""
    course = load_course(folder)
    anki.take(deck.build_apkg(course, epoch=EPOCH))
    before = (anki.rows("select * from notes order by id"), anki.reviewed())
    assert anki.take_table(deck.build_tsv(course, epoch=EPOCH)) == {
        "duplicate": 2,
        "conflicting": 2,
    }
    assert (anki.rows("select * from notes order by id"), anki.reviewed()) == before


def test_the_table_brings_changed_texts_to_the_deck(anki: Anki, folder: Path) -> None:
    anki.take(deck.build_apkg(load_course(folder), epoch=EPOCH))
    anki.review(3)
    before = anki.reviewed()
    edit(folder, "lessons/coins/cards.yaml", "a fair coin?", "an honest coin?")
    counts = anki.take_table(deck.build_tsv(load_course(folder), epoch=EPOCH))
    assert counts == {"updated": 1, "duplicate": 1, "conflicting": 2}
    note = anki.note("entropy-fair")
    assert note["Question"] == "What is the entropy of an honest coin?"
    assert note["Source"].startswith("Shannon 1948")
    assert anki.reviewed() == before


def test_columns_out_of_the_fields_order_would_spoil_the_notes(anki: Anki, folder: Path) -> None:
    """The wrong table: GUID, Question, Answer, Source, CardID and tags, without Why and link."""
    course = load_course(folder)
    anki.take(deck.build_apkg(course, epoch=EPOCH))
    text = deck.build_tsv(course, epoch=EPOCH).decode().replace("#tags column:8", "#tags column:6")
    head, rows = text.split('\n"', 1)
    cut = [
        "\t".join(row.split("\t")[at] for at in (0, 1, 2, 4, 6, 7))
        for row in f'"{rows}'.splitlines()
    ]
    anki.take_table("\n".join([head, *cut, ""]).encode())
    (found,) = anki.rows("select flds from notes where flds like '%fair coin%'")
    assert str(found[0]).split("\x1f")[2].startswith("Shannon 1948")  # Why now holds the source


def test_the_table_alone_makes_plain_cards(anki: Anki, folder: Path) -> None:
    course = load_course(folder)
    assert anki.take_table(deck.build_tsv(course, epoch=EPOCH)) == {"new": 4}
    assert {anki.collection.decks.name(each.did) for each in anki.cards()} == {DECK}
    notes = [anki.collection.get_note(each.nid) for each in anki.cards()]
    assert {anki.note_type(each) for each in notes} == {"Basic"}
    by_guid = {each.guid: each.fields for each in notes}
    assert by_guid[deck.guid("entropy-fair")][0] == "What is the entropy of a fair coin?"
    assert by_guid[deck.guid("surprisal-cloze")] == [
        "Surprisal is [...], in [a unit].",
        r"Surprisal is \(-\log p_{i}\), in nats.",
    ]
    again = anki.take_table(deck.build_tsv(course, epoch=EPOCH))
    assert again == {"duplicate": 4}


def test_a_column_of_note_types_alone_would_bring_nothing(anki: Anki, folder: Path) -> None:
    """Why the table names one note type: Anki skips each row whose note type it does not know."""
    text = deck.build_tsv(load_course(folder), epoch=EPOCH).decode()
    text = text.replace("#notetype:Surprisal", "#notetype column:2").replace(
        "tags column:8", "tags column:9"
    )
    typed = re.sub(r'^("[^"]*"\t)', r'\1"Surprisal"\t', text, flags=re.MULTILINE)
    assert anki.take_table(typed.encode()) == {"missing_notetype": 4}


def test_the_table_of_the_shipped_course_arrives_whole(anki: Anki) -> None:
    course = load_course()
    cards = [card for lesson in course.lessons.values() for card in lesson.cards]
    assert anki.take_table(deck.build_tsv(course, epoch=EPOCH)) == {"new": len(cards)}
    assert {guid for (guid,) in anki.rows("select guid from notes")} == {
        deck.guid(card.id) for card in cards
    }


def test_odd_guids_match_between_table_and_deck(anki: Anki, folder: Path) -> None:
    course = load_course(folder)
    first = course.lessons["coins"].cards[0]
    ids = ["card-78", "card-112", "card-156", "card-339"]  # their GUIDs hold `<` and `&`
    cards = tuple(first.model_copy(update={"id": each}) for each in ids)
    odd = replace(course, lessons={"coins": replace(course.lessons["coins"], cards=cards)})
    assert all({"<", "&"} <= set(deck.guid(each)) for each in ids)
    anki.take(deck.build_apkg(odd, epoch=EPOCH))
    assert anki.take_table(deck.build_tsv(odd, epoch=EPOCH)) == {"duplicate": 4}
