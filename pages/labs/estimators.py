"""The estimators lab: three estimates of one divergence, and what each does when it is a loss.

The learner first says which of three policies find their way back to the reference, and in which
order; then trains one on each estimate, while the same estimates are averaged over samples below.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

from pages.parts import estimator_charts, lab_frame, numerals, units
from pages.parts.controls import SEED, Number, Select, Slide
from pages.parts.lab import Run
from pages.parts.place import Place

if TYPE_CHECKING:
    from engine.experiments.estimators import Experiment, Step

DISTANCES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.65, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0)
RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
BACK = 0.02  # of the divergence at the start: on the chart the policy is at the reference
DEFAULT: dict[str, Any] = {
    "world": "tokens",
    "distance": 1.0,
    "samples": 10,
    "steps": 200,
    "draws": 32,
    "rate": 0.3,
}
PREDICTED = {name: value for name, value in DEFAULT.items() if name not in ("samples", "steps")}


def draw(place: Place) -> None:
    """Draw the lab."""
    lab_frame.draw(LAB, place)


def _see(experiment: "Experiment", step: "Step") -> str:
    """Say where the three policies are, and which estimate is the quieter."""
    return f"{_where(experiment, step)} {_noise(experiment)}"


def _where(experiment: "Experiment", step: "Step") -> str:
    """The first loss averages to no push; the others are as far as they came."""
    bound = BACK * experiment.kl_nats
    back = [name for name in ("k2", "k3") if getattr(step.reverse_nats, name) < bound]
    k1 = f"The policy trained on k₁ wanders, now at {_told(step.reverse_nats.k1)}"
    if len(back) == 2:
        return f"{k1}; those trained on k₂ and k₃ are back at the reference."
    if back:
        sign = estimator_charts.K[back[0]][0]
        other = "k2" if back == ["k3"] else "k3"
        return (
            f"{k1}; the one trained on {sign} is back at the reference, the one on "
            f"{estimator_charts.K[other][0]} still at {_told(getattr(step.reverse_nats, other))}."
        )
    return (
        f"{k1}; k₂ has come to {_told(step.reverse_nats.k2)}, k₃ to "
        f"{_told(step.reverse_nats.k3)}, from {_told(experiment.kl_nats)}."
    )


def _noise(experiment: "Experiment") -> str:
    one, three = (experiment.variances.k1**0.5, experiment.variances.k3**0.5)
    loud, calm = ("k₃", "k₁") if three > one else ("k₁", "k₃")
    ratio = numerals.told(max(one, three) / max(min(one, three), 1e-300), digits=3)
    return f"As an estimate, {loud} has {ratio} times the noise of {calm} at this distance."


def _status(run: Run["Experiment", "Step"]) -> list[str]:
    means = run.experiment.means
    return [f"KL {_told(run.experiment.kl_nats)}", f"k₂ tends to {_told(means.k2)}"]


def _told(nats: float) -> str:
    return numerals.divergence(units.from_nats(max(nats, 0.0)), units.of_information())


LAB = lab_frame.Lab(
    id="estimators",
    title="Three estimates, three losses",
    promise="Train on each estimate of one divergence, and see where the gradient leads.",
    row=(
        Slide("distance", "Distance from the reference", DISTANCES, 1.0),
        Select(
            "world",
            "Policies",
            {"tokens": "Three tokens", "normals": "Normals", "random": "Random"},
        ),
    ),
    more=(
        Slide("rate", "Step size", RATES, 0.3),
        Number("draws", "Draws per update", (1, 32, 512)),
        Number("samples", "Samples per record", (1, 10, 100)),
        Number("steps", "Updates", (1, 200, 1_000)),
        SEED,
    ),
    presets={
        "Far": DEFAULT,
        "Very far": DEFAULT | {"distance": 3.0},
        "Close": DEFAULT | {"distance": 0.2},
        "Normals": DEFAULT | {"world": "normals", "rate": 0.05, "draws": 64},
    },
    asks=lambda _values: "lab-estimators-losses",
    about=partial(lab_frame.predicted_or_further, predicted=PREDICTED, steps=DEFAULT["steps"]),
    not_about="Your prediction was about three tokens at distance 1, in updates of 32 draws.",
    charts=estimator_charts.draw,
    see=_see,
    numbers=estimator_charts.numbers,
    table=estimator_charts.row,
    status=_status,
)
