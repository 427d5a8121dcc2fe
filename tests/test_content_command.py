"""`python -m content` says what is wrong, one fault a line, and with its exit status."""

import subprocess
import sys
from pathlib import Path

import pytest

from content.__main__ import main
from tests.small_course import edit, write_course


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_course(tmp_path / "course")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "content", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_good_course(folder: Path) -> None:
    run_ = run(str(folder))
    lines = run_.stdout.split("\n")
    assert (run_.returncode, run_.stderr) == (0, "")
    assert lines[0] == "ok: 1 lesson, 2 questions, 2 cards, 3 claims, 2 sources"
    assert lines[1].startswith(
        "note: cards.lock.yaml is not up to date (2 cards to stamp, 0 stamps"
    )


def test_a_stamped_course_needs_no_note(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "--stamp"]) == 0
    assert capsys.readouterr().out == "stamped 2 cards: 2 new, 0 changed, 0 unchanged\n"
    assert main([str(folder)]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_a_faulty_course(folder: Path) -> None:
    first = edit(folder, "sources.yaml", "year: 1948", "year: 48")
    second = edit(folder, "lessons/coins/quiz.yaml", "answer: 1\n", "answer: 4\n")
    run_ = run(str(folder))
    lines = run_.stdout.splitlines()
    assert (run_.returncode, run_.stderr) == (1, "")
    assert lines[0].startswith(f"lessons/coins/quiz.yaml:{second}: prediction `lab-coin`: answer 4")
    assert lines[1].startswith(f"sources.yaml:{first}: source `shannon1948`: `year` should be")
    assert lines[2] == f"2 faults in 2 files of {folder}"


def test_a_faulty_course_is_not_stamped(folder: Path) -> None:
    edit(folder, "sources.yaml", "year: 1948", "year: 48")
    assert main([str(folder), "--stamp"]) == 1
    assert not (folder / "cards.lock.yaml").exists()


def test_without_a_folder_it_checks_the_course_of_this_package() -> None:
    assert run().stdout.startswith("ok: ")


def test_help_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(word in said for word in ("FOLDER", "--stamp", "--epoch", "Exit status"))


@pytest.mark.parametrize("arguments", [["--epoch", "5"], ["--stamp", "--epoch", "soon"], ["--no"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: python -m content" in capsys.readouterr().err


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nowhere")]) == 1
    assert "course.yaml:1: there is no folder" in capsys.readouterr().out
