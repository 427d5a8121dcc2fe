"""The ladder of a lesson: predicted, read, recalled, derived or run."""

from content.load import Lesson
from content.markdown import Directive
from content.schema import Choice, Synthesis
from drills.record import Outline, Progress, Rung, progress
from pages.parts.place import Place
from pages.parts.quiet import quiet


def draw(place: Place) -> None:
    """Draw the rungs in one quiet line."""
    quiet(line(place))


def line(place: Place) -> str:
    """Return the rungs as one line of Markdown."""
    return " · ".join(_rung(rung) for rung in rungs(of(place)))


def of(place: Place) -> Progress:
    """Return how far this learner is in this lesson."""
    return progress(place.learner.record, outline(place.lesson))


def rungs(reached: Progress) -> tuple[Rung, ...]:
    """Return the rungs that can be earned here, from the lowest to the highest."""
    return (reached.predicted, reached.read, reached.recalled, reached.derived)


def outline(lesson: Lesson) -> Outline:
    """Return what the lesson offers, by id: what the rungs are counted against."""
    named = {kind: _arguments(lesson, kind) for kind in ("derivation", "lab")}
    return Outline(
        lesson=lesson.id,
        predictions=tuple(lesson.predictions),
        sections=tuple(section.id for section in lesson.sections),
        choices=tuple(q.id for q in lesson.questions if isinstance(q, Choice)),
        syntheses=tuple(q.id for q in lesson.questions if isinstance(q, Synthesis)),
        derivations=named["derivation"],
        labs=named["lab"],
        cards=tuple(card.id for card in lesson.cards),
    )


def _arguments(lesson: Lesson, directive: str) -> tuple[str, ...]:
    return tuple(
        block.argument
        for section in lesson.sections
        for block in section.blocks
        if isinstance(block, Directive) and block.name == directive
    )


def _rung(rung: Rung) -> str:
    icon = ":green[:material/check_circle:]" if rung.earned else ":material/radio_button_unchecked:"
    return f"{icon} {rung.name} {rung.done}/{rung.of}"
