"""Reviewing in a browser: by keyboard alone, with buttons that stay where they are."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from content.load import load_course
from drills.events import Queued, Reviewed, item
from drills.queue import LEARN_AHEAD
from drills.store import Store, new_token
from tests.browser import overflow, settled, violations
from tests.conftest import Visit
from tests.learners import Past, become
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
    at_ease(page)
    asked = face(page).inner_text()
    before = row(page)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Good")).to_be_visible()
    at_ease(page)
    assert row(page) == before
    assert (violations(page), overflow(page)) == ([], 0)
    page.keyboard.press("3")
    expect(page.get_by_text("new 1 of 10")).to_be_visible()
    at_ease(page)
    assert face(page).inner_text() != asked
    assert row(page) == before
    page.keyboard.press("z")
    expect(page.get_by_text("new 0 of 10")).to_be_visible()
    at_ease(page)
    assert face(page).inner_text() == asked
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Good")).to_be_visible()
    context.close()


def at_ease(page: Page) -> None:
    """Wait until a press is no longer taken for the second half of a double click."""
    settled(page, quiet_ms=400)


def test_keys_work_wherever_the_learner_clicked_and_not_while_they_type(
    visit: Visit, server: Server, browser: Browser
) -> None:
    page = visit("/review", context=become(browser.new_context(), server, with_cards(server)))
    page.get_by_role("heading", name="Review").click()
    at_ease(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Good")).to_be_visible()
    page.get_by_role("button", name="Note").click()
    note = page.get_by_role("textbox", name="A note of your own on this card")
    note.fill("")
    page.keyboard.type("z 1 2 3 4")
    page.keyboard.press("Enter")
    settled(page)
    expect(note).to_have_value("z 1 2 3 4\n")
    expect(page.get_by_text("new 0 of 10")).to_be_visible()
    page.get_by_role("heading", name="Review").click()
    face(page).click()
    page.keyboard.press("1")
    expect(page.get_by_text("new 1 of 10")).to_be_visible()
    at_ease(page)
    page.keyboard.press("Space")
    page.get_by_role("button", name="Good").click()
    expect(page.get_by_text("new 2 of 10")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("new 1 of 10")).to_be_visible()
    at_ease(page)
    page.keyboard.press("Enter")  # which is not to press Undo once more
    expect(page.get_by_role("button", name="Good")).to_be_visible()
    settled(page)
    page.keyboard.press("Enter")
    expect(page.get_by_text("new 2 of 10")).to_be_visible()


def test_the_next_card_comes_by_itself_when_it_is_due(
    visit: Visit, server: Server, browser: Browser
) -> None:
    token, now = new_token(), datetime.now(UTC)
    card = load_course().lessons["entropy"].cards[0]
    due = now + LEARN_AHEAD + timedelta(seconds=6)  # Good asks for ten minutes
    happened = Reviewed(rating=3, at_ms=int((due - timedelta(minutes=10)).timestamp() * 1000))
    learner = Past(server.environment["SURPRISAL_DATABASE_URL"], token)
    learner.add([(timedelta(), f"entropy/{card.id}", happened)])
    page = visit("/review", context=become(browser.new_context(), server, token))
    expect(page.get_by_text("All done for now")).to_be_visible()
    expect(page.get_by_text("The next card is due in 21 min")).to_be_visible()
    expect(page.get_by_role("button", name="Show answer")).to_be_visible()


def test_the_grades_stay_in_view_beside_a_figure(
    visit: Visit, server: Server, browser: Browser
) -> None:
    cards = load_course().lessons["entropy"].cards
    drawn = next(card for card in cards if card.figure)
    token = new_token()
    learner = Past(server.environment["SURPRISAL_DATABASE_URL"], token)
    learner.add([(timedelta(), f"entropy/{drawn.id}", Queued())])
    context = browser.new_context(viewport={"width": 390, "height": 700})
    page = visit("/review", context=become(context, server, token))
    before = row(page)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Good")).to_be_in_viewport(ratio=1)
    settled(page)
    assert row(page) == before
    assert overflow(page) == 0
    menu = page.locator(".st-key-review-menu").get_by_role("button")
    menu.last.scroll_into_view_if_needed()
    assert len({box["y"] for each in menu.all() if (box := each.bounding_box())}) == 1
    context.close()
