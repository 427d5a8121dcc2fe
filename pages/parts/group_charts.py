"""The charts of training on groups: who pulls, who rises, what is left of variety.

The pull by difficulty is exact, by enumeration; the prompts of the run travel along it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import chart, numerals, units
from pages.parts.chart import Frame

if TYPE_CHECKING:
    from engine.experiments.grpo import Experiment, Step

TALL = 330  # pixels
FORMS = {"on": ("divided", "centered"), "off": ("centered", "divided")}  # in use, the other
AT_MOST = 16  # answers that bars can show side by side
NAME = {"divided": 0.06, "centered": -0.06}  # of the height: where a curve's name stands at its top

Mark = list[dict[str, Any]]


def draw(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    """Draw the run so far, step `at` marked and its policy shown."""
    shown = [steps[k] for k in chart.thin(len(steps))]
    mark = [] if at == len(steps) - 1 else [{"x": steps[at].index, "role": "reference", "name": ""}]
    _pulls(experiment, steps[at])
    left, right = st.columns(2)
    with left:
        _rates(experiment, shown, mark)
        _answers(experiment, steps[at])
    with right:
        _silence(shown, mark)
        _entropy(experiment, shown, mark)


@dataclass(frozen=True)
class Along:
    """The two exact pulls as curves over the success rate, to be read anywhere."""

    rates: Sequence[float]  # evenly spaced
    pulls: Sequence[float]

    def at(self, rate: float) -> float:
        """Read it between its points; a rate of 0 or 1 pulls nothing."""
        xs, ys = (0.0, *self.rates, 1.0), (0.0, *self.pulls, 0.0)
        right = next(i for i in range(1, len(xs)) if rate <= xs[i])
        share = (rate - xs[right - 1]) / (xs[right] - xs[right - 1])
        return ys[right - 1] + share * (ys[right] - ys[right - 1])


def along(experiment: "Experiment", form: str) -> Along:
    """Return one of the two pulls, `divided` or `centered`."""
    pulls = experiment.pulls
    return Along([pull.rate for pull in pulls], [getattr(pull, form) for pull in pulls])


def _pulls(experiment: "Experiment", step: "Step") -> None:
    """Draw both pulls by difficulty, and each prompt where it is now."""
    used, other = FORMS[experiment.settings.deviation]
    curve, size = along(experiment, used), experiment.settings.group
    points = [
        {"x": rate, "y": curve.at(rate), "role": role, "name": f"began at {_told(start)}"}
        for role, rates in (("reference", experiment.starts), ("policy", step.solve_rates))
        for start, rate in zip(experiment.starts, rates, strict=True)
    ]
    first = step.solve_rates[0]
    frame = Frame(
        f"Mean pull of a prompt, groups of {size}",
        "on the log-odds; blue dots: prompts now, gray: at first",
        f"The {used} pull against the success rate, and the {other} one. At step {step.index} the "
        f"prompt that began at {_told(experiment.starts[0])} is at {_told(first)} and pulls "
        f"with {_told(curve.at(first))}.",
        x="chance that an answer is right",
        height=TALL,
    )
    dashed = [*_curve(experiment, used, "policy"), *_curve(experiment, other, "reference")]
    names = [_top(experiment, used, "policy"), _top(experiment, other, "reference")]
    chart.plane(frame, key="grpo-pulls", dashed=dashed, points=points, names=names)


def _curve(experiment: "Experiment", form: str, role: str) -> list[dict[str, Any]]:
    it = along(experiment, form)
    return [
        {"x": x, "y": y, "role": role, "name": form, "label": ""}
        for x, y in zip((0.0, *it.rates, 1.0), (0.0, *it.pulls, 0.0), strict=True)
    ]


def _top(experiment: "Experiment", form: str, role: str) -> dict[str, Any]:
    """A name at a curve's top, on the side where the other is not: at their ends both meet."""
    highest = max(along(experiment, "divided").pulls)
    height = max(along(experiment, form).pulls) + NAME[form] * highest
    return {"x": 0.5, "y": height, "role": role, "name": form}


def _rates(experiment: "Experiment", steps: Sequence["Step"], mark: Mark) -> None:
    """Draw each prompt's success rate over its mean path."""
    last = steps[-1]
    said = ", ".join(
        f"{_told(start)} to {_told(now)}"
        for start, now in zip(experiment.starts, last.solve_rates, strict=True)
    )
    frame = Frame(
        "Chance of a right answer",
        "solid: each prompt, dashed: if each step were its mean",
        f"From start to step {last.index}: {said}.",
        names_first=True,
        domain=(0.0, 1.0),
    )
    lines, dashed = [], []
    for k, start in enumerate(experiment.starts):
        name = f"{_told(start)}, prompt {k + 1}"
        look = {"name": name, "label": _told(start)}
        for step in steps:
            lines.append({"x": step.index, "y": step.solve_rates[k], "role": "policy"} | look)
            mean = experiment.expected_path[step.index][k]
            dashed.append(
                {"x": step.index, "y": mean, "role": "optimum", "name": name, "label": ""}
            )
    chart.plane(frame, key="grpo-rates", lines=lines, dashed=dashed, marks=mark)


def _silence(steps: Sequence["Step"], mark: Mark) -> None:
    last = steps[-1]
    frame = Frame(
        "Silent groups",
        "share whose answers are all right or all wrong",
        f"{_told(100 * last.silent_share)} percent of groups are silent at step {last.index}; at "
        f"the start it was {_told(100 * steps[0].silent_share)}.",
        domain=(0.0, 1.0),
    )
    lines = [{"x": s.index, "y": s.silent_share, "role": "rejected", "name": ""} for s in steps]
    chart.plane(frame, key="grpo-silence", lines=lines, marks=mark)


def _entropy(experiment: "Experiment", steps: Sequence["Step"], mark: Mark) -> None:
    """Draw the spread of answers over the most that a policy without mistakes could keep."""
    of, unit, last = units.from_nats, units.of_information(), steps[-1]
    most = of(experiment.entropy_at_best_nats)
    frame = Frame(
        "Entropy of the answers",
        f"{unit}; dashed: right answers only, all even",
        f"The mean entropy is {_told(of(last.entropy_nats))} {unit} at step {last.index}. Spread "
        f"evenly over the right answers alone it would be {_told(most)}.",
    )
    ends = (steps[0].index, max(last.index, 1))
    chart.plane(
        frame,
        key="grpo-entropy",
        dashed=[{"x": x, "y": most, "role": "optimum", "name": ""} for x in ends],
        lines=[
            {"x": s.index, "y": of(s.entropy_nats), "role": "policy", "name": ""} for s in steps
        ],
        marks=mark,
    )


def _answers(experiment: "Experiment", step: "Step") -> None:
    """Draw what became of the answers to the first prompt, which all began even."""
    before, now = (
        table[0].exp().tolist()[:AT_MOST] for table in (experiment.world.reference, step.policy)
    )
    right = experiment.settings.answers // 2
    names = [f"R{k + 1}" if k < right else f"W{k + 1 - right}" for k in range(len(now))]
    rows = [
        {"group": name, "role": role, "name": role, "value": value}
        for role, values in (("reference", before), ("policy", now))
        for name, value in zip(names, values, strict=True)
    ]
    start = _told(experiment.starts[0])
    said = ", ".join(f"{name} {_told(value)}" for name, value in zip(names, now, strict=True))
    frame = Frame(
        f"Answers to the prompt that began at {start}",
        "probability; R right, W wrong",
        f"At step {step.index}: {said}.",
    )
    chart.bars(rows, frame, key="grpo-answers")


def numbers(step: "Step") -> dict[str, float]:
    """Return what the record keeps of a step; information in nats."""
    return {
        "step": step.index,
        "solve_rate": step.reward,
        "hardest": min(step.solve_rates),
        "silent_share": step.silent_share,
        "entropy": step.entropy_nats,
        "clip_fraction": step.clip_fraction,
    }


def row(step: "Step") -> dict[str, float]:
    """Return a step as the data table shows it: all success rates, and units in the names."""
    table = numbers(step)
    table[f"entropy ({units.of_information()})"] = units.from_nats(table.pop("entropy"))
    rates = {f"prompt {k + 1}": rate for k, rate in enumerate(step.solve_rates)}
    return table | rates


def _told(value: float) -> str:
    return numerals.told(value, digits=3)
