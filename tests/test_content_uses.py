"""Where terms, sources and claims are used: every kind of place, once, in the course's order."""

from pathlib import Path

import pytest

from content.load import LoadedCourse, load_course
from content.uses import Use
from tests.small_course import edit, write_course


@pytest.fixture
def course(tmp_path: Path) -> LoadedCourse:
    return load_course(write_course(tmp_path))


def test_terms_are_found_in_prose_callouts_and_other_definitions(course: LoadedCourse) -> None:
    here = Use("text", "coins", "entropy")
    assert course.uses.terms["entropy"] == (here,)
    assert course.uses.terms["surprisal"] == (here, Use("term", name="entropy"))


@pytest.mark.parametrize(
    ("file", "old", "use"),
    [
        ("lesson.md", "He worked at", Use("text", "coins", "throwing")),
        ("lesson.md", "Say what the entropy", Use("text", "coins", "entropy")),
        ("lesson.md", "The entropy against", Use("text", "coins", "entropy")),
        ("lesson.md", "Say how surprising", Use("text", "coins")),
        ("quiz.yaml", "Which coin", Use("prediction", "coins", "entropy", "which-coin")),
        ("quiz.yaml", "That is base", Use("question", "coins", "entropy", "unit")),
        ("quiz.yaml", "names the sign", Use("question", "coins", "throwing", "explain")),
        ("cards.yaml", "Both sides", Use("card", "coins", "entropy", "entropy-fair")),
        ("cards.yaml", "nats::a unit", Use("card", "coins", "throwing", "surprisal-cloze")),
        ("claims.yaml", "That is one", Use("claim", "coins", "", "fair-coin-bits")),
    ],
)
def test_a_term_is_found_wherever_it_stands(tmp_path: Path, file: str, old: str, use: Use) -> None:
    folder = write_course(tmp_path)
    edit(
        folder,
        "glossary.yaml",
        "surprisal:\n",
        "odds:\n  term: odds\n  definition: p.\nsurprisal:\n",
    )
    edit(folder, f"lessons/coins/{file}", old, "In {term}`odds`")
    assert load_course(folder).uses.terms["odds"] == (use,)


def test_sources_are_found_by_citation_paper_card_and_entry(course: LoadedCourse) -> None:
    uses = course.uses.sources["shannon1948"]
    assert len(uses) == len(set(uses))
    assert {use.kind for use in uses} == {
        *("text", "prediction", "question", "card", "claim", "erratum", "term"),
    }
    assert Use("text", "coins", "throwing") in uses  # the paper's card
    assert Use("erratum", name="bits-or-nats") in uses
    assert course.uses.sources["guo2017"] == (Use("claim", "coins", "", "bent-coin"),)


def test_a_claim_is_stated_in_the_first_section_of_its_lesson_that_shows_it(
    course: LoadedCourse,
) -> None:
    assert course.uses.stated_in("coins/fair-coin") == "entropy"
    assert course.uses.stated_in("coins/bent-coin") is None
    assert course.uses.stated_in("nowhere/claim") is None


def test_what_is_used_nowhere_is_not_listed(course: LoadedCourse) -> None:
    assert set(course.uses.terms) == {"entropy", "surprisal"}
    assert course.uses.sources.get("nobody1900", ()) == ()


def test_the_index_is_made_once(course: LoadedCourse) -> None:
    assert course.uses is course.uses
