"""Learners with a past, written into the record as the app would have written it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from playwright.sync_api import BrowserContext

from content.load import Lesson, load_course
from content.schema import Choice
from drills.events import Answered, LearnerId, Payload, Predicted, Read, Repredicted, item
from drills.score import uniform
from drills.store import Store, new_token
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
