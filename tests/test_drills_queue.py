"""What is asked, when, in which order, and how much of it in a day."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from content.load import load_course
from drills import schedule
from drills.events import (
    Answered,
    Attempted,
    Event,
    LearnerId,
    Payload,
    Preferred,
    Queued,
    Read,
    Reviewed,
    Suspended,
    Unsuspended,
    to_json,
)
from drills.queue import LEECH, Place, Queue, Syllabus, entered, next_due, queue
from drills.reviews import Reviews
from drills.schedule import AGAIN, EASY, GOOD

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
SYLLABUS = Syllabus(
    cards={
        **{f"kl/c{n}": Place(n, "kl", "kl/one", "kl/aim", "t") for n in range(3)},
        **{f"dpo/c{n}": Place(3 + n, "dpo", "dpo/why", "dpo/know", "t") for n in range(15)},
        "dpo/last": Place(18, "dpo", "dpo/end", "dpo/aim", "t"),
    },
    questions={"dpo/q": ("dpo/end", "dpo/know"), "kl/q": ("kl/one", None)},
    lessons=("kl", "dpo"),
)


def asked(*happened: tuple[timedelta, str, Payload], at: timedelta) -> Queue:
    """The queue of a learner for whom these things happened so long after START."""
    return queue(reviews(*happened), SYLLABUS, START + at)


def reviews(*happened: tuple[timedelta, str, Payload]) -> Reviews:
    """Where a learner stands for whom these things happened so long after START."""
    return Reviews.of(
        Event(n, LearnerId(1), p.kind, name, START + after, f"n{n}", to_json(p))
        for n, (after, name, p) in zip(count(1), happened, strict=False)
    )


def names(dues: object) -> list[str]:
    """The items of some cards."""
    assert isinstance(dues, tuple)
    return [due.item for due in dues]


def test_nobody_is_asked_what_they_have_not_read() -> None:
    empty = asked(at=DAY)
    assert (empty.cards, empty.next, empty.next_at) == ((), None, None)
    assert (empty.new_done, empty.new_cap, empty.new_left) == (0, 10, 0)


def test_a_section_that_was_read_brings_its_cards_in_course_order_ten_a_day() -> None:
    found = asked((MINUTE, "dpo/why", Read()), (2 * MINUTE, "kl/one", Read()), at=DAY)
    assert names(found.new) == ["kl/c0", "kl/c1", "kl/c2", *(f"dpo/c{n}" for n in range(7))]
    assert (found.new_done, found.new_cap, found.new_left) == (0, 10, 8)
    assert {due.because for due in found.new} == {"read"}


def test_a_missed_question_brings_the_cards_of_its_section_and_objective() -> None:
    wrong, right = (Answered(probabilities=p, right=0) for p in ((0.2, 0.8), (0.8, 0.2)))
    state = reviews((MINUTE, "dpo/q", wrong), (MINUTE, "kl/q", right))
    found = dict(entered(state, SYLLABUS))
    assert found == {**{f"dpo/c{n}": "missed" for n in range(15)}, "dpo/last": "missed"}
    assert dict(entered(reviews((MINUTE, "dpo/q", right)), SYLLABUS)) == {}


def test_a_card_added_by_choice_is_asked() -> None:
    (due,) = asked((MINUTE, "dpo/c3", Queued()), at=DAY).new
    assert (due.item, due.because, due.retrievability) == ("dpo/c3", "chosen", 0)


def test_a_card_that_left_the_course_is_left_out() -> None:
    gone = asked((MINUTE, "dpo/retired", Queued()), (MINUTE, "x/y", Reviewed(rating=3)), at=DAY)
    assert gone.cards == gone.waiting == ()


def test_learning_comes_first_then_reviews_then_new_ones() -> None:
    found = asked(
        (MINUTE, "kl/c0", Reviewed(rating=EASY)),  # due in 8 days
        (8 * DAY, "dpo/why", Read()),
        (8 * DAY, "kl/c1", Reviewed(rating=AGAIN)),  # due a minute later
        at=8 * DAY + 5 * MINUTE,
    )
    assert [due.group for due in found.cards[:3]] == ["learning", "review", "new"]
    assert names(found.cards)[:3] == ["kl/c1", "kl/c0", "dpo/c0"]
    assert found.next == found.cards[0]


def test_what_is_nearest_to_being_forgotten_is_asked_first() -> None:
    found = asked(
        (0 * DAY, "kl/c0", Reviewed(rating=GOOD)),
        (1 * DAY, "kl/c0", Reviewed(rating=GOOD)),
        (0 * DAY, "kl/c1", Reviewed(rating=EASY)),
        (0 * DAY, "kl/c2", Reviewed(rating=GOOD)),
        (20 * MINUTE, "kl/c2", Reviewed(rating=GOOD)),
        at=40 * DAY,
    )
    recall = [due.retrievability for due in found.reviews]
    assert recall == sorted(recall)
    assert names(found.reviews)[0] == "kl/c2"
    assert 0 < recall[0] < recall[-1] < 1


def test_learning_steps_go_by_the_minute() -> None:
    done = (0 * DAY, "kl/c0", Reviewed(rating=GOOD))  # again in 10 minutes
    early = asked(done, at=9 * MINUTE)
    assert names(early.waiting) == ["kl/c0"]
    assert early.next_at == START + 10 * MINUTE
    assert early.next == early.waiting[0]  # nothing else is left
    assert names(asked(done, at=10 * MINUTE).learning) == ["kl/c0"]
    something_else = (0 * DAY, "kl/c1", Queued())
    with_more = asked(done, something_else, at=9 * MINUTE)
    assert with_more.next == with_more.new[0]


def test_a_review_is_due_all_day_from_four_in_the_morning_of_the_learner() -> None:
    done = (0 * DAY, "kl/c0", Reviewed(rating=EASY))  # on 1 March at 9 UTC, for 8 days
    due = datetime(2026, 3, 9, 4, tzinfo=UTC) - START
    assert asked(done, at=due - MINUTE).cards == ()
    assert names(asked(done, at=due).reviews) == ["kl/c0"]
    tokyo = (0 * DAY, "reviews", Preferred(zone="Asia/Tokyo"))
    assert names(asked(done, tokyo, at=due - 9 * 60 * MINUTE).reviews) == ["kl/c0"]
    assert asked(done, tokyo, at=due - 9 * 60 * MINUTE - MINUTE).cards == ()


def test_the_caps_count_what_was_done_today() -> None:
    happened: list[tuple[timedelta, str, Payload]] = [
        (0 * DAY, "reviews", Preferred(new_per_day=4, reviews_per_day=2)),
        (0 * DAY, "dpo/why", Read()),
        *((0 * DAY, f"dpo/c{n}", Reviewed(rating=EASY)) for n in range(3)),
    ]
    today = asked(*happened, at=MINUTE)
    assert (today.new_done, today.new_cap, today.new_left) == (3, 4, 11)
    assert names(today.new) == ["dpo/c3"]
    later = asked(*happened, at=9 * DAY)
    assert (later.new_done, len(later.new)) == (0, 4)
    assert (len(later.reviews), later.reviews_left) == (2, 1)
    one = asked(*happened, (9 * DAY, "dpo/c0", Reviewed(rating=3)), at=9 * DAY + MINUTE)
    assert (one.reviews_done, len(one.reviews), one.reviews_left) == (1, 1, 1)
    twice = [(9 * DAY, "dpo/c0", Reviewed(rating=rating)) for rating in (1, 3)]
    assert asked(*happened, *twice, at=9 * DAY + MINUTE).reviews_done == 1


def test_a_suspended_card_waits_until_it_is_wanted_again() -> None:
    queued, out = (0 * DAY, "kl/c0", Queued()), (MINUTE, "kl/c0", Suspended())
    assert asked(queued, out, at=DAY).cards == ()
    assert len(asked(queued, out, (2 * MINUTE, "kl/c0", Unsuspended()), at=DAY).cards) == 1


def test_a_card_forgotten_eight_times_is_named() -> None:
    lapses: list[tuple[timedelta, str, Payload]] = [(0 * DAY, "kl/c0", Reviewed(rating=EASY))]
    for n in range(LEECH):
        at = 30 * (n + 1) * DAY
        lapses += [(at, "kl/c0", Reviewed(rating=r)) for r in (AGAIN, EASY)]
    assert asked(*lapses[:-2], at=400 * DAY).leeches == ()
    assert asked(*lapses, at=400 * DAY).leeches == ("kl/c0",)
    assert asked(*lapses, (400 * DAY, "kl/c0", Suspended()), at=401 * DAY).leeches == ()


def test_a_missed_line_is_due_at_once_and_again_whenever_it_is_missed() -> None:
    missed = Attempted(line="loss", of=3, way="prove", outcome="different")
    (due,) = asked((0 * DAY, "dpo/dpo", missed), at=MINUTE).learning
    assert (due.item, due.because) == ("dpo/line-dpo-loss", "missed")
    assert due.line is not None
    assert (due.line.derivation, due.line.line) == ("dpo/dpo", "loss")
    known = (2 * MINUTE, "dpo/line-dpo-loss", Reviewed(rating=EASY))
    done = asked((0 * DAY, "dpo/dpo", missed), known, at=DAY)
    assert (done.cards, done.new_done) == ((), 0)
    again = asked((0 * DAY, "dpo/dpo", missed), known, (DAY, "dpo/dpo", missed), at=DAY + MINUTE)
    assert names(again.learning) == ["dpo/line-dpo-loss"]
    memory = again.learning[0].card
    assert memory.stability == pytest.approx(schedule.PARAMETERS[3])


def test_the_syllabus_of_the_course_holds_every_card_and_question_in_order() -> None:
    course = load_course()
    syllabus = Syllabus.of(course)
    cards = list(syllabus.cards)
    of_files = [
        f"{lesson.id}/{card.id}" for lesson in course.lessons.values() for card in lesson.cards
    ]
    assert [name for name in cards if "-gap-" not in name] == of_files
    further = cards.index("grpo/grpo-advantage-form-gap-2")
    assert cards[further - 1] == "grpo/grpo-advantage-form"
    assert [place.order for place in syllabus.cards.values()] == list(range(len(cards)))
    for name, (section, _) in syllabus.questions.items():
        lesson, _, question = name.partition("/")
        (found,) = (each for each in course.lessons[lesson].questions if each.id == question)
        assert section == f"{lesson}/{found.section}"


def following(*happened: tuple[timedelta, str, Payload], at: timedelta) -> datetime | None:
    """When something is due after all that is asked at that moment."""
    return next_due(asked(*happened, at=at), reviews(*happened), SYLLABUS)


def test_after_all_is_done_the_next_is_the_earliest_that_comes() -> None:
    soon = (0 * DAY, "kl/c0", Reviewed(rating=GOOD))  # again in 10 minutes
    late = (0 * DAY, "kl/c1", Reviewed(rating=EASY))  # in 8 days, as that day begins
    in_eight = datetime(2026, 3, 9, 4, tzinfo=UTC)
    assert following(soon, late, at=MINUTE) == START + 10 * MINUTE
    assert following(late, at=MINUTE) == in_eight
    assert following(late, (MINUTE, "kl/c1", Suspended()), at=DAY) is None
    assert following(at=DAY) is None


def test_what_the_caps_keep_back_comes_tomorrow() -> None:
    cap = (0 * DAY, "reviews", Preferred(new_per_day=1))
    late = (0 * DAY, "kl/c1", Reviewed(rating=EASY))
    more = (0 * DAY, "kl/c2", Queued())
    assert following(cap, late, more, at=MINUTE) == datetime(2026, 3, 2, 4, tzinfo=UTC)
