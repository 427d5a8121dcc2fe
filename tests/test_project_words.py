"""What no file of the project may contain: places of one machine, loose ends, stray notes."""

import re
from pathlib import Path

import pytest

from tests.server import ROOT

FORBIDDEN = {
    "a path of one machine": r"(?<![\w.])/(work|root|home|Users)/\w|/tmp/brief|/opt/(pypi|wheels)",
    "notes outside the project": r"\b(CONTRACT|DESIGN|FACTS|STREAMLIT|ANKI|ALGEBRA)\.md\b",
    "a loose end": r"\b(TODO|FIXME|XXX|HACK)\b|(?i:lorem ipsum|coming soon)",
    "an unsettled merge": r"^(<{7}|>{7}) ",
}
TEXT = {".py", ".md", ".yaml", ".toml", ".txt", ".ini", ".js", ".css", ".html", ".mako", ""}
HIDDEN = {".ci", ".streamlit", ".ruff.toml", ".mypy.ini", ".pytest.ini", ".importlinter"}


def _files() -> list[Path]:
    top = [path for path in ROOT.iterdir() if not path.name.startswith(".") or path.name in HIDDEN]
    below = [file for path in top if path.is_dir() for file in path.rglob("*")]
    found = [*(path for path in top if path.is_file()), *(file for file in below if file.is_file())]
    return [
        file
        for file in found
        if file.suffix in TEXT and "__pycache__" not in file.parts and file != Path(__file__)
    ]


@pytest.mark.parametrize(("what", "pattern"), FORBIDDEN.items(), ids=FORBIDDEN)
def test_no_file_contains(what: str, pattern: str) -> None:
    search = re.compile(pattern, re.MULTILINE).search
    found = {
        str(file.relative_to(ROOT)): match[0]
        for file in _files()
        if (match := search(file.read_text(encoding="utf-8")))
    }
    assert found == {}, what


def test_the_search_sees_the_code_and_the_lessons() -> None:
    names = {str(file.relative_to(ROOT)) for file in _files()}
    assert {"app.py", "requirements.txt", ".ci/run", "content/schema.py"} <= names


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("see /work/main/x", "a path of one machine"),
        ("TODO: write", "a loose end"),
        ("as FACTS.md says", "notes outside the project"),
    ],
)
def test_the_patterns_find_what_they_name(text: str, what: str) -> None:
    assert re.search(FORBIDDEN[what], text)


@pytest.mark.parametrize("text", ["content/work/x", "the network/home page", "a to-do list"])
def test_the_patterns_leave_plain_words_alone(text: str) -> None:
    assert not any(re.search(pattern, text) for pattern in FORBIDDEN.values())
