"""The browser of the tests: found where it may lie, obtained where it can be, else asked for."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from playwright.sync_api import Playwright

from tests import chromium


@pytest.fixture
def playwright(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Playwright:
    """Return a Playwright without a browser of its own, on a machine without any."""
    monkeypatch.delenv("CHROME_PATH", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(chromium, "_MAC", tmp_path / "nowhere")
    own = SimpleNamespace(executable_path=str(tmp_path / "own" / "chrome"))
    return cast(Playwright, SimpleNamespace(chromium=own))


def test_the_named_browser_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, playwright: Playwright
) -> None:
    _install(tmp_path / "bin" / "chromium")
    named = _install(tmp_path / "named")
    assert chromium.find_chromium(playwright) == tmp_path / "bin" / "chromium"
    monkeypatch.setenv("CHROME_PATH", str(named))
    assert chromium.find_chromium(playwright) == named


def test_a_name_without_a_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, playwright: Playwright
) -> None:
    monkeypatch.setenv("CHROME_PATH", "/no/such/chrome")
    with pytest.raises(chromium.BrowserError, match=r"expected CHROME_PATH.*/no/such/chrome"):
        chromium.find_chromium(playwright)


def test_playwrights_own_browser_is_found_and_obtained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, playwright: Playwright
) -> None:
    own = tmp_path / "own" / "chrome"
    assert chromium.find_chromium(playwright) is None
    monkeypatch.setattr(chromium, "_attempt", lambda *command: _install(own))
    assert chromium.obtain_chromium(playwright) == own


def test_a_machine_where_none_can_be_had_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, playwright: Playwright
) -> None:
    tried: list[str] = []
    monkeypatch.setattr(chromium, "_attempt", lambda *command: tried.append(" ".join(command)))
    monkeypatch.setattr(shutil, "which", lambda name: name if "apt" in name else None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(chromium.BrowserError, match="install it, or set CHROME_PATH"):
        chromium.obtain_chromium(playwright)
    assert "playwright install chromium" in tried[0]
    assert "chromium" in tried[-1]
    assert tried[-1].startswith("apt-get")


@pytest.mark.parametrize("comes", [True, False])
def test_a_driver_that_does_not_start_gets_its_library(
    monkeypatch: pytest.MonkeyPatch, *, comes: bool
) -> None:
    installed: list[str] = []
    monkeypatch.setattr(chromium, "_driver_starts", lambda: bool(installed) and comes)
    monkeypatch.setattr(chromium, "_from_debian", installed.append)
    if comes:
        chromium.obtain_driver()
    else:
        with pytest.raises(chromium.BrowserError, match="playwright --version"):
            chromium.obtain_driver()
    assert installed == ["libatomic1"]


def _install(file: Path) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file
