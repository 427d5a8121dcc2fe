"""The charts of a failure: what there is to diagnose it by, and what its repair does to them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import chart, numerals, units

if TYPE_CHECKING:
    from engine.experiments.break_it import Experiment, Step

Lines = tuple[tuple[str, str, str], ...]  # reading, role, name: "" where there is only one

FRAMES: dict[str, tuple[chart.Frame, Lines]] = {
    "rewards": (
        chart.Frame("Rewards", "mean", ""),
        (("gold", "chosen", "gold"), ("proxy", "reward", "proxy")),
    ),
    "reward": (
        chart.Frame("Reward", "mean", ""),
        (("proxy", "reward", "reward"),),
    ),
    "kl_nats": (
        chart.Frame("Divergence from the reference", "{unit}", ""),
        (("kl_nats", "policy", ""),),
    ),
    "entropy_nats": (chart.Frame("Entropy", "{unit}", ""), (("entropy_nats", "policy", ""),)),
    "loss": (chart.Frame("Loss", "mean over pairs", ""), (("loss", "policy", ""),)),
    "losses": (
        chart.Frame("Loss from two starts", "mean over pairs", ""),
        (("loss", "policy", "one start"), ("other_loss", "rejected", "the other")),
    ),
    "margin": (chart.Frame("Margin", "mean over pairs, nats", ""), (("margin", "policy", ""),)),
    "chosen": (
        chart.Frame("Chosen responses", "mean probability", ""),
        (("chosen", "chosen", ""),),
    ),
    "mean_length": (
        chart.Frame("Length of what is written", "mean, tokens", ""),
        (("mean_length", "policy", ""),),
    ),
    "apart": (
        chart.Frame("How far two starts lie apart", "total variation, 0 to 1", ""),
        (("apart", "policy", ""),),
    ),
}
POLICY = chart.Frame("The policy, first prompt", "probability of each response", "")
PAIRS = ("margin", "loss", "chosen", "policy")
CHARTS: dict[str, tuple[str, ...]] = {  # of each case, the most telling first
    "small-beta": ("rewards", "policy", "kl_nats", "entropy_nats"),
    "large-beta": ("rewards", "policy", "kl_nats", "entropy_nats"),
    "deterministic": PAIRS,
    "displacement": ("chosen", "policy", "margin", "loss"),
    "length": ("mean_length", "margin", "loss", "chosen"),
    "islands": ("apart", "policy", "losses", "margin"),
    "overoptimization": ("rewards", "kl_nats", "entropy_nats"),
    "entropy-collapse": ("reward", "policy", "entropy_nats", "kl_nats"),
}
NAMES: dict[str, tuple[str, ...]] = {  # of the responses, where they have one
    "small-beta": ("plain", "careful", "flattery"),
    "large-beta": ("plain", "careful", "flattery"),
    "displacement": ("chosen", "rejected", "third"),
    "entropy-collapse": ("good", "better", "best"),
}
READINGS = {
    "gold": "gold {}",
    "proxy": "the proxy {}",
    "kl_nats": "the divergence {} {unit}",
    "entropy_nats": "the entropy {} {unit}",
    "margin": "the margin {} nats",
    "loss": "the loss {}",
    "other_loss": "the loss from the other start {}",
    "chosen": "the chosen response's probability {}",
    "mean_length": "the mean length {} tokens",
    "apart": "the distance between two starts {}",
}
INFORMATION = ("kl_nats", "entropy_nats")  # in the reader's unit


def draw(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    """Draw the run so far, step `at` marked and its policy shown."""
    shown = [steps[k] for k in chart.thin(len(steps))]
    mark = None if at == len(steps) - 1 else steps[at].index
    names = CHARTS[experiment.settings.case]
    columns = st.columns(2)
    for number, name in enumerate(names):
        with columns[number % 2]:
            if name == "policy":
                _policy(experiment, steps[at])
            else:
                _curves(experiment, shown, name, mark)


def told(experiment: "Experiment", step: "Step") -> str:
    """Say what the telling readings are at a step: "gold 0, the proxy 3"."""
    return ", ".join(_said(name, step.readings[name]) for name in experiment.shown)


def numbers(step: "Step") -> dict[str, float]:
    """Return what the record keeps of a step; information in nats."""
    return {"step": step.index, **step.readings}


def row(step: "Step") -> dict[str, float]:
    """Return a step as the data table shows it; the columns of information name their unit."""
    table = numbers(step)
    for name in INFORMATION:
        if name in table:
            table[f"{name.removesuffix('_nats')} ({units.of_information()})"] = _value(
                name, table.pop(name)
            )
    return table


def _curves(experiment: "Experiment", steps: Sequence["Step"], name: str, mark: int | None) -> None:
    frame, readings = FRAMES[name]
    frame = replace(frame, unit=frame.unit.format(unit=units.of_information()))
    frame = replace(frame, last=experiment.settings.steps, alt=_alt(frame, readings, steps[-1]))
    if not any(reading in experiment.ends for reading, _, _ in readings):
        lines = [line for each in readings for line in _line(steps, each, "step", "value")]
        chart.curves(lines, replace(frame, at=mark), key=f"break-it-{name}")
        return
    lines = [line for each in readings for line in _line(steps, each, "x", "y")]
    ends = [
        {"x": x, "y": _value(each, experiment.ends[each]), "role": role, "name": f"end {label}"}
        for each, role, label in readings
        for x in (0, experiment.settings.steps)
    ]
    marks = [] if mark is None else [{"x": mark, "role": "reference", "name": ""}]
    frame = replace(frame, unit=f"{frame.unit}; dashed: the exact end")
    if name in INFORMATION:  # from 0: an entropy that rests would be drawn as its rounding
        top = max(point["y"] for point in (*lines, *ends))
        frame = replace(frame, domain=(0.0, 1.05 * top or 1.0))
    chart.plane(frame, key=f"break-it-{name}", rests=ends, lines=lines, marks=marks)


def _line(
    steps: Sequence["Step"], reading: tuple[str, str, str], x: str, y: str
) -> list[dict[str, Any]]:
    name, role, label = reading
    return [
        {x: step.index, y: _value(name, step.readings[name]), "role": role, "name": label}
        for step in steps
    ]


def _alt(frame: chart.Frame, readings: Lines, step: "Step") -> str:
    said = ", ".join(_said(name, step.readings[name]) for name, _, _ in readings)
    return f"{frame.title} over the steps. At step {step.index}: {said}."


def _policy(experiment: "Experiment", step: "Step") -> None:
    """Draw the first prompt's probabilities: the reference and the policy, or two starts."""
    tables = [table[0].exp().tolist() for table in step.policies]
    if len(tables) > 1:
        bars = [("policy", "one start", tables[0]), ("rejected", "the other", tables[-1])]
    else:
        start = experiment.reference[0].exp().tolist()
        bars = [("reference", "reference", start), ("policy", "policy", tables[0])]
    names = NAMES.get(experiment.settings.case) or [f"y{y + 1}" for y in range(len(tables[0]))]
    rows = [
        {"group": names[y], "role": role, "name": label, "value": value}
        for role, label, values in bars
        for y, value in enumerate(values)
    ]
    said = ", ".join(f"{row['group']} {_number(row['value'])}" for row in rows[len(names) :])
    frame = replace(POLICY, alt=f"Probabilities at step {step.index}, {bars[-1][1]}: {said}.")
    chart.bars(rows, frame, key="break-it-policy")


def _said(name: str, value: float) -> str:
    unit = units.of_information()
    return READINGS[name].format(_number(_value(name, value)), unit=unit)


def _value(name: str, value: float) -> float:
    return units.from_nats(value) if name in INFORMATION else value


_number: Callable[[float], str] = partial(numerals.told, digits=3)
