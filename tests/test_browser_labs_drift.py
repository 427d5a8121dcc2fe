"""The drift lab in a browser: files of one's own are compared, a bad one is told."""

import re

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser import settled
from tests.conftest import Visit

pytestmark = pytest.mark.slow

RUN_MS = 60_000
BASE = "id,score\n" + "".join(f"m{k},{0.2 + 0.004 * k:.3f}\n" for k in range(60))
TUNED = "id,score\n" + "".join(f"m{k},{0.6 + 0.004 * k:.3f}\n" for k in range(60))
BAD = "id,score\nm0,0.5\nm1,high\n"


def _put(page: Page, number: int, name: str, text: str) -> None:
    file: FilePayload = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    page.get_by_test_id("stFileUploaderDropzoneInput").nth(number).set_input_files(file)
    settled(page)


def test_two_files_are_compared_and_a_bad_one_is_told_by_row_and_column(visit: Visit) -> None:
    page = visit("/lab?id=drift&drift_rounds=99")
    page.locator("[class*=st-key-predict-]").get_by_role("button", name="No idea").click()
    settled(page)
    page.get_by_text("Compare scores of your own").click()
    _put(page, 0, "base.csv", BASE)
    _put(page, 1, "tuned.csv", BAD)
    expect(page.get_by_text("Row 3, column 2")).to_be_visible()
    _put(page, 1, "tuned.csv", TUNED)
    expect(page.get_by_text("60 rows of scores")).to_have_count(2)
    page.get_by_role("button", name="Run", exact=True).click()
    drifted = page.get_by_text(re.compile(r"After \d+ rounds: Drifted"))
    expect(drifted).to_be_visible(timeout=RUN_MS)
