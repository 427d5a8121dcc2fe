"""What the server spends on a lesson: all of it open, at the first visit, on one click.

Reruns follow each other without a pause, so what a server does after it has reported a run as
finished (by default a full garbage collection) is counted where it belongs.
"""

from content.load import load_course
from pages.cookie import NAME
from tests.bench.client import Client
from tests.bench.measure import Seconds, interleaved
from tests.bench.servers import Servers
from tests.learners import finished

_BATCH = 10
_ROUNDS = 15


def all_open(servers: Servers) -> Seconds:
    """Return seconds per rerun: of the slowest lesson, all open and answered, and of the peer."""
    return _slowest(servers, done=True)


def first_visit(servers: Servers) -> Seconds:
    """Return seconds per rerun: of the slowest lesson as a new learner sees it, and of the peer."""
    return _slowest(servers, done=False)


def click(servers: Servers) -> Seconds:
    """Return seconds per rerun: of the slowest fragment of `/dpo`, and of the peer."""
    with _client(servers, "dpo", done=True) as lesson:
        slowest = max(lesson.fragments, key=lambda fragment: batch(lesson, fragment))
        return _against_one_line(servers, lesson, slowest)


def home(servers: Servers) -> Seconds:
    """Return seconds per rerun: of the map of the course, and of a lesson at the first visit."""
    with _client(servers, "", done=False) as course, _client(servers, "dpo", done=False) as lesson:
        return interleaved(lambda: batch(course), lambda: batch(lesson), rounds=_ROUNDS, warm_up=3)


def _slowest(servers: Servers, *, done: bool) -> Seconds:
    """Measure each lesson once, and the one that took longest against the peer."""
    took = {}
    for name in load_course().lessons:
        with _client(servers, name, done=done) as lesson:
            batch(lesson)
            took[name] = batch(lesson)
    with _client(servers, max(took, key=lambda name: took[name]), done=done) as lesson:
        return _against_one_line(servers, lesson)


def _client(servers: Servers, page: str, *, done: bool) -> Client:
    cookie = f"{NAME}={finished(servers.course, page)}" if done else ""
    return Client(servers.course.url, page=page, cookie=cookie)


def batch(client: Client, fragment: str = "") -> float:
    """Return the seconds that one of ten reruns took."""
    return sum(client.rerun(fragment=fragment) for _ in range(_BATCH)) / _BATCH


def _against_one_line(servers: Servers, lesson: Client, fragment: str = "") -> Seconds:
    with Client(servers.one_line.url) as one_line:
        return interleaved(
            lambda: batch(lesson, fragment), lambda: batch(one_line), rounds=_ROUNDS, warm_up=3
        )
