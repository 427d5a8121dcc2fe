"""The leash lab: what a climb does to a proxy, to what it stands for, and to the distance.

The learner first says what gold does on the way; then trains, and holds the way of the policy
against the exact optimum for every β and against best-of-n; then is asked again.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from pages.parts import lab_frame, leash_charts, numerals
from pages.parts.controls import SEED, Number, Select, Slide, Values
from pages.parts.lab import Run
from pages.parts.place import Place

if TYPE_CHECKING:
    from engine.experiments.leash import Experiment, Step

BETAS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.65, 1.0, 2.0, 5.0)
RATES = (0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0)
CLIPS = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
CURVATURES = (0.05, 0.1, 0.25, 0.5, 1.0)
CLEAR = 0.01  # of a reward: what a chart can tell apart
LANDED_NATS = 1e-3  # of the optimum: on the chart the policy lies on it
PREDICTED = {"world": "replies", "algorithm": "gradient", "beta": 0.25, "rate": 1.0}
PREDICTED_STEPS = 200


def draw(place: Place) -> None:
    """Draw the lab."""
    lab_frame.draw(LAB, place)


def _about(values: Values) -> bool:
    """Whether a run is the one that was predicted, or goes further."""
    same = all(values[name] == value for name, value in PREDICTED.items())
    return same and values["steps"] >= PREDICTED_STEPS


def _sampled(values: Values) -> bool:
    return values.get("algorithm") in ("reinforce", "ppo")


def _clipped(values: Values) -> bool:
    return values.get("algorithm") == "ppo"


def _gaussian(values: Values) -> bool:
    return values.get("world") == "gaussian"


def _random(values: Values) -> bool:
    return _sampled(values) or values.get("world") == "random"


def _see(experiment: "Experiment", step: "Step") -> str:
    """Say where the policy is and what that is worth, by what the numbers say."""
    return f"{_where(experiment, step)} {_worth(experiment, step)}"


def _where(experiment: "Experiment", step: "Step") -> str:
    lost = numerals.told(max(experiment.best - step.objective, 0.0), digits=2)
    if step.kl_to_optimum_nats < LANDED_NATS:
        return "The policy has landed on the optimum at this β, where the upright line stands."
    return f"The policy is on its way, its objective {lost} below the maximum."


def _worth(experiment: "Experiment", step: "Step") -> str:
    start = experiment.best_of_n[0].gold  # of one draw: the reference itself
    most, gold = experiment.peak.gold, numerals.told(step.gold, digits=3)
    if step.gold < start - CLEAR:
        return (
            f"It earns {gold} in gold, less than the reference with {_told(start)}, while its "
            f"proxy is {_told(step.reward)}. No optimum has more gold than {_told(most)}."
        )
    if step.gold > most + CLEAR:
        return (
            f"It earns {gold} in gold, more than any optimum does: the solid curve of gold lies "
            "above the dashed one, since training comes by another way."
        )
    return (
        f"It earns {gold} in gold; the reference has {_told(start)}, and the best optimum, at "
        f"β = {_told(experiment.peak.at)}, has {_told(most)}."
    )


def _status(run: Run["Experiment", "Step"]) -> list[str]:
    last = run.job.steps[-1]
    return [f"proxy {_told(last.reward)}", f"gold {_told(last.gold)}"]


def _told(value: float) -> str:
    return numerals.told(value, digits=3)


WORLD = Select(
    "world",
    "Rewards",
    {"replies": "Three replies", "gaussian": "Numbers", "random": "Many prompts"},
)
ALGORITHM = Select(
    "algorithm",
    "Way up",
    {
        "gradient": "Gradient",
        "natural": "Natural gradient",
        "reinforce": "REINFORCE",
        "ppo": "PPO",
    },
)
LAB = lab_frame.Lab(
    id="leash",
    title="The leash",
    promise="Climb on a proxy reward, priced by KL, and watch what it is worth in gold.",
    row=(Slide("beta", "β", BETAS, 0.25), ALGORITHM, WORLD),
    more=(
        Slide("rate", "Step size", RATES, 1.0),
        Number("steps", "Steps", (1, 200, 1_000)),
        Number("draws", "Draws per step", (1, 64, 512), when=_sampled),
        Number("epochs", "Epochs per batch", (1, 4, 8), when=_clipped),
        Slide("clip", "Clipping ε", CLIPS, 0.2, when=_clipped),
        Slide("curvature", "Curvature c of gold", CURVATURES, 0.25, when=_gaussian),
        replace(SEED, when=_random),
    ),
    presets={
        "Detour": PREDICTED | {"steps": 200},
        "On the curve": {
            "world": "replies",
            "algorithm": "natural",
            "beta": 0.1,
            "rate": 0.1,
            "steps": 400,
        },
        "One leap": {
            "world": "replies",
            "algorithm": "natural",
            "beta": 0.25,
            "rate": 4.0,
            "steps": 20,
        },
        "Parabola": {
            "world": "gaussian",
            "algorithm": "ppo",
            "beta": 0.2,
            "rate": 0.5,
            "steps": 100,
            "curvature": 0.25,
            "draws": 64,
            "epochs": 4,
            "clip": 0.2,
        },
    },
    asks=lambda _values: "lab-leash-gold",
    about=_about,
    not_about="Your prediction was about gradient ascent on the three replies at β = 0.25.",
    charts=leash_charts.draw,
    see=_see,
    numbers=leash_charts.numbers,
    table=leash_charts.row,
    status=_status,
)
