"""Where something is drawn: in which lesson of which course, and for whom."""

from dataclasses import dataclass

from content.load import Lesson, LoadedCourse
from content.schema import Choice
from drills import events
from pages.parts import prose
from pages.parts.learner import Learner


@dataclass(frozen=True)
class Place:
    """A lesson in front of a learner: what every widget of a lesson needs to know."""

    course: LoadedCourse
    lesson: Lesson
    learner: Learner

    def item(self, name: str) -> str:
        """Return the record's name for something in this lesson."""
        return events.item(self.lesson.id, name)

    def words(self, text: str) -> str:
        """Return one Markdown field of a content file as Streamlit's Markdown."""
        return prose.field(text, course=self.course, lesson=self.lesson.id)

    def plain(self, text: str) -> str:
        """Return one field of a content file without links and colors."""
        return prose.plain(text, course=self.course, lesson=self.lesson.id)

    def options(self, choice: Choice) -> list[str]:
        """Return the options of a question, as the belief widget takes them."""
        return [self.plain(option.text) for option in choice.options]
