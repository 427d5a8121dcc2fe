"""Coverage: every objective is taught, asked and kept; every formula rests on what it says."""

from pathlib import Path

import pytest

from content import coverage
from content.__main__ import main
from content.load import Lesson, load_course
from content.markdown import Directive, Formula
from engine.algebra.derivations import all_derivations, derivation
from tests.small_course import edit, write_course

COURSE = load_course()
LESSONS = [pytest.param(lesson, id=lesson.id) for lesson in COURSE.lessons.values()]
FORMULAS = [
    pytest.param(formula, id=f"{lesson.id}:{formula.line}")
    for lesson in COURSE.lessons.values()
    for formula in lesson.formulas
    if formula.basis == "line"
]


def test_every_objective_of_the_course_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--coverage"]) == 0
    assert "100% of objectives" in capsys.readouterr().out


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_names_a_line_that_is_there(formula: Formula) -> None:
    name, _, line = formula.target.partition("/")
    assert derivation(name).line(line)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_shows_derivations_that_are_there(lesson: Lesson) -> None:
    blocks = [b for section in lesson.sections for b in section.blocks]
    shown = {b.argument for b in blocks if isinstance(b, Directive) and b.name == "derivation"}
    assert shown <= set(all_derivations())
    assert shown


def test_an_objective_without_a_card_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_course(tmp_path / "course")
    assert main([str(folder), "--coverage"]) == 0
    edit(folder, "lessons/coins/cards.yaml", "  objective: say-entropy\n", "")
    assert main([str(folder), "--coverage"]) == 1
    said = capsys.readouterr().out
    assert "NOT MET" in said
    assert "0% of objectives" in said
    assert "1 displayed formulas rest on: 1 definitions" in said


def test_the_share_counts_objectives() -> None:
    assert coverage.percent(COURSE) == 100
