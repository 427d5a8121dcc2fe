"""The authoring guide is true: its lesson, put where it says, loads, is covered and shown."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from content.__main__ import main
from content.load import HERE, load_course
from drills.deck import build_apkg
from engine.recompute import recompute
from tests.conftest import StartServer, Visit
from tests.server import ROOT

_FILE = re.compile(r"```(?:markdown|yaml)\n(?:<!-- (\S+) -->|# (\S+\.yaml))\n(.*?)```", re.DOTALL)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy of the course with the guide's lesson in it."""
    folder = tmp_path / "course"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    lesson = folder / "lessons" / "odds"
    lesson.mkdir()
    for markdown, yaml, text in _FILE.findall((ROOT / "README.md").read_text("utf-8")):
        (lesson / (markdown or yaml)).write_text(text, encoding="utf-8")
    head = folder / "course.yaml"
    head.write_text(head.read_text("utf-8").rstrip() + "\n  - odds\n", encoding="utf-8")
    return folder


def test_the_guide_s_lesson_has_four_files_and_no_fault(course: Path) -> None:
    names = {path.name for path in (course / "lessons" / "odds").iterdir()}
    assert names == {"lesson.md", "quiz.yaml", "cards.yaml", "claims.yaml"}
    assert main([str(course)]) == 0
    assert main([str(course), "--coverage"]) == 0


def test_its_claims_recompute_and_its_card_is_dealt(course: Path) -> None:
    loaded = load_course(course)
    for claim in loaded.lessons["odds"].claims.values():
        got = recompute(claim.function, claim.arguments)
        assert got == pytest.approx(claim.value, abs=claim.tolerance)
    assert build_apkg(loaded, lesson="odds", epoch=0)


def test_a_fault_in_it_is_told(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quiz = course / "lessons" / "odds" / "quiz.yaml"
    quiz.write_text(quiz.read_text("utf-8").replace("answer: 1", "answer: 2"), encoding="utf-8")
    assert main([str(course)]) == 1
    assert "lessons/odds/quiz.yaml" in capsys.readouterr().out


def test_it_is_shown_in_the_course(course: Path, start_server: StartServer, visit: Visit) -> None:
    page = visit("/odds", server=start_server(content=course))
    expect(page.get_by_role("heading", name="From rewards to odds")).to_be_visible()
    expect(page.get_by_text("How often does it win?").first).to_be_visible()
    page.get_by_role("button", name="No idea").first.click()
    expect(page.get_by_text("A lead of one wins with probability")).to_be_visible()
