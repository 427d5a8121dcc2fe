"""The README is true: its tree is the real tree, its commands are the ones that run."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import ROOT

README = ROOT / "README.md"
TOP = {
    *("app.py", "pages", "content", "drills", "engine", "tests"),
    *("requirements.txt", "README.md", "CHANGELOG.md", "LICENSE"),
}
GENERATED = {"__pycache__", "__init__.py"}

SET_UP = "python3 -m venv .venv && .venv/bin/pip install -r "
RUN = SET_UP + "requirements.txt && .venv/bin/streamlit run app.py"
CHECK = SET_UP + "tests/requirements.txt && .venv/bin/python -m tests"


def test_the_top_level_shows_the_house_and_nothing_else() -> None:
    assert _names(ROOT) <= TOP


def test_every_line_of_the_tree_names_something_real() -> None:
    assert [path for path in _listed() if not any(ROOT.glob(path))] == []


def test_the_tree_lists_the_whole_top_level() -> None:
    assert _names(ROOT) - {"LICENSE"} <= {path.split("/")[0] for path in _listed()}


@pytest.mark.parametrize("folder", ["content", "drills", "engine", "pages"])
def test_the_tree_lists_every_file_of_each_package(folder: str) -> None:
    shown = {name for path in _listed() for name in _below(ROOT / folder, path)}
    assert _names(ROOT / folder) - GENERATED - shown == set()


@pytest.mark.parametrize("command", [RUN, CHECK])
def test_the_two_commands_stand_in_the_readme(command: str) -> None:
    assert command in README.read_text()


def test_ci_runs_what_the_readme_says() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    for part in ("python3 -m venv .venv", "-r tests/requirements.txt", ".venv/bin/python -m tests"):
        assert part in script


def test_pictures_and_links_of_the_readme_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#\s]+)", README.read_text())
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_a_picture_shows_the_lesson() -> None:
    assert re.search(r"!\[[^\]]+\]\([^)]+\.png\)", README.read_text())


def test_the_reader_of_the_tree_follows_its_indentation() -> None:
    tree = """
app.py                   the application
drills/                  ASKS
  store.py migrations/   the record
content/
  sources.yaml glossary.yaml
  lessons/<id>/          lesson.md  quiz.yaml
    notes.md             for instructors
tests/                   flat
"""
    assert list(_paths(tree.strip().splitlines())) == [
        *("app.py", "drills", "drills/store.py", "drills/migrations"),
        *("content", "content/sources.yaml", "content/glossary.yaml", "content/lessons/*"),
        *("content/lessons/*/notes.md", "tests"),
    ]


def _names(folder: Path) -> set[str]:
    names = {path.name for path in folder.iterdir()}
    return {name for name in names if not name.startswith(".")} - GENERATED


def _listed() -> list[str]:
    """Return the paths of the README's tree, `<id>` as a pattern.

    A line is `name [name ...]  role`, two spaces deeper for each folder that it lies in.
    """
    block = re.search(r"```(?:text)?\n(app\.py.*?)```", README.read_text(), re.DOTALL)
    assert block, "expected a fenced block in README.md that begins with app.py and its role"
    return list(_paths(block[1].splitlines()))


def _paths(lines: list[str]) -> Iterator[str]:
    folders: list[str] = []
    for line in lines:
        depth = (len(line) - len(line.lstrip())) // 2
        names = re.split(r" {2,}| · ", line.strip())[0].split()
        for name in names:
            plain = re.sub(r"<[^>]+>", "*", name.rstrip("/"))
            yield "/".join([*folders[:depth], plain])
            folders[depth:] = [plain]


def _below(folder: Path, path: str) -> set[str]:
    inside = path.partition(f"{folder.name}/")
    if inside[0] or not inside[2]:
        return set()
    return {found.relative_to(folder).parts[0] for found in ROOT.glob(path)}
