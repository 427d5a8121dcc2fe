"""The distillation lab: a small student of a teacher it cannot quite match.

The learner first says what happens to the divergence that is not trained on; then trains, by any
targets, temperature and direction, down to an optimum that is known; then is asked again.
"""

from typing import TYPE_CHECKING, Any

from pages.parts import distil_charts, lab_frame, numerals, units
from pages.parts.controls import SEED, Number, Select, Slide, Values
from pages.parts.lab import Run
from pages.parts.place import Place

if TYPE_CHECKING:
    from engine.experiments.distil import Experiment, Step

TEMPERATURES = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0)
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
ALL_FEATURES = 5  # with which the student holds the whole teacher
USUAL: dict[str, Any] = {
    "targets": "soft",
    "direction": "forward",
    "scale": "squared",
    "optimizer": "gradient",
    "temperature": 2.0,
    "capacity": 4,
    "memos": 200,
    "learning_rate": 1.0,
    "steps": 200,
    "seed": 0,
}
LANDED_NATS = 0.003  # of the optimum: on the chart the lines lie on each other
MATCHED_NATS = 0.001  # nobody sees such a student apart from its teacher


def draw(place: Place) -> None:
    """Draw the lab."""
    lab_frame.draw(LAB, place)


def _about(values: Values) -> bool:
    """Whether a run is the one that was predicted."""
    return all(values[name] == value for name, value in USUAL.items())


def _soft(values: Values) -> bool:
    """Whether there is a temperature: hard labels have none."""
    return bool(values.get("targets", "soft") == "soft")


def _by_gradient(values: Values) -> bool:
    return bool(values.get("optimizer", "gradient") == "gradient")


def _see(experiment: "Experiment", step: "Step") -> str:
    """Say how near the student is, and what keeps it there."""
    nats, end = step.result.forward_nats, experiment.optimum.forward_nats
    if abs(nats - end) > LANDED_NATS:
        return (
            f"The student is on its way. KL(p‖q) is {_told(nats)} on fresh memos; the optimum of "
            f"this loss has {_told(end)}{_crawl(experiment)}"
        )
    return f"The student is where the optimum of its loss is. {_rest(experiment, step)}"


def _crawl(experiment: "Experiment") -> str:
    """Name the reason of a slow way, where it is one of ours."""
    settings = experiment.settings
    hot = settings.scale == "none" and experiment.temperature > 1 and settings.targets == "soft"
    slow = hot and settings.optimizer == "gradient"
    return ". Without T² each step is shorter, by that factor." if slow else "."


def _rest(experiment: "Experiment", step: "Step") -> str:
    settings, found = experiment.settings, step.result
    both = f"KL(p‖q) is {_told(found.forward_nats)} and KL(q‖p) {_told(found.reverse_nats)}"
    if found.forward_nats < MATCHED_NATS:
        return "It matches the teacher, so neither the direction nor the temperature matters here."
    if settings.targets == "likeliest":
        return (
            f"It makes the teacher's first choice on {found.agreement:.0%} of the fresh memos, and "
            f"its probabilities are far off: {both}."
        )
    if settings.targets == "sampled":
        return f"Drawn grades are noisy soft targets: {both}."
    lacks = ALL_FEATURES - settings.capacity
    feature = "a feature" if lacks == 1 else f"{lacks} features"
    return f"It lacks {feature} of the teacher's: {both}." if lacks > 0 else f"{both}."


def _status(run: Run["Experiment", "Step"]) -> list[str]:
    found = run.job.steps[-1].result
    return [
        f"KL(p‖q) {_told(found.forward_nats)}",
        f"KL(q‖p) {_told(found.reverse_nats)}",
        f"same first choice {found.agreement:.0%}",
    ]


def _told(nats: float) -> str:
    return f"{numerals.told(units.from_nats(nats), digits=3)} {units.of_information()}"


LAB = lab_frame.Lab(
    id="distil",
    title="A student that cannot match",
    promise="Train a small grader of memos on a large one and see what each choice leaves.",
    row=(
        Select(
            "targets",
            "Targets",
            {"soft": "Soft", "sampled": "Drawn grades", "likeliest": "Likeliest grade"},
        ),
        Select("direction", "Direction", {"forward": "Forward", "reverse": "Reverse"}),
        Slide("temperature", "Temperature", TEMPERATURES, 2.0, when=_soft),
        Number("capacity", "Features", (1, 4, 5)),
    ),
    more=(
        Select(
            "scale",
            "Loss times T²",
            {"squared": "Yes", "none": "No"},
            when=_soft,
        ),
        Select("optimizer", "Optimizer", {"gradient": "Gradient descent", "lbfgs": "L-BFGS"}),
        Slide("learning_rate", "Step size", RATES, 1.0, when=_by_gradient),
        Number("memos", "Training memos", (10, 200, 1_000)),
        Number("steps", "Steps", (1, 200, 400)),
        SEED,
    ),
    presets={
        "Match": USUAL | {"capacity": 5},
        "Reverse": USUAL | {"direction": "reverse", "capacity": 2},
        "Hot": USUAL | {"temperature": 10.0, "scale": "none"},
        "Hard": USUAL | {"targets": "likeliest", "optimizer": "lbfgs"},
    },
    asks=lambda _values: "lab-distil-reverse",
    about=_about,
    not_about="Your prediction was about soft targets, forward KL, T = 2 and four features.",
    charts=distil_charts.draw,
    see=_see,
    numbers=distil_charts.numbers,
    table=distil_charts.row,
    status=_status,
)
