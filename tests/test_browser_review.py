"""Reviewing in a browser: by keyboard alone, with buttons that stay where they are."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from content.load import load_course
from drills.events import Queued, item
from drills.store import Store, new_token
from tests.browser import overflow, settled, violations
from tests.conftest import Visit
from tests.learners import become
from tests.server import Server

pytestmark = pytest.mark.slow


def with_cards(server: Server, lesson: str = "entropy", count: int = 3) -> str:
    """Record a learner who chose some cards; return the token."""
    token, now = new_token(), datetime.now(UTC)
    store = Store(server.environment["SURPRISAL_DATABASE_URL"])
    store.migrate()
    who = store.ensure_learner(token, now=now)
    for card in load_course().lessons[lesson].cards[:count]:
        store.append(who, item(lesson, card.id), Queued(), now=now)
    store.dispose()
    return token


def row(page: Page) -> tuple[float, float]:
    """Return where the row of buttons begins and how tall it is."""
    box = page.locator(".st-key-review-row").bounding_box()
    assert box is not None
    return box["y"], box["height"]


def face(page: Page) -> Locator:
    return page.locator("[class*=st-key-review-face]")


def test_space_three_and_z(visit: Visit, server: Server, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = visit("/review", context=become(context, server, with_cards(server)))
    expect(page.get_by_text("3 to go")).to_be_visible()
    asked = face(page).inner_text()
    before = row(page)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Good")).to_be_visible(timeout=15_000)
    settled(page)
    assert row(page) == before
    assert (violations(page), overflow(page)) == ([], 0)
    page.keyboard.press("3")
    expect(page.get_by_text("new 1 of 10")).to_be_visible(timeout=15_000)
    settled(page)
    assert face(page).inner_text() != asked
    assert row(page) == before
    page.keyboard.press("z")
    expect(page.get_by_text("new 0 of 10")).to_be_visible(timeout=15_000)
    settled(page)
    assert face(page).inner_text() == asked
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Good")).to_be_visible(timeout=15_000)
    context.close()
