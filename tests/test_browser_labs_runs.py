"""Runs in a browser: what stands below one stays, a link repeats one, and none blocks the page."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, TimeoutError, expect

from pages.parts.training import POLL_SECONDS
from tests.browser import settled, violations
from tests.conftest import Visit
from tests.server import ROOT, Server

pytestmark = pytest.mark.slow

RUN_MS = 60_000

# A page that is so slow to draw that its run has ended by then, with a question below the run.
SLOW_PAGE = """
import time

import streamlit as st

from pages.parts import state
from pages.parts.lab import Run, watch
from pages.parts.training import Job


def count():
    for step in range(20):
        time.sleep(0.05)
        yield step


@st.fragment
def ask():
    st.button("Commit")


@st.fragment
def draw():
    run = state.once("run", lambda: Run(None, Job(count()), {}))
    went = run.job.status == "running"
    st.markdown(f"The page was drawn while it was {run.job.status}.")

    def show():
        st.markdown(f"The run is {run.job.status}.")
        run.job.wait(10)

    watch(run, show, went=went)
    with st.container(border=True, key="question"):
        ask()


draw()
"""


# The same, but that the run ends between what says how it stands and what watches it.
ENDED_BETWEEN = SLOW_PAGE.replace("    watch(", "    run.job.wait(10)\n    watch(")


@pytest.fixture(params=[SLOW_PAGE, ENDED_BETWEEN], ids=["while watched", "between"])
def slow_page(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Serve the slow page alone."""
    script = tmp_path / "slow_page.py"
    script.write_text(request.param)
    server = Server(ROOT, log=tmp_path / "server.log", script=str(script))
    server.start()
    yield server
    server.stop()


def test_a_question_stays_below_a_run_that_ends_while_it_is_drawn(
    slow_page: Server, visit: Visit
) -> None:
    page = visit("/", server=slow_page)
    expect(page.get_by_text("The run is done")).to_be_visible()
    expect(page.get_by_text("The page was drawn while it was done")).to_be_visible()
    page.wait_for_timeout(1_000)  # a loss comes with the rerun that follows the end
    expect(page.get_by_role("button", name="Commit")).to_be_visible()


def _csv(page: Page) -> str:
    """Open the data of a run and take them home."""
    page.get_by_role("button", name="Data", exact=True).click()
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button").click()
    return Path(download.value.path()).read_text()


def _ran(page: Page, steps: int) -> Page:
    page.get_by_role("button", name="No idea").click()
    settled(page)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text(f"Done at step {steps} of {steps}")).to_be_visible(timeout=RUN_MS)
    return settled(page)


def test_a_link_repeats_a_run_of_chance_in_another_browser(visit: Visit) -> None:
    drawn = "leash_world=Many+prompts&leash_algorithm=REINFORCE&leash_steps=5&leash_seed=7"
    page = _ran(visit(f"/lab?id=leash&{drawn}"), 5)
    numbers = _csv(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Link").click()
    link = page.locator("code").filter(has_text="/lab?").inner_text()
    assert numbers.count("\n") == 1 + 6, "a header and steps 0 to 5"
    assert _csv(_ran(visit(link[link.index("/lab") :]), 5)) == numbers


def test_a_run_is_paused_restarted_and_stopped_while_controls_react(visit: Visit) -> None:
    """A run is over in four seconds, so that each of these has one from its beginning."""
    page = visit("/lab?id=estimators&estimators_steps=400")
    page.get_by_role("button", name="No idea").click()
    settled(page)
    page.get_by_role("button", name="Run", exact=True).click()
    running = page.get_by_text(re.compile(r"Running at step \d+ of 400"))
    expect(running).to_be_visible()
    page.get_by_role("slider", name="Distance").press("ArrowRight")
    expect(running).to_be_visible()
    expect(page).to_have_url(re.compile(r"estimators_distance=1\.25"))
    page.get_by_role("button", name="Restart").click()
    expect(running).to_be_visible()
    _from_the_start(page)
    page.get_by_role("button", name="Pause").click()
    paused = page.get_by_text(re.compile(r"Paused at step \d+ of 400"))
    held = _step(paused)
    _at_rest(page)
    assert violations(page) == []
    page.get_by_role("button", name="Resume").click()
    expect(running).to_be_visible()
    page.wait_for_timeout(500)
    assert _step(page.get_by_text(re.compile(r"(Running|Done) at step \d+ of 400"))) > held
    _from_the_start(page)
    page.get_by_role("button", name="Stop").click()
    stopped = page.get_by_text(re.compile(r"Stopped at step \d+ of 400"))
    assert _step(stopped) < 400
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
    _at_rest(page)


def _at_rest(page: Page) -> None:
    """Nobody looks at a run that does not go on: not within three times as long as one is."""
    settled(page, quiet_ms=int(3_000 * POLL_SECONDS), timeout_ms=10_000)


def _from_the_start(page: Page) -> None:
    """Run again, once the run before is over."""
    stop, again = (page.get_by_role("button", name=name) for name in ("Stop", "Run again"))
    with suppress(TimeoutError):  # it has come to its end by itself
        stop.click(timeout=2_000)
    again.click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def _step(status: Locator) -> int:
    expect(status).to_be_visible()
    return int(re.findall(r"at step (\d+)", status.inner_text())[0])
