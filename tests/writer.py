"""A process that writes to a record, for tests that run several of them or kill one.

    python -m tests.writer append|early|migrate URL TOKEN NAME [COUNT]

It says `ready`, and after each event's `append` returned the event's nonce (`early`: before it, as
no honest writer would).
"""

import sys
from datetime import UTC, datetime
from itertools import count

from drills.events import Wrote
from drills.store import Store


def main(what: str, url: str, token: str, name: str, limit: str | None = None) -> None:
    """Do what the command line says."""
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


def say(word: str) -> None:
    """Acknowledge."""
    print(word, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
