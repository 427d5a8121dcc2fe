"""What a learner waits for: from the address to the title on the screen, nothing cached."""

from playwright.sync_api import Browser, sync_playwright

from tests.bench.measure import Seconds, interleaved
from tests.bench.servers import Servers
from tests.browser import launch

_ROUNDS = 9

_WATCH = """
new MutationObserver((_, watcher) => {
  if (!document.querySelector("h1")?.textContent.trim()) return;
  watcher.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.surprisalPaint = performance.now(); }));
}).observe(document, {childList: true, subtree: true, characterData: true});
"""


def ratio(servers: Servers, *, rounds: int = _ROUNDS) -> Seconds:
    """Return the seconds until the title of `/dpo` and of the one-line page are painted."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        try:
            return interleaved(
                lambda: paint(browser, f"{servers.course.url}/dpo"),
                lambda: paint(browser, servers.one_line.url),
                rounds=rounds,
            )
        finally:
            browser.close()


def paint(browser: Browser, url: str) -> float:
    """Return the seconds from navigation to the first frame that shows the page's title."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.add_init_script(_WATCH)
        page.goto(url, wait_until="commit")
        painted = page.wait_for_function("window.surprisalPaint", timeout=60_000)
        return float(painted.json_value()) / 1000
    finally:
        context.close()
