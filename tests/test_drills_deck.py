"""Cards as files: what the fields, the notes, the bytes and the commands must be."""

# mypy: disable-error-code="no-untyped-call"
# (genanki has no annotations)

import csv
import hashlib
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest
from genanki.deck import Deck
from genanki.note import Note
from genanki.package import Package
from genanki.util import guid_for
from hypothesis import given
from hypothesis import strategies as st

from content import stamps
from content.load import LoadedCourse, load_course
from content.schema import Card
from drills import anki_notes, deck
from drills.__main__ import main
from drills.anki_html import Cloze, to_html
from drills.anki_markdown import Names, convert
from drills.anki_notes import Selection
from drills.errors import DeckError
from drills.events import Reviewed, Suspended
from drills.store import Store, new_token
from tests.server import ROOT
from tests.small_course import edit, write_course

THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EPOCH = int(THEN.timestamp())
YEAR_S = 365 * 86_400
NAMES = Names(cite=lambda key: f"({key})", claim={"bits": "1 bit", "none": r"$\infty$"}.__getitem__)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a small course whose cards are all on record."""
    made = write_course(tmp_path / "course")
    stamps.write(made, stamps.renewed(load_course(made), THEN))
    return made


@pytest.fixture
def course(folder: Path) -> LoadedCourse:
    return load_course(folder)


# --- fields -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"What does $\beta$ do?", r"What does \(\beta\) do?"),
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        (r"$x_{<t} & y$", r"\(x_{&lt;t} &amp; y\)"),
        ("$a\nb$", r"\(a b\)"),
        ("$$\na < b\n\\\\ c\n$$", r"\[a &lt; b \\ c\]"),
        ("so\n\n$$\n- x\n$$\n\nand", r"<p>so</p>\[- x\]<p>and</p>"),
        ("a\nb", "a b"),
        ("one\n\ntwo", "<p>one</p><p>two</p>"),
        ("*a* **b** `c`", "<em>a</em> <strong>b</strong> <code>c</code>"),
        ("- a\n- $b$", r"<ul><li>a</li><li>\(b\)</li></ul>"),
        ("```\na\n b\n```", "<pre><code>a&#10; b</code></pre>"),
        (r"\$5, $5$", r"$5, \(5\)"),
        ("<b onclick='x'>", "&lt;b onclick='x'&gt;"),
        ("[it](https://example.org)", '<a href="https://example.org">it</a>'),
        ("![alt](https://example.org/x.png)", "alt"),
        ("{term}`surprisal`", "surprisal"),
        ("{term}`those <surprisal>`", "those"),
        ("{cite}`shannon1948`", "(shannon1948)"),
        ("{cite}`he said <shannon1948>`", "he said"),
        ("{claim}`bits`, {claim}`none`", r"1 bit, \(\infty\)"),
        (r"{policy}`$\pi$ too`", r'<span class="policy">\(\pi\) too</span>'),
        ("{chosen}`a *b*`", '<span class="chosen">a <em>b</em></span>'),
        ("{unknown}`x`", "x"),
        ("", ""),
    ],
)
def test_markdown_becomes_the_html_anki_reads(text: str, expected: str) -> None:
    assert to_html(text, NAMES) == expected


PIECES = (
    *(
        "word",
        "Ünï",
        "3",
        "\ue000",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\t",
        ".",
        ",",
        ")",
        ":",
        '"',
        "(",
    ),
    *(
        "-",
        "- ",
        "1. ",
        "# ",
        "> ",
        "|",
        "=",
        "~",
        "<",
        "&",
        "!",
        "[",
        "](u)",
        "\\",
        "\\$",
        "}}",
    ),
    *("*", "**", "*b*", "**c d**", "_", "`", "`x`", "{x}", "{policy}`$p$`", "{cite}`k`"),
    *("$", "$$", "$x$", r"$\beta$", "$x_{<t}$", "$$y$$", "$$\ny\n$$", "$ z $", "$'$"),
    *("{claim}`bits`", "{term}`a <b>`", "{term}`a`", "}}", ")"),
)


def test_two_marks_between_words_are_read_as_the_parser_reads_them() -> None:
    for one, two in product(PIECES, repeat=2):
        text = f"a{one}{two}b"
        assert to_html(text, NAMES) == convert(text, NAMES)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_the_quick_way_agrees_with_the_parser(text: str) -> None:
    text = text.strip()
    assert to_html(text, NAMES) == convert(text, NAMES)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_every_field_is_one_line_of_closed_tags(text: str) -> None:
    made = to_html(text.strip(), NAMES)
    assert "\n" not in made
    assert "\t" not in made
    assert _unclosed(made) == []


def _unclosed(made: str) -> list[str]:
    """Return the tags that are still open, or close nothing."""
    opened: list[str] = []
    for slash, tag in re.findall(r"<(/?)([a-z0-9]+)[^>]*?(?<!/)>", made):
        if tag in {"br", "hr"}:
            continue
        if not slash:
            opened.append(tag)
        elif opened and opened[-1] == tag:
            opened.pop()
        else:
            return [*opened, tag]
    return opened


# --- gaps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "field", "shut", "filled"),
    [
        ("a {{c1::b}}", "a {{c1::b}}", "a [...]", "a b"),
        ("{{c1::a::hint}} b", "{{c1::a::hint}} b", "[hint] b", "a b"),
        (
            r"{{c1::$\frac{1}{Z}$}}",
            r"{{c1::\(\frac{1}{Z}\)}}",
            "[...]",
            r"\(\frac{1}{Z}\)",
        ),
        (
            r"$h = {{c1::\pi_{\text{ref}}}}$",
            r"\(h = {{c1::\pi_{\text{ref} } }}\)",
            r"\(h = [...]\)",
            r"\(h = \pi_{\text{ref} } \)",
        ),
        (
            r"{{c1::a}} $e^{x_{i}}$",
            r"{{c1::a}} \(e^{x_{i} }\)",
            r"[...] \(e^{x_{i} }\)",
            r"a \(e^{x_{i} }\)",
        ),
        ("{{c1::a {{c2::b}}}}", "{{c1::a {{c2::b}}}}", "[...]", "a b"),
        ("{{c1::*a*}}", "{{c1::<em>a</em>}}", "[...]", "<em>a</em>"),
        (
            "{{c2::b}}{{c1::{policy}`a`}}",
            '{{c2::b}}{{c1::<span class="policy">a</span>}}',
            "[...][...]",
            'b<span class="policy">a</span>',
        ),
    ],
)
def test_gaps_survive_markdown_and_tex(text: str, field: str, shut: str, filled: str) -> None:
    cloze = Cloze.of(text, NAMES)
    assert (cloze.field, cloze.shut, cloze.filled) == (field, shut, filled)


def test_a_private_character_of_the_author_is_only_a_character() -> None:
    assert Cloze.of("\ue000 {{c1::a}}", NAMES).shut == "\ue000 [...]"


def test_a_cloze_can_stay_markdown_with_what_was_hidden_stressed() -> None:
    gaps = Cloze.unconverted(r"*So* {{c1::$\log p$}} is $x_{{{c2::i}}}$, in {{c1::nats::a unit}}.")
    assert gaps.shut == r"*So* [...] is $x_{[...]}$, in [a unit]."
    assert gaps.asked(1, "**{}**".format) == r"*So* **[...]** is $x_{i}$, in **[a unit]**."
    assert gaps.asked(2, "**{}**".format) == r"*So* $\log p$ is $x_{[...]}$, in nats."
    assert gaps.answered(1, "**{}**".format) == r"*So* **$\log p$** is $x_{i}$, in **nats**."


def test_a_gap_within_a_gap_is_asked_as_anki_asks_it() -> None:
    gaps = Cloze.unconverted("It is {{c1::large, {{c2::very}} large}}.")
    assert gaps.asked(1, str) == "It is [...]."
    assert gaps.asked(2, str) == "It is large, [...] large."


def test_tex_that_ends_a_gap_too_early_is_what_the_space_prevents() -> None:
    """Anki ends a gap at the first two braces, wherever they stand."""
    field = Cloze.of(r"${{c1::\pi_{\text{ref}}}}$", NAMES).field
    assert field.index("}}") == len(field) - len(r"}}\)")


@pytest.mark.parametrize("text", ["no gap", "{{c1::open", r"{{c1::\{a}", "{{c0::none}}"])
def test_a_cloze_without_a_whole_gap_is_refused(text: str) -> None:
    with pytest.raises(DeckError, match="gap"):
        Cloze.of(text, NAMES)


# --- notes --------------------------------------------------------------------------------------


def test_what_learners_hold_is_frozen() -> None:
    """Each of these would orphan or duplicate the notes that learners already have."""
    assert guid_for("surprisal", "why-z-cancels") == deck.guid("why-z-cancels") == "InW#vxyc>>"
    assert (
        *("Question", "Answer", "Why", "Source", "SourceURL", "CardID", "Spare1", "Spare2"),
    ) == anki_notes.BASIC_FIELDS
    assert (
        *("Text", "Extra", "Source", "SourceURL", "CardID", "Spare1", "Spare2"),
    ) == anki_notes.CLOZE_FIELDS
    assert (anki_notes.BASIC, anki_notes.CLOZE) == ("Surprisal", "Surprisal Cloze")
    basic, cloze = deck.note_type("basic"), deck.note_type("cloze")
    assert (basic.model_id, cloze.model_id) == (1_684_305_127, 1_684_305_128)
    assert [each["name"] for each in (*basic.templates, *cloze.templates)] == ["Basic", "Cloze"]


@given(st.text())
def test_a_guid_is_genanki_s(card_id: str) -> None:
    assert deck.guid(card_id) == guid_for("surprisal", card_id)


def test_templates_that_changed_have_moved_their_date() -> None:
    """Anki takes over a note type only when it is newer: move TEMPLATES_CHANGED with this hash."""
    written = sorted((ROOT / "drills" / "templates").iterdir())
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in written)).hexdigest()
    assert (deck.TEMPLATES_CHANGED, digest[:16]) == (1_795_219_200, "bc2b16f1e4bd5c16")


def test_a_note_holds_its_fields_tags_and_place(course: LoadedCourse) -> None:
    first, second = anki_notes.notes(course, lesson="coins", base_url="http://127.0.0.1:8501/")
    source = (
        "Shannon 1948, <cite>A Mathematical Theory of Communication</cite>, "
        '<a href="https://doi.org/10.1002/j.1538-7305.1948.tb01338.x">'
        "doi:10.1002/j.1538-7305.1948.tb01338.x</a>"
    )
    link = "http://127.0.0.1:8501/coins?section="
    assert first.fields == (
        "What is the entropy of a fair coin?",
        r"<p>It is \(\log 2\).</p><p>One bit, 1 bit.</p>",
        "Both sides are alike.",
        source,
        f"{link}entropy",
        "entropy-fair",
        *("", ""),
    )
    sentence = r"Surprisal is {{c1::\(-\log p_{i}\)}}, in {{c2::nats::a unit}}."
    extra = "By (Shannon 1948)."
    assert second.fields == (sentence, extra, source, f"{link}throwing", "surprisal-cloze", "", "")
    assert first.tags == ["kind::basic", "surprisal::coins", "topic::entropy"]
    assert (first.place, second.place) == (1, 2)
    assert (first.ordinals, second.ordinals) == ([0], [0, 1])


def test_links_lead_to_the_course_unless_told_otherwise(course: LoadedCourse) -> None:
    note = anki_notes.notes(course, lesson=None, base_url=None)[0]
    assert note.link == "https://example.org/coins?section=entropy"


@pytest.mark.parametrize(
    ("authors", "expected"),
    [
        (["Claude E. Shannon"], "Shannon 1948"),
        (["Bradley, Ralph", "Milton Terry"], "Bradley & Terry 1948"),
        (["A B", "C D", "E F"], "B et al. 1948"),
    ],
)
def test_a_source_is_named_by_authors_and_year(
    course: LoadedCourse, authors: list[str], expected: str
) -> None:
    source = course.sources["shannon1948"].model_copy(update={"authors": authors})
    assert source.author_year == expected


def test_a_title_cannot_open_a_deck_of_its_own(course: LoadedCourse) -> None:
    lesson = course.lessons["coins"]
    odd = replace(lesson, head=lesson.head.model_copy(update={"title": "One::two"}))
    assert anki_notes.deck_name(course, lesson) == "Series::Ch 01::Coins"
    assert anki_notes.deck_name(course, odd) == "Series::Ch 01::One: two"


def test_an_id_that_stands_twice_is_refused(course: LoadedCourse) -> None:
    card = course.lessons["coins"].cards[0]
    in_two_lessons = _with_second_lesson(course)
    with pytest.raises(DeckError, match="got twice: entropy-fair"):
        _apkg(_with_cards(course, card, card))
    with pytest.raises(DeckError, match="got twice: entropy-fair"):
        deck.build_tsv(in_two_lessons, epoch=EPOCH)


def test_a_cloze_without_a_gap_is_refused_by_name(course: LoadedCourse) -> None:
    card = course.lessons["coins"].cards[1].model_copy(update={"text": "no gap"})
    with pytest.raises(DeckError, match="card `surprisal-cloze`: expected a gap"):
        _apkg(_with_cards(course, card))


def test_what_cannot_be_built_says_what_to_do(course: LoadedCourse) -> None:
    with pytest.raises(DeckError, match="no lesson `coin`; did you mean `coins`"):
        deck.build_apkg(course, lesson="coin", epoch=EPOCH)
    with pytest.raises(DeckError, match="no lesson `coin`"):
        deck.file_name(course, "coin", "tsv")
    with pytest.raises(DeckError, match=r"lessons/coins/cards\.yaml"):
        _apkg(_with_cards(course))
    for epoch in (-1, EPOCH * 1000):
        with pytest.raises(DeckError, match=f"Unix seconds, .* got {epoch}"):
            deck.build_apkg(course, epoch=epoch)


def test_files_are_named_after_their_lesson(course: LoadedCourse) -> None:
    assert deck.file_name(course, "coins", "apkg") == "surprisal-coins.apkg"
    assert deck.file_name(course, None, ".tsv") == "surprisal.tsv"


# --- times --------------------------------------------------------------------------------------


def test_a_recorded_note_keeps_its_time_and_a_changed_one_gets_the_epoch(folder: Path) -> None:
    assert _times(load_course(folder), epoch=EPOCH + 9) == {"1": EPOCH, "2": EPOCH}
    edit(folder, "lessons/coins/cards.yaml", "a fair coin?", "a coin?")
    assert _times(load_course(folder), epoch=EPOCH + 9) == {"1": EPOCH + 9, "2": EPOCH}


def test_a_changed_note_is_never_older_than_it_was(folder: Path) -> None:
    edit(folder, "lessons/coins/cards.yaml", "a fair coin?", "a coin?")
    assert _times(load_course(folder), epoch=7) == {"1": EPOCH + 1, "2": EPOCH}


def test_a_note_without_a_record_gets_the_epoch(course: LoadedCourse) -> None:
    assert set(_times(replace(course, stamps={}), epoch=7).values()) == {7}


def test_an_unchanged_rebuild_has_the_same_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = deck.build_apkg(load_course(folder), epoch=EPOCH)
    monkeypatch.setattr("time.time", lambda: 4e9)
    assert deck.build_apkg(load_course(folder), epoch=EPOCH + YEAR_S) == first


def test_a_build_leaves_no_file_behind(
    course: LoadedCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    _apkg(course)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_card_s_figure_travels_with_the_deck(folder: Path) -> None:
    picture = folder / "lessons" / "coins" / "curve.png"
    picture.write_bytes(b"a picture")
    edit(folder, "lessons/coins/cards.yaml", "  why: Both", "  figure: curve\n  why: Both")
    edit(folder, "lessons/coins/lesson.md", "alt: A hill", 'alt: A "hill"')
    course = load_course(folder)
    with zipfile.ZipFile(io.BytesIO(_apkg(course))) as archive:
        assert json.loads(archive.read("media")) == {"0": "surprisal-coins-curve.png"}
        assert archive.read("0") == b"a picture"
    first, _ = anki_notes.notes(course, lesson=None, base_url=None)
    shown = '<img src="surprisal-coins-curve.png" alt="A &quot;hill&quot; with its top'
    assert shown in first.fields[2]
    picture.unlink()
    with pytest.raises(DeckError, match=r"curve\.png cannot be read"):
        _apkg(course)


def test_the_archive_holds_no_trace_of_where_and_when(course: LoadedCourse) -> None:
    with zipfile.ZipFile(io.BytesIO(_apkg(course))) as archive:
        assert archive.namelist() == ["collection.anki2", "media"]
        for member in archive.infolist():
            assert (member.date_time, member.compress_type) == ((1980, 1, 1, 0, 0, 0), 0)
            assert (member.create_system, member.external_attr) == (3, 0o644 << 16)
        assert archive.read("collection.anki2")[96:100] == bytes(4)


def test_the_collection_is_sound(course: LoadedCourse) -> None:
    assert _rows(_apkg(course), "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize(
    "query",
    [
        *(f"SELECT * FROM {table}" for table in ("notes", "cards", "col", "revlog", "graves")),
        "SELECT type, name, sql FROM sqlite_master ORDER BY name",
    ],
)
def test_the_collection_is_what_genanki_would_make(course: LoadedCourse, query: str) -> None:
    made = Deck(1_748_472_169_502, "Series::Ch 01::Coins")
    for note in anki_notes.notes(course, lesson="coins", base_url=None):
        known = {"guid": guid_for("surprisal", note.card.id), "due": note.place, "tags": note.tags}
        made.add_note(Note(deck.note_type(note.card.kind), list(note.fields), **known))
    with closing(sqlite3.connect(":memory:")) as database:
        Package(made).write_to_db(database.cursor(), EPOCH, count(EPOCH * 1000))
        assert _rows(_apkg(course), query) == database.execute(query).fetchall()


def test_each_lesson_has_its_deck_and_the_places_run_on(course: LoadedCourse) -> None:
    both = _with_second_lesson(course, prefix="second-")
    places = "SELECT due FROM cards ORDER BY id"
    assert _rows(_apkg(both), places) == [(1,), (2,), (2,), (3,), (4,), (4,)]
    assert _rows(deck.build_apkg(both, lesson="dice", epoch=EPOCH), places) == [(3,), (4,), (4,)]
    decks = json.loads(_rows(_apkg(both), "SELECT decks FROM col")[0][0]).values()
    named = {each["name"]: each["id"] for each in decks}
    assert set(named) == {"Default", "Series::Ch 01::Coins", "Series::Ch 01::Dice"}
    assert named["Series::Ch 01::Coins"] == 1_748_472_169_502 < 2**53


def _apkg(course: LoadedCourse) -> bytes:
    return deck.build_apkg(course, epoch=EPOCH)


def _rows(apkg: bytes, query: str) -> list[tuple[Any, ...]]:
    with zipfile.ZipFile(io.BytesIO(apkg)) as archive:
        database = sqlite3.connect(":memory:")
        database.deserialize(archive.read("collection.anki2"))
        found = database.execute(query).fetchall()
        database.close()
    return found


def _times(course: LoadedCourse, *, epoch: int) -> dict[str, int]:
    found = _rows(deck.build_apkg(course, epoch=epoch), "SELECT mod FROM notes ORDER BY id")
    return {str(number): int(time) for number, (time,) in enumerate(found, start=1)}


def _with_cards(course: LoadedCourse, *cards: Card) -> LoadedCourse:
    lesson = replace(course.lessons["coins"], cards=cards)
    return replace(course, lessons={"coins": lesson})


def _with_second_lesson(course: LoadedCourse, prefix: str = "") -> LoadedCourse:
    first = course.lessons["coins"]
    cards = tuple(card.model_copy(update={"id": prefix + card.id}) for card in first.cards)
    head = first.head.model_copy(update={"title": "Dice"})
    dice = replace(first, id="dice", head=head, cards=cards)
    return replace(course, lessons={"coins": first, "dice": dice}, stamps={})


# --- style --------------------------------------------------------------------------------------


def _colors(selector: str) -> dict[str, str]:
    css = deck.note_type("basic").css
    block = re.search(rf"^{re.escape(selector)} \{{\n(.*?)^\}}", css, re.MULTILINE | re.DOTALL)
    assert block
    return dict(re.findall(r"--([a-z]+): (#[0-9A-F]{6});", block[1]))


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(color: str, other: str) -> float:
    light, dark = sorted((_luminance(color), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("selector", [".card", ".nightMode .card"])
@pytest.mark.parametrize(
    "name", ["ink", "quiet", "link", "policy", "reference", "reward", "chosen", "rejected"]
)
def test_every_color_of_text_can_be_read(selector: str, name: str) -> None:
    colors = _colors(selector)
    for ground in ("paper", "shade"):
        assert _contrast(colors[name], colors[ground]) >= 4.5


def test_the_contrast_is_the_one_of_the_guidelines() -> None:
    assert _contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert _contrast("#E69F00", "#FBFAF7") < 4.5  # plain amber: the reason for a darker one


def test_style_comes_from_classes_alone() -> None:
    for kind in ("basic", "cloze"):
        made = deck.note_type(kind)
        markup = "".join(each["qfmt"] + each["afmt"] for each in made.templates)
        assert not re.search(r"style=|<script|<font|<style|src=|http", markup)
        assert not re.search(r"@import|url\(|@font-face|http", made.css)
        assert re.findall(r"#[0-9A-F]{6}", made.css.split(".surprisal", 1)[1]) == []


# --- the table ----------------------------------------------------------------------------------


def _table(course: LoadedCourse) -> tuple[list[str], list[list[str]]]:
    lines = deck.build_tsv(course, epoch=EPOCH).decode().split("\n")
    head = [line for line in lines if line.startswith("#")]
    rows = csv.reader(lines[len(head) : -1], delimiter="\t", strict=True)
    assert lines[-1] == ""
    return head, list(rows)


def test_the_table_follows_the_fields_of_the_note_type(course: LoadedCourse) -> None:
    head, rows = _table(course)
    assert head == [
        "#separator:tab",
        "#html:true",
        "#notetype:Surprisal",
        "#deck:Series::Ch 01::Coins",
        "#guid column:1",
        "#tags column:8",
    ]
    notes = anki_notes.notes(course, lesson=None, base_url=None)
    assert rows[0] == [
        deck.guid("entropy-fair"),
        *notes[0].fields[:6],
        "kind::basic surprisal::coins topic::entropy",
    ]
    assert rows[1][:4] == [
        deck.guid("surprisal-cloze"),
        "Surprisal is [...], in [a unit].",
        r"Surprisal is \(-\log p_{i}\), in nats.",
        "By (Shannon 1948).",
    ]


def test_several_lessons_take_a_column_for_their_deck(course: LoadedCourse) -> None:
    head, rows = _table(_with_second_lesson(course, prefix="second-"))
    assert head[3:] == ["#deck column:8", "#guid column:1", "#tags column:9"]
    assert [row[7] for row in rows] == ["Series::Ch 01::Coins"] * 2 + ["Series::Ch 01::Dice"] * 2


def test_every_cell_is_quoted_and_no_cell_can_break_out(course: LoadedCourse) -> None:
    card = (
        course.lessons["coins"]
        .cards[0]
        .model_copy(update={"id": "odd", "question": '# "quoted" \\# first', "answer": "a\tb\n\nc"})
    )
    text = deck.build_tsv(_with_cards(course, card), epoch=EPOCH).decode()
    assert re.fullmatch(r'(?:#.*\n){6}(?:"(?:[^"\t\n]|"")*"\t){7}"(?:[^"\t\n]|"")*"\n', text)


# --- the commands -------------------------------------------------------------------------------


def test_the_command_writes_the_file_and_says_so(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "coins.apkg"
    options = ["--lesson", "coins", "--content", str(folder), "--epoch", "5"]
    assert main(["apkg", str(out), *options]) == 0
    assert out.read_bytes() == deck.build_apkg(load_course(folder), lesson="coins", epoch=5)
    said = capsys.readouterr()
    assert said.out == f"Wrote {out}: 3 cards, {out.stat().st_size:,} bytes.\n"
    assert said.err == ""
    assert sorted(each.name for each in tmp_path.iterdir()) == ["coins.apkg", "course"]


def test_a_topic_and_cards_without_figures_can_be_asked_for(tmp_path: Path) -> None:
    course = load_course()
    topic = next(c.topic for c in course.lessons["dpo"].cards if c.figure)
    out = tmp_path / "deck.apkg"
    assert main(["apkg", str(out), "--topic", topic, "--no-figures"]) == 0
    chosen = Selection(topic=topic, pictures=False)
    assert out.read_bytes() == deck.build_apkg(course, epoch=0, selection=chosen)
    assert out.read_bytes() != deck.build_apkg(course, epoch=0, selection=Selection(topic=topic))


def test_only_what_a_learner_missed_can_be_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cards = load_course().lessons["dpo"].cards
    store, now = Store(url := f"sqlite:///{tmp_path}/record.sqlite3"), datetime.now(UTC)
    store.migrate()
    me = store.ensure_learner(new_token(), now=now)
    for card, payload in (
        *((card, Reviewed(rating=1)) for card in cards[:2]),
        (cards[1], Suspended()),
        (cards[2], Reviewed(rating=3)),
    ):
        store.append(me, f"dpo/{card.id}", payload, now=now)
    whose = ["--missed", "--record", url, "--code", store.recovery_code(me, now=now)]
    store.dispose()
    out = tmp_path / "missed.tsv"
    assert main(["tsv", str(out), *whose]) == 0
    assert "1 card," in capsys.readouterr().out
    assert cards[0].id in out.read_text()
    assert main(["tsv", str(out), *whose[:1]]) == 1
    assert "Whose record? Give the database" in capsys.readouterr().err


def test_the_content_of_the_environment_is_taken(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SURPRISAL_CONTENT", str(folder))
    assert main(["tsv", str(tmp_path / "all.tsv")]) == 0
    written = (tmp_path / "all.tsv").read_bytes()
    assert written == deck.build_tsv(load_course(folder), epoch=0)


def test_without_an_epoch_a_changed_note_is_stamped_now(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    edit(folder, "lessons/coins/cards.yaml", "a fair coin?", "a coin?")
    monkeypatch.setattr("drills.__main__.time.time", lambda: EPOCH + 60.5)
    assert main(["apkg", str(tmp_path / "new.apkg"), "--content", str(folder)]) == 0
    assert "\n1 card newer than the record: " in capsys.readouterr().out
    expected = deck.build_apkg(load_course(folder), epoch=EPOCH + 60)
    assert (tmp_path / "new.apkg").read_bytes() == expected


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["apkg", "{folder}", "--content", "{folder}"], "cannot write {folder}: "),
        (
            ["tsv", "{folder}/x.tsv", "--topic", "surprise", "--content", "{folder}"],
            "there is no topic `surprise`; did you mean `surprisal`?",
        ),
        (["tsv", "{folder}/none/x.tsv", "--content", "{folder}"], "No such file or directory"),
        (
            ["tsv", "{folder}/x.tsv", "--lesson", "coin", "--content", "{folder}"],
            "did you mean `coins`",
        ),
        (["apkg", "{folder}/x", "--epoch", "-5", "--content", "{folder}"], "got -5"),
        (["tsv", "{folder}/x.tsv", "--content", "{folder}/none"], "course.yaml:1: "),
    ],
)
def test_what_fails_says_why_and_leaves_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    before = sorted(folder.rglob("*"))
    assert main([each.format(folder=folder) for each in arguments]) == 1
    assert said.format(folder=folder) in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == before


def test_a_failed_write_keeps_the_file_that_was_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "deck.tsv"
    out.write_text("old", encoding="utf-8")

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert main(["tsv", str(out), "--content", str(folder)]) == 1
    assert out.read_text(encoding="utf-8") == "old"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["course", "deck.tsv"]


def test_a_pipe_is_written_into_and_not_replaced(folder: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_bytes)
        assert main(["tsv", str(pipe), "--content", str(folder)]) == 0
        assert read.result(timeout=10) == deck.build_tsv(load_course(folder), epoch=0)
    assert pipe.is_fifo()


def test_a_link_keeps_leading_to_its_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link.tsv").symlink_to(tmp_path / "real.tsv")
    assert main(["tsv", str(tmp_path / "link.tsv"), "--content", str(folder)]) == 0
    assert (tmp_path / "link.tsv").is_symlink()
    assert (tmp_path / "real.tsv").is_file()


def test_faulty_content_is_listed_in_full(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = edit(folder, "lessons/coins/cards.yaml", "id: entropy-fair", "id: Entropy fair")
    second = edit(folder, "lessons/coins/cards.yaml", "{{c1::", "{{c1:")
    assert main(["apkg", str(tmp_path / "x.apkg"), "--content", str(folder)]) == 1
    listed = capsys.readouterr().err
    assert f"lessons/coins/cards.yaml:{first}: " in listed
    assert f"lessons/coins/cards.yaml:{second}: " in listed
    assert "python -m content" in listed
    assert not (tmp_path / "x.apkg").exists()


def test_wrong_usage_is_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["zip", "x"])
    assert ended.value.code == 2
    assert "apkg" in capsys.readouterr().err


@pytest.mark.slow
def test_the_module_runs_without_what_the_pages_need(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "deck.apkg"
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['drills', 'apkg', {str(out)!r}, '--content', {str(folder)!r}]\n"
        "try:\n    runpy.run_module('drills', run_name='__main__')\n"
        "finally:\n    print({'torch', 'sympy', 'streamlit'} & set(sys.modules))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "set()"
    assert out.exists()
