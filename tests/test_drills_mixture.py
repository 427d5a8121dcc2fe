"""A session of mixed practice: what is in it, and in which order."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from random import Random
from typing import Any

import pytest

from content.load import load_course
from content.schema import Choice
from drills.events import (
    Answered,
    Attempted,
    Event,
    LearnerId,
    Payload,
    Queued,
    Read,
    Reviewed,
    item,
    to_json,
)
from drills.mixture import SIZE, Kind, Result, Task, mix, result, tasks
from drills.queue import Syllabus, queue
from drills.record import Record
from drills.score import FLOOR

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
COURSE = load_course()
LINES = [("dpo/ipo-margin", "slope"), ("dpo/ipo-margin", "margin"), ("kl/gibbs", "bound")]
KINDS: tuple[Kind, ...] = ("card", "question", "line")


def many(each: int, lessons: str) -> list[Task]:
    return [Task(kind, f"{lesson}/{kind}-{n}") for kind in KINDS for lesson in lessons
            for n in range(each)]  # fmt: skip


def repeats(session: Sequence[Task]) -> int:
    return sum(one.lesson == other.lesson for one, other in pairwise(session))


@pytest.mark.parametrize("seed", range(20))
def test_a_session_has_ten_tasks_of_every_kind_and_no_lesson_twice_in_a_row(seed: int) -> None:
    session = mix(many(6, "abcd"), seed=str(seed))
    assert len(session) == len(set(session)) == SIZE
    assert Counter(task.kind for task in session) == {"card": 4, "question": 4, "line": 2}
    assert repeats(session) == 0
    assert len({task.lesson for task in session}) == 4


@pytest.mark.parametrize("seed", range(200))
def test_a_lesson_repeats_only_where_no_order_could_avoid_it(seed: int) -> None:
    rng = Random(seed)
    every = [Task("card", f"{rng.choice('aabc')}/{n}") for n in range(rng.randint(1, 10))]
    most = max(Counter(task.lesson for task in every).values())
    unavoidable = max(0, most - (len(every) - most) - 1)  # each other task parts two at most
    assert repeats(mix(every, seed=str(seed))) == unavoidable
    if most < len(every):
        assert repeats(sorted(every)) > unavoidable or most == 1 or len(every) == 2


def test_the_same_seed_gives_the_same_session_and_another_one_another() -> None:
    every = many(6, "abcd")
    assert mix(every, seed="a") == mix(list(every), seed="a")
    assert len({mix(every, seed=str(seed)) for seed in range(10)}) == 10


def test_what_one_kind_lacks_the_others_fill() -> None:
    few = [Task("line", f"a/line-{n}") for n in range(9)] + [Task("card", "b/c")]
    assert Counter(task.kind for task in mix(few, seed="")) == {"line": 9, "card": 1}
    assert mix([], seed="") == ()
    assert len(mix(few[:3], seed="")) == 3


def test_what_a_lesson_needs_most_comes_before_what_it_needs_less() -> None:
    every = [Task("card", f"a/c{n}") for n in range(30)]
    assert set(mix(every, seed="x")) == set(every[:10])


# --- what could be asked -------------------------------------------------------------------------


def offered(*happened: tuple[str, Payload]) -> list[Task]:
    """The tasks of a learner for whom these things happened, a minute apart."""
    events: list[Event[Any]] = [
        Event(n, LearnerId(1), p.kind, name, START + n * timedelta(minutes=1), f"n{n}", to_json(p))
        for n, (name, p) in zip(count(1), happened, strict=False)
    ]
    record = Record.of(events)
    found = queue(record.reviews, Syllabus.of(COURSE), START + timedelta(hours=2))
    return list(tasks(found, record, COURSE, LINES))


def choices(lesson: str) -> list[Choice]:
    return [each for each in COURSE.lessons[lesson].questions if isinstance(each, Choice)]


def answered(choice: Choice, *, right: bool) -> Answered:
    n = len(choice.options)
    picked = choice.answer if right else (choice.answer + 1) % n
    others = (1 - 0.7) / (n - 1)
    assert others > FLOOR
    given = tuple(0.7 if place == picked else others for place in range(n))
    return Answered(probabilities=given, right=choice.answer)


def of(kind: Kind, every: list[Task]) -> list[str]:
    return [task.item for task in every if task.kind == kind]


def test_only_lessons_that_were_begun_are_asked_about() -> None:
    assert offered() == []
    every = offered(("dpo/objective", Read()))
    assert {task.lesson for task in every} == {"dpo"}
    assert len(of("question", every)) == len(choices("dpo"))
    assert of("line", every) == ["dpo/line-ipo-margin-slope", "dpo/line-ipo-margin-margin"]


def test_questions_never_answered_come_first_then_those_missed_longest_ago() -> None:
    first, second, third, *rest = choices("dpo")
    every = offered(
        (item("dpo", second.id), answered(second, right=False)),
        (item("dpo", first.id), answered(first, right=False)),
        (item("dpo", third.id), answered(third, right=True)),
    )
    wanted = [*(each.id for each in rest), second.id, first.id]
    assert of("question", every) == [item("dpo", name) for name in wanted]


def test_a_line_that_is_proved_or_due_as_a_card_is_no_task_of_its_own() -> None:
    proved = Attempted(line="margin", of=2, way="review", outcome="equivalent", typed="u = 1")
    missed = Attempted(line="slope", of=2, way="prove", outcome="different", typed="u")
    every = offered(("dpo/ipo-margin", proved), ("dpo/ipo-margin", missed))
    assert of("line", every) == []
    assert of("card", every) == ["dpo/line-ipo-margin-slope"]


def test_cards_come_as_the_review_would_ask_them() -> None:
    names = [f"dpo/{card.id}" for card in COURSE.lessons["dpo"].cards[:2]]
    every = offered((names[1], Queued()), (names[0], Queued()))
    assert of("card", every) == names


# --- what it came to -----------------------------------------------------------------------------


def test_the_result_counts_each_kind_and_adds_the_bits() -> None:
    choice = choices("dpo")[0]
    right, wrong = answered(choice, right=True), answered(choice, right=False)
    said: list[tuple[str, Payload]] = [
        ("dpo/c", Reviewed(rating=1)),
        ("dpo/d", Reviewed(rating=3)),
        ("dpo/e", Reviewed(rating=3, where="anki")),
        ("dpo/q", right),
        ("dpo/r", wrong),
        ("dpo/ipo-margin", attempt("slope", "different")),
        ("dpo/ipo-margin", attempt("slope", "equivalent")),
        ("dpo/ipo-margin", attempt("margin", "unreadable")),
        ("kl/gibbs", Attempted(line="bound", of=2, way="review", asked="hint", hint=3)),
    ]
    events: list[Event[Any]] = [
        Event(n, LearnerId(1), p.kind, name, START, f"n{n}", to_json(p))
        for n, (name, p) in zip(count(1), said, strict=False)
    ]
    bits = right.bits + wrong.bits
    wanted = Result(cards=2, again=1, questions=2, right=1, bits=bits, lines=2, typed=1)
    assert result(events) == wanted
    assert result([]) == Result(0, 0, 0, 0, 0.0, 0, 0)


def attempt(line: str, outcome: str) -> Attempted:
    return Attempted(line=line, of=2, way="review", outcome=outcome, typed="u")
