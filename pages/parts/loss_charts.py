"""The charts of two preference losses: what each asks for at a margin, and what comes of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import chart, numerals, units

if TYPE_CHECKING:
    from engine.experiments.losses import Experiment, Step
    from engine.margins import Curve

NAMES = {
    "dpo": "DPO",
    "ipo": "IPO",
    "cdpo": "cDPO",
    "robust": "Robust DPO",
    "exo": "EXO",
    "hinge": "Hinge",
    "discopop": "DiscoPOP",
    "r_dpo": "R-DPO",
    "kto": "KTO",
    "bco": "BCO",
    "nca": "NCA",
    "sppo": "SPPO",
    "apo_zero": "APO-zero",
    "apo_down": "APO-down",
    "sft": "SFT",
    "slic": "SLiC",
    "simpo": "SimPO",
    "orpo": "ORPO",
    "aot": "AOT",
}
ROLES = {"first": "policy", "second": "reward"}  # the two that are trained
VALUE = chart.Frame(
    "Loss", "nats, 0 with slope −1 at margin 0; gray: other losses", "", x="margin h, nats"
)
SLOPE = chart.Frame(
    "Slope of the loss", "over its size at margin 0; gray: other losses", "", x="margin h, nats"
)
MARGIN = chart.Frame("Mean margin", "nats; dashed: where training ends", "", x="step")
DIVERGENCE = chart.Frame("Divergence from the optimum", "KL(π*‖π), {unit}", "", x="step")
# What is in sight, times 1/β: of the loss and of its slope, which has no unit.
VALUES, SLOPES = (-2.2, 1.2), (-2.2, 1.2)
ROOM = 1.12  # for a dot or a dashed line beside the edge


def draw(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    """Draw all losses and the two runs, both where step `at` left them."""
    shown = [steps[k] for k in chart.thin(at + 1)]
    left, right = st.columns(2)
    with left:
        _curves(experiment, steps[at], "value")
        _margins(experiment, shown)
    with right:
        _curves(experiment, steps[at], "slope")
        _divergences(experiment, shown)


def named(experiment: "Experiment", which: str) -> str:
    """Return the name of the first or the second loss."""
    return NAMES[getattr(experiment.settings, which)]


def numbers(step: "Step") -> dict[str, float]:
    """Return what the record keeps of a step; information in nats."""
    return {
        "step": step.index,
        **{
            f"{which}_{quantity}": getattr(getattr(step, which), quantity)
            for which in ROLES
            for quantity in ("loss", "margin", "log_ratio_chosen", "kl_to_optimum")
        },
    }


def row(step: "Step") -> dict[str, float]:
    """Return a step as the data table shows it; the columns of information name their unit."""
    table = numbers(step)
    for which in ROLES:
        value = table.pop(f"{which}_kl_to_optimum")
        table[f"{which}_kl_to_optimum ({units.of_information()})"] = units.from_nats(value)
    return table


def _curves(experiment: "Experiment", step: "Step", quantity: str) -> None:
    """Draw each loss, or its slope, over the margin; the two that train stand out."""
    beta = experiment.settings.beta
    low, high = VALUES if quantity == "value" else SLOPES
    scale = 1 / beta if quantity == "value" else 1.0
    sight = (low * scale, high * scale)
    grid = experiment.grid
    chosen = {getattr(experiment.settings, which): role for which, role in ROLES.items()}
    faint = [
        point
        for curve in experiment.curves
        for point in _along(curve, grid, quantity, sight)
        if curve.name not in chosen
    ]
    lines = [
        {**point, "role": chosen[curve.name]}
        for name in chosen
        for curve in experiment.curves
        if curve.name == name
        for point in _along(curve, grid, quantity, sight)
    ]
    dots, said = _dots(experiment, step, quantity, grid[-1])
    frame = replace(VALUE if quantity == "value" else SLOPE, domain=sight, alt=said)
    key = f"losses-{quantity}"
    chart.plane(frame, key=key, faint=faint, lines=lines, points=dots)


def _along(
    curve: "Curve", grid: Sequence[float], quantity: str, sight: tuple[float, float]
) -> list[dict[str, Any]]:
    """Return the part of a curve that is in sight; what leaves it does not return."""
    points = zip(grid, getattr(curve, quantity), strict=True)
    return [
        {"x": margin, "y": value, "role": "reference", "name": NAMES[curve.name]}
        for margin, value in points
        if sight[0] <= value <= sight[1]
    ]


def _dots(
    experiment: "Experiment", step: "Step", quantity: str, last: float
) -> tuple[list[dict[str, Any]], str]:
    """Return where both runs are on their curves, and the same in words."""
    dots, said = [], []
    for which, role in ROLES.items():
        spot = experiment.spot(getattr(experiment.settings, which), getattr(step, which))
        name, value = named(experiment, which), getattr(spot, quantity)
        said.append(f"{name} at margin {_told(spot.margin)}: {_told(value)}")
        if spot.margin <= last:
            dots.append({"x": spot.margin, "y": value, "role": role, "name": name})
    what = "The loss" if quantity == "value" else "The slope of the loss"
    return dots, f"{what} over the margin, for all losses. {'; '.join(said)}."


def _margins(experiment: "Experiment", steps: Sequence["Step"]) -> None:
    rests = _rests(experiment)
    lines = [point for which in ROLES for point in _over(experiment, steps, which, "margin")]
    values = [point["y"] for point in lines] + [rest for _, rest, _ in rests]
    ends = [
        {"x": x, "y": rest, "role": role, "name": f"{name} ends here"}
        for name, rest, role in rests
        for x in (0, experiment.settings.steps)
    ]
    known = [f"{name} ends at {_told(rest)}" for name, rest, _ in rests]
    said = "; ".join([*_reached(experiment, steps[-1], "margin"), *known])
    frame = replace(
        MARGIN,
        alt=f"Mean margin over the steps, in nats. {said}.",
        domain=(min(0.0, *values), max(*values, 0.1) * ROOM),
        last=experiment.settings.steps,
    )
    chart.plane(frame, key="losses-margin", rests=ends, lines=lines)


def _divergences(experiment: "Experiment", steps: Sequence["Step"]) -> None:
    unit = units.of_information()
    lines = [
        {**point, "y": units.from_nats(point["y"])}
        for which in ROLES
        for point in _over(experiment, steps, which, "kl_to_optimum")
    ]
    reached = "; ".join(_reached(experiment, steps[-1], "kl_to_optimum"))
    said = f"Divergence from the optimum over the steps. In nats: {reached}."
    top = max(*(point["y"] for point in lines), 1e-6) * ROOM
    frame = replace(
        DIVERGENCE,
        unit=DIVERGENCE.unit.format(unit=unit),
        alt=said,
        domain=(0, top),
        last=experiment.settings.steps,
    )
    chart.plane(frame, key="losses-divergence", lines=lines)


def _rests(experiment: "Experiment") -> list[tuple[str, float, str]]:
    """Return name, margin and role of each of the two that is known to come to rest."""
    found = []
    for which, role in ROLES.items():
        rest = experiment.rest(getattr(experiment.settings, which))
        if rest is not None and rest < float("inf"):
            found.append((named(experiment, which), rest, role))
    return found


def _over(
    experiment: "Experiment", steps: Sequence["Step"], which: str, quantity: str
) -> list[dict[str, Any]]:
    return [
        {
            "x": step.index,
            "y": getattr(getattr(step, which), quantity),
            "role": ROLES[which],
            "name": named(experiment, which),
        }
        for step in steps
    ]


def _reached(experiment: "Experiment", step: "Step", quantity: str) -> list[str]:
    return [
        f"{named(experiment, which)} {_told(getattr(getattr(step, which), quantity))}"
        for which in ROLES
    ]


def _told(value: float) -> str:
    return numerals.told(value, digits=3)
