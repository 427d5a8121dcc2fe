"""Where something is used, as HTML: the lessons and sections as links, the rest counted."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from content.load import Lesson, LoadedCourse
from content.markdown import OPENING
from content.uses import Kind, Use
from pages.parts.inline_html import inline_html

MANY = 5  # sections of one lesson: from here on they are not named one by one
COUNTED: tuple[tuple[Kind, str, str], ...] = (
    ("prediction", "prediction", "predictions"),
    ("question", "question", "questions"),
    ("card", "card", "cards"),
    ("claim", "claim", "claims"),
)


def sections(uses: Sequence[Use], course: LoadedCourse) -> list[str]:
    """Return one phrase for each lesson: its name, and the sections that use it."""
    named = {lesson: _sections(uses, course.lessons[lesson]) for lesson in _lessons(uses)}
    return [
        _lesson(course.lessons[lesson], named[lesson])
        for lesson in course.lessons
        if lesson in named
    ]


def counts(uses: Sequence[Use]) -> str:
    """Return how often it is used besides the text: "3 questions, 1 card"; may be empty."""
    phrases = []
    for kind, one, many in COUNTED:
        number = sum(use.kind == kind for use in uses)
        phrases += [f"{number} {one if number == 1 else many}"] if number else []
    return ", ".join(phrases)


def link(lesson: Lesson, section: str = "") -> str:
    """Return the address of a lesson, or of one of its sections."""
    query = "?" + urlencode({"section": section}) if section and section != OPENING else ""
    return f"/{lesson.id}{query}"


def _lessons(uses: Iterable[Use]) -> set[str]:
    return {use.lesson for use in uses if use.lesson}


def _sections(uses: Iterable[Use], lesson: Lesson) -> list[str]:
    """The titled sections of one lesson, in its order, that its uses lie in."""
    used = {use.section for use in uses if use.lesson == lesson.id}
    return [each.id for each in lesson.sections if each.id in used and each.title]


def _lesson(lesson: Lesson, used: Sequence[str]) -> str:
    name = inline_html(lesson.head.short)
    if not used or len(used) >= MANY:
        throughout = ", throughout" if used else ""
        return f'<a href="{link(lesson)}">{name}</a>{throughout}'
    titles = ((section, inline_html(lesson.section(section).title)) for section in used)
    shown = ", ".join(f'<a href="{link(lesson, name)}">{title}</a>' for name, title in titles)
    return f"{name}: {shown}"
