"""The DPO lab: what a preference does to a policy, watched while it happens.

The learner first says whether the chosen response will gain or lose probability; then trains; then
is asked again. A table and a policy with shared features give opposite answers to the same loss.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from pages.parts import lab_frame, numerals, preference_charts, units
from pages.parts.controls import SEED, Number, Segments, Select, Slide, Values
from pages.parts.lab import Run
from pages.parts.place import Place

if TYPE_CHECKING:
    from engine.experiments.dpo import Experiment
    from engine.train import Step

PREDICTIONS = {"table": "lab-chosen-tabular", "shared": "lab-chosen-shared"}
LANDED_NATS = 1e-6  # from here on the bars and the line are drawn one on the other
BETAS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
SEE = {
    "table": "Chosen and rejected part company, and the chosen curve never dips.",
    "shared": (
        "The margin grows as it should, and the chosen response sinks with the rejected one. "
        "The loss asks only for the margin."
    ),
    "optimum": (
        "The policy has landed on the closed-form optimum, and implicit rewards lie on the line of "
        "the true ones, once each prompt's constant is taken out."
    ),
    "unbounded": (
        "The loss keeps falling and the margin keeps growing. Some labels are never contradicted, "
        "so no finite policy fits them best, whatever β is."
    ),
    "islands": (
        "The loss settles, yet the divergence stays above zero: nothing in the data says how the "
        "islands compare, and the policy keeps what the reference believed."
    ),
    "noise": (
        "The policy settles on the best fit to the labels it was given. They are a sample, so the "
        "divergence from the optimum of the true reward stays above zero."
    ),
    "features": (
        "Three features for all responses cannot fit every reward. Where they do not, the "
        "divergence stays above zero and implicit rewards leave the line."
    ),
    "on the way": (
        "The divergence is still falling. Newton's method gets there in a handful of steps; plain "
        "gradient descent takes its time."
    ),
}


def draw(place: Place) -> None:
    """Draw the lab."""
    lab_frame.draw(LAB, place)


def _many(values: Values) -> bool:
    """Whether the settings of a world matter: one pair has none of them."""
    return bool(values.get("data") == "world")


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


def _status(run: Run["Experiment", "Step"]) -> list[str]:
    if not _many(run.settings):
        return []
    gap = units.from_nats(run.job.steps[-1].kl_to_optimum)
    return [f"KL(π*‖π) {numerals.divergence(gap, units.of_information())}"]


POLICY = Segments("policy", "Policy", {"table": "A table", "shared": "Shared features"})
DATA = Segments("data", "Data", {"pair": "One pair", "world": "Many prompts"})
BETA = Slide("beta", "β", BETAS, 0.1)
OPTIMIZER = Select(
    "optimizer",
    "Optimizer",
    {"gradient": "Gradient descent", "adam": "Adam", "lbfgs": "L-BFGS", "newton": "Newton"},
)
LABELS = Select(
    "labels",
    "Labels from the teacher",
    {"soft": "Soft", "sampled": "Sampled", "deterministic": "Never in doubt"},
    when=_many,
)
GRAPH = Select(
    "graph",
    "Who is compared",
    {"complete": "Every couple", "chain": "Neighbors only", "islands": "Two islands"},
    when=_many,
)
SIZES = (
    Number("prompts", "Prompts", (1, 8, 64), when=_many),
    Number("responses", "Responses to each", (2, 4, 16), when=_many),
    Number("pairs", "Pairs, if sampled", (1, 400, 5000), when=_many),
)
LAB = lab_frame.Lab(
    id="dpo",
    title="One pair, one loss",
    promise="Train a policy on preferences and watch where its probability goes.",
    head=(POLICY, DATA),
    row=(BETA, OPTIMIZER),
    more=(
        LABELS,
        GRAPH,
        *SIZES,
        replace(SEED, when=_many),
        Number("steps", "Steps", (1, 200, 2000)),
    ),
    asks=lambda values: PREDICTIONS[values["policy"]],
    about=lambda values: not _many(values),
    not_about="Your prediction was about one pair, trained alone; here many are trained at once.",
    charts=preference_charts.draw,
    see=lambda experiment, step: SEE[_what(experiment, step)],
    numbers=preference_charts.numbers,
    table=preference_charts.row,
    status=_status,
)
