"""Every screen, in light and dark, wide and narrow: it opens, is accessible, and fits."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.browser import (
    LOOKS,
    Scheme,
    launch_refusing_cookies,
    overflow,
    settled,
    violations,
)
from tests.conftest import StartServer, Visit
from tests.server import Server, copy_course
from tests.test_browser_lesson import RUN_MS, believe, card, no_idea, open_everything

pytestmark = pytest.mark.slow

SCREENS = (
    *("/", "/progress", "/decks", "/glossary?term=kl-divergence", "/sources", "/errata"),
    *("/errata?way=Spot+the+error", "/restore?code=none", "/lab?id=dpo"),
    *("/review", "/practice"),
)


def assert_good(page: Page) -> None:
    """No serious violation, nothing sticks out at the side."""
    assert violations(page) == []
    assert overflow(page) == 0


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_screen_is_accessible_and_fits(visit: Visit, scheme: Scheme, width: int) -> None:
    page = visit("/", scheme=scheme, width=width)
    for path in SCREENS:
        page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + path)
        settled(page)
        assert_good(page)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_opened_lesson_is_accessible_and_fits(visit: Visit, scheme: Scheme, width: int) -> None:
    page = visit("/dpo?dpo-break=Use+two+different+prompts", scheme=scheme, width=width)
    open_everything(page)
    page.locator(".st-key-dpo-main").get_by_role("button").click()
    expect(page.get_by_text("Done at step 200 of 200").first).to_be_visible(timeout=RUN_MS)
    believe(card(page, "quiz-dpo"), "the value network", 90)
    believe(card(page, "again-dpo/stand-in-for-reward"), "the log-ratio of policy", 70)
    assert_good(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_opens_on_a_click_is_accessible(visit: Visit, scheme: Scheme) -> None:
    page = visit("/dpo?line=reward", scheme=scheme)
    for name in ("Verify 28 GB", "Proof and source"):
        page.get_by_role("button", name=name).first.click()
        page.mouse.move(0, 0)  # no button is caught between two colors
        settled(page)
        assert_good(page)
        page.keyboard.press("Escape")


def test_a_course_with_faults_shows_them_all_instead_of_a_traceback(
    start_server: StartServer, visit: Visit, tmp_path: Path
) -> None:
    folder = copy_course(tmp_path / "course")
    quiz = folder / "lessons" / "dpo" / "quiz.yaml"
    text = quiz.read_text(encoding="utf-8")
    quiz.write_text(text.replace("answer: 2", "answer: 9", 1), encoding="utf-8")
    lesson = folder / "lessons" / "dpo" / "lesson.md"
    lesson.write_text(
        lesson.read_text(encoding="utf-8").replace("{cite}`xu2024`", "{cite}`nobody1900`"),
        encoding="utf-8",
    )
    page = visit("/dpo", server=start_server(content=folder))
    expect(page.get_by_role("heading", level=1)).to_have_text("This course cannot be shown yet")
    expect(page.get_by_text("lessons/dpo/quiz.yaml:").first).to_be_visible()
    expect(page.get_by_text("nobody1900").first).to_be_visible()
    assert_good(page)


def test_with_cookies_refused_the_lesson_works_and_says_so(
    server: Server, playwright: Playwright, tmp_path: Path
) -> None:
    context = launch_refusing_cookies(playwright, tmp_path)
    page = context.new_page()
    page.goto(f"{server.url}/dpo")
    settled(page)
    expect(page.get_by_test_id("stAlert")).to_contain_text("refuses our cookie")
    no_idea(card(page, "predict-dpo/stand-in-for-reward"))
    expect(page.get_by_text("Both methods start from one objective")).to_be_visible()
    context.close()


def test_an_unreachable_database_is_said_and_the_lesson_works(
    start_server: StartServer, visit: Visit, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    server = start_server(database=f"sqlite:///{blocked}/record.db")
    assert server.get("/health").status == 503
    page = visit("/dpo", server=server)
    expect(page.get_by_test_id("stAlert")).to_contain_text("cannot be reached")
    no_idea(card(page, "predict-dpo/stand-in-for-reward"))
    expect(page.get_by_text("Both methods start from one objective")).to_be_visible()
