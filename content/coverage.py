"""What a course covers: objectives by what teaches and asks them, formulas by their basis."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from content.load import Lesson, LoadedCourse
from content.schema import Objective

_BASES = {"definition": "definitions", "line": "derivation lines", "claim": "claims"}


@dataclass(frozen=True)
class Coverage:
    """One objective, and what meets it."""

    objective: Objective
    questions: int
    cards: int

    @property
    def met(self) -> bool:
        """Whether a section teaches it (checked on loading), a question and a card ask for it."""
        return self.questions > 0 and self.cards > 0


def of_lesson(lesson: Lesson) -> list[Coverage]:
    """Every objective of a lesson."""
    asked = Counter(question.objective for question in lesson.questions)
    kept = Counter(card.objective for card in lesson.cards)
    return [Coverage(each, asked[each.id], kept[each.id]) for each in lesson.head.objectives]


def percent(course: LoadedCourse) -> float:
    """The share of objectives that are met."""
    found = [each.met for lesson in course.lessons.values() for each in of_lesson(lesson)]
    return 100 * sum(found) / len(found)


def table(course: LoadedCourse) -> Iterator[str]:
    """The lines of the report."""
    yield _row("objective", "section", "questions", "cards", "")
    for lesson in course.lessons.values():
        yield f"{lesson.id}: {_counts(lesson)}"
        for each in of_lesson(lesson):
            name, section = f"  {each.objective.id}", each.objective.section
            yield _row(name, section, each.questions, each.cards, "" if each.met else "NOT MET")
        yield from (f"  formula at line {at}: {basis} {on}" for at, basis, on in lesson.formulas)
    yield _bases(course)
    yield f"{percent(course):.0f}% of objectives have a section, a question and a card"


def _row(*cells: object) -> str:
    name, section, questions, cards, note = map(str, cells)
    return f"{name:<36}{section:<26}{questions:>9}{cards:>7}  {note}".rstrip()


def _counts(lesson: Lesson) -> str:
    return (
        f"{lesson.words} words, {len(lesson.predictions)} predictions, "
        f"{len(lesson.questions)} questions, {len(lesson.cards)} cards, {len(lesson.claims)} claims"
    )


def _bases(course: LoadedCourse) -> str:
    found = Counter(each.basis for lesson in course.lessons.values() for each in lesson.formulas)
    told = ", ".join(f"{found[basis]} {name}" for basis, name in _BASES.items())
    return f"{found.total()} displayed formulas rest on: {told}"
