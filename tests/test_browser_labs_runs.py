"""Runs in a browser: what stands below one stays, a link repeats one, and none blocks the page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.conftest import Visit
from tests.server import ROOT, Server

pytestmark = pytest.mark.slow

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

    def show():
        st.markdown(f"The run is {run.job.status}.")
        run.job.wait(10)

    watch(run, show)
    with st.container(border=True, key="question"):
        ask()


draw()
"""


@pytest.fixture
def slow_page(tmp_path: Path) -> Iterator[Server]:
    """Serve the slow page alone."""
    script = tmp_path / "slow_page.py"
    script.write_text(SLOW_PAGE)
    server = Server(ROOT, log=tmp_path / "server.log", script=str(script))
    server.start()
    yield server
    server.stop()


def test_a_question_stays_below_a_run_that_ends_while_it_is_drawn(
    slow_page: Server, visit: Visit
) -> None:
    page = visit("/", server=slow_page)
    expect(page.get_by_text("The run is done")).to_be_visible()
    page.wait_for_timeout(1_000)  # a loss comes with the rerun that follows the end
    expect(page.get_by_role("button", name="Commit")).to_be_visible()
