"""Reading aids in a browser: terms in place, glossary, sources, errata, the map of the course."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from content.load import load_course
from tests.browser import LOOKS, Scheme, overflow, settled, violations
from tests.conftest import StartServer, Visit
from tests.learners import become, finished
from tests.server import Server
from tests.small_course import edit, write_course
from tests.test_browser_lesson import card, no_idea

pytestmark = pytest.mark.slow

TWO_ERRATA = """\
- id: second
  often_written: A fair coin carries {fixed}`2 bits`.
  corrected: A fair coin carries {fixed}`1 bit`.
  right: It has two sides.
  source: shannon1948
- id: bits-or-nats
"""


def term(page: Page, shown: str) -> Locator:
    """The first link of a term that reads so."""
    return page.locator('a[href^="/glossary?term="]', has_text=shown).first


def definition(page: Page) -> Locator:
    """The definition that lies over the page."""
    return page.locator(".term-in-place")


def inside(page: Page, part: Locator) -> bool:
    """Whether a part lies within the window on all sides."""
    box, size = part.bounding_box(), page.viewport_size
    assert box is not None
    assert size is not None
    right, bottom = box["x"] + box["width"], box["y"] + box["height"]
    return box["x"] >= 0 and box["y"] >= 0 and right <= size["width"] and bottom <= size["height"]


# --- terms in place ------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hovering_a_term_defines_it_in_place(visit: Visit, scheme: Scheme) -> None:
    page = visit("/dpo", scheme=scheme)
    address = page.url
    term(page, "RLHF").hover()
    shown = definition(page)
    expect(shown).to_be_visible()
    expect(shown).to_contain_text("Reinforcement learning from human feedback")
    expect(shown).to_contain_text("Source: Ouyang et al. 2022")
    expect(term(page, "RLHF")).to_have_attribute("aria-describedby", "term-in-place-definition")
    assert violations(page) == []
    shown.get_by_role("link", name="In the glossary").hover()  # the pointer may enter
    page.wait_for_timeout(500)
    expect(shown).to_be_visible()
    page.mouse.move(5, 5)
    expect(shown).to_be_hidden()
    expect(term(page, "RLHF")).not_to_have_attribute("aria-describedby", re.compile("."))
    assert page.url == address


def test_a_click_keeps_the_definition_and_goes_nowhere(visit: Visit) -> None:
    page = visit("/dpo")
    address = page.url
    term(page, "PPO").click()
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    expect(definition(page)).to_contain_text("Proximal policy optimization")
    assert (page.url, len(page.context.pages)) == (address, 1)
    page.get_by_role("heading", level=1).click()
    expect(definition(page)).to_be_hidden()


def test_the_keyboard_opens_enters_leaves_and_closes(visit: Visit) -> None:
    page = visit("/dpo")
    focused = "document.activeElement.outerHTML.slice(0, 120)"
    page.get_by_role("button", name="Verify 28 GB").first.focus()
    page.keyboard.press("Tab")
    expect(term(page, "RLHF")).to_be_focused()
    expect(definition(page)).to_be_visible()
    page.keyboard.press("Tab")
    expect(definition(page).get_by_role("link", name="In the glossary")).to_be_focused()
    page.keyboard.press("Escape")
    expect(definition(page)).to_be_hidden()
    expect(term(page, "RLHF")).to_be_focused()
    page.keyboard.press("Enter")  # opens, and reads it out
    expect(definition(page)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")  # past the last link of the definition: on in the text
    expect(definition(page)).to_be_hidden()
    assert "rafailov" in page.evaluate(focused).lower() or "2305.18290" in page.evaluate(focused)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_tap_on_a_phone_opens_within_the_window(
    browser: Browser, visit: Visit, scheme: Scheme
) -> None:
    context = browser.new_context(
        has_touch=True, color_scheme=scheme, viewport={"width": 390, "height": 800}
    )
    page = visit("/dpo", context=context)
    address = page.url
    for shown in ("RLHF", "PPO", "value network"):
        term(page, shown).tap()
        expect(definition(page)).to_be_visible()
        assert inside(page, definition(page))
        assert (overflow(page), page.url, len(context.pages)) == (0, address, 1)
    assert violations(page) == []
    term(page, "value network").tap()
    expect(definition(page)).to_be_hidden()
    context.close()


def test_terms_that_are_drawn_later_are_defined_too(visit: Visit) -> None:
    page = visit("/dpo")
    no_idea(card(page, "predict-dpo/stand-in-for-reward"))
    term(page, "partition function").hover()
    expect(definition(page)).to_contain_text("the sum that normalizes the optimum")
    expect(definition(page).locator("math").first).to_be_visible()


def test_the_glossary_entry_and_the_way_back_stay_in_the_tab(visit: Visit) -> None:
    page = visit("/dpo")
    term(page, "RLHF").hover()
    definition(page).get_by_role("link", name="In the glossary").click()
    expect(page).to_have_url(re.compile(r"/glossary\?term=rlhf"))
    settled(page)
    marked = page.locator(".marked")
    expect(marked).to_contain_text("Reinforcement learning from human feedback")
    expect(marked).to_be_in_viewport()
    page.get_by_role("link", name="Train it").first.click()
    expect(page).to_have_url(re.compile(r"/dpo\?section=lab"))
    settled(page)
    page.wait_for_timeout(500)
    expect(page.get_by_role("heading", name="Train it")).to_be_in_viewport()
    assert len(page.context.pages) == 1


# --- glossary, sources ---------------------------------------------------------------------------


def test_the_glossary_is_searched_at_every_key(visit: Visit) -> None:
    page = visit("/glossary")
    count = page.get_by_role("status").filter(has_text="term")
    expect(count).to_have_text(re.compile(r"^\d+ terms$"))
    find = page.get_by_role("searchbox")
    find.press_sequentially("BRADLEY")
    expect(page.locator(".group .entry:visible dt")).to_have_text(
        ["Bradley-Terry model", "connected comparison graph", "soft labels"]
    )
    expect(count).to_have_text(re.compile(r"^3 of \d+ terms$"))
    find.fill("kl-divergence")  # its key
    expect(page.locator(".group .entry:visible dt").first).to_have_text("KL divergence")
    find.fill("<b>nothing</b>")
    expect(page.get_by_text("No term holds what you typed")).to_be_visible()
    expect(page.locator(".group:visible")).to_have_count(0)
    find.fill("")
    expect(page.get_by_text("No term holds what you typed")).to_be_hidden()


def test_an_unknown_term_is_said(visit: Visit) -> None:
    page = visit("/glossary?term=nowhere")
    expect(page.get_by_text("names a term that this glossary does not have")).to_be_visible()


def test_sources_are_found_by_author_and_year(visit: Visit) -> None:
    page = visit("/sources")
    page.get_by_role("searchbox").fill("rafailov 2023")
    entry = page.locator(".group .entry:visible")
    expect(entry.filter(has_text="Direct Preference Optimization")).to_have_count(1)
    expect(entry.first).to_contain_text("Read in the original.")
    link = entry.first.get_by_role("link", name="arXiv:2305.18290")
    expect(link).to_have_attribute("target", "_blank")


# --- errata --------------------------------------------------------------------------------------


def test_errata_are_spotted_to_the_end_and_are_there_after_reload(
    start_server: StartServer, visit: Visit, tmp_path: Path
) -> None:
    folder = write_course(tmp_path / "course")
    edit(folder, "errata.yaml", "- id: bits-or-nats\n", TWO_ERRATA)
    server = start_server(content=folder)
    page = visit("/errata", server=server)
    expect(page.get_by_text("It has two sides.")).to_be_visible()
    page.get_by_role("radio", name="Spot the error").click()
    settled(page)
    expect(page).to_have_url(re.compile("way=Spot"))
    part = page.locator(".st-key-spot")
    for right in ("1 bit", "0.69 nats"):
        part.get_by_role("radio", name=right).check()
        part.get_by_role("button", name="90%").click()
        part.get_by_role("button", name="Commit", exact=True).click()
        settled(page)
        told = part.get_by_role("listitem").filter(has_text=right)
        expect(told).to_contain_text("This is the right answer.")
        expect(told).to_contain_text("90%")
        part.get_by_role("button", name=re.compile("Next|Summary")).click()
        settled(page)
    _spotted(page)
    page.reload()
    _spotted(settled(page))
    page.goto(f"{server.url}/progress")
    settled(page)
    expect(page.get_by_test_id("stMetric").first).to_contain_text("0")


def _spotted(page: Page) -> None:
    expect(page.get_by_role("heading", name="You spotted 2 of 2")).to_be_visible()
    expect(page.get_by_text("2 of 2 answered")).to_contain_text("+1.70 bits")


# --- home ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_home_leads_to_the_section_that_was_touched_last(
    visit: Visit, server: Server, scheme: Scheme, width: int
) -> None:
    page = visit("/", scheme=scheme, width=width)
    expect(page.get_by_text("Nothing to install")).to_be_visible()
    page.get_by_role("link", name="Begin here").click()
    expect(page).to_have_url(re.compile(r"/likelihood$"))
    settled(page)
    no_idea(card(page, "predict-likelihood/add-five"))
    page.goto(server.url)
    settled(page)
    expect(page.get_by_text("Nothing to install")).to_have_count(0)
    stop = page.get_by_role("listitem").filter(has=page.get_by_role("heading", level=2))
    asked = len(load_course().lessons["likelihood"].predictions)
    expect(stop.first).to_contain_text(f"predicted 1/{asked}")
    expect(stop.first).to_contain_text(re.compile(r"\d+ of 40 min left"))
    page.get_by_text("What the rungs mean").click()
    settled(page)
    expect(page.get_by_text("7 days or more")).to_be_visible()
    assert violations(page) == []
    assert overflow(page) == 0
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Continue where you were").click()
    expect(page).to_have_url(re.compile(r"/likelihood\?section=next-token"))
    settled(page)
    page.wait_for_timeout(500)
    heading = page.get_by_role("heading", name="A distribution over the next token")
    expect(heading).to_be_in_viewport()


def test_who_has_answered_it_all_sees_what_is_earned(
    visit: Visit, browser: Browser, server: Server
) -> None:
    context = become(browser.new_context(), server, finished(server))
    page = visit("/", context=context)
    earned = page.get_by_role("img", name="earned")
    expect(earned).to_have_count(2)  # predicted and read; the free texts are still to be written
    expect(page.get_by_text(re.compile(r"of 17\d bits earned"))).to_be_visible()
    context.close()
