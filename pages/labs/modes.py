"""The two-humps lab: one Gaussian, two divergences, and where each of them lets it rest.

The learner first says where a student that cannot match its teacher ends, once for each direction;
then watches it move over the target to a fit that is known exactly; then is asked again.
"""

import math
from typing import TYPE_CHECKING

from pages.parts import lab_frame, modes_charts, numerals, units
from pages.parts.controls import Number, Segments, Slide, Values
from pages.parts.lab import Run
from pages.parts.modes_charts import DESCENDED, OTHER
from pages.parts.place import Place

if TYPE_CHECKING:
    from engine.experiments.modes import Experiment, Step

PREDICTIONS = {"reverse": "lab-modes-reverse", "forward": "lab-modes-forward"}
USUAL = {
    "offset": 2.0,
    "deviation": 0.5,
    "start_mean": 1.0,
    "start_deviation": 1.0,
    "starts": 1,
    "learning_rate": 0.1,
    "steps": 200,
}
MEANS = (-5.0, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 5.0)
DEVIATIONS = (0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
OFFSETS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
WIDTHS = (0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
RATES = (0.001, 0.01, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0)
LANDED_NATS = 1e-3  # above the exact fit: on the chart the two lie on each other
NEAR = 0.05  # nats or units of x that nobody sees
MIDDLE = 0.05


def draw(place: Place) -> None:
    """Draw the lab."""
    lab_frame.draw(LAB, place)


def _about(values: Values) -> bool:
    """Whether a run is one that was predicted."""
    return all(values[name] == value for name, value in USUAL.items())


def _see(experiment: "Experiment", step: "Step") -> str:
    fit = experiment.fits[0]
    if step.divergences_nats[0] - fit.divergence_nats > LANDED_NATS:
        return (
            f"The student is on its way: {DESCENDED[experiment.settings.direction]} is "
            f"{_told(step.divergences_nats[0])}, and the exact fit, dashed, has "
            f"{_told(fit.divergence_nats)}."
        )
    landed = _forward if experiment.settings.direction == "forward" else _reverse
    return landed(experiment, step) + _elsewhere(experiment)


def _forward(experiment: "Experiment", step: "Step") -> str:
    return (
        "The student has the target's own mean and variance: it covers whatever the target does, "
        f"at a price of {_told(step.divergences_nats[0])}. Every start leads here."
    )


def _reverse(experiment: "Experiment", step: "Step") -> str:
    nats = max(0.0, step.divergences_nats[0])  # rounding leaves a hair below zero
    if experiment.settings.offset == 0:
        return f"There is one hump only, and the student takes all of it: {_told(nats)} are left."
    if abs(step.means[0]) < MIDDLE:
        return (
            f"The student rests in the middle, at {_told(nats)}. Whether that is the least, only "
            "other starts can tell."
        )
    close = abs(nats - math.log(2)) < NEAR
    price = f"close to log 2 = {_told(math.log(2))}" if close else "for humps that overlap"
    hump = "right hump" if step.means[0] > 0 else "left hump"
    return (
        f"The student {'rests on' if close else 'leans to'} the {hump}, at mean "
        f"{numerals.told(step.means[0], digits=3)}. {DESCENDED['reverse']} is {_told(nats)}, "
        f"{price}; {OTHER['reverse']} is {_told(step.others_nats[0])}."
    )


def _elsewhere(experiment: "Experiment") -> str:
    """Name a start that leads lower, if there is one among those that ran."""
    best = experiment.fits[experiment.best]
    if experiment.fits[0].divergence_nats - best.divergence_nats < LANDED_NATS:
        return ""
    start = numerals.told(experiment.start_means[experiment.best], digits=3)
    return f" The start at {start} leads lower, to {_told(best.divergence_nats)}."


def _status(run: Run["Experiment", "Step"]) -> list[str]:
    last, direction = run.job.steps[-1], run.experiment.settings.direction
    return [
        f"{DESCENDED[direction]} {_told(last.divergences_nats[0])}",
        f"{OTHER[direction]} {_told(last.others_nats[0])}",
    ]


def _told(nats: float) -> str:
    return f"{numerals.told(units.from_nats(nats), digits=3)} {units.of_information()}"


LAB = lab_frame.Lab(
    id="modes",
    title="Two humps, one Gaussian",
    promise="Fit a student that cannot match its teacher, and see what each direction gives up.",
    head=(
        Segments(
            "direction", "Descend", {"reverse": "Reverse KL(q‖p)", "forward": "Forward KL(p‖q)"}
        ),
    ),
    row=(
        Slide("start_mean", "Mean at the start", MEANS, 1.0),
        Number("starts", "Starts", (1, 1, 7)),
    ),
    more=(
        Slide("start_deviation", "Deviation at the start", DEVIATIONS, 1.0),
        Slide("offset", "Humps at plus and minus", OFFSETS, 2.0),
        Slide("deviation", "Deviation of a hump", WIDTHS, 0.5),
        Slide("learning_rate", "Step size", RATES, 0.1),
        Number("steps", "Steps", (1, 200, 400)),
    ),
    presets={
        "Middle": USUAL | {"direction": "reverse", "start_mean": 0.0},
        "Seven starts": USUAL | {"direction": "reverse", "start_mean": 0.0, "starts": 7},
        "Covers": USUAL | {"direction": "forward", "learning_rate": 0.2, "steps": 400},
    },
    asks=lambda values: PREDICTIONS[values["direction"]],
    about=_about,
    not_about="Your prediction was about one start at mean 1, with the usual humps.",
    charts=modes_charts.draw,
    see=_see,
    numbers=modes_charts.numbers,
    table=modes_charts.row,
    status=_status,
)
