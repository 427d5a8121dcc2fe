"""The calibration lab: one number is fitted, and confidence comes down to what comes true.

The learner first says how much error is measured after the fit; then watches it on answers that
the fit has not seen; then is asked again.
"""

from typing import TYPE_CHECKING

from pages.parts import calibrate_charts, lab_frame, numerals, units
from pages.parts.controls import SEED, Number, Select, Slide, Values
from pages.parts.lab import Run
from pages.parts.place import Place

if TYPE_CHECKING:
    from engine.experiments.calibrate import Experiment, Step

FACTORS = (0.2, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0)
STARTS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
USUAL = {
    "labels": "drawn",
    "binning": "mass",
    "overconfidence": 3.0,
    "questions": 2_000,
    "options": 4,
    "bins": 10,
    "start": 1.0,
    "steps": 20,
    "seed": 0,
}
LANDED = 1e-6  # of the best temperature, as a ratio
CLOSE = 0.02  # of ECE: what the noise of a thousand answers hides


def draw(place: Place) -> None:
    """Draw the lab."""
    lab_frame.draw(LAB, place)


def _about(values: Values) -> bool:
    """Whether a run is the one that was predicted, however long it went on."""
    free = {"steps", "start"}
    return all(values[name] == value for name, value in USUAL.items() if name not in free)


def _see(experiment: "Experiment", step: "Step") -> str:
    """Say what the fit did to answers it has not seen, and what no temperature could do."""
    if abs(step.temperature / experiment.best_temperature - 1) > LANDED:
        return (
            f"The fit is on its way, at T = {_told(step.temperature)}; the least loss is at "
            f"{_told(experiment.best_temperature)}."
        )
    before, left = experiment.before.ece, experiment.truth.ece
    return (
        f"Accuracy stays at {step.accuracy:.3f}, and ECE on the other half goes from {before:.3f} "
        f"to {step.ece:.3f}{_noise(left, step.ece)}"
    )


def _noise(left: float, found: float) -> str:
    """Compare what is left with what the true temperature leaves."""
    if abs(left - found) < CLOSE:
        return f". The true T leaves {left:.3f}, so what is left is noise."
    return f", where the true T leaves {left:.3f}."


def _status(run: Run["Experiment", "Step"]) -> list[str]:
    last = run.job.steps[-1]
    loss = numerals.told(units.from_nats(last.test_loss_nats), digits=3)
    return [
        f"T {_told(last.temperature)}",
        f"log loss on the other half {loss} {units.of_information()}",
    ]


def _told(value: float) -> str:
    return numerals.told(value)


LAB = lab_frame.Lab(
    id="calibrate",
    title="One number for confidence",
    promise="Fit a temperature on half of a model's answers and see what it mends on the rest.",
    row=(
        Slide("overconfidence", "Logits too large by", FACTORS, 3.0),
        Number("questions", "Questions", (50, 2_000, 20_000)),
        Number("bins", "Bins", (1, 10, 30)),
    ),
    more=(
        Select("binning", "Bins of equal", {"mass": "Mass", "width": "Width"}),
        Select("labels", "Fit to", {"drawn": "Drawn labels", "exact": "True probabilities"}),
        Number("options", "Options", (2, 4, 10)),
        Slide("start", "T at the start", STARTS, 1.0),
        Number("steps", "Steps", (1, 20, 60)),
        SEED,
    ),
    presets={
        "Exact": USUAL | {"labels": "exact"},
        "Unsure": USUAL | {"overconfidence": 0.5},
        "Few": USUAL | {"questions": 200},
        "Sound": USUAL | {"overconfidence": 1.0},
    },
    asks=lambda _values: "lab-calibrate-ece",
    about=_about,
    not_about="Your prediction was about logits three times too large and 2,000 questions.",
    charts=calibrate_charts.draw,
    see=_see,
    numbers=calibrate_charts.numbers,
    table=calibrate_charts.row,
    status=_status,
)
