"""The units switch: one choice in the sidebar, and every quantity of information follows it."""

from playwright.sync_api import Page, expect

from tests.browser import settled, violations
from tests.conftest import Visit


def _units(page: Page, choice: str) -> None:
    page.get_by_test_id("stSidebar").get_by_role("radio", name=choice, exact=True).click()
    settled(page)


def _figures(page: Page) -> str:
    return " ".join(page.get_by_test_id("stMetricValue").all_inner_texts())


def test_the_key_figure_and_the_score_follow_the_choice(visit: Visit) -> None:
    page = visit("/dpo")
    assert "0.693 nats" in _figures(page)
    expect(page.get_by_text("bits to earn")).to_be_visible()
    _units(page, "bits")
    assert "1.00 bits" in _figures(page)
    assert "units=bits" in page.url
    _units(page, "nats")
    assert "0.693 nats" in _figures(page)
    expect(page.get_by_text("nats to earn")).to_be_visible()
    assert not violations(page)


def test_an_address_says_the_unit_and_formulas_tell_the_logarithms_apart(visit: Visit) -> None:
    page = visit("/dpo?section=loss&units=bits")
    loss = page.locator(".katex-display").filter(has_text="σ").first
    expect(loss).to_contain_text("ln")
    usual = visit("/dpo?section=loss")
    expect(usual.locator(".katex-display").filter(has_text="σ").first).not_to_contain_text("ln")


def test_a_prediction_is_scored_in_the_unit(visit: Visit) -> None:
    page = visit("/dpo?units=nats")
    page.get_by_role("button", name="70%").first.wait_for()
    page.get_by_role("radio").nth(3).wait_for()
    assert "nats" in page.locator(".belief .bits").first.inner_text()
    assert "infinitely many nats" in page.locator(".belief .note").first.inner_text()


def test_a_choice_holds_on_the_next_screen(visit: Visit) -> None:
    page = visit("/dpo")
    _units(page, "bits")
    page.get_by_role("link", name="Glossary").click()
    settled(page)
    assert "units=bits" in page.url


def test_a_derivation_writes_its_logarithms_as_natural_in_bits(visit: Visit) -> None:
    page = visit("/dpo?line=reward&units=bits")
    board = page.locator(".stage math").first
    expect(board).to_contain_text("ln")
    expect(board).not_to_contain_text("log")
