"""What every lab has: a run that is started, held, stopped and watched; its data; its link."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import urlencode

import streamlit as st

from pages.parts import links, state
from pages.parts.training import POLL_SECONDS, Job

MAIN_WIDTH = 132  # pixels: the button changes its name, not its size
EARLY_LOOKS = 2  # at a run, the page's own and one of the timer: too early to rerun the page
E = TypeVar("E")
S = TypeVar("S")


@dataclass
class Run(Generic[E, S]):
    """A job, what it trains, and the settings that made it."""

    experiment: E
    job: Job[S]
    settings: Mapping[str, Any]
    kept: bool = field(default=False)  # whether the record has it


def current(lab: str) -> Run[Any, Any] | None:
    """Return this session's run of the lab."""
    run: Run[Any, Any] | None = state.get(f"run-{lab}")
    return run


def begin(lab: str, run: Run[Any, Any]) -> None:
    """Make this the lab's run; the one before it ends."""
    before = current(lab)
    if before is not None:
        before.job.stop()
    state.put(f"run-{lab}", run)


def buttons(lab: str, *, start: Callable[[], None]) -> None:
    """Draw run or pause, restart and stop: always all three, so that nothing moves."""
    run = current(lab)
    job = run.job if run else None
    name, icon, act = _main(lab, job, start)
    st.button(name, icon=icon, key=f"{lab}-main", on_click=act, width=MAIN_WIDTH)
    _small(lab, "Restart", "restart_alt", start if job and job.live else None)
    _small(lab, "Stop", "stop", partial(_now, lab, Job.stop) if job and job.live else None)


def _now(lab: str, act: Callable[[Job[Any]], None]) -> None:
    """Do it to the run there is when the button is clicked: it may have been restarted since."""
    run = current(lab)
    if run is not None:
        act(run.job)


def _small(lab: str, name: str, icon: str, act: Callable[[], None] | None) -> None:
    """Draw a button with a picture and a name for who cannot see it; without an act it is off."""
    st.button(
        name,
        icon=f":material/{icon}:",
        key=f"{lab}-{name.lower()}",
        on_click=act,
        disabled=act is None,
    )


def _main(
    lab: str, job: Job[Any] | None, start: Callable[[], None]
) -> tuple[str, str, Callable[[], None]]:
    if job and job.status == "running":
        return "Pause", ":material/pause:", partial(_now, lab, Job.pause)
    if job and job.status == "paused":
        return "Resume", ":material/play_arrow:", partial(_now, lab, Job.resume)
    return ("Run again" if job else "Run"), ":material/play_arrow:", start


def going(lab: str) -> bool:
    """Say whether there is a run that goes on."""
    run = current(lab)
    return run is not None and run.job.status == "running"


def watch(run: Run[Any, Any], draw: Callable[[], None], *, went: bool) -> None:
    """Draw a run, again and again while it goes on; the page is rerun once when it ends.

    `went` says whether it went on when the page began to draw its buttons: a run that has ended
    since is looked at like one that goes on, or these would stay as they are.

    The page's own look asks for no rerun, and the timer's first one neither: it may have waited
    for the page, and a rerun that follows so closely takes from the browser what stands below.
    """
    looks = 0

    def look() -> None:
        nonlocal looks
        draw()
        looks += 1
        if looks > EARLY_LOOKS and run.job.status != "running":
            st.rerun(scope="app")

    def look_once() -> None:  # another fragment, in whose place the timer of `look` ends
        draw()

    if went:
        st.fragment(look, run_every=POLL_SECONDS)()
    else:
        st.fragment(look_once)()


def data(rows: Sequence[Mapping[str, Any]], *, name: str, key: str) -> None:
    """Draw the numbers behind the charts: a table, and the same as CSV."""
    popover = st.popover("Data", icon=":material/table:", on_change="rerun", key=f"{key}-data")
    if not popover.open:
        return
    rows = [{name.replace("_", " "): value for name, value in row.items()} for row in rows]
    with popover:
        st.dataframe(rows, hide_index=True, height=320, width="content")
        st.download_button(
            "CSV",
            csv_of(rows),
            file_name=f"{name}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            key=f"{key}-csv",
        )


def csv_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV with a header."""
    from pandas import DataFrame  # heavy; loaded when somebody asks for the file

    text: str = DataFrame(list(rows)).to_csv(index=False)
    return text


def link(lab: str) -> None:
    """Draw the address that reproduces this run: every control is bound to it."""
    popover = st.popover("Link", icon=":material/link:", on_change="rerun", key=f"{lab}-link")
    if popover.open:
        query = urlencode({"id": lab} | st.query_params.to_dict())
        popover.markdown("This address opens the lab with these settings, and the run is the same.")
        popover.code(f"{links.origin()}/lab?{query}", language=None, wrap_lines=True)


def binding(parameter: str) -> Literal["query-params"] | None:
    """Return how a whole number is bound to the address: not while an infinity stands there.

    Streamlit fails on that one; anything else that is no number of ours it sets to the usual value.
    """
    try:
        finite = math.isfinite(float(st.query_params.get(parameter, "0")))
    except ValueError:
        finite = True
    return "query-params" if finite else None


def parameter(lab: str, name: str) -> str:
    """Return the address parameter, which is also the widget key, of a setting."""
    return f"{lab}_{name}"
