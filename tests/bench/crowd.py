"""A crowd: learners with labs that run, and somebody else who only turns pages."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import quantiles

from pages.cookie import NAME
from pages.parts.training import POLL_SECONDS
from tests.bench.client import Client
from tests.bench.measure import Seconds
from tests.bench.servers import Servers
from tests.learners import finished

# (lesson, lab), one learner each
LABS = (("dpo", "dpo"), ("rlhf", "leash"), ("grpo", "grpo"), ("distillation", "distil"))
LIMIT_S = 0.1  # of another page's rerun at the 95th percentile
RERUNS, APART_S = 80, 0.1
RUN_SECONDS = 4.0  # of a lab, as it is shown


def others(servers: Servers) -> Seconds:
    """Return (seconds at p95 of a page's rerun while all labs run, the limit)."""
    with running(servers), _client(servers, page="glossary") as page:
        taken = [_spaced(page) for _ in range(RERUNS)]
    return quantiles(taken, n=20)[-1], LIMIT_S


@contextmanager
def running(servers: Servers) -> Iterator[None]:
    """Keep every lab running, each in a session that looks at it as a browser does.

    The first learner has two of them in one browser.
    """
    over = threading.Event()
    cookies = [f"{NAME}={finished(servers.course, lesson)}" for lesson, _lab in LABS]
    sessions = [*zip(LABS, cookies, strict=True), (LABS[0], cookies[0])]
    with ExitStack() as stack:
        clients = [
            stack.enter_context(_client(servers, page="lab", query=f"id={lab}", cookie=cookie))
            for (_lesson, lab), cookie in sessions
        ]
        threads = [threading.Thread(target=_run, args=(each, over)) for each in clients]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()


def _run(client: Client, over: threading.Event) -> None:
    """Run the lab again and again, and look at it as often as the page asks to."""
    label = "Run"
    while not over.is_set():
        client.press(label)
        label = "Run again"
        end = time.monotonic() + RUN_SECONDS + 1
        while time.monotonic() < end and not over.wait(POLL_SECONDS):
            if client.timed:
                client.rerun(fragment=client.timed)


def _spaced(page: Client) -> float:
    time.sleep(APART_S)
    return page.rerun()


def _client(servers: Servers, *, page: str, query: str = "", cookie: str = "") -> Client:
    return Client(servers.course.url, page=page, query=query, cookie=cookie)
