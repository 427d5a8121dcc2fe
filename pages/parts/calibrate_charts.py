"""The charts of a fitted temperature: what is stated against what comes true, before and after."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import chart, numerals, units
from pages.parts.chart import Frame

if TYPE_CHECKING:
    from engine.experiments.calibrate import Experiment, Report, Step

HEADROOM = 1.15  # of the highest temperature: above it
WIDEST_NATS = 1.5  # above the least loss: where the curve over all temperatures is cut off


def draw(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    """Draw the run so far, and the model as step `at` leaves it."""
    step = steps[at]
    left, right = st.columns(2)
    with left:
        _reliability(experiment.before, "As the model came", key="calibrate-before")
    with right:
        after = experiment.report(step.temperature)
        _reliability(after, "Divided by T", key="calibrate-after")
    left, right = st.columns(2)
    with left:
        _loss(experiment, steps[: at + 1])
    with right:
        _temperature(experiment, steps, at)


def numbers(step: "Step") -> dict[str, float]:
    """Return what the record keeps of a step; information in nats."""
    return {
        "step": step.index,
        "temperature": step.temperature,
        "loss_nats": step.loss_nats,
        "test_loss_nats": step.test_loss_nats,
        "ece": step.ece,
        "accuracy": step.accuracy,
    }


def row(step: "Step") -> Mapping[str, Any]:
    """Return a step as the data table shows it."""
    of, unit = units.from_nats, units.of_information()
    return {
        "step": step.index,
        "T": step.temperature,
        f"loss, fitted half ({unit})": of(step.loss_nats),
        f"loss, other half ({unit})": of(step.test_loss_nats),
        "ECE, other half": step.ece,
        "accuracy, other half": step.accuracy,
    }


def _reliability(report: "Report", name: str, *, key: str) -> None:
    """Draw the share right against what was stated, each bin with its interval."""
    dots = [_dot(each.stated, each.right, f"{each.count} answers") for each in report.bins]
    bands = [_span(each.stated, each.low, each.high) for each in report.bins]
    said = "; ".join(f"{each.stated:.2f} stated, {each.right:.2f} right" for each in report.bins)
    frame = Frame(
        f"{name}: T = {numerals.told(report.temperature, digits=3)}",
        f"share right, with 95% intervals; ECE {report.ece:.3f}",
        f"Reliability diagram with {len(report.bins)} bins: {said}. The diagonal is calibration.",
        x="confidence stated",
        domain=(0.0, 1.0),
    )
    diagonal = [_dot(end, end, "calibrated", role="optimum") for end in (0.0, 1.0)]
    chart.plane(
        frame,
        key=key,
        bands=bands if len(bands) > 1 else [],
        dashed=[each | {"label": ""} for each in diagonal],
        intervals=[each | {"name": f"{k}"} for k, each in enumerate(bands)],
        points=dots,
    )


def _loss(experiment: "Experiment", steps: Sequence["Step"]) -> None:
    """Draw the loss over all temperatures, and the way of the fit down to its least."""
    of, unit = units.from_nats, units.of_information()
    least = min(loss for _, loss in experiment.curve)
    top = max(least + WIDEST_NATS, 1.02 * steps[0].loss_nats)
    curve = [
        _dot(temperature, of(loss), "every T", role="optimum") | {"label": ""}
        for temperature, loss in experiment.curve
        if loss <= top
    ]
    way = [_dot(step.temperature, of(step.loss_nats), f"step {step.index}") for step in steps]
    frame = Frame(
        "Loss on the fitted half",
        f"{unit} per answer; dashed: at every T",
        f"The loss over the temperature has one least place, at T = "
        f"{experiment.best_temperature:.3f}. The fit went from {steps[0].temperature:.3f} to "
        f"{steps[-1].temperature:.3f} in {steps[-1].index} steps.",
        x="temperature T, logarithmic",
        log_x=True,
    )
    chart.plane(frame, key="calibrate-loss", dashed=curve, points=way)


def _temperature(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    """Draw the fitted temperature over the steps, beside the best and the true one."""
    last = experiment.settings.steps
    levels = {"best": experiment.best_temperature, "true": experiment.true_temperature}
    roles = {"best": "optimum", "true": "reference"}
    dashed = [
        _dot(x, value, f"{name} {value:.3f}", role=roles[name])
        for name, value in levels.items()
        for x in (0, last)
    ]
    frame = Frame(
        "Temperature",
        "dashed: least loss on these answers, and the truth",
        f"The fitted temperature goes from {steps[0].temperature:.3f} to "
        f"{steps[-1].temperature:.3f}; the best is {levels['best']:.3f}, the true one "
        f"{levels['true']:.3f}.",
        x="step",
        domain=(0.0, HEADROOM * max(*levels.values(), *(step.temperature for step in steps))),
    )
    marks = [] if at == len(steps) - 1 else [_dot(steps[at].index, 0.0, "", role="reference")]
    line = [_dot(step.index, step.temperature, "fitted") | {"label": ""} for step in steps]
    chart.plane(frame, key="calibrate-temperature", dashed=dashed, lines=line, marks=marks)


def _dot(x: float, y: float, name: str, *, role: str = "policy") -> dict[str, Any]:
    return {"x": x, "y": y, "role": role, "name": name}


def _span(x: float, low: float, high: float) -> dict[str, Any]:
    return {"x": x, "low": low, "high": high, "role": "policy", "name": ""}
