"""The GRPO lab: whom a group pulls, which groups stay silent, and what luck makes of equals.

The learner first says what becomes of four right answers that earn the same; then watches prompts
of graded difficulty travel along the exact pull, with the division by the deviation or without.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

from pages.parts import group_charts, lab_frame, numerals
from pages.parts.controls import SEED, Kept, Number, Segments, Select, Slide
from pages.parts.lab import Run
from pages.parts.place import Place

if TYPE_CHECKING:
    from engine.experiments.grpo import Experiment, Step

GRADED = "0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98"
GROUPS = (2, 3, 4, 8, 16, 32, 64)
PRICES = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
RATES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0)
EVEN = 0.01  # of a factor: division weighs all prompts alike
DEFAULT: dict[str, Any] = {
    "group": 8,
    "deviation": "on",
    "clip": "on",
    "kl": 0.0,
    "rates": GRADED,
    "answers": 8,
    "epochs": 2,
    "rate": 1.0,
    "steps": 150,
}
PREDICTED = {name: value for name, value in DEFAULT.items() if name != "steps"}


def draw(place: Place) -> None:
    """Draw the lab."""
    lab_frame.draw(LAB, place)


def _see(experiment: "Experiment", step: "Step") -> str:
    """Say whom the division favors, and what came of the prompts."""
    return f"{_favored(experiment)} {_came(experiment, step)}"


def _favored(experiment: "Experiment") -> str:
    """Compare what division does to the first prompt and to even odds, where all began."""
    start = experiment.starts[0]
    divided, centered = (group_charts.along(experiment, form) for form in ("divided", "centered"))
    factor, even = (divided.at(rate) / centered.at(rate) for rate in (start, 0.5))
    if abs(factor / even - 1) < EVEN:
        return (
            f"Division by the deviation multiplies the pull of a prompt at {_told(start)} like "
            f"that of one at 0.5, by {_told(even)}: it is a larger step and no more."
        )
    used = "multiplies" if experiment.settings.deviation == "on" else "would multiply"
    return (
        f"Division by the deviation {used} the pull of a prompt at {_told(start)} by "
        f"{_told(factor)}, that of one at 0.5 by {_told(even)}."
    )


def _came(experiment: "Experiment", step: "Step") -> str:
    silent = f"{100 * step.silent_share:.0f}% of groups are silent"
    if experiment.settings.kl > 0:
        resting = experiment.resting_rates[0]
        return (
            f"The KL term balances the pull: on average the first prompt comes to rest at "
            f"{_told(resting)}, and it is at {_told(step.solve_rates[0])}; {silent}."
        )
    return (
        f"The mean success rate is {_told(step.reward)}, and {silent}: their answers earn the "
        "same, so nothing is pushed."
    )


def _status(run: Run["Experiment", "Step"]) -> list[str]:
    last = run.job.steps[-1]
    return [f"solved {_told(last.reward)}", f"clipped {100 * last.clip_fraction:.0f}%"]


def _told(value: float) -> str:
    return numerals.told(value, digits=3)


LAB = lab_frame.Lab(
    id="grpo",
    title="Groups of graded answers",
    promise="Train on groups, for prompts from hard to easy, and see which of them pull.",
    row=(
        Segments("deviation", "Divide by deviation", {"on": "Yes", "off": "No"}),
        Slide("group", "Group size G", GROUPS, 8),
        Select("clip", "Clipping", {"on": "At 0.2", "off": "Off"}),
    ),
    more=(
        Slide("kl", "KL in the loss, k₃ times", PRICES, 0.0),
        Slide("rate", "Step size", RATES, 1.0),
        Number("steps", "Steps", (1, 150, 500)),
        Number("epochs", "Epochs per batch", (1, 2, 8)),
        Number("answers", "Answers to a prompt", (2, 8, 16)),
        SEED,
        Kept("rates", GRADED),
    ),
    presets={
        "Divided": DEFAULT,
        "Dr. GRPO": DEFAULT | {"deviation": "off"},
        "Pairs": DEFAULT | {"group": 2},
        "On a leash": DEFAULT | {"kl": 1.0},
    },
    asks=lambda _values: "lab-grpo-equals",
    about=partial(lab_frame.predicted_or_further, predicted=PREDICTED, steps=DEFAULT["steps"]),
    not_about="Your prediction was about groups of eight, divided and clipped, without KL.",
    charts=group_charts.draw,
    see=_see,
    numbers=group_charts.numbers,
    table=group_charts.row,
    status=_status,
)
