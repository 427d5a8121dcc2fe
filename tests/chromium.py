"""Finding a Chromium or Chrome for the browser tests, and obtaining what is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
_INSTALL_SECONDS = 400
_NO_DRIVER = (
    "expected Playwright's driver to start, it does not: "
    "run `python -m playwright --version` to see why (on a bare Debian, install libatomic1)"
)
_NONE = (
    "expected Chromium or Chrome, found none and could not install one: "
    "install it, or set CHROME_PATH to its file"
)


class BrowserError(RuntimeError):
    """No browser was found, and none could be obtained."""


def find_chromium(playwright: Playwright) -> Path | None:
    """Return an installed browser: CHROME_PATH, the PATH, then Playwright's own; None if none.

    Raises:
        BrowserError: when CHROME_PATH names no file.
    """
    named = os.environ.get("CHROME_PATH")
    if named and not Path(named).is_file():
        raise BrowserError(f"expected CHROME_PATH to name a browser's file, got {named!r}")
    on_path = [Path(found) for name in _NAMES if (found := shutil.which(name))]
    places = [*on_path, _MAC, Path(playwright.chromium.executable_path)]
    return Path(named) if named else next((place for place in places if place.is_file()), None)


def obtain_chromium(playwright: Playwright) -> Path:
    """Return a browser, installing one if need be: Playwright's own, or Debian's as root.

    Raises:
        BrowserError: when none can be had; the message says what to do.
    """
    installers = iter((_from_playwright, _from_debian))
    while not (found := find_chromium(playwright)):
        install = next(installers, None)
        if install is None:
            raise BrowserError(_NONE)
        install()
    return found


def obtain_driver() -> None:
    """Make sure that Playwright itself can run; its Node.js needs a library that may be missing.

    Raises:
        BrowserError: when it cannot; the message says how to find out why.
    """
    if not _driver_starts():
        _from_debian("libatomic1")
        if not _driver_starts():
            raise BrowserError(_NO_DRIVER)


def _driver_starts() -> bool:
    return _attempt(sys.executable, "-m", "playwright", "--version")


def _from_playwright() -> None:
    print("no browser found; trying Playwright's own", flush=True)
    _attempt(sys.executable, "-m", "playwright", "install", "chromium")


def _from_debian(package: str = "chromium") -> None:
    if os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"trying Debian's {package}", flush=True)
        _attempt("apt-get", "-qq", "update")
        _attempt("apt-get", "-qq", "install", "-y", "--no-install-recommends", package)


def _attempt(*command: str) -> bool:
    """Run a command without a sound; return whether it succeeded in time."""
    quiet = subprocess.DEVNULL
    try:
        ended = subprocess.run(
            command, check=False, stdin=quiet, stdout=quiet, stderr=quiet, timeout=_INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0
