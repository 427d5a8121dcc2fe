"""The checks themselves: nothing is skipped in CI, and a failed check is never lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.__main__ import Done, run
from tests.server import ROOT

CASES = {
    "skip": "def test(): pytest.skip('no browser')",
    "mark": "@pytest.mark.skip(reason='later')\ndef test(): pass",
    "file": "pytest.skip('no server', allow_module_level=True)\ndef test(): pass",
    "expected failure": "@pytest.mark.xfail(reason='known')\ndef test(): raise ValueError",
    "unexpected pass": "@pytest.mark.xfail(reason='known')\ndef test(): pass",
}


@pytest.mark.slow
@pytest.mark.parametrize("body", CASES.values(), ids=CASES)
def test_ci_refuses_what_is_skipped_or_expected_to_fail(tmp_path: Path, body: str) -> None:
    assert _pytest(tmp_path, body, ci="true") in (1, 2)  # 2: a file failed to load
    assert _pytest(tmp_path, body, ci="") in (0, 5)  # 5: no test was left to run


@pytest.mark.slow
def test_ci_accepts_what_passes(tmp_path: Path) -> None:
    assert _pytest(tmp_path, "def test(): pass", ci="true") == 0


@pytest.mark.parametrize(("code", "passed"), [("pass", True), ("raise SystemExit(1)", False)])
def test_a_step_passes_only_when_its_command_does(code: str, *, passed: bool) -> None:
    assert run("step", ("-c", code)).passed is passed


def test_the_table_names_a_failure() -> None:
    assert "FAILED" in str(Done("types", passed=False, seconds=1))
    assert "FAILED" not in str(Done("types", passed=True, seconds=1))


def _pytest(folder: Path, body: str, *, ci: str) -> int:
    (folder / "test_case.py").write_text(f"import pytest\n{body}\n")
    command = (sys.executable, "-m", "pytest", "-q", "-p", "tests.strict", "test_case.py")
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    quiet = subprocess.DEVNULL
    ended = subprocess.run(command, cwd=folder, env=environment, stdout=quiet, check=False)
    return ended.returncode
