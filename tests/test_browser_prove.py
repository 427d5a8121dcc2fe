"""Proving in a browser: the live echo, Enter, focus, verdicts, and every way from end to end."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import LOOKS, Scheme, overflow, settled, violations
from tests.conftest import Visit

pytestmark = pytest.mark.slow
ECHO_MS = 400  # longer than the pause after which a draft is sent


def field(page: Page) -> Locator:
    return page.locator(".line-field input")


def echoed(page: Page) -> Locator:
    return page.locator(".line-field .echo")


def type_line(page: Page, text: str) -> None:
    """Type a line, wait for its echo, and press Enter."""
    field(page).fill(text)
    settled(page, quiet_ms=ECHO_MS)
    field(page).press("Enter")
    settled(page, quiet_ms=ECHO_MS)


def pick(page: Page, name: str) -> None:
    page.get_by_role("radiogroup").get_by_role("radio", name=name).check(force=True)
    settled(page)
    page.get_by_test_id("stButton").get_by_role("button", name="Check").click()
    settled(page, quiet_ms=ECHO_MS)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_filling_a_blank_with_a_named_mistake_and_a_caret(
    visit: Visit, scheme: Scheme, width: int
) -> None:
    page = visit("/prove?derivation=kl-optimum&way=fill", scheme=scheme, width=width)
    assert violations(page) == []
    pick(page, "Write it with Z")
    field(page).press_sequentially("pi = ref*exp(r/beta)")
    expect(echoed(page)).to_contain_text("You typed")  # before anything is judged
    expect(echoed(page).locator("math")).to_be_visible()
    expect(page.get_by_text("Z is missing")).to_have_count(0)
    field(page).press("Enter")
    expect(page.get_by_text("Z is missing")).to_be_visible()
    settled(page)
    expect(field(page)).to_be_focused()
    expect(page.get_by_role("columnheader", name="your left side")).to_be_visible()
    assert (violations(page), overflow(page)) == ([], 0)
    type_line(page, "pi = ref*exp(r/beta")
    expect(page.get_by_text("This does not count")).to_be_visible()
    code = page.get_by_test_id("stCode")
    assert code.inner_text().splitlines()[1] == " " * 12 + "^"
    assert (violations(page), overflow(page)) == ([], 0)
    type_line(page, r"\pi Z = \pi_{ref} e^{r/\beta}")
    expect(page.get_by_text("All blanks are filled")).to_be_visible()
    expect(page.get_by_text("It is not yet solved")).to_be_visible()
    page.reload()
    settled(page)
    expect(page.get_by_text("All blanks are filled")).to_be_visible()
    page.get_by_role("button", name="With 2 lines blank").click()
    settled(page)
    expect(page.get_by_text("Two lines are left out")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_proving_ipo_margin_to_its_end(visit: Visit, scheme: Scheme, width: int) -> None:
    page = visit("/prove?derivation=ipo-margin&way=prove", scheme=scheme, width=width)
    type_line(page, "u^2 - u/tau + 1/(4*tau^2)")
    expect(page.get_by_text("It follows.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    settled(page)
    expect(page.get_by_text("Rewritten", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Hint: the rule").click()
    settled(page)
    expect(page.get_by_text("Differentiate in the margin")).to_be_visible()
    type_line(page, "2u - 1/tau")
    expect(field(page)).to_be_focused()
    expect(field(page)).to_have_value("")
    assert (violations(page), overflow(page)) == ([], 0)
    type_line(page, "2·u·τ = 1")
    expect(page.get_by_text("Proved.", exact=True)).to_be_visible()
    chosen = page.get_by_role("combobox", name="Derivation")
    expect(chosen).to_have_value(re.compile("2 of 2 proved"))
    assert (violations(page), overflow(page)) == ([], 0)


def test_the_proof_earns_the_rung_of_its_lesson(visit: Visit) -> None:
    page = visit("/prove?derivation=ipo-margin&way=prove")
    type_line(page, "2u - 1/tau")
    type_line(page, "u = 1/(2*tau)")
    page.get_by_role("link", name="Your record").click()
    settled(page)
    expect(page.get_by_text(re.compile(r"derived or run 1/\d")).first).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_spotting_an_error_and_repairing_it(visit: Visit, scheme: Scheme, width: int) -> None:
    page = visit("/prove?derivation=ipo-margin&way=spot", scheme=scheme, width=width)
    lines = {"Differentiate in the margin": "2*u - 1/tau", "Put the target in": "u = 1/(2*tau)"}
    first, second = lines
    pick(page, first)
    if not field(page).count():
        expect(page.get_by_text("That line is right")).to_be_visible()
        pick(page, second)
        first = second
    assert (violations(page), overflow(page)) == ([], 0)
    type_line(page, lines[first])
    expect(page.get_by_text("What went wrong")).to_be_visible()
    page.get_by_role("button", name="Another one").click()
    settled(page)
    expect(page.get_by_text("Which line is wrong?")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_longest_derivation_fits_and_says_how_to_type(
    visit: Visit, scheme: Scheme, width: int
) -> None:
    page = visit("/prove?derivation=dpo&way=spot", scheme=scheme, width=width)
    assert (violations(page), overflow(page)) == ([], 0)
    page.get_by_role("radio", name="Prove").click()
    settled(page)
    expect(page).to_have_url(re.compile("derivation=dpo&way=prove"))
    page.get_by_role("button", name="How to type").click()
    expect(page.get_by_text("Three spellings of one line")).to_be_visible()
    settled(page)
    assert (violations(page), overflow(page)) == ([], 0)


def test_watching_is_the_stage_of_the_lesson(visit: Visit) -> None:
    page = visit("/prove?derivation=dpo")
    page.get_by_role("button", name="Next →").click()
    settled(page)
    expect(page.get_by_text("Write both averages as one sum")).to_be_visible()
    assert violations(page) == []


def test_the_check_button_keeps_the_focus_in_the_field(visit: Visit) -> None:
    page = visit("/prove?derivation=ipo-margin&way=prove")
    field(page).fill("u = 3")
    page.locator(".line-field button").click()
    settled(page, quiet_ms=ECHO_MS)
    expect(page.get_by_test_id("stMarkdown").get_by_role("table")).to_be_visible()
    expect(field(page)).to_be_focused()
    expect(echoed(page)).to_contain_text("You typed")
