"""Anki exports brought in a browser: taken in once, and refused when they are none."""

from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from content.load import load_course
from drills import deck
from tests.browser import overflow, settled, violations
from tests.conftest import Visit
from tests.test_drills_history import Anki, locked, packed, studied

pytestmark = pytest.mark.slow


def bring(page: Page, name: str, data: bytes) -> None:
    """Choose a file, as its owner would."""
    file = FilePayload(name=name, mimeType="application/octet-stream", buffer=data)
    page.locator("input[type=file]").set_input_files(file)


def test_an_export_joins_the_record_once(visit: Visit, tmp_path: Path) -> None:
    anki = Anki(tmp_path / "anki", deck.build_apkg(load_course(), lesson="dpo", epoch=0))
    studied(anki)
    export = anki.export(legacy=False)
    anki.collection.close()
    page = visit("/decks", width=390)
    bring(page, "export.apkg", export)
    expect(page.get_by_text("New here: 10 reviews")).to_be_visible()
    settled(page)
    assert (violations(page), overflow(page)) == ([], 0)
    page.get_by_role("button", name="Add 10 to my record").click()
    expect(page.get_by_text("10 entries joined your record.")).to_be_visible()
    page.reload()
    settled(page)
    bring(page, "export.apkg", export)
    expect(page.get_by_text("all in your record: nothing is new")).to_be_visible()
    expect(page.get_by_role("button", name="to my record")).to_have_count(0)


def test_a_hostile_file_is_refused_and_the_next_one_is_read(visit: Visit) -> None:
    page = visit("/decks")
    for data, said in (
        (b"MZ" + bytes(1000), "The file is not an Anki export"),
        (locked(packed(b"x" * 100)), "locked by a password"),
        (packed(b"x" * 100, "../../collection.anki21"), "There is no collection in this archive"),
    ):
        bring(page, "export.apkg", data)
        expect(page.get_by_text(said)).to_be_visible()
        expect(page.get_by_text("Your record is as it was.")).to_be_visible()
    settled(page)
    assert violations(page) == []
