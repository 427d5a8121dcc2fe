"""A card keeps its time until what a learner sees of it changes."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from content.__main__ import main
from content.load import ContentError, load_course
from content.stamps import LOCK
from tests.small_course import edit, write_course

CARDS = "lessons/coins/cards.yaml"
FIRST, SECOND = (
    datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC),
    datetime(2033, 5, 18, 3, 33, 20, tzinfo=UTC),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_course(tmp_path)


def stamp(folder: Path, epoch: int) -> None:
    assert main([str(folder), "--stamp", "--epoch", str(epoch)]) == 0


def times(folder: Path) -> dict[str, datetime | None]:
    course = load_course(folder)
    return {card.id: course.changed(card) for card in course.lessons["coins"].cards}


def test_without_a_lock_no_time_is_known(folder: Path) -> None:
    assert times(folder) == {"entropy-fair": None, "surprisal-cloze": None}


def test_an_edited_card_alone_gets_a_new_time(folder: Path) -> None:
    stamp(folder, 1_000_000_000)
    assert times(folder) == {"entropy-fair": FIRST, "surprisal-cloze": FIRST}
    edit(folder, CARDS, "Both sides are alike.", "Both sides weigh the same.")
    assert times(folder) == {"entropy-fair": None, "surprisal-cloze": FIRST}
    stamp(folder, 2_000_000_000)
    assert times(folder) == {"entropy-fair": SECOND, "surprisal-cloze": FIRST}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("sources.yaml", "Claude E. Shannon", "C. E. Shannon"),
        ("sources.yaml", "A Mathematical Theory", "The Mathematical Theory"),
        ("lessons/coins/claims.yaml", "shown: 1 bit", "shown: one bit"),
        (CARDS, "section: entropy", "section: throwing"),
        (CARDS, "topic: entropy", "topic: coins"),
    ],
)
def test_what_the_card_shows_of_other_files_counts(
    name: str, old: str, new: str, folder: Path
) -> None:
    stamp(folder, 1_000_000_000)
    edit(folder, name, old, new)
    assert times(folder)["entropy-fair"] is None


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (CARDS, "  objective: say-entropy\n", ""),
        ("sources.yaml", "opened: true", "opened: false"),
        ("lessons/coins/claims.yaml", "tolerance: 1.0e-9", "tolerance: 1.0e-8"),
        (CARDS, "  why: Both sides are alike.\n", "  why: >-\n    Both sides\n    are alike.\n"),
    ],
)
def test_what_the_card_does_not_show_does_not_count(
    name: str, old: str, new: str, folder: Path
) -> None:
    stamp(folder, 1_000_000_000)
    edit(folder, name, old, new)
    assert times(folder) == {"entropy-fair": FIRST, "surprisal-cloze": FIRST}


def test_a_stamp_hashes_what_is_seen_as_json_in_the_order_of_the_alphabet(folder: Path) -> None:
    """Another hash of the same content would update every note that a learner has edited."""
    edit(folder, CARDS, "By {cite}`shannon1948`", 'Ünï "x" by {cite}`guo2017`')
    edit(folder, CARDS, "Surprisal is {{c1", "Below {claim}`fair-coin` it is {{c1")
    course = load_course(folder)
    works = {
        "guo2017": {
            "authors": ["Chuan Guo", "Geoff Pleiss"],
            "identifier": "arXiv:1706.04599",
            "title": "On Calibration of Modern Neural Networks",
            "url": "https://arxiv.org/abs/1706.04599",
            "year": 2017,
        },
        "shannon1948": {
            "authors": ["Claude E. Shannon"],
            "identifier": "doi:10.1002/j.1538-7305.1948.tb01338.x",
            "title": "A Mathematical Theory of Communication",
            "url": "https://doi.org/10.1002/j.1538-7305.1948.tb01338.x",
            "year": 1948,
        },
    }
    card = {
        "extra": 'Ünï "x" by {cite}`guo2017`.',
        "id": "surprisal-cloze",
        "kind": "cloze",
        "section": "throwing",
        "source": "shannon1948",
        "text": r"Below {claim}`fair-coin` it is {{c1::$-\log p_{i}$}}, in {{c2::nats::a unit}}.",
        "topic": "surprisal",
    }
    claims = {"fair-coin": "0.693 nats"}
    seen = {"card": card, "claims": claims, "lesson": "coins", "sources": works}
    text = json.dumps(seen, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    hashed = hashlib.sha256(text.encode()).hexdigest()
    assert course.digest(course.lessons["coins"].cards[1]) == hashed


def test_a_change_is_later_than_the_one_before_even_if_the_clock_is_not(folder: Path) -> None:
    stamp(folder, 1_000_000_000)
    edit(folder, CARDS, "Both sides are alike.", "Both sides weigh the same.")
    stamp(folder, 5)
    assert times(folder)["entropy-fair"] == datetime.fromtimestamp(1_000_000_001, UTC)


def test_the_lock_is_the_same_bytes_each_time_and_sorted(folder: Path) -> None:
    stamp(folder, 1_000_000_000)
    first = (folder / LOCK).read_bytes()
    stamp(folder, 2_000_000_000)
    assert (folder / LOCK).read_bytes() == first
    lines = first.decode().split("\n")
    assert lines[1:3] == ["entropy-fair:", '  changed: "2001-09-09T01:46:40Z"']
    assert lines[4] == "surprisal-cloze:"


def test_stamps_of_cards_that_are_gone_are_dropped(folder: Path) -> None:
    stamp(folder, 1_000_000_000)
    (folder / CARDS).write_text("")
    stamp(folder, 2_000_000_000)
    assert load_course(folder).stamps == {}


def test_a_failed_write_leaves_the_old_lock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamp(folder, 1_000_000_000)
    before = (folder / LOCK).read_bytes()
    edit(folder, CARDS, "Both sides are alike.", "Both sides weigh the same.")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert main([str(folder), "--stamp"]) == 1
    assert (folder / LOCK).read_bytes() == before
    assert list(folder.glob(f".{LOCK}*")) == []


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("<<<<<<< ours\na: b\n", 2, "not YAML"),
        ("entropy-fair:\n  digest: abc\n  changed: x\n", 2, "`digest` should be 64 hexa"),
        ("entropy-fair:\n  changed: today\n  digest: " + "a" * 64, 2, "changed `today`"),
        ("entropy-fair:\n  changed: '2001-09-09T01:46:40'\n  digest: " + "a" * 64, 2, "changed"),
        ("- a\n", 1, "expected card ids, not a list of 1"),
    ],
)  # fmt: skip
def test_a_lock_that_cannot_be_read_is_a_fault(
    text: str, line: int, message: str, folder: Path
) -> None:
    (folder / LOCK).write_text(text)
    with pytest.raises(ContentError) as caught:
        load_course(folder)
    fault = caught.value.faults[0]
    assert (fault.path, fault.line) == (LOCK, line)
    assert message in fault.message


def test_a_lock_written_by_a_newer_clock_zone_reads_as_utc(folder: Path) -> None:
    stamp(folder, 1_000_000_000)
    edit_all = (folder / LOCK).read_text().replace("01:46:40Z", "03:46:40+02:00")
    (folder / LOCK).write_text(edit_all)
    assert times(folder) == {"entropy-fair": FIRST, "surprisal-cloze": FIRST}
