"""The repair shop in a browser: see it broken, name the cause, mend it, be asked again."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import overflow, settled, violations
from tests.conftest import Visit

pytestmark = pytest.mark.slow

RUN_MS = 60_000


def test_a_broken_run_is_seen_diagnosed_mended_and_judged(visit: Visit) -> None:
    page = visit("/lab?id=break-it")
    expect(page.get_by_text("Done at step 200 of 200")).to_be_visible(timeout=RUN_MS)
    expect(page.get_by_text("Still broken")).to_have_count(0)
    before = page.locator(".st-key-predict-dpo-lab-break-it-small-beta")
    before.get_by_role("button", name="No idea").click()
    settled(page)
    expect(page.get_by_text("Still broken")).to_be_visible(timeout=RUN_MS)
    stop = page.get_by_role("spinbutton", name="Stop after step")
    stop.fill("5")
    stop.press("Enter")
    settled(page)
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("Mended.")).to_be_visible(timeout=RUN_MS)
    expect(page).to_have_url(re.compile("break-it_stop=5"))
    again = page.locator(".st-key-again-dpo-lab-break-it-small-beta")
    expect(again).to_contain_text("why does it end on flattery")
    assert violations(page) == []
    assert overflow(page) == 0
