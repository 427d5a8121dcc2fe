"""What browser tests share: launching, waiting, accessibility, screenshots, the console."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Playwright

from tests.chromium import obtain_chromium

Scheme = Literal["light", "dark"]
LOOKS: tuple[tuple[Scheme, int], ...] = tuple(product(("light", "dark"), (1280, 390)))

FLAGS = [
    "--no-sandbox",  # CI runs as root in a container, where Chromium's own sandbox cannot start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# What a browser says that is no fault of ours: (text, why).
ALLOWED_CONSOLE: tuple[tuple[re.Pattern[str], str], ...] = ()

# What only Streamlit itself emits: (axe rule, CSS selector of the element, why).
ALLOWED_AXE: tuple[tuple[str, str, str], ...] = (
    ("color-contrast", "code span.token", "colors of Streamlit's code highlighter"),
    ("scrollable-region-focusable", ".katex-display", "Streamlit scrolls wide formulas"),
    ("list", "[data-testid=stSidebarNavItems]", "Streamlit puts each section's <li> in a <div>"),
    ("listitem", "[data-testid=stSidebarNavItems] li", "the same"),
    ("scrollable-region-focusable", ".stCode pre", "Streamlit scrolls long code"),
    (
        "color-contrast",
        "[data-testid=stSlider]:has(input:disabled) p",
        "Streamlit fades the label of a slider that is off, which has no contrast to keep",
    ),
    ("svg-img-alt", "svg.marks", "Vega's drawing; the chart's container has the description"),
)


@dataclass
class Console:
    """Errors that a page wrote to its console, or threw."""

    errors: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Collect from `page` from now on."""
        page.on("console", self._console)
        page.on("pageerror", self._thrown)

    def unexpected(self) -> list[str]:
        """Return the errors that no entry of ALLOWED_CONSOLE names."""
        known = [pattern for pattern, _ in ALLOWED_CONSOLE]
        return [text for text in self.errors if not any(p.search(text) for p in known)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _thrown(self, error: Error) -> None:
        self.errors.append(f"uncaught: {error}")


def launch(playwright: Playwright) -> Browser:
    """Start a headless browser."""
    path = obtain_chromium(playwright)
    return playwright.chromium.launch(executable_path=path, args=FLAGS)


def launch_refusing_cookies(playwright: Playwright, profile: Path) -> BrowserContext:
    """Start a browser whose user has set it to refuse all cookies; `profile` is an empty folder."""
    settings = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (profile / "Default").mkdir()
    (profile / "Default" / "Preferences").write_text(json.dumps(settings))
    start = playwright.chromium.launch_persistent_context
    return start(profile, executable_path=obtain_chromium(playwright), args=FLAGS)


def settled(page: Page, *, quiet_ms: int = 200, timeout_ms: float = 60_000) -> Page:
    """Wait until the script has been at rest for `quiet_ms`, and fonts are loaded.

    The rest matters: for some milliseconds after a click the page still says that nothing runs.
    A fragment that reruns more often than `quiet_ms` never settles; give a smaller number then.
    """
    page.wait_for_function(_AT_REST, arg=quiet_ms, timeout=timeout_ms)
    return page


def violations(page: Page, *, allowed: Sequence[tuple[str, str, str]] = ALLOWED_AXE) -> list[str]:
    """Return serious and critical WCAG 2.1 A and AA violations, one line for each element."""
    found = Axe().run(page, options=_AXE_OPTIONS).response["violations"]
    lines = []
    for rule in found:
        if rule["impact"] not in ("serious", "critical"):
            continue
        excused = [selector for name, selector, _ in allowed if name == rule["id"]]
        for node in rule["nodes"]:
            if not page.evaluate(_MATCHES, [node["target"], excused]):
                lines.append(f"{rule['id']} ({rule['impact']}) at {node['target']}: {node['html']}")
    return lines


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window; 0 is right."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def save_screenshot(page: Page, file: Path) -> Path:
    """Save the whole page, scrolled area and all, and return the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    size = page.viewport_size or {"width": 1280, "height": 900}
    tall = int(page.evaluate(_FULL_HEIGHT))
    page.set_viewport_size({"width": size["width"], "height": min(max(tall, 400), 16_000)})
    page.wait_for_timeout(250)  # charts redraw after a change of size
    page.screenshot(path=file)
    page.set_viewport_size(size)
    return file


_AT_REST = """quiet => {
  const app = document.querySelector("[data-testid=stApp][data-test-script-state=notRunning]");
  const busy = !app || document.querySelector("[data-testid=stSkeleton], [data-stale=true]");
  if (busy || document.fonts.status !== "loaded") { window.surprisalQuiet = null; return false; }
  window.surprisalQuiet ??= performance.now();
  if (performance.now() - window.surprisalQuiet < quiet) return false;
  window.surprisalQuiet = null;
  return true;
}"""

_AXE_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
}

_MATCHES = """([target, selectors]) => {
  const element = document.querySelector([target].flat(2).at(-1));
  return element !== null && selectors.some(selector => element.matches(selector));
}"""

# Streamlit scrolls an inner element, so the document itself is never taller than the window.
_FULL_HEIGHT = """() => {
  const inner = document.querySelector("[data-testid=stMain]");
  return Math.ceil(inner ? inner.scrollHeight : document.documentElement.scrollHeight);
}"""
