"""The charts of a student in training: how near it comes, to what, and by what pull."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import chart, numerals, units
from pages.parts.chart import Frame

if TYPE_CHECKING:
    from engine.experiments.distil import Experiment, Step

MEMO = 0  # of the fresh ones, the memo whose grades are drawn
GRADES = "ABCDE"
BARS = (("teacher", "reference"), ("student", "policy"), ("optimum", "optimum"))
ASIDE = 2.0  # times the temperature of a dot: where its name is centered
LIFT = 0.07  # of the longest gradient: from a dot to its name
HIGHEST_NATS = 3.0  # where divergences are cut off, if one runs away


def draw(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    """Draw the run so far, and the student as it is at step `at`."""
    shown = [steps[k] for k in chart.thin(len(steps))]
    marks = [] if at == len(steps) - 1 else [_at(steps[at].index, 0.0, "reference", "")]
    left, right = st.columns(2)
    with left:
        _divergences(experiment, shown, marks)
        _memo(experiment, steps[at])
    with right:
        _loss(experiment, shown, marks)
        if pulled_forward(experiment):
            _pull(experiment, steps[at])
        else:
            _agreement(experiment, shown, marks)


def pulled_forward(experiment: "Experiment") -> bool:
    """Whether the gradient is that of the lesson: forward KL from soft targets."""
    settings = experiment.settings
    return (settings.targets, settings.direction) == ("soft", "forward")


def numbers(step: "Step") -> dict[str, float]:
    """Return what the record keeps of a step; information in nats."""
    return {
        "step": step.index,
        "loss_nats": step.loss_nats,
        "forward_nats": step.result.forward_nats,
        "reverse_nats": step.result.reverse_nats,
        "agreement": step.result.agreement,
    }


def row(step: "Step") -> Mapping[str, Any]:
    """Return a step as the data table shows it."""
    of, unit = units.from_nats, units.of_information()
    return {
        "step": step.index,
        f"loss ({unit})": of(step.loss_nats),
        f"KL(p‖q), fresh memos ({unit})": of(step.result.forward_nats),
        f"KL(q‖p), fresh memos ({unit})": of(step.result.reverse_nats),
        "same first choice": step.result.agreement,
    }


def _divergences(experiment: "Experiment", steps: Sequence["Step"], marks: chart.Rows) -> None:
    """Draw both divergences on fresh memos, down to what the best student has."""
    of, unit = units.from_nats, units.of_information()
    names = {"forward_nats": ("KL(p‖q)", "policy"), "reverse_nats": ("KL(q‖p)", "rejected")}
    lines = [
        _at(step.index, of(getattr(step.result, field)), role, name)
        for field, (name, role) in names.items()
        for step in steps
    ]
    dashed = [
        _at(x, of(getattr(experiment.optimum, field)), role, f"{name} at the optimum")
        | {"label": ""}
        for field, (name, role) in names.items()
        for x in (0, experiment.settings.steps)
    ]
    ends = {name: numerals.told(_last(lines, name), digits=3) for name, _ in names.values()}
    frame = Frame(
        "Distance to the teacher",
        f"{unit}, fresh memos at T = 1; dashed: the optimum",
        f"After {steps[-1].index} steps, on fresh memos, "
        + " and ".join(f"{name} is {value} {unit}" for name, value in ends.items())
        + ".",
        domain=(0.0, 1.05 * min(of(HIGHEST_NATS), max(each["y"] for each in lines + dashed))),
    )
    chart.plane(frame, key="distil-divergences", dashed=dashed, lines=lines, marks=marks)


def _loss(experiment: "Experiment", steps: Sequence["Step"], marks: chart.Rows) -> None:
    """Draw what is descended, and the least of it."""
    of, unit = units.from_nats, units.of_information()
    lines = [_at(step.index, of(step.loss_nats), "policy", "loss") for step in steps]
    least = of(experiment.optimal_loss_nats)
    dashed = [_at(x, least, "optimum", "least loss") for x in (0, experiment.settings.steps)]
    frame = Frame(
        "Loss on the training memos",
        f"{unit}; dashed: the least there is",
        f"The loss falls from {numerals.told(lines[0]['y'], digits=3)} to "
        f"{numerals.told(lines[-1]['y'], digits=3)} {unit}; the least is "
        f"{numerals.told(least, digits=3)}.",
        domain=(0.0, 1.05 * max(each["y"] for each in (*lines[:1], *dashed))),
    )
    hidden = [each | {"label": ""} for each in (*lines, *dashed)]
    chart.plane(frame, key="distil-loss", dashed=hidden[-2:], lines=hidden[:-2], marks=marks)


def _memo(experiment: "Experiment", step: "Step") -> None:
    """Draw the grades of one memo that nobody was trained on."""
    tables = experiment.probabilities(step, memo=MEMO)
    rows = [
        {"group": grade, "role": role, "name": name, "value": tables[name][k]}
        for k, grade in enumerate(GRADES)
        for name, role in BARS
    ]
    said = ", ".join(f"{each['group']} {each['name']} {each['value']:.2f}" for each in rows)
    frame = Frame("One fresh memo", "probability of each grade at T = 1", f"{said}.")
    chart.bars(rows, frame, key="distil-memo")


def _pull(experiment: "Experiment", step: "Step") -> None:
    """Draw the gradient of this student over the temperature: bare, scaled, and its limit."""
    limits = experiment.limits(step)
    lines = [
        _at(each.temperature, value, role, name)
        for name, role in (("times T²", "policy"), ("bare", "rejected"))
        for each in limits
        for value in (each.scaled_length if role == "policy" else each.gradient_length,)
    ]
    dashed = [_at(each.temperature, each.limit_length, "optimum", "limit") for each in limits]
    frame = Frame(
        "Pull on the logits at each temperature",
        "mean gradient length; dashed: of (z − v)/N",
        f"At T = {limits[0].temperature:g} the gradient has length {limits[0].scaled_length:.3f}. "
        f"At T = {limits[-1].temperature:g} it has {limits[-1].gradient_length:.2g}, times T² "
        f"{limits[-1].scaled_length:.3f}; the limit is {limits[-1].limit_length:.3f}.",
        x="temperature T, logarithmic",
        log_x=True,
    )
    hidden = [each | {"label": ""} for each in dashed]
    here = _here(experiment, step)
    lift = LIFT * max(each["y"] for each in (*lines, *dashed))  # up or down, where no line runs
    name = here | {
        "x": ASIDE * here["x"],
        "y": here["y"] + (lift if here["role"] == "rejected" else -lift),
    }
    chart.plane(frame, key="distil-pull", dashed=hidden, lines=lines, points=[here], names=[name])


def _here(experiment: "Experiment", step: "Step") -> dict[str, Any]:
    """The pull of this run, on the line that it belongs to."""
    if experiment.settings.scale == "squared":
        return _at(experiment.temperature, step.scaled_length, "policy", "this run")
    return _at(experiment.temperature, step.gradient_length, "rejected", "this run")


def _agreement(experiment: "Experiment", steps: Sequence["Step"], marks: chart.Rows) -> None:
    """Draw on how many fresh memos the student's first choice is the teacher's."""
    lines = [_at(s.index, s.result.agreement, "policy", "student") for s in steps]
    best = experiment.optimum.agreement
    dashed = [_at(x, best, "optimum", "optimum") for x in (0, experiment.settings.steps)]
    frame = Frame(
        "Same first choice",
        "share of fresh memos; dashed: the optimum",
        f"The student agrees with the teacher's first choice on {lines[-1]['y']:.3f} of the fresh "
        f"memos; the optimum on {best:.3f}.",
        domain=(0.0, 1.0),
    )
    hidden = [each | {"label": ""} for each in (*lines, *dashed)]
    chart.plane(frame, key="distil-agreement", dashed=hidden[-2:], lines=hidden[:-2], marks=marks)


def _last(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    return float([each["y"] for each in rows if each["name"] == name][-1])


def _at(x: float, y: float, role: str, name: str) -> dict[str, Any]:
    return {"x": x, "y": y, "role": role, "name": name}
