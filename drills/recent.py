"""The records of those who were here lately: read and folded once, for all their tabs.

A record is immutable, so that any number of threads may share it. What is kept here is a copy of
what the database holds: each visit asks the database for what came after it.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

from drills.events import Event, LearnerId
from drills.record import Record

MOST_LEARNERS = 500
MOST_EVENTS = 500_000  # of all learners together: about half a gigabyte


class Known(NamedTuple):
    """What of a learner was read so far."""

    family: tuple[LearnerId, ...] = ()  # all ids that stood for the learner
    last: int | None = None  # id of the latest event


class News(NamedTuple):
    """What the database holds beyond what is known."""

    family: tuple[LearnerId, ...]  # empty: there is no such learner
    events: Sequence[Event[Any]]  # oldest first; all of them if the family is another one


Read = Callable[[LearnerId, Known], News]


@dataclass
class _Kept:
    """One learner's record; whoever brings it up to date holds the lock."""

    record: Record = field(default_factory=lambda: Record(()))
    known: Known = field(default_factory=Known)
    lock: Lock = field(default_factory=Lock)

    def take(self, news: News) -> None:
        """Add what is new; start over when two learners turned out to be one.

        Then events of the other come between those that are known.
        """
        before = self.record if news.family == self.known.family else Record(())
        self.record = before.after(news.events) if news.events else before
        events = self.record.events
        self.known = Known(news.family, events[-1].id if events else None)


class Recent:
    """The records of the learners who were here last, as many as fit."""

    def __init__(
        self, read: Read, *, learners: int = MOST_LEARNERS, events: int = MOST_EVENTS
    ) -> None:
        self._read, self._most_learners, self._most_events = read, learners, events
        self._kept: OrderedDict[LearnerId, _Kept] = OrderedDict()  # the latest visitor last
        self._lock = Lock()

    def of(self, learner: LearnerId) -> Record:
        """Return the record as the database has it now."""
        with self._lock:
            kept = self._kept.setdefault(learner, _Kept())
            self._kept.move_to_end(learner)
        with kept.lock:  # a second tab waits for the first one's reading
            kept.take(self._read(learner, kept.known))
            record, exists = kept.record, bool(kept.known.family)
        if not exists:
            self.forget(learner)
        self._bound()
        return record

    def forget(self, learner: LearnerId) -> None:
        """Keep nothing of a learner, by whichever of their ids."""
        with self._lock:
            for each, kept in list(self._kept.items()):
                if learner == each or learner in kept.known.family:
                    del self._kept[each]

    def _bound(self) -> None:
        """Let go of those who were here longest ago; the latest visitor stays."""
        with self._lock:
            held = sum(len(kept.record.events) for kept in self._kept.values())
            while len(self._kept) > 1 and (
                len(self._kept) > self._most_learners or held > self._most_events
            ):
                _, gone = self._kept.popitem(last=False)
                held -= len(gone.record.events)
