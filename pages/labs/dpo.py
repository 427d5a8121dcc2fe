"""The DPO lab: what a preference does to a policy, watched while it happens.

The learner first says whether the chosen response will gain or lose probability; then trains; then
is asked again. A table and a policy with shared features give opposite answers to the same loss.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from content.schema import Choice
from drills.events import Ran
from pages.parts import lab, numerals, predict, preference_charts, saving, state, units
from pages.parts.lab import Run, parameter
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.training import Job

if TYPE_CHECKING:
    from engine.experiments.dpo import Experiment
    from engine.train import Step

ID = "dpo"
PREDICTIONS = {"table": "lab-chosen-tabular", "shared": "lab-chosen-shared"}
WATCH_SECONDS = 4.0  # a run takes milliseconds; it is slowed down to this so that it can be seen
LANDED_NATS = 1e-6  # from here on the bars and the line are drawn one on the other
POLICY = {"table": "A table", "shared": "Shared features"}
DATA = {"pair": "One pair", "world": "Many prompts"}
LABELS = {"soft": "Soft", "sampled": "Sampled", "deterministic": "Never in doubt"}
GRAPH = {"complete": "Every couple", "chain": "Neighbors only", "islands": "Two islands"}
OPTIMIZER = {"gradient": "Gradient descent", "adam": "Adam", "lbfgs": "L-BFGS", "newton": "Newton"}
BETAS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
SEE = {
    "table": "chosen and rejected part company, and the chosen curve never dips.",
    "shared": (
        "the margin grows as it should, and the chosen response sinks with the rejected one. "
        "The loss asks only for the margin."
    ),
    "optimum": (
        "the policy has landed on the closed-form optimum, and implicit rewards lie on the line of "
        "the true ones, once each prompt's constant is taken out."
    ),
    "unbounded": (
        "the loss keeps falling and the margin keeps growing. Some labels are never contradicted, "
        "so no finite policy fits them best, whatever β is."
    ),
    "islands": (
        "the loss settles, yet the divergence does not: nothing in the data says how the islands "
        "compare, and the policy keeps what the reference believed."
    ),
    "noise": (
        "the policy settles on the best fit to the labels it was given. They are a sample, so the "
        "divergence from the optimum of the true reward stays above zero."
    ),
    "features": (
        "three features for all responses cannot fit every reward, so the divergence stays above "
        "zero and implicit rewards leave the line."
    ),
    "on the way": (
        "the divergence is still falling. Newton's method gets there in a handful of steps; plain "
        "gradient descent takes its time."
    ),
}
key = partial(parameter, ID)


@st.fragment
def draw(place: Place) -> None:
    """Draw the lab."""
    _restore(place)
    with st.container(horizontal=True):
        policy = _segments("Policy", "policy", POLICY)
        data = _segments("Data", "data", DATA)
    choice = place.lesson.predictions[PREDICTIONS[policy]]
    if not predict.commit(choice, place, act="run"):
        quiet(":material/lock: The lab opens when you have committed.")
        return
    _other_policy(policy, place)
    settings = {"policy": policy, "data": data} | _controls()
    lab.buttons(ID, start=partial(_start, settings))
    if fault := state.get("fault-dpo"):
        st.error(fault, icon=":material/error:")
    run = lab.current(ID)
    if run is None:
        quiet("Press *Run*: the curves are drawn here while the policy trains.")
        return
    lab.watch(run, partial(_show, run, settings))
    if not run.job.live:
        _after(run, place)
        _ask_again(run, choice, place, policy=policy)


def _ask_again(
    run: Run["Experiment", "Step"], choice: Choice, place: Place, *, policy: str
) -> None:
    """Ask again after the run that the prediction was about, and after no other."""
    if run.settings["data"] == "pair" and run.settings["policy"] == policy:
        predict.again(choice, place)
    elif run.settings["data"] == "world":
        quiet("Your prediction was about one pair, trained alone; here many are trained at once.")


def _other_policy(policy: str, place: Place) -> None:
    """Say that the other policy is still to be predicted; the text below waits for it."""
    other = next(name for name in PREDICTIONS if name != policy)
    if not predict.committed(place.lesson.predictions[PREDICTIONS[other]], place):
        quiet(
            ":material/lock: The text below opens once you have predicted for "
            f"*{POLICY[other]}*, too."
        )


def _controls() -> dict[str, Any]:
    """Draw the controls in one row; return every setting but policy and data."""
    beta, optimizer, more = st.columns([3, 2, 1.2], vertical_alignment="bottom")
    with beta:
        chosen: dict[str, Any] = {
            "beta": st.select_slider("β", BETAS, 0.1, key=key("beta"), bind="query-params")
        }
    with optimizer:
        chosen["optimizer"] = _select("Optimizer", "optimizer", OPTIMIZER)
    with more, st.popover("More", icon=":material/tune:", width="stretch"):
        return chosen | _more(many=state.get(key("data")) == "world")


def _more(*, many: bool) -> dict[str, Any]:
    """Draw the settings of the world; one pair has none of them but steps."""
    number = partial(_number, disabled=not many)
    return {
        "labels": _select("Labels from the teacher", "labels", LABELS, disabled=not many),
        "graph": _select("Who is compared", "graph", GRAPH, disabled=not many),
        "prompts": number("Prompts", "prompts", (1, 8, 64)),
        "responses": number("Responses to each", "responses", (2, 4, 16)),
        "pairs": number("Pairs, if sampled", "pairs", (1, 400, 5000)),
        "seed": number("Seed", "seed", (0, 0, 2**31 - 1)),
        "steps": _number("Steps", "steps", (1, 200, 2000)),
    }


def _start(settings: dict[str, Any]) -> None:
    """Start a run that can be watched."""
    _begin(settings, seconds=WATCH_SECONDS)


def _begin(settings: dict[str, Any], *, seconds: float, kept: bool = False) -> None:
    """Build the experiment and start its run; a setting that does not work is told, not run."""
    from engine import experiments
    from engine.errors import EngineError

    state.drop("fault-dpo")
    try:
        built = experiments.build("dpo", settings)
    except EngineError as error:
        state.put("fault-dpo", str(error))
        return
    job = Job(built.run(), pause_seconds=seconds / built.length)
    lab.begin(ID, Run(built, job, dict(settings), kept=kept))


def _restore(place: Place) -> None:
    """On a first visit, put back what this learner ran last, unless the address says otherwise."""
    if state.get("restored-dpo"):
        return
    state.put("restored-dpo", value=True)
    last = place.learner.record.latest(Ran, place.item(ID))
    if last is None or any(name.startswith(key("")) for name in st.query_params):
        return
    _begin(last.payload.settings, seconds=0.0, kept=True)
    if lab.current(ID) is not None:
        st.query_params.update(_address(last.payload.settings))
        st.rerun(scope="app")  # the controls take their values from the address they start with


def _address(settings: dict[str, Any]) -> dict[str, str]:
    """Return settings as the controls write them into the address: by what is on their face."""
    faces = {"policy": POLICY, "data": DATA, "labels": LABELS, "graph": GRAPH}
    faces["optimizer"] = OPTIMIZER
    return {
        key(name): faces[name][str(value)] if name in faces else f"{value}"
        for name, value in settings.items()
    }


def _show(run: Run["Experiment", "Step"], settings: dict[str, Any]) -> None:
    """Draw the run as far as it is."""
    steps = run.job.steps
    if not steps:
        quiet("Starting.")
        return
    at = _scrub(run, len(steps))
    _status(run, steps, changed=run.settings != settings)
    mark = None if run.job.live else steps[at].index
    preference_charts.draw(run.experiment, steps, at=at, mark=mark)
    st.markdown(f"*What to see: {SEE[_what(run.experiment, steps[-1])]}*")
    if not run.job.live:
        with st.container(horizontal=True):
            lab.data([preference_charts.row(step) for step in steps], name="dpo-run", key="dpo")
            lab.link(ID)


def _what(experiment: "Experiment", step: "Step") -> str:
    """Say what this run shows, by how it was set and how far it came."""
    settings = experiment.settings
    if settings.data == "pair":
        return settings.policy
    if step.kl_to_optimum < LANDED_NATS:
        return "optimum"
    causes = {
        "unbounded": not experiment.bounded,
        "islands": not experiment.connected,
        "features": settings.policy == "shared",
        "noise": settings.labels == "sampled",
    }
    return next((cause for cause, holds in causes.items() if holds), "on the way")


def _scrub(run: Run["Experiment", "Step"], count: int) -> int:
    """Draw how far the run is, and when it ended the slider over its steps; return the step."""
    with st.container(height=104, border=False):
        if run.job.live or count < 2:
            st.progress(count / (run.experiment.settings.steps + 1), "Training")
            return count - 1
        return st.slider("Step", 0, count - 1, count - 1, key=f"dpo-scrub-{id(run)}")


def _status(run: Run["Experiment", "Step"], steps: list["Step"], *, changed: bool) -> None:
    step = steps[-1]
    words = {"done": "Done", "stopped": "Stopped", "paused": "Paused", "running": "Training"}
    said = words.get(run.job.status, "Ended early")
    parts = [
        f"{said} at step {step.index} of {run.experiment.settings.steps}",
        f"computed in {1000 * run.job.seconds:.0f} ms, shown slowly",
    ]
    if run.settings["data"] == "world":
        gap = units.from_nats(step.kl_to_optimum)
        parts.append(f"KL(π*‖π) {numerals.divergence(gap, units.of_information())}")
    if changed and not run.job.live:
        parts.append(":orange[the controls have changed since; run again]")
    quiet(" · ".join(parts))
    if run.job.error:
        st.warning(run.job.error, icon=":material/warning:")


def _after(run: Run["Experiment", "Step"], place: Place) -> None:
    """Put a finished run into the record, once."""
    steps = run.job.steps
    if run.kept or not steps:
        return
    results = preference_charts.numbers(steps[-1])
    run.kept = saving.save(
        place.learner, place.item(ID), Ran(settings=run.settings, results=results)
    )


def _segments(label: str, name: str, options: dict[str, str]) -> str:
    value = st.segmented_control(
        label,
        list(options),
        default=next(iter(options)),
        format_func=options.__getitem__,
        key=key(name),
        bind="query-params",
        required=True,
    )
    return str(value or next(iter(options)))  # `?dpo_policy=` in the address selects nothing


def _select(label: str, name: str, options: dict[str, str], *, disabled: bool = False) -> str:
    return str(
        st.selectbox(
            label,
            list(options),
            format_func=options.__getitem__,
            key=key(name),
            bind="query-params",
            disabled=disabled,
        )
    )


def _number(label: str, name: str, bounds: tuple[int, int, int], *, disabled: bool = False) -> int:
    least, usual, most = bounds
    return int(
        st.number_input(
            label,
            least,
            most,
            usual,
            key=key(name),
            bind=lab.binding(key(name)),
            disabled=disabled,
        )
    )
