"""A training run that a page can watch: a worker thread computes, the page only looks.

The worker holds no page and makes no Streamlit call. It ends when it is done, when it is stopped,
or when its job is forgotten, which is what happens when the learner's session ends.
"""

import logging
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Generic, Literal, TypeVar

from engine.errors import EngineError

Status = Literal["running", "paused", "stopped", "done", "failed"]
S = TypeVar("S")
POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 600.0  # a run that is paused longer than this ends
_UNEXPECTED = "The run ended early, by a fault of ours that is now in the log. Try other settings."


@dataclass
class _Tape(Generic[S]):
    """What worker and page share. The worker appends and sets `end`; the page reads."""

    steps: list[S] = field(default_factory=list)
    end: Status | None = None
    error: str = ""
    seconds: float = 0.0  # spent computing, without the pauses for watching
    go: Event = field(default_factory=Event)
    stop: Event = field(default_factory=Event)
    ended: Event = field(default_factory=Event)


class Job(Generic[S]):
    """One run: starts at once; can be paused, resumed and stopped from the page."""

    def __init__(self, steps: Iterator[S], *, pause_seconds: float = 0.0) -> None:
        self.slow = pause_seconds > 0  # whether it waits after each step, for watching
        self._tape: _Tape[S] = _Tape()
        self._tape.go.set()
        weakref.finalize(self, _release, self._tape.stop, self._tape.go)
        worker = Thread(target=_work, args=(steps, self._tape, pause_seconds), daemon=True)
        worker.start()

    @property
    def status(self) -> Status:
        """Where the run is."""
        if self._tape.end is not None:
            return self._tape.end
        return "running" if self._tape.go.is_set() else "paused"

    @property
    def live(self) -> bool:
        """Whether more steps may come."""
        return self._tape.end is None

    @property
    def steps(self) -> list[S]:
        """The steps so far, as a copy that does not grow."""
        return list(self._tape.steps)

    @property
    def error(self) -> str:
        """Why the run failed, in a learner's words; empty if it did not."""
        return self._tape.error

    @property
    def seconds(self) -> float:
        """Seconds spent computing."""
        return self._tape.seconds

    def wait(self, seconds: float) -> None:
        """Wait until the run has ended, at most so long; for runs that are not to be watched."""
        self._tape.ended.wait(seconds)

    def pause(self) -> None:
        """Hold the run after its current step."""
        self._tape.go.clear()

    def resume(self) -> None:
        """Let a held run go on."""
        self._tape.go.set()

    def stop(self) -> None:
        """End the run; what was computed stays."""
        _release(self._tape.stop, self._tape.go)


def _release(stop: Event, go: Event) -> None:
    stop.set()
    go.set()


def _work(steps: Iterator[S], tape: _Tape[S], pause_seconds: float) -> None:
    """Compute step after step. Takes the tape and not the job, so that a forgotten job can die."""
    try:
        while not _held(tape):
            began = time.perf_counter()
            step = next(steps, None)
            tape.seconds += time.perf_counter() - began
            if step is None:
                tape.end = "done"
                return
            tape.steps.append(step)
            tape.stop.wait(pause_seconds)
        tape.end = "stopped"
    except EngineError as error:
        tape.error, tape.end = str(error), "failed"
    except Exception:
        logging.getLogger(__name__).exception("A training run failed.")
        tape.error, tape.end = _UNEXPECTED, "failed"
    finally:
        tape.ended.set()


def _held(tape: _Tape[S]) -> bool:
    """Wait while paused; return whether the run was stopped."""
    if not tape.go.wait(_PATIENCE_SECONDS):
        return True
    return tape.stop.is_set()
