"""A pytest plugin: with CI=true nothing may be skipped, and no failure may be expected."""

import os
from collections.abc import Generator

import pytest


def in_ci() -> bool:
    """Return whether this run is one of continuous integration."""
    return os.environ.get("CI", "").lower() == "true"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip, an expected failure or an unexpected pass into a failure."""
    report = yield
    if in_ci() and (report.skipped or hasattr(report, "wasxfail")):
        reason = getattr(report, "wasxfail", None) or _reason(report)
        vars(report).pop("wasxfail", None)
        _fail(report, reason)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole file into a failure."""
    report = yield
    if in_ci() and report.skipped:
        _fail(report, _reason(report))
    return report


def _fail(report: pytest.TestReport | pytest.CollectReport, reason: str) -> None:
    report.outcome = "failed"
    report.longrepr = f"with CI=true nothing may be skipped or expected to fail, but: {reason}"


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    place = report.longrepr
    return str(place[2]) if isinstance(place, tuple) else str(place)
