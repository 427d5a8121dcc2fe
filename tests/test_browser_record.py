"""The record is the learner's: taken to another device, downloaded, deleted."""

import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import settled
from tests.conftest import Visit
from tests.server import Server
from tests.test_browser_lesson import card, no_idea

pytestmark = pytest.mark.slow

YOURS = "/progress?part=Yours"
OPENED = "Both methods start from one objective"


@pytest.fixture
def learner(visit: Visit) -> Page:
    """A learner who has committed to one prediction."""
    page = visit("/dpo")
    no_idea(card(page, "predict-dpo/stand-in-for-reward"))
    return page


def at(page: Page, server: Server, path: str) -> Page:
    """The same learner on another screen."""
    page.goto(server.url + path)
    return settled(page)


def test_a_recovery_link_takes_the_record_to_another_browser(
    learner: Page, visit: Visit, server: Server
) -> None:
    at(learner, server, YOURS)
    learner.get_by_role("button", name="Make a recovery link").click()
    link = learner.get_by_test_id("stCode").inner_text().strip()
    assert link.startswith(f"{server.url}/restore?code=")
    other = visit(link.removeprefix(server.url))
    other.get_by_role("button", name="Continue with that record").click()
    expect(other.get_by_text("This browser now continues that record")).to_be_visible()
    expect(at(other, server, "/dpo").get_by_text(OPENED)).to_be_visible()


def test_a_wrong_code_is_told_and_changes_nothing(visit: Visit) -> None:
    page = visit("/restore?code=AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")
    page.get_by_role("button", name="Continue with that record").click()
    expect(page.get_by_test_id("stAlert")).to_be_visible()
    expect(page.get_by_text("This browser now continues that record")).to_have_count(0)


def test_the_record_can_be_downloaded(learner: Page, server: Server, tmp_path: Path) -> None:
    at(learner, server, YOURS)
    with learner.expect_download() as download:
        learner.get_by_role("button", name="Download my record").click()
    file = tmp_path / "record.json"
    download.value.save_as(file)
    assert "dpo/stand-in-for-reward" in json.dumps(json.loads(file.read_text(encoding="utf-8")))


def test_a_downloaded_record_joins_that_of_another_browser_once(
    learner: Page, visit: Visit, server: Server, tmp_path: Path
) -> None:
    at(learner, server, YOURS)
    with learner.expect_download() as download:
        learner.get_by_role("button", name="Download my record").click()
    download.value.save_as(tmp_path / "record.json")
    other = visit(YOURS)
    other.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(tmp_path / "record.json")
    expect(other.get_by_text(re.compile(r"The file holds \d+ entr"))).to_be_visible()
    other.get_by_role("button", name=re.compile("^Add .* to my record")).click()
    expect(other.get_by_text("joined your record")).to_be_visible()
    expect(at(other, server, "/dpo").get_by_text(OPENED)).to_be_visible()
    at(other, server, YOURS)
    other.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(tmp_path / "record.json")
    expect(other.get_by_text("nothing is new")).to_be_visible()


def test_a_chosen_deck_is_made_and_downloaded(visit: Visit, tmp_path: Path) -> None:
    page = visit("/decks")
    page.get_by_text("A lesson", exact=True).click()
    settled(page)
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("cards for Anki")).click()
    download.value.save_as(tmp_path / "deck.apkg")
    assert download.value.suggested_filename == "surprisal-likelihood.apkg"
    assert zipfile.is_zipfile(tmp_path / "deck.apkg")


def test_the_record_can_be_deleted_and_only_after_confirming(learner: Page, server: Server) -> None:
    at(learner, server, YOURS)
    button = learner.get_by_role("button", name="Delete my record")
    expect(button).to_be_disabled()
    learner.get_by_role("textbox").fill("delete")
    learner.keyboard.press("Enter")
    button.click()
    expect(learner.get_by_text("Nothing is recorded yet")).to_be_visible()
    expect(at(learner, server, "/dpo").get_by_text(OPENED)).to_have_count(0)


def test_decks_download_under_their_names(server: Server) -> None:
    for suffix, kind in (
        ("apkg", "application/octet-stream"),
        ("tsv", "text/tab-separated-values"),
    ):
        reply = server.get(f"/decks/dpo.{suffix}")
        assert reply.status == 200
        assert reply.headers["content-type"].startswith(kind)
        assert f'filename="surprisal-dpo.{suffix}"' in reply.headers["content-disposition"]
