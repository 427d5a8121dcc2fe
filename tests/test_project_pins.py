"""The requirements: exact, installed as pinned, and exactly what the code imports."""

import ast
import re
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

from tests.server import ROOT

RUNTIME = ROOT / "requirements.txt"
TOOLS = ROOT / "tests" / "requirements.txt"
OURS = ("app", "content", "drills", "engine", "pages", "tests")
PIN = re.compile(r"(?P<name>[a-z0-9-]+)(\[[a-z]+\])?==(?P<version>[0-9.]+)")

# SQLAlchemy imports psycopg when the address says PostgreSQL, the optimizer of fsrs tqdm.
LOADED_BY_NAME = {"psycopg", "tqdm"}
PINNED_BY = {"pydantic-core": "pydantic"}  # an exact pin of its own, to the same release
RUN_AS_COMMANDS = {"pytest-xdist", "ruff", "mypy", "import-linter"}
STUBS = {"pandas-stubs", "types-pyyaml"}


def _lines(file: Path) -> list[str]:
    lines = (line.strip() for line in file.read_text().splitlines())
    return [line for line in lines if line and not line.startswith(("#", "-r "))]


def _pins(file: Path) -> dict[str, str]:
    found = (PIN.fullmatch(line) for line in _lines(file))
    return {match["name"]: match["version"] for match in found if match}


def _imported(files: list[Path]) -> set[str]:
    """Return the distributions whose modules the files import."""
    providers = packages_distributions()
    outside = {module for file in files for module in _modules(file)}
    outside -= {*sys.stdlib_module_names, *OURS}
    names = {providers.get(module, [module])[0].lower().replace("_", "-") for module in outside}
    return {PINNED_BY.get(name, name) for name in names}


def _modules(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    other = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.split(".")[0] for name in plain | other}


def test_every_line_is_an_exact_pin() -> None:
    for file in (RUNTIME, TOOLS):
        for line in _lines(file):
            assert PIN.fullmatch(line), f"{file.name}: {line}"


def test_tools_include_the_runtime_and_repeat_nothing() -> None:
    assert "-r ../requirements.txt" in TOOLS.read_text().splitlines()
    assert not _pins(RUNTIME).keys() & _pins(TOOLS).keys()


@pytest.mark.parametrize(("name", "pinned"), [*_pins(RUNTIME).items(), *_pins(TOOLS).items()])
def test_what_is_installed_is_what_is_pinned(name: str, pinned: str) -> None:
    assert version(name).split("+")[0] == pinned


def test_the_runtime_pins_are_what_the_app_imports() -> None:
    code = [ROOT / "app.py", *(file for each in OURS[1:5] for file in (ROOT / each).rglob("*.py"))]
    assert _pins(RUNTIME).keys() == _imported(code) | LOADED_BY_NAME


def test_the_tool_pins_are_what_the_tests_use() -> None:
    imported = _imported(list((ROOT / "tests").rglob("*.py")))
    needed = imported | RUN_AS_COMMANDS | STUBS
    assert needed <= _pins(RUNTIME).keys() | _pins(TOOLS).keys()
    assert _pins(TOOLS).keys() <= needed
