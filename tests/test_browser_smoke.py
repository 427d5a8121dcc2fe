"""The first minute of a server: a deep link as its first request, its health, its cookie."""

import json

import pytest
from playwright.sync_api import expect

from pages.cookie import NAME
from tests.browser import LOOKS, Scheme, overflow, violations
from tests.conftest import StartServer, Visit
from tests.server import Server

pytestmark = pytest.mark.slow


def test_a_deep_link_as_the_first_request_goes_through_the_router(
    start_server: StartServer, visit: Visit
) -> None:
    page = visit("/dpo", server=start_server())
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    links = page.get_by_test_id("stSidebarNavLink").all_inner_texts()
    files = {"router", "settings", "resources", "cookie", "lesson", "init"}
    assert links, "the sidebar lists no screen"
    assert not files & {text.strip().lower() for text in links}


def test_health_names_status_version_and_database(server: Server) -> None:
    reply = server.get("/health")
    assert reply.headers["content-type"].startswith("application/json")
    health = json.loads(reply.body)
    assert health.keys() == {"status", "version", "database"}
    assert health["status"] == "ok"


def test_the_learner_is_known_by_a_cookie_that_scripts_cannot_read(visit: Visit) -> None:
    page = visit("/dpo")
    ours = [cookie for cookie in page.context.cookies() if cookie["name"] == NAME]
    assert len(ours) == 1
    assert ours[0]["httpOnly"]
    assert ours[0]["sameSite"] == "Lax"
    assert ours[0]["value"] not in page.evaluate("document.cookie")


def test_two_browsers_are_two_learners(visit: Visit) -> None:
    values = {
        cookie["value"]
        for page in (visit("/dpo"), visit("/dpo"))
        for cookie in page.context.cookies()
        if cookie["name"] == NAME
    }
    assert len(values) == 2


def test_a_learner_sees_no_tools_of_developers(visit: Visit) -> None:
    page = visit("/dpo")
    expect(page.get_by_test_id("stAppDeployButton")).to_have_count(0)
    expect(page.get_by_text("Deploy", exact=True)).to_have_count(0)
    expect(page.get_by_test_id("stHeading")).not_to_have_count(0)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_lesson_opens_accessible_and_fits(visit: Visit, scheme: Scheme, width: int) -> None:
    page = visit("/dpo", scheme=scheme, width=width)
    assert violations(page) == []
    assert overflow(page) == 0
