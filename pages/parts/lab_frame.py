"""What surrounds every lab: predict, set, run, watch, scrub, see, take along, be asked again."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from content.schema import Choice
from drills.events import Ran
from pages.parts import controls, lab, predict, saving, state
from pages.parts.controls import Control, Values
from pages.parts.lab import Run, parameter
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.training import Job

if TYPE_CHECKING:
    from engine.experiments import Experiment

WATCH_SECONDS = 4.0  # a run takes milliseconds; it is slowed down to this so that it can be seen
UNWATCHED_SECONDS = 1.0  # for which a run that is not shown slowly may hold the page
STATUS = {"done": "Done", "stopped": "Stopped", "paused": "Paused", "running": "Running"}


@dataclass(frozen=True)
class Lab:
    """A lab as data and a few functions; `draw` does the rest.

    Settings are named as in the experiment's `Settings`. Functions take the experiment and its
    records as `engine.experiments` makes them.
    """

    id: str
    title: str
    promise: str  # one sentence: what it shows
    charts: Callable[[Any, Sequence[Any], int], None]  # experiment, records so far, which is shown
    see: Callable[[Any, Any], str]  # experiment, last record: one sentence on what to see
    numbers: Callable[[Any], Mapping[str, float]]  # of a record, for the learner's own record
    table: Callable[[Any], Mapping[str, Any]]  # of a record, a row of the data, in reader's units
    row: tuple[Control, ...] = ()  # the controls that matter most
    more: tuple[Control, ...] = ()  # the others
    # Those that decide which prediction is asked, above it:
    head: tuple[controls.Segments | controls.Select, ...] = ()
    # From the head, all settings of a run that is shown before anything is asked. What is asked
    # is then a diagnosis, and the text below the lab does not wait for it:
    first: Callable[[Values], Values] | None = None
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # label -> settings
    asks: Callable[[Values], str] | None = None  # id of the prediction for these settings
    about: Callable[[Values], bool] = lambda _: True  # whether a run is what was predicted
    act: str = "run"  # "Before you run": what the prediction comes before
    not_about: str = "Your prediction was about another setting."  # said after any other run
    stage: Callable[[Place], None] | None = None  # drawn above the controls, once open
    build: Callable[[Values], "Experiment"] | None = None  # else by the lab's id
    status: Callable[[Run[Any, Any]], Sequence[str]] = lambda _: ()  # more words for the status
    after: Callable[[Run[Any, Any], Place], None] | None = None  # drawn under a run that ended
    seconds: float = WATCH_SECONDS
    repeatable: Callable[[Any], bool] = lambda _: True  # whether settings alone make it again

    @property
    def controls(self) -> tuple[Control, ...]:
        """All of them."""
        return (*self.head, *self.row, *self.more)


@st.fragment
def draw(it: Lab, place: Place) -> None:
    """Draw the lab."""
    _restore(it, place)
    with st.container(horizontal=True):
        values = controls.all_in(it.id, it.head, {})
    choice = _choice(it, values, place)
    if it.first is not None:
        _first(it, it.first(values), values, place, open_=choice is None or _open(choice, place))
    if choice is not None and not predict.commit(choice, place, act=it.act):
        quiet(":material/lock: The lab opens when you have committed.")
        return
    _others(it, choice, place)
    if it.stage is not None:
        it.stage(place)
    _lay_out(it, values)
    settings = values | _controls(it, values)
    state.put(f"head-{it.id}", dict(values))  # now: a script that is cut short lays them out again
    went = lab.going(it.id)
    _buttons(it, settings)
    if fault := state.get(_fault(it)):
        st.error(fault, icon=":material/error:")
    run = lab.current(it.id)
    if run is None:
        quiet("Press *Run*: the charts are drawn here while it goes on.")
        return
    lab.watch(run, partial(_show, it, run, settings, place), went=went)
    if not run.job.live:
        _ended(it, run, choice, place)


def predicted_or_further(values: Values, *, predicted: Values, steps: int) -> bool:
    """Whether a run is the one that was predicted, or goes further."""
    return predicted.items() <= dict(values).items() and bool(values["steps"] >= steps)


def begin(it: Lab, settings: Values, *, seconds: float, kept: bool = False) -> None:
    """Build the experiment and start its run; a setting that does not work is told, not run."""
    from engine.errors import EngineError

    state.drop(_fault(it))
    try:
        built = it.build(settings) if it.build else _built(it.id, settings)
    except EngineError as error:
        state.put(_fault(it), str(error))
        return
    job = Job(built.run(), pause_seconds=seconds / built.length)
    lab.begin(it.id, Run(built, job, dict(settings), kept=kept))
    if not seconds:  # drawn whole: a run that ended while the page is drawn would draw it again
        job.wait(UNWATCHED_SECONDS)


def _built(lab_id: str, settings: Values) -> "Experiment":
    from engine import experiments

    return experiments.build(lab_id.replace("-", "_"), dict(settings))


def _first(it: Lab, settings: Values, head: Values, place: Place, *, open_: bool) -> None:
    """Make sure that there is a run of what the head says; draw it while the lab is shut."""
    run = lab.current(it.id)
    if run is None or any(run.settings.get(name) != value for name, value in head.items()):
        begin(it, settings, seconds=0.0, kept=True)
        run = lab.current(it.id)
    if run is not None and not open_:
        lab.watch(run, partial(_show, it, run, run.settings, place), went=lab.going(it.id))


def _lay_out(it: Lab, head: Values) -> None:
    """Put the controls where the first run has them, whenever the head changes.

    An address that brings settings is left as it is.
    """
    if it.first is None:
        return
    own = {parameter(it.id, each.name) for each in (*it.row, *it.more)}
    brought = dict(head) if own & set(st.query_params) else None
    if state.once(f"head-{it.id}", lambda: brought) != head:
        _put(it, (*it.row, *it.more), it.first(head))


def _open(choice: Choice, place: Place) -> bool:
    return predict.committed(choice, place) is not None


def _choice(it: Lab, values: Values, place: Place) -> Choice | None:
    """Return the prediction for these settings; a course may have none."""
    return place.lesson.predictions.get(it.asks(values)) if it.asks else None


def _others(it: Lab, choice: Choice | None, place: Place) -> None:
    """Say that something is still to be predicted; the text below the lab waits for it."""
    if choice is None or it.first is not None:
        return
    asked = place.lesson.asked_by_labs(choice.section)
    if not all(predict.committed(each, place) for each in asked):
        labels = " or ".join(f"*{each.label}*" for each in it.head)
        quiet(f":material/lock: The text below opens once you have predicted for each {labels}.")


def _controls(it: Lab, values: Values) -> dict[str, Any]:
    """Draw the controls in one row, the rest behind *More*; return their settings."""
    if all(isinstance(each, controls.Kept) for each in it.more):  # nothing to see in there
        chosen = controls.in_a_row(it.id, it.row, values)
        return chosen | controls.all_in(it.id, it.more, {**values, **chosen})
    row, more = st.columns([5, 1.25], vertical_alignment="bottom")
    with row:
        chosen = controls.in_a_row(it.id, it.row, values) if it.row else {}
    with more, st.popover("More", icon=":material/tune:", width="stretch"):
        return chosen | controls.all_in(it.id, it.more, {**values, **chosen})


def _buttons(it: Lab, settings: Values) -> None:
    """Draw run, pause, restart and stop, and the presets in the same row."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(horizontal=True, width="content", gap="xsmall"):
            lab.buttons(it.id, start=partial(begin, it, settings, seconds=it.seconds))
        for number, (label, preset) in enumerate(it.presets.items()):
            st.button(
                label,
                key=f"{it.id}-preset-{number}",
                type="tertiary",
                on_click=_preset,
                args=(it, {**settings, **preset}),
            )


def _preset(it: Lab, settings: Values) -> None:
    """Put the controls where the preset wants them, and run it."""
    _put(it, it.controls, settings)
    begin(it, settings, seconds=it.seconds)


def _put(it: Lab, moved: Sequence[Control], settings: Values) -> None:
    """Set controls that are drawn later."""
    for each in moved:
        if isinstance(each, controls.Kept):
            controls.keep(it.id, each.name, settings[each.name])
        else:
            state.put(parameter(it.id, each.name), settings[each.name])


def _restore(it: Lab, place: Place) -> None:
    """On a first visit, put back what this learner ran last, unless the address says otherwise."""
    if state.get(f"restored-{it.id}"):
        return
    state.put(f"restored-{it.id}", value=True)
    last = place.learner.record.latest(Ran, place.item(it.id))
    if last is None or any(name.startswith(parameter(it.id, "")) for name in st.query_params):
        return
    begin(it, last.payload.settings, seconds=0.0, kept=True)
    if lab.current(it.id) is not None:
        st.query_params.update(_address(it, last.payload.settings))
        st.rerun(scope="app")  # the controls take their values from the address they start with


def _address(it: Lab, settings: Values) -> dict[str, str]:
    """Return settings as the controls write them into the address."""
    return {
        parameter(it.id, each.name): each.face(settings[each.name])
        for each in it.controls
        if each.name in settings
    }


def _show(it: Lab, run: Run[Any, Any], settings: Values, place: Place) -> None:
    """Draw the run as far as it is; one that is shown as ended is on record."""
    live = run.job.live  # before the records: once it is over they are all there
    records = run.job.steps
    if not live:
        _record(it, run, place)
    if not records:
        quiet("Starting.")
        return
    at = _scrub(it, run, records, live=live)
    _status(it, run, changed=run.settings != settings)
    it.charts(run.experiment, records, at)
    st.markdown(f"*What to see: {it.see(run.experiment, records[-1])}*")
    if not live:
        with st.container(horizontal=True):
            lab.data([it.table(each) for each in records], name=f"{it.id}-run", key=it.id)
            if it.repeatable(run.experiment):
                lab.link(it.id)


def _scrub(it: Lab, run: Run[Any, Any], records: Sequence[Any], *, live: bool) -> int:
    """Draw a slider over the records; return which is shown.

    While the run goes on the slider follows it, out of the learner's hands. It is one widget for
    both, so that nothing moves on the page when the run ends.
    """
    key = f"{it.id}-scrub-{id(run)}-{'live' if live else 'ended'}"
    first, now = int(records[0].index), int(records[-1].index)
    if live:
        state.put(key, now)
    last = _last_index(run) if live else now
    off = live or first == last  # one record leaves nothing to choose
    return st.slider("Step", first, max(last, first + 1), now, key=key, disabled=off) - first


def _status(it: Lab, run: Run[Any, Any], *, changed: bool) -> None:
    """Say how far the run is; below that, on a line of its own, what it has come to."""
    said = STATUS.get(run.job.status, "Ended early")
    parts = [
        f"{said} at step {run.job.steps[-1].index} of {_last_index(run)}",
        f"computed in {1000 * run.job.seconds:.0f} ms{', shown slowly' if run.job.slow else ''}",
    ]
    if changed and not run.job.live:
        parts.append(":orange[controls changed; run again]")
    lines = [" · ".join(each) for each in (parts, it.status(run)) if each]
    quiet("  \n".join(line[0].upper() + line[1:] for line in lines))
    if run.job.error:
        st.warning(run.job.error, icon=":material/warning:")


def _last_index(run: Run[Any, Any]) -> int:
    """Return the index of a whole run's last record; some count from 0, others from 1."""
    first, length = int(run.job.steps[0].index), int(run.experiment.length)
    return first + length - 1


def _ended(it: Lab, run: Run[Any, Any], choice: Choice | None, place: Place) -> None:
    """Ask again if the run that ended is the one that was predicted."""
    if it.after is not None:
        it.after(run, place)
    if choice is None or _choice(it, run.settings, place) != choice:
        return
    if it.about(run.settings):
        predict.again(choice, place)
    else:
        quiet(it.not_about)


def _record(it: Lab, run: Run[Any, Any], place: Place) -> None:
    """Put a run into the record, once."""
    records = run.job.steps
    if run.kept or not records or not it.repeatable(run.experiment):
        return
    results = {
        name: value if math.isfinite(value) else None
        for name, value in it.numbers(records[-1]).items()
    }
    ran = Ran(settings=run.settings, results=results)
    run.kept = saving.save(place.learner, place.item(it.id), ran)


def _fault(it: Lab) -> str:
    return f"fault-{it.id}"
