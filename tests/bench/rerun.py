"""What the server spends on the lesson: all of it open, at the first visit, on one click.

Reruns follow each other without a pause, so what a server does after it has reported a run as
finished (by default a full garbage collection) is counted where it belongs.
"""

from pages.cookie import NAME
from tests.bench.client import Client
from tests.bench.measure import Seconds, interleaved
from tests.bench.servers import Servers
from tests.learners import finished

_BATCH = 10
_ROUNDS = 15


def all_open(servers: Servers) -> Seconds:
    """Return seconds per rerun: of `/dpo`, everything open and answered, and of the peer."""
    cookie = f"{NAME}={finished(servers.course)}"
    with Client(servers.course.url, page="dpo", cookie=cookie) as lesson:
        return _against_one_line(servers, lesson)


def first_visit(servers: Servers) -> Seconds:
    """Return seconds per rerun: of `/dpo` as a new learner sees it, and of the peer."""
    with Client(servers.course.url, page="dpo") as lesson:
        return _against_one_line(servers, lesson)


def click(servers: Servers) -> Seconds:
    """Return seconds per rerun: of the slowest fragment of `/dpo`, and of the peer."""
    cookie = f"{NAME}={finished(servers.course)}"
    with Client(servers.course.url, page="dpo", cookie=cookie) as lesson:
        slowest = max(lesson.fragments, key=lambda fragment: batch(lesson, fragment))
        return _against_one_line(servers, lesson, slowest)


def batch(client: Client, fragment: str = "") -> float:
    """Return the seconds that one of ten reruns took."""
    return sum(client.rerun(fragment=fragment) for _ in range(_BATCH)) / _BATCH


def _against_one_line(servers: Servers, lesson: Client, fragment: str = "") -> Seconds:
    with Client(servers.one_line.url) as one_line:
        return interleaved(
            lambda: batch(lesson, fragment), lambda: batch(one_line), rounds=_ROUNDS, warm_up=3
        )
