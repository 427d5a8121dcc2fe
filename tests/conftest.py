"""Fixtures: servers of the app, browser pages on them, and the app without a browser."""

import re
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    expect,
    sync_playwright,
)
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from drills.store import new_token
from pages.cookie import NAME
from tests.browser import Console, Scheme, launch, save_screenshot, settled
from tests.chromium import obtain_driver
from tests.learners import Past
from tests.server import ROOT, Server, sqlite_url

pytest_plugins = ["tests.strict"]

FAILURES = Path(tempfile.gettempdir()) / "surprisal-failures"
_OPEN_PAGES = pytest.StashKey[list[Page]]()
# For anything on a page: three browsers, and what serves them, may share two cores.
_WAIT_MS = 30_000
Send = Callable[[AppTest, str], AppTest]


class StartServer(Protocol):
    """Starts a server of one's own; it ends with the test."""

    def __call__(
        self, *, content: Path | None = None, database: str | None = None, **environment: str
    ) -> Server:
        """Start `app.py` on a new record (or `database`) and `content` (or the shipped one)."""
        ...


class Visit(Protocol):
    """Opens a page as a learner would and waits until it has settled."""

    def __call__(
        self,
        path: str = "/dpo",
        *,
        scheme: Scheme = "light",
        width: int = 1280,
        server: Server | None = None,
        context: BrowserContext | None = None,
    ) -> Page:
        """Open `path`: without `context` as a new learner, with it in that learner's browser."""
        ...


class OpenApp(Protocol):
    """Runs a page without a browser."""

    def __call__(self, url_path: str = "", **query: str) -> AppTest:
        """Run the page at `url_path` ("" is the home page) with these query parameters."""
        ...


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return the server that tests share; each context is a learner of its own."""
    running = _server(tmp_path_factory.mktemp("server"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start servers of one's own: other content, another database, the first request of all."""
    started: list[Server] = []

    def start(
        *, content: Path | None = None, database: str | None = None, **environment: str
    ) -> Server:
        if content is not None:
            environment["SURPRISAL_CONTENT"] = str(content)
        folder = tmp_path / f"server-{len(started)}"
        folder.mkdir()
        new = _server(folder, database=database, **environment)
        started.append(new)
        new.start()
        return new

    yield start
    for each in started:
        each.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Return Playwright, for browsers of one's own."""
    obtain_driver()
    expect.set_options(timeout=_WAIT_MS)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Return the one headless browser of the run."""
    running = launch(playwright)
    yield running
    running.close()


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Open pages; at the end none may have logged an error, nor their server a traceback."""
    console = Console()
    pages: list[Page] = []
    contexts: list[BrowserContext] = []
    logs: dict[str, tuple[Server, int]] = {}
    request.node.stash[_OPEN_PAGES] = pages

    def open_page(
        path: str = "/dpo",
        *,
        scheme: Scheme = "light",
        width: int = 1280,
        server: Server | None = None,
        context: BrowserContext | None = None,
    ) -> Page:
        at: Server = server or request.getfixturevalue("server")
        logs.setdefault(at.url, (at, len(at.said())))
        if context is None:
            context = browser.new_context(
                color_scheme=scheme, viewport={"width": width, "height": 900}
            )
            contexts.append(context)
        context.set_default_timeout(_WAIT_MS)
        page = context.new_page()
        console.watch(page)
        pages.append(page)
        page.goto(at.url + path)
        return settled(page)

    yield open_page
    for context in contexts:
        context.close()
    assert console.unexpected() == []
    assert [text for at, seen in logs.values() for text in _tracebacks(at.said()[seen:])] == []


@pytest.fixture
def token() -> str:
    """Return the cookie of the learner as whom `open_app` runs pages."""
    return new_token()


@pytest.fixture
def open_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str) -> Iterator[OpenApp]:
    """Run pages without a browser (AppTest), on an empty record, in one learner's browser."""
    monkeypatch.setenv("SURPRISAL_DATABASE_URL", sqlite_url(tmp_path / "record.db"))
    cookies = {NAME: token}  # AppTest has no request that could bring one
    monkeypatch.setattr(ContextProxy, "cookies", property(lambda _context: cookies))
    _forget_process_state()

    def open_app(url_path: str = "", **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "pages" / "router.py"), default_timeout=60)
        app.query_params.update(query)
        # `switch_page` knows pages that are files; ours are functions, known by their address.
        app._page_hash = calc_hash(url_path) if url_path else ""
        return app.run()

    yield open_app
    _forget_process_state()


@pytest.fixture
def record(tmp_path: Path, token: str) -> Past:
    """Return the record of the learner as whom `open_app` runs pages, to be filled before."""
    return Past(sqlite_url(tmp_path / "record.db"), token)


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Send:
    """Type a line into the field that is on the page, and press Enter."""
    from pages.parts import line_field

    waiting: list[str] = []
    numbers = iter(range(1000))

    def ask(_name: str, _label: str, *, key: str) -> line_field.Typed | None:
        assert key
        return line_field.Typed(waiting.pop(), f"nonce-{next(numbers)}") if waiting else None

    def send(app: AppTest, text: str) -> AppTest:
        waiting.append(text)
        app.run()
        assert waiting == []
        return app

    monkeypatch.setattr(line_field, "ask", ask)
    return send


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add a picture of each open page to the report of a failure."""
    report = yield
    if report.when == "call" and report.failed:
        pages: list[Page] = item.stash.get(_OPEN_PAGES, [])
        for number, page in enumerate(pages):
            report.sections.append(("screenshot", _picture(page, item.nodeid, number)))
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what needs a browser last: the cheap tests speak first."""
    items.sort(key=lambda item: "playwright" in getattr(item, "fixturenames", ()))


def _server(folder: Path, *, database: str | None = None, **environment: str) -> Server:
    environment["SURPRISAL_DATABASE_URL"] = database or sqlite_url(folder / "record.db")
    return Server(ROOT, log=folder / "server.log", environment=environment)


def _picture(page: Page, nodeid: str, number: int) -> str:
    name = re.sub(r"[^\w.-]+", "-", f"{nodeid.removeprefix('tests/')}-{number}.png")
    try:
        return str(save_screenshot(page, FAILURES / name))
    except Exception as error:  # noqa: BLE001 - the failure itself must be reported, not this one
        return f"none: {error}"


def _tracebacks(log: str) -> list[str]:
    return re.findall(r"Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*.*", log)


def _forget_process_state() -> None:
    from pages import resources, settings

    if resources.store.cache_info().currsize:
        resources.store().dispose()
    resources.store.cache_clear()
    settings.settings.cache_clear()
