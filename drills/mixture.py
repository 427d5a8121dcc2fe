"""Mixed practice: ten things to do, of all kinds and lessons, in an order that keeps changing.

In a lesson its title says which idea is asked for; in a mixture the learner has to find that too.
So cards, questions and lines of derivations take turns, and no lesson comes twice in a row while
another one has anything left.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from random import Random
from typing import Any, Literal, NamedTuple

from content.load import LoadedCourse
from content.schema import Choice
from drills.events import (
    Answered,
    Attempted,
    Event,
    Predicted,
    Queued,
    Read,
    Reviewed,
    Stepped,
    item,
)
from drills.grade import leader
from drills.queue import Queue
from drills.record import Record, fits, proved
from drills.reviews import line_card
from drills.schedule import AGAIN

Kind = Literal["card", "question", "line"]

SIZE = 10
SHARES: dict[Kind, int] = {"card": 4, "question": 4, "line": 2}  # of ten, if there are so many
_MEETS = {each.kind for each in (Predicted, Read, Answered, Stepped, Attempted, Queued, Reviewed)}


class Task(NamedTuple):
    """One thing to do."""

    kind: Kind
    item: str  # "lesson/card", "lesson/question"; of a line, of the card that would ask for it
    derivation: str = ""  # of a line: the item of its derivation
    line: str = ""  # its id

    @property
    def lesson(self) -> str:
        """The lesson that it belongs to."""
        return self.item.partition("/")[0]


@dataclass(frozen=True)
class Result:
    """What a session came to."""

    cards: int
    again: int
    questions: int
    right: int
    bits: float  # of the answers given in the session, whether or not they were the first
    lines: int  # asked for and judged, or given
    typed: int  # right, without being given


def tasks(
    found: Queue, record: Record, course: LoadedCourse, lines: Iterable[tuple[str, str]]
) -> tuple[Task, ...]:
    """Return all that could be asked, each kind in the order of its need.

    Args:
        found: what is due; learning cards, reviews, then new ones, as in a review.
        record: what the learner did; only lessons that were begun are asked about.
        course: its questions: those never answered come first, then those missed, oldest first.
        lines: the item of a derivation and the id of a line, for all that can be typed, in order;
            those already proved are left out.
    """
    begun = {event.lesson for event in record.events if event.kind in _MEETS}
    cards = [Task("card", due.item) for due in found.cards]
    open_ = [*_questions(record, course), *_lines(record, lines)]
    due = {task.item for task in cards}
    return (*cards, *(task for task in open_ if task.lesson in begun and task.item not in due))


def mix(every: Sequence[Task], *, seed: str, size: int = SIZE) -> tuple[Task, ...]:
    """Return a session: the same for the same tasks and seed.

    Each kind gives its share; what one kind lacks, the others fill. Within a kind the lessons take
    turns, and what a lesson needs most comes first.
    """
    rng = Random(seed)
    lessons = sorted({task.lesson for task in every})
    rng.shuffle(lessons)
    ranked = {kind: _by_turns(_of(kind, every), lessons) for kind in SHARES}
    chosen = _chosen(ranked, size)
    rng.shuffle(chosen)
    return _interleaved(chosen)


def result(events: Iterable[Event[Any]]) -> Result:
    """Return what the events since the start of a session amount to."""
    events = tuple(events)
    said = [event.payload for event in events]
    graded = [each for each in said if isinstance(each, Reviewed) and each.where == "here"]
    answers = [each for each in said if isinstance(each, Answered)]
    typed = {
        (event.item, event.payload.line): event.payload
        for event in events
        if event.kind == Attempted.kind and _settles(event.payload)
    }
    return Result(
        cards=len(graded),
        again=sum(each.rating == AGAIN for each in graded),
        questions=len(answers),
        right=sum(leader(each.probabilities) == each.right for each in answers),
        bits=sum(each.bits for each in answers),
        lines=len(typed),
        typed=sum(each.proves for each in typed.values()),
    )


def _settles(attempt: Attempted) -> bool:
    """Whether something became of the line: judged, or given."""
    return attempt.asked == "hint" or attempt.outcome == "different" or attempt.proves


def _questions(record: Record, course: LoadedCourse) -> Iterator[Task]:
    """Yield the questions with options that were never answered, then those missed, oldest first.

    An answer to a question that an author has since changed is no answer.
    """
    missed = []
    for lesson in course.lessons.values():
        for question in (each for each in lesson.questions if isinstance(each, Choice)):
            name = item(lesson.id, question.id)
            latest = record.latest(Answered, name)
            if latest is None or not fits(question, latest.payload):
                yield Task("question", name)
            elif leader(latest.payload.probabilities) != question.answer:
                missed.append((latest.at, name))
    for _, name in sorted(missed):
        yield Task("question", name)


def _lines(record: Record, lines: Iterable[tuple[str, str]]) -> Iterator[Task]:
    done: dict[str, frozenset[str]] = {}
    for derivation, line in lines:
        if derivation not in done:
            done[derivation] = proved(record, derivation)
        if line not in done[derivation]:
            yield Task("line", line_card(derivation, line), derivation, line)


def _of(kind: Kind, every: Iterable[Task]) -> list[Task]:
    return [task for task in every if task.kind == kind]


def _by_turns(some: Sequence[Task], lessons: Sequence[str]) -> list[Task]:
    """Return tasks of one kind so that the lessons take turns, each in its own order."""
    rows = ([task for task in some if task.lesson == lesson] for lesson in lessons)
    return [task for turn in zip_longest(*rows) for task in turn if task is not None]


def _chosen(ranked: dict[Kind, list[Task]], size: int) -> list[Task]:
    """Return the share of each kind, and then what is left, kind by kind, up to the size."""
    shares = {kind: size * share // sum(SHARES.values()) for kind, share in SHARES.items()}
    first = [task for kind, some in ranked.items() for task in some[: shares[kind]]]
    rows = [some[shares[kind] :] for kind, some in ranked.items()]
    more = [task for turn in zip_longest(*rows) for task in turn if task is not None]
    return [*first, *more][:size]


def _interleaved(chosen: Sequence[Task]) -> tuple[Task, ...]:
    """Return the tasks so that neighbors differ: in their lesson whenever they can, then in kind.

    The lesson with the most left goes first among those that may: so none is left over at the end
    while others could have parted it.
    """
    left, ordered = list(chosen), list[Task]()
    while left:
        rank = partial(_rank, before=ordered[-1:], left=Counter(task.lesson for task in left))
        following = min(left, key=rank)
        left.remove(following)
        ordered.append(following)
    return tuple(ordered)


def _rank(task: Task, *, before: Sequence[Task], left: Counter[str]) -> tuple[bool, int, bool]:
    """Return what decides how soon a task may come; the least comes first."""
    same = any(task.lesson == each.lesson for each in before)
    return same, -left[task.lesson], any(task.kind == each.kind for each in before)
