"""Learners with a past, written into the record as the app would have written it."""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from playwright.sync_api import BrowserContext

from content.load import Lesson, LoadedCourse, load_course
from content.schema import Choice
from drills import schedule
from drills.events import (
    Answered,
    LearnerId,
    Payload,
    Predicted,
    Read,
    Repredicted,
    Reviewed,
    item,
)
from drills.score import uniform
from drills.store import Entry, Store, new_token
from pages.cookie import NAME
from tests.server import Server

Happened = tuple[timedelta, str, Payload]  # how long ago, about what, what


class Past:
    """The record of one learner, to be filled before a page is opened."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def add(self, happened: Iterable[Happened]) -> None:
        """Record what happened, the first first."""
        store = Store(self.url)
        store.migrate()
        for ago, name, payload in happened:
            at = datetime.now(UTC) - ago
            who = store.ensure_learner(self.token, now=at)
            store.append(who, name, payload, now=at)
        store.dispose()


def finished(server: Server, lesson: str = "dpo") -> str:
    """Record a learner for whom all of the lesson is open and answered; return the token."""
    token = new_token()
    store = Store(server.environment["SURPRISAL_DATABASE_URL"])
    store.migrate()
    course = load_course(server.environment.get("SURPRISAL_CONTENT"))
    finish(course.lessons[lesson], store, token)
    store.dispose()
    return token


def finish(lesson: Lesson, store: Store, token: str) -> LearnerId:
    """Record that the learner with this token predicted, read and answered all of the lesson."""
    now = datetime.now(UTC)
    learner = store.ensure_learner(token, now=now)
    for name, payload in _events(lesson):
        store.append(learner, item(lesson.id, name), payload, now=now)
    return learner


def studied(server: Server, *, days: int) -> str:
    """Record a learner who has studied for so many days, up to now; return the token."""
    token, now = new_token(), datetime.now(UTC)
    store = Store(server.environment["SURPRISAL_DATABASE_URL"])
    store.migrate()
    course = load_course(server.environment.get("SURPRISAL_CONTENT"))
    learner = store.ensure_learner(token, now=now)
    store.append_all(learner, past(course, now, days=days), now=now)
    store.dispose()
    return token


def past(course: LoadedCourse, now: datetime, *, days: int, seed: int = 1) -> list[Entry]:
    """Return what a plausible learner did over so many days up to now, oldest first.

    A lesson every few days: predictions before and after reading, too sure before it; the quiz,
    known better with time; then its cards, five new ones a day, each when it is due, recalled as
    often as a memory would that fades somewhat faster than FSRS expects. Every ninth day is off.
    """
    rng, entries = random.Random(seed), list[Entry]()
    cards: dict[str, schedule.Card] = {}
    waiting: list[str] = []
    lessons = list(course.lessons.values())
    for day in range(days):
        at = now - timedelta(days=days - 1 - day, minutes=rng.randint(30, 90))
        if day % 9 == 5:
            continue
        if lessons and day % max(1, days // (len(lessons) + 1)) == 0:
            lesson = lessons.pop(0)
            entries += _lesson(lesson, at, rng, knows=0.55 + 0.3 * day / days)
            waiting += [item(lesson.id, card.id) for card in lesson.cards]
        new, waiting = waiting[:5], waiting[5:]
        due = [name for name, card in cards.items() if card.due <= at]
        for name in (*due, *new):
            at += timedelta(seconds=rng.randint(4, 20))
            cards[name] = _reviewed(name, cards.get(name), at, rng, entries)
    return entries


def _lesson(lesson: Lesson, at: datetime, rng: random.Random, *, knows: float) -> Iterator[Entry]:
    """Yield a sitting with a lesson by somebody who knows this share of the answers."""
    said = list[tuple[str, Payload]]()
    for name, choice in lesson.predictions.items():
        before, after = (_belief(choice, rng, share) for share in (0.35, knows))
        said.append((name, Predicted(probabilities=before, right=choice.answer)))
        said.append((name, Repredicted(probabilities=after, right=choice.answer)))
    for question in lesson.questions:
        if isinstance(question, Choice):
            belief = _belief(question, rng, knows)
            said.append((question.id, Answered(probabilities=belief, right=question.answer)))
    said += [(section.id, Read()) for section in lesson.sections]
    for number, (name, payload) in enumerate(said):
        when = at + timedelta(milliseconds=number)
        yield Entry(item(lesson.id, name), payload, f"{payload.kind}-{lesson.id}-{name}", when)


def _belief(choice: Choice, rng: random.Random, knows: float) -> tuple[float, ...]:
    """Return a belief whose favorite is right in this share of cases, and stated too high."""
    options = len(choice.options)
    right = rng.random() < knows
    wrong = [i for i in range(options) if i != choice.answer]
    favorite = choice.answer if right else rng.choice(wrong)
    sure = min(0.94, knows + rng.uniform(-0.1, 0.3))
    return tuple(sure if i == favorite else (1 - sure) / (options - 1) for i in range(options))


def _reviewed(
    name: str,
    card: schedule.Card | None,
    at: datetime,
    rng: random.Random,
    entries: list[Entry],
) -> schedule.Card:
    """Review a card until it is recalled; return it with the next date."""
    known = card or schedule.new_card(name, at)
    recall = schedule.retrievability(known, at) ** 1.6 if card else 0.6
    while True:
        rating = rng.choice((3, 3, 3, 2, 4)) if rng.random() < recall else 1
        said = Reviewed(rating=rating, milliseconds=rng.randint(3_000, 15_000))
        entries.append(Entry(name, said, f"review-{len(entries)}", at))
        known = schedule.review(known, rating, at).card
        if rating > 1:
            return known
        at, recall = at + timedelta(seconds=30), 0.8


def become(context: BrowserContext, server: Server, token: str) -> BrowserContext:
    """Give a browser context the cookie of the learner with this token, and return it."""
    context.add_cookies([{"name": NAME, "value": token, "url": server.url, "httpOnly": True}])
    return context


def _events(lesson: Lesson) -> Iterator[tuple[str, Payload]]:
    """Yield a uniform belief for each question, before and after, and each section as read."""
    for name, choice in lesson.predictions.items():
        yield name, Predicted(probabilities=uniform(len(choice.options)), right=choice.answer)
        yield name, Repredicted(probabilities=_sure(choice), right=choice.answer)
    for question in lesson.questions:
        if isinstance(question, Choice):
            yield question.id, Answered(probabilities=_sure(question), right=question.answer)
    for section in lesson.sections:
        yield section.id, Read()


def _sure(choice: Choice) -> tuple[float, ...]:
    """Return 0.7 for the right option, the rest shared."""
    others = len(choice.options) - 1
    return tuple(0.7 if i == choice.answer else 0.3 / others for i in range(others + 1))
