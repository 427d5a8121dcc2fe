"""`python -m tests [--fast] [PYTEST ARGUMENT ...]`: every check, the cheapest first.

A failed check does not stop the next one, and types are checked beside the tests. `--fast` leaves
out the tests marked slow; other arguments go to pytest. The exit code is 1 when any check has
failed.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from subprocess import PIPE, STDOUT

import pytest

from tests.server import ROOT

CODE = ("app.py", "content", "drills", "engine", "pages", "tests")
LAYERS = "from importlinter.cli import lint_imports_command as lint; lint()"
# Each process takes the tests in order, few at a time, so that those with a browser still come last
# and no process is left alone with many. With three, pages were too slow for tests that must act
# while a run goes on.
SIDE_BY_SIDE = ("--numprocesses", "2", "--dist", "load", "--maxschedchunk", "4")
STEPS = {
    "format": ("-m", "ruff", "format", "--check", "--quiet", "."),
    "lint": ("-m", "ruff", "check", "--quiet", "."),
    "layers": ("-c", LAYERS, "--no-logo"),
}
TYPES = ("-m", "mypy", "--no-error-summary", *CODE)


@dataclass(frozen=True)
class Done:
    """A check that has run."""

    name: str
    passed: bool
    seconds: float

    def __str__(self) -> str:
        """Return its row in the table."""
        return f"{self.name:8} {'passed' if self.passed else 'FAILED'} {self.seconds:8.1f} s"


class Table:
    """A pytest plugin that writes the table of checks above pytest's own last line."""

    def __init__(self, done: Sequence[Done], beside: Future[Done]) -> None:
        self.done, self.beside = done, beside
        self.started = time.perf_counter()

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, exitstatus: int
    ) -> None:
        """Write one row for each check, pytest's last."""
        tests = Done("tests", exitstatus == 0, time.perf_counter() - self.started)
        terminalreporter.section("checks")
        for row in (*self.done, self.beside.result(), tests):
            terminalreporter.write_line(str(row), red=not row.passed)


def main(arguments: Sequence[str]) -> int:
    """Run every check and return the exit code."""
    os.chdir(ROOT)
    fast = ["-m", "not slow"] if "--fast" in arguments else []
    rest = [argument for argument in arguments if argument != "--fast"]
    done = [run(name, command) for name, command in STEPS.items()]
    with ThreadPoolExecutor(max_workers=1) as pool:
        types = pool.submit(run, "types", TYPES)
        tests = pytest.main([*SIDE_BY_SIDE, *fast, *rest], plugins=[Table(done, types)])
    return 0 if tests == 0 and all(row.passed for row in (*done, types.result())) else 1


def run(name: str, command: Sequence[str]) -> Done:
    """Run one check with this Python; show what it printed if it failed."""
    started = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, *command], check=False, text=True, stdout=PIPE, stderr=STDOUT
    )
    row = Done(name, ended.returncode == 0, time.perf_counter() - started)
    print("" if row.passed else ended.stdout, row, sep="", flush=True)
    return row


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
