"""A search for a learner's own parameters, which a page can watch and call off.

A worker thread waits for the process that searches. It holds no page, and ends when it is called
off or when its job is forgotten, which is what happens when the learner's session ends. One search
runs at a time in a server: each keeps a core busy.
"""

import logging
import weakref
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from drills import optimize
from drills.errors import DrillsError
from drills.optimize import Change
from drills.reviews import Reviews

_TURN = Lock()
_WAIT_SECONDS = 0.2
_UNEXPECTED = "The search ended early, by a fault of ours that is now in the log. Nothing changed."


@dataclass(frozen=True)
class Found:
    """Parameters, and what they would change."""

    parameters: tuple[float, ...]
    before_bits: float  # surprise per review by the parameters in use
    after_bits: float
    changes: tuple[Change, ...]


class _CalledOffError(Exception):
    """Ends the search from within."""


@dataclass
class _State:
    """What worker and page share. The worker writes all but `stop`."""

    share: float = 0.0
    waiting: bool = True
    found: Found | None = None
    error: str = ""
    ended: bool = False
    stop: Event = field(default_factory=Event)


class Search:
    """One search: starts at once."""

    def __init__(self, reviews: Reviews) -> None:
        self._state = _State()
        weakref.finalize(self, self._state.stop.set)
        Thread(target=_work, args=(reviews, self._state), daemon=True).start()

    @property
    def live(self) -> bool:
        """Whether it still runs, or waits for its turn, and is wanted."""
        return not self._state.ended and not self._state.stop.is_set()

    @property
    def waiting(self) -> bool:
        """Whether another search is on."""
        return self._state.waiting

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return self._state.share

    @property
    def found(self) -> Found | None:
        """What was found, None before it is, and if it was called off."""
        return None if self._state.stop.is_set() else self._state.found

    @property
    def error(self) -> str:
        """Why there is nothing, in a learner's words; empty if it was called off."""
        return self._state.error

    def cancel(self) -> None:
        """Call it off, at once."""
        self._state.stop.set()


def _work(reviews: Reviews, state: _State) -> None:
    """Wait for a turn, then search. Takes the state and not the job, which can so be forgotten."""
    try:
        while not _TURN.acquire(timeout=_WAIT_SECONDS):
            _go_on(state)
        try:
            state.waiting = False
            state.found = _search(reviews, state)
        finally:
            _TURN.release()
    except _CalledOffError:
        pass
    except DrillsError as error:
        state.error = "" if state.stop.is_set() else str(error)
    except Exception:
        logging.getLogger(__name__).exception("A search for parameters failed.")
        state.error = _UNEXPECTED
    finally:
        state.ended = True


def _search(reviews: Reviews, state: _State) -> Found:
    def told(share: float) -> None:
        _go_on(state)
        state.share = share

    _go_on(state)
    parameters = optimize.run(reviews, progress=told, stop=state.stop)
    _go_on(state)
    used = reviews.wishes.parameters
    before, after = optimize.loss(reviews, used), optimize.loss(reviews, parameters)
    return Found(parameters, before, after, optimize.changes(reviews, parameters))


def _go_on(state: _State) -> None:
    if state.stop.is_set():
        raise _CalledOffError
