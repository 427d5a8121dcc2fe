"""A course without faults is loaded whole, in order, and resolves what it points to."""

import math
import subprocess
import sys
import time
from pathlib import Path

import pytest

from content.load import ContentError, LoadedCourse, load_course
from content.markdown import Directive, Prose, Role, Text
from content.schema import BasicCard, Choice, ClozeCard, Synthesis
from tests.small_course import edit, write_course


@pytest.fixture
def course(tmp_path: Path) -> LoadedCourse:
    return load_course(write_course(tmp_path))


def test_everything_is_there_in_the_order_of_the_files(course: LoadedCourse) -> None:
    lesson = course.lessons["coins"]
    assert course.course.title == "A course"
    assert list(course.sources) == ["shannon1948", "guo2017"]
    assert list(course.glossary) == ["entropy", "surprisal"]
    assert [erratum.id for erratum in course.errata] == ["bits-or-nats"]
    assert [section.id for section in lesson.sections] == ["opening", "entropy", "throwing"]
    assert [section.title for section in lesson.sections] == [
        "",
        "Entropy of a coin",
        "Throwing it",
    ]
    assert list(lesson.predictions) == ["which-coin", "lab-coin"]
    assert [type(question) for question in lesson.questions] == [Choice, Synthesis]
    assert [type(card) for card in lesson.cards] == [BasicCard, ClozeCard]
    assert list(lesson.claims) == ["fair-coin", "fair-coin-bits", "bent-coin"]


def test_numbers_are_read_as_they_are_meant(course: LoadedCourse) -> None:
    claims = course.lessons["coins"].claims
    assert claims["fair-coin"].tolerance == 1e-9  # YAML 1.1 would have read text
    assert claims["bent-coin"].value == math.inf
    assert claims["fair-coin-bits"].arguments == {"probabilities": [0.5, 0.5], "base": 2}


def test_words_that_yaml_would_change_stay_words(tmp_path: Path) -> None:
    folder = write_course(tmp_path)
    edit(folder, "lessons/coins/quiz.yaml", "- text: heads", "- text: No")
    edit(folder, "lessons/coins/quiz.yaml", "- text: tails", "- text: 2017-06-12")
    first, second = load_course(folder).lessons["coins"].predictions["lab-coin"].options
    assert (first.text, second.text) == ("No", "2017-06-12")


def test_directives_carry_argument_options_body_and_line(course: LoadedCourse) -> None:
    blocks = course.lessons["coins"].section("throwing").blocks
    lab, derivation, *_ = (block for block in blocks if isinstance(block, Directive))
    assert (lab.name, lab.argument, lab.options, lab.body) == (
        "lab",
        "coins",
        {"size": "large"},
        "",
    )
    assert (derivation.name, derivation.argument) == ("derivation", "entropy")
    text = (course.folder / "lessons/coins/lesson.md").read_text().split("\n")
    assert text[lab.line - 1] == ":::{lab} coins"
    callout = course.lessons["coins"].section("entropy").blocks[-1]
    assert isinstance(callout, Directive)
    assert callout.parts[:2] == (Text("Bits are "), Role("term", "surprisal", "surprisal"))


def test_prose_is_verbatim_but_for_its_roles(course: LoadedCourse) -> None:
    prose = course.lessons["coins"].section("entropy").blocks[1]
    assert isinstance(prose, Prose)
    source = (course.folder / "lessons/coins/lesson.md").read_text()
    for part in prose.parts:
        if isinstance(part, Text):
            assert part.markdown in source
    roles = [part for part in prose.parts if isinstance(part, Role)]
    assert roles == [
        Role("term", "entropy", "entropy"),
        Role("claim", "fair-coin", ""),
        Role("cite", "shannon1948", ""),
        Role("term", "surprisal", "surprisals"),
        Role("cite", "shannon1948", "as he showed"),
        Role("claim", "fair-coin-bits", ""),
        Role("chosen", "", "$\\pi_{w}$"),
    ]
    assert source.split("\n")[prose.line - 1].startswith("The {term}`entropy`")


def test_terms_and_claims_are_found_as_they_are_written(course: LoadedCourse) -> None:
    entropy = ("entropy", course.glossary["entropy"])
    assert course.term("Entropy") == course.term(" entropy") == entropy
    assert course.claim("fair-coin", lesson="coins").shown == "0.693 nats"
    assert course.claim("coins/fair-coin-bits").shown == "1 bit"
    with pytest.raises(KeyError):
        course.term("enthalpy")
    with pytest.raises(KeyError):
        course.claim("fair-coin")


def test_a_lab_asks_the_predictions_that_nothing_else_in_its_section_asks(
    course: LoadedCourse,
) -> None:
    lesson = course.lessons["coins"]
    assert lesson.asked_by_labs("throwing") == (lesson.predictions["lab-coin"],)
    assert lesson.asked_by_labs("entropy") == ()


def test_words_are_counted_without_headings_markup_and_formulas(tmp_path: Path) -> None:
    folder = write_course(tmp_path)
    before = load_course(folder).lessons["coins"].words
    edit(folder, "lessons/coins/lesson.md", "## Throwing it", "## Throwing it one more time")
    edit(
        folder,
        "lessons/coins/lesson.md",
        "A coin is thrown.",
        "A coin is *thrown* – four more words $a + b$ {term}`surprisal`.",  # and two for these
    )
    assert load_course(folder).lessons["coins"].words == before + 5


def test_a_folder_may_be_given_as_text(tmp_path: Path) -> None:
    assert load_course(str(write_course(tmp_path))).folder == tmp_path


def test_a_content_error_is_a_value_error_that_lists_its_faults(tmp_path: Path) -> None:
    with pytest.raises(ContentError) as caught:
        load_course(tmp_path)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value).split("\n") == [str(fault) for fault in caught.value.faults]
    assert [fault.line for fault in caught.value.faults] == [1, 1, 1, 1]


def test_our_own_course_is_free_of_faults_and_quick_to_load() -> None:
    seconds = []
    for _ in range(3):
        start = time.process_time()
        load_course()
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.15 * len(load_course().lessons)


def test_loading_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'sympy', 'streamlit', 'numpy', 'pandas', 'matplotlib'}"
    code = f"import sys, content.load; print({heavy} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
