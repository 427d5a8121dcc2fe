"""Where a learner is in the course: how far in each lesson, what is left, where to go on."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from content.load import Lesson, LoadedCourse
from content.markdown import OPENING, Directive
from drills.events import Attempted, Event, Predicted, Ran, Read, Repredicted, Stepped, Verified
from drills.record import Progress
from pages.parts import ladder
from pages.parts.learner import Learner
from pages.parts.place import Place
from pages.parts.quiz import bits_to_earn

State = Literal["new", "started", "done"]


class Next(NamedTuple):
    """Where to go on, and why there."""

    why: Literal["begin", "continue", "next"]
    lesson: Lesson
    section: str | None  # None: from the top


@dataclass(frozen=True)
class Stop:
    """One lesson on the way."""

    number: int
    lesson: Lesson
    reached: Progress

    @property
    def state(self) -> State:
        """Whether the lesson is done; `retained` comes a week later and does not hold it open."""
        if all(rung.earned for rung in ladder.rungs(self.reached)[:-1]):
            return "done"
        begun = self.reached.answered or any(rung.done for rung in ladder.rungs(self.reached))
        return "started" if begun else "new"

    @property
    def minutes_left(self) -> int:
        """The lesson's minutes times the share of what it asks and shows that is not done."""
        return math.ceil(self.lesson.head.minutes * (1 - self.reached.share))

    @property
    def most(self) -> float:
        """The most bits that its questions can give."""
        return bits_to_earn(self.lesson.questions)


@dataclass(frozen=True)
class Journey:
    """All stops, and the latest thing that was done in any of them."""

    course: LoadedCourse
    stops: Sequence[Stop]
    last: Event[Any] | None

    @property
    def minutes_left(self) -> int:
        """What is left of all lessons."""
        return sum(stop.minutes_left for stop in self.stops)

    @property
    def done(self) -> int:
        """How many lessons are done."""
        return sum(stop.state == "done" for stop in self.stops)

    @cached_property
    def next(self) -> Next | None:
        """Where to go on; None when every lesson is done."""
        if self.last is None:
            return Next("begin", self.stops[0].lesson, None)
        at = next(i for i, s in enumerate(self.stops) if s.lesson.id == self.last.lesson)
        here = self.stops[at]
        if here.state != "done" and not _at_the_end(self.last, here):
            return Next("continue", here.lesson, section_of(self.last, here.lesson, self.course))
        ahead = (*self.stops[at + 1 :], *self.stops[: at + 1])
        return next((_onward(s, here) for s in ahead if s.state != "done"), None)


def of(course: LoadedCourse, who: Learner) -> Journey:
    """Hold the learner's record against the course, lesson by lesson."""
    stops = [
        Stop(number, lesson, ladder.of(Place(course, lesson, who)))
        for number, lesson in enumerate(course.lessons.values(), start=1)
    ]
    there = (event for event in reversed(who.events) if event.lesson in course.lessons)
    return Journey(course, stops, next((event for event in there if not _by_itself(event)), None))


def section_of(event: Event[Any], lesson: Lesson, course: LoadedCourse) -> str | None:
    """Return the section in which something was done; None if it is the top, or gone by now."""
    name = event.item.partition("/")[2]
    if event.kind == Verified.kind:
        section = course.uses.stated_in(event.item)
    else:
        section = _SECTION.get(event.kind, _quiz)(lesson, name)
    titled = {each.id for each in lesson.sections if each.id != OPENING}
    return section if section in titled else None


def _by_itself(event: Event[Any]) -> bool:
    """Whether it was recorded as the page was drawn: the first line of a derivation."""
    return event.kind == Stepped.kind and event.payload.line == 1


def _at_the_end(last: Event[Any], stop: Stop) -> bool:
    return last.kind == Read.kind and stop.reached.read.earned


def _onward(stop: Stop, here: Stop) -> Next:
    return Next("continue" if stop is here else "next", stop.lesson, None)


def _predicted(lesson: Lesson, name: str) -> str | None:
    prediction = lesson.predictions.get(name)
    return prediction.section if prediction else None


def _quiz(lesson: Lesson, _name: str) -> str | None:
    return _holding(lesson, "quiz", "")


def _holding(lesson: Lesson, directive: str, argument: str) -> str | None:
    """Return the section that holds a directive."""
    sought = (directive, argument)
    for section in lesson.sections:
        blocks = (block for block in section.blocks if isinstance(block, Directive))
        if sought in {(block.name, block.argument) for block in blocks}:
            return section.id
    return None


_SECTION: dict[str, Callable[[Lesson, str], str | None]] = {
    Predicted.kind: _predicted,
    Repredicted.kind: _predicted,
    Read.kind: lambda _lesson, name: name,
    Stepped.kind: lambda lesson, name: _holding(lesson, "derivation", name),
    Attempted.kind: lambda lesson, name: _holding(lesson, "derivation", name),
    Ran.kind: lambda lesson, name: _holding(lesson, "lab", name),
}
