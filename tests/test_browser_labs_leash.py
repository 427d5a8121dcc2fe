"""The leash lab in a browser: predict, climb, scrub, be asked again."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import overflow, settled, violations
from tests.conftest import Visit

pytestmark = pytest.mark.slow

RUN_MS = 60_000


def test_a_climb_is_predicted_watched_scrubbed_and_asked_again(visit: Visit) -> None:
    page = visit("/lab?id=leash&leash_steps=200")
    expect(page.get_by_role("button", name="Run", exact=True)).to_have_count(0)
    page.locator(".st-key-predict-rlhf-lab-leash-gold").get_by_role(
        "button", name="No idea"
    ).click()
    settled(page)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("Done at step 200 of 200")).to_be_visible(timeout=RUN_MS)
    again = page.locator(".st-key-again-rlhf-lab-leash-gold")
    expect(again).to_contain_text("What does gold do on the way?")
    page.get_by_role("slider", name="Step").focus()
    page.keyboard.press("Home")
    settled(page)
    chart = page.get_by_label(re.compile("At step 0 the policy is"))
    expect(chart.first).to_be_attached()
    assert violations(page) == []
    assert overflow(page) == 0
