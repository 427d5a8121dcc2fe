"""A process that writes to a record, for tests that run several of them or kill one.

    python -m tests.writer append|early|migrate URL TOKEN NAME [COUNT]
    python -m tests.writer nursery URL TOKEN NAME

It says `ready`, and after each event's `append` returned the event's nonce (`early`: before it, as
no honest writer would). A nursery starts, for each line it reads, a process that reviews cards; it
says the process's id, and `ended` when somebody has killed it.
"""

import os
import sys
from datetime import UTC, datetime
from itertools import count

from drills.events import Reviewed, Unreviewed, Wrote
from drills.store import Entry, Store

BATCH = 20  # reviews brought from Anki together


def main(what: str, url: str, token: str, name: str, limit: str | None = None) -> None:
    """Do what the command line says."""
    if what == "nursery":
        nurse(url, token, name)
        return
    store = Store(url)
    say("ready")
    if what == "migrate":
        sys.stdin.readline()  # until the test says go
        store.migrate()
        say("migrated")
        return
    learner = store.ensure_learner(token, now=datetime.now(UTC))
    for number in range(int(limit)) if limit else count():
        nonce = f"{name}-{number}"
        if what == "early":
            say(nonce)
        text = nonce + " padding" * 50
        store.append(learner, "dpo/why", Wrote(text=text), now=datetime.now(UTC), nonce=nonce)
        if what == "append":
            say(nonce)


def nurse(url: str, token: str, name: str) -> None:
    """Start a reviewing process for each line, one after the other."""
    say("ready")
    for number, _ in enumerate(sys.stdin):
        child = os.fork()
        if child == 0:
            review(url, token, f"{name}{number}")
        say(f"child {child}")
        os.waitpid(child, 0)
        say("ended")


def review(url: str, token: str, name: str) -> None:
    """Review cards, take some back, bring some from Anki, until killed."""
    store = Store(url)
    learner = store.ensure_learner(token, now=datetime.now(UTC))
    for number in count():
        nonce, card, now = f"{name}-{number}", f"dpo/card-{number % 7}", datetime.now(UTC)
        if number % 5 == 4:
            batch = [
                Entry(card, Reviewed(rating=3, at_ms=1_000 * n, where="anki"), f"{nonce}-{n}")
                for n in range(BATCH)
            ]
            store.append_all(learner, batch, now=now)
        elif number % 5 == 3:
            taken = Unreviewed(nonce=f"{name}-{number - 1}")
            store.append(learner, f"dpo/card-{(number - 1) % 7}", taken, now=now, nonce=nonce)
        else:
            store.append(learner, card, Reviewed(rating=3), now=now, nonce=nonce)
        say(nonce)


def say(word: str) -> None:
    """Acknowledge."""
    print(word, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
