"""A run that a page watches: it goes, is held, ends, and never outlives who watches it."""

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from engine.errors import RangeError
from pages.parts import training
from pages.parts.training import Job, Status

WAIT_S = 5.0


def until(condition: Callable[[], bool]) -> bool:
    """Return whether the condition came true in time."""
    end = time.monotonic() + WAIT_S
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def becomes(job: Job[int], status: Status) -> bool:
    return until(lambda: job.status == status)


def endless() -> Iterator[int]:
    step = 0
    while True:
        yield step
        step += 1
        time.sleep(0.001)


def failing(error: Exception) -> Iterator[int]:
    yield 0
    raise error


def test_a_run_computes_all_its_steps() -> None:
    job = Job(iter(range(100)))
    assert becomes(job, "done")
    assert job.steps == list(range(100))
    assert not job.live
    assert job.error == ""
    assert job.seconds > 0


def test_waiting_ends_with_the_run_and_not_before() -> None:
    whole, held = Job(iter(range(100))), Job(iter(range(100)), pause_seconds=30.0)
    whole.wait(20.0)
    assert not whole.live
    held.wait(0.01)
    assert held.live
    held.stop()


def test_a_held_run_waits_and_goes_on() -> None:
    job = Job(endless())
    assert until(lambda: len(job.steps) > 3)
    job.pause()
    assert becomes(job, "paused")
    time.sleep(0.05)  # the step that was being computed
    held = job.steps
    time.sleep(0.05)
    assert job.steps == held
    job.resume()
    assert becomes(job, "running")
    assert until(lambda: len(job.steps) > len(held))
    job.stop()


@pytest.mark.parametrize("held", [False, True])
def test_a_stopped_run_ends_and_keeps_its_steps(*, held: bool) -> None:
    job = Job(endless())
    assert until(lambda: len(job.steps) > 3)
    if held:
        job.pause()
    job.stop()
    assert becomes(job, "stopped")
    kept = job.steps
    assert kept == list(range(len(kept)))
    job.resume()
    assert job.steps == kept
    assert job.status == "stopped"


def test_a_run_does_not_sleep_through_its_stop() -> None:
    job = Job(iter(range(3)), pause_seconds=60)
    assert until(lambda: job.steps == [0])
    job.stop()
    assert becomes(job, "stopped")


def test_steps_are_a_copy() -> None:
    job = Job(iter(range(3)))
    assert becomes(job, "done")
    job.steps.clear()
    assert job.steps == [0, 1, 2]


def test_a_run_held_for_too_long_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_PATIENCE_SECONDS", 0.05)
    job = Job(endless())
    job.pause()
    assert becomes(job, "stopped")


def test_a_forgotten_run_ends() -> None:
    before = set(threading.enumerate())
    job = Job(endless())
    (worker,) = set(threading.enumerate()) - before
    assert worker.daemon
    job.pause()
    del job
    gc.collect()
    worker.join(WAIT_S)
    assert not worker.is_alive()


def test_an_error_of_the_engine_is_told_in_its_words() -> None:
    job = Job(failing(RangeError("Expected β above 0, got 0.")))
    assert becomes(job, "failed")
    assert job.error == "Expected β above 0, got 0."
    assert job.steps == [0]


def test_any_other_fault_ends_the_run_and_stands_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        job = Job(failing(ZeroDivisionError("nobody thought of this")))
        assert becomes(job, "failed")
    assert not job.live
    assert "fault of ours" in job.error
    assert "nobody thought of this" in caplog.text
