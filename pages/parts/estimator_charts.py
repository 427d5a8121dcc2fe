"""The charts of the three KL estimates: as losses, as estimates, and by distance."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import chart, numerals, units
from pages.parts.chart import Frame

if TYPE_CHECKING:
    from engine.experiments.estimators import Experiment, Step, Variance

K = {"k1": ("k₁", "policy"), "k2": ("k₂", "rejected"), "k3": ("k₃", "chosen")}  # sign, role
TALL = 330  # pixels
ERRORS = 2.0  # standard errors on either side of what a mean tends to
SETTLED = 10  # records after which the vertical axis may be set by the means
ROOM = 1.25  # of an axis, over the line that it is about

Mark = list[dict[str, Any]]


def draw(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    """Draw the run so far, step `at` marked."""
    shown = [steps[k] for k in chart.thin(len(steps))]
    mark = [] if at == len(steps) - 1 else [{"x": steps[at].index, "role": "reference", "name": ""}]
    _trained(experiment, shown, mark)
    left, right = st.columns(2)
    with left:
        _means(experiment, shown, steps[at])
    with right:
        _spreads(experiment)


def _trained(experiment: "Experiment", steps: Sequence["Step"], mark: Mark) -> None:
    """Draw how far from the reference each trained policy is, over the path of mean gradients."""
    last = steps[-1]
    said = ", ".join(
        f"{sign} at {_nats(getattr(last.reverse_nats, name))}" for name, (sign, _) in K.items()
    )
    frame = Frame(
        "As losses: a policy trained on each",
        f"KL from the reference, {units.of_information()}; dashed: mean gradients",
        f"After {last.index} updates the policies trained on the three losses are this far from "
        f"the reference: {said}.",
        x="update",
        height=TALL,
    )
    lines, dashed = [], []
    for name, (sign, role) in K.items():
        for step in steps:
            own, mean = step.reverse_nats, experiment.expected_path[step.index][0]
            lines.append(_point(step.index, getattr(own, name), role, sign))
            dashed.append(_point(step.index, getattr(mean, name), role, sign) | {"label": ""})
    chart.plane(frame, key="estimators-trained", lines=lines, dashed=dashed, marks=mark)


def _means(experiment: "Experiment", steps: Sequence["Step"], at: "Step") -> None:
    """Draw the running means of the three estimates, each within its exact band."""
    drawn = [step for step in steps if step.samples]
    said = ", ".join(f"{sign} {_nats(getattr(at.mean, name))}" for name, (sign, _) in K.items())
    frame = Frame(
        "As estimates: running means",
        f"{units.of_information()}; bands: two standard errors",
        f"After {at.samples} samples: {said}. The divergence is {_nats(experiment.kl_nats)}.",
        x="samples",
        domain=_domain(experiment, drawn),
    )
    truth = units.from_nats(experiment.kl_nats)
    ends = (drawn[0].samples, drawn[-1].samples) if drawn else ()
    chart.plane(
        frame,
        key="estimators-means",
        bands=[band for name in ("k3", "k1", "k2") for band in _band(experiment, drawn, name)],
        dashed=[{"x": x, "y": truth, "role": "optimum", "name": ""} for x in ends],
        lines=[
            _point(step.samples, getattr(step.mean, name), role, sign)
            for name, (sign, role) in K.items()
            for step in drawn
        ],
        marks=[{"x": at.samples, "role": "reference", "name": ""}] if at is not steps[-1] else [],
    )


def _band(experiment: "Experiment", steps: Sequence["Step"], name: str) -> list[dict[str, Any]]:
    center, (_, role) = getattr(experiment.means, name), K[name]
    errors = [getattr(experiment.standard_errors(step.samples), name) for step in steps]
    of = units.from_nats
    return [
        {
            "x": step.samples,
            "low": of(center - ERRORS * error),
            "high": of(center + ERRORS * error),
            "role": role,
            "name": name,
        }
        for step, error in zip(steps, errors, strict=True)
    ]


def _domain(experiment: "Experiment", steps: Sequence["Step"]) -> tuple[float, float]:
    """The axis of the means: around what they tend to, as wide as k1's noise and what is seen."""
    center = [getattr(experiment.means, name) for name in K]
    seen = [getattr(step.mean, name) for step in steps[SETTLED:] for name in K]
    wide = ERRORS * experiment.standard_errors(SETTLED * experiment.settings.samples).k1
    values = [*seen, min(center) - wide, max(center) + wide]
    return units.from_nats(min(values)), units.from_nats(max(values))


def _spreads(experiment: "Experiment") -> None:
    """Draw the deviation of one sample of k1 and k3 against the divergence, on log scales."""
    here = experiment.variance_at(experiment.settings.distance)
    crossing = experiment.crossing
    where = (
        f"They cross at {_nats(crossing.kl_nats)}." if crossing else "They cross nowhere in sight."
    )
    frame = Frame(
        "Noise of a single sample",
        f"standard deviation, {units.of_information()}, logarithmic",
        f"At a divergence of {_nats(here.kl_nats)} one sample of k1 scatters by "
        f"{_nats(here.variance.k1**0.5)}, one of k3 by {_nats(here.variance.k3**0.5)}. {where}",
        x=f"KL from the reference, {units.of_information()}",
        log=True,
    )
    far = max(experiment.kl_nats, crossing.kl_nats if crossing else 0.0) * ROOM
    shown = [each for each in experiment.by_distance if each.kl_nats <= far] or [here]
    lines = [_spread(each, name) for name in ("k1", "k3") for each in shown]
    marks = [{"x": units.from_nats(here.kl_nats), "role": "reference", "name": "here"}]
    chart.plane(
        frame,
        key="estimators-spreads",
        dashed=lines,
        points=[_spread(here, name) for name in ("k1", "k3")],
        marks=marks,
    )


def _spread(at: "Variance", name: str) -> dict[str, Any]:
    sign, role = K[name]
    return _point(units.from_nats(at.kl_nats), getattr(at.variance, name) ** 0.5, role, sign)


def _point(x: float, nats: float, role: str, name: str) -> dict[str, Any]:
    return {"x": x, "y": units.from_nats(nats), "role": role, "name": name}


def numbers(step: "Step") -> dict[str, float]:
    """Return what the record keeps of a step, in nats."""
    groups = {"mean": step.mean, "reverse": step.reverse_nats, "forward": step.forward_nats}
    return {"step": step.index, "samples": step.samples} | {
        f"{group}_{name}": getattr(three, name) for group, three in groups.items() for name in K
    }


def row(step: "Step") -> dict[str, float]:
    """Return a step as the data table shows it, in the reader's unit, which the columns name."""
    unit = units.of_information()
    counted = {"step": step.index, "samples": step.samples}
    return counted | {
        f"{name} ({unit})": units.from_nats(value)
        for name, value in numbers(step).items()
        if name not in counted
    }


def _nats(nats: float) -> str:
    return numerals.divergence(units.from_nats(max(nats, 0.0)), units.of_information())
