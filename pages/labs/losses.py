"""The losses lab: what nineteen preference losses ask for at a margin, two of them trained.

DPO pulls at every margin, however large; IPO stops at one. On labels that never err the first
goes on for ever. On a teacher who sometimes errs it is the first that finds the optimum.
"""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from pages.parts import lab_frame, loss_charts, numerals, units
from pages.parts.controls import SEED, Number, Select, Slide, Values
from pages.parts.lab import Run
from pages.parts.place import Place

if TYPE_CHECKING:
    from engine.experiments.losses import Experiment, Step

BETAS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
FLIPS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4)
LEADS = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0)
RATES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
NEAR = 0.02  # of where a loss ends, as a share of it: there
SLACK = 1e-3  # of the slope at margin 0: no pull any more
PREDICTED = {"first": "dpo", "second": "ipo", "labels": "deterministic", "beta": 0.5}


def draw(place: Place) -> None:
    """Draw the lab."""
    lab_frame.draw(LAB, place)


def _sampled(values: Values) -> bool:
    return bool(values.get("labels") == "sampled")


def _flips(values: Values) -> bool:
    """Whether one of the two has an opinion on how many labels are flipped."""
    return bool({values.get("first"), values.get("second")} & {"cdpo", "robust", "exo"})


def _leads(values: Values) -> bool:
    return "simpo" in {values.get("first"), values.get("second")}


def _about(values: Values) -> bool:
    """Whether a run is what was predicted."""
    return bool(PREDICTED.items() <= dict(values).items())


def _see(experiment: "Experiment", step: "Step") -> str:
    first, second = (_end(experiment, step, which) for which in loss_charts.ROLES)
    if experiment.settings.first == experiment.settings.second:
        return f"{first}. Both tables learn from the same loss, and do the same."
    return f"{first}; {second}."


def _end(experiment: "Experiment", step: "Step", which: str) -> str:
    """Say of one loss where it is and where it goes."""
    loss, here = getattr(experiment.settings, which), getattr(step, which)
    at = f"{loss_charts.named(experiment, which)} stands at margin {_told(here.margin)}"
    rest = experiment.rest(loss)
    if rest == math.inf:
        return f"{at}, and there is none at which it would end"
    if rest is not None:
        there = abs(here.margin - rest) <= NEAR * max(abs(rest), NEAR)
        return f"{at}, where it ends" if there else f"{at} on its way to {_told(rest)}"
    slope = experiment.spot(loss, here).slope
    pull = f"still pulls with {_told(-slope)} of its first force"
    return f"{at} and {pull if slope < -SLACK else 'no longer pulls its mean label up'}"


def _status(run: Run["Experiment", "Step"]) -> list[str]:
    last, unit = run.job.steps[-1], units.of_information()
    said = [
        f"{loss_charts.named(run.experiment, which)} "
        f"{numerals.divergence(units.from_nats(getattr(last, which).kl_to_optimum), unit)}"
        for which in loss_charts.ROLES
    ]
    return [f"KL(π*‖π): {', '.join(said)}"]


def _told(value: float) -> str:
    return numerals.told(value, digits=3)


def _starting_with(usual: str) -> dict[str, str]:
    """Return the names of all losses, the usual one first."""
    return {usual: loss_charts.NAMES[usual], **loss_charts.NAMES}


LAB = lab_frame.Lab(
    id="losses",
    title="One margin, many losses",
    promise="See what each preference loss asks for at a margin, and train two on the same labels.",
    row=(
        Select("first", "One loss", _starting_with("dpo")),
        Select("second", "Another", _starting_with("ipo")),
        Slide("beta", "β, for IPO τ", BETAS, 0.5),
        Select(
            "labels",
            "Labels",
            {"deterministic": "Sure", "soft": "Soft", "sampled": "Sampled"},
        ),
    ),
    more=(
        Number("pairs", "Labels, if sampled", (8, 80, 2_000), when=_sampled),
        Slide("flip", "Flipped labels believed in", FLIPS, 0.1, when=_flips),
        Slide("lead", "Lead SimPO asks for", LEADS, 0.5, when=_leads),
        Slide("rate", "First step, in nats", RATES, 0.05),
        Number("steps", "Steps", (1, 200, 400)),
        replace(SEED, label="Seed of world and labels"),
    ),
    presets={
        "Soft labels": {
            "first": "dpo",
            "second": "ipo",
            "beta": 0.5,
            "labels": "soft",
            "rate": 0.2,
            "steps": 300,
        },
        "Few labels": {
            "first": "dpo",
            "second": "cdpo",
            "beta": 0.5,
            "labels": "sampled",
            "pairs": 80,
            "flip": 0.1,
            "rate": 0.2,
            "steps": 300,
            "seed": 0,
        },
        "Two ways to stop": {
            "first": "hinge",
            "second": "cdpo",
            "beta": 0.5,
            "labels": "deterministic",
            "flip": 0.1,
            "rate": 0.05,
            "steps": 200,
        },
    },
    asks=lambda _values: "lab-losses-rest",
    about=_about,
    not_about="Your prediction was about DPO and IPO at β = 0.5 on labels that are never in doubt.",
    charts=loss_charts.draw,
    see=_see,
    numbers=loss_charts.numbers,
    table=loss_charts.row,
    status=_status,
)
