"""The annotator lab in a browser: compare by keyboard, take back, reload, and nothing is lost."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import settled, violations
from tests.conftest import Visit

pytestmark = pytest.mark.slow


def test_comparisons_by_keyboard_survive_a_reload(visit: Visit) -> None:
    page = visit("/lab?id=annotator")
    page.get_by_role("button", name="No idea").click()
    settled(page)
    for key, done in (("1", "1 of 28"), ("2", "2 of 28"), ("u", "1 of 28")):
        page.keyboard.press(key)
        expect(page.get_by_text(re.compile(f"{done} compared"))).to_be_visible()
    expect(page).to_have_url(re.compile("annotator_choices=70"))
    page.reload()
    settled(page)
    expect(page.get_by_text(re.compile("1 of 28 compared"))).to_be_visible()
    assert violations(page) == []
