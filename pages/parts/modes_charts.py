"""The charts of a Gaussian that is fitted to two humps: where it stands, and on what way it came.

The student moves over the target; what it approaches is known exactly and stands dashed beneath.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import chart, numerals, units
from pages.parts.chart import Frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.experiments.modes import Experiment, Rest, Step

DESCENDED = {"forward": "KL(p‖q)", "reverse": "KL(q‖p)"}
OTHER = {"forward": "KL(q‖p)", "reverse": "KL(p‖q)"}
FLANK = 1.4  # deviations right of a peak, where the student's name stands
BROAD = 1.8  # times as broad as a hump: its flank runs over the humps
BESIDE = 0.5  # of a hump's height, where the target's name stands beside it
CLEAR = 2.5  # deviations of a hump from its middle: there it is flat
NAME = 0.1  # of the axis, half of what a name takes on a narrow screen
HEADROOM, LIFT = 1.15, 0.06  # above the highest peak, and from a peak to its name
EVERY = 2  # of the places along the axis: a smooth curve needs no more
HIGHEST_NATS = 3.0  # where a start far away is cut off, unless it ends above


def draw(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    """Draw the run so far, and the student as it is at step `at`."""
    _densities(experiment, steps[at])
    shown = [steps[k] for k in chart.thin(len(steps))]
    marks = [] if at == len(steps) - 1 else [_point(steps[at].index, 0.0, "reference", "")]
    left, right = st.columns(2)
    with left:
        _places(experiment, shown, marks)
    with right:
        _divergences(experiment, shown, marks)


def numbers(step: "Step") -> dict[str, float]:
    """Return what the record keeps of a step: the chosen start."""
    return {
        "step": step.index,
        "mean": step.means[0],
        "deviation": step.deviations[0],
        "divergence_nats": step.divergences_nats[0],
        "other_nats": step.others_nats[0],
    }


def row(step: "Step") -> Mapping[str, Any]:
    """Return a step as the data table shows it, all starts side by side."""
    unit = units.of_information()
    table: dict[str, Any] = {"step": step.index}
    for k, mean in enumerate(step.means):
        start = "" if len(step.means) == 1 else f", start {k + 1}"
        table[f"mean{start}"] = mean
        table[f"deviation{start}"] = step.deviations[k]
        table[f"descended ({unit}){start}"] = units.from_nats(step.divergences_nats[k])
        table[f"other direction ({unit}){start}"] = units.from_nats(step.others_nats[k])
    return table


def _densities(experiment: "Experiment", step: "Step") -> None:
    """Draw the target as an area, the exact fits dashed, the students over both, others faint."""
    target, settings = experiment.target_density, experiment.settings
    fits, mean, top = _distinct(experiment.fits), step.means[0], _highest(experiment)
    alone = len(fits) == 1
    others = [
        each
        for k, name in enumerate(_starts(experiment)[1:], 1)
        for each in _curve(experiment, (step.means[k], step.deviations[k]), "policy", name)
    ]
    exact = [
        each | {"label": ""}
        for fit in fits
        for each in _curve(experiment, fit[:2], "optimum", f"exact fit at {_told(fit.mean)}")
    ]
    names = [
        _point(fit.mean, _peak(experiment, fit) + LIFT * top, "optimum", name)
        for fit in fits
        for name in ("exact fit" if alone else f"fit at {_told(fit.mean)}",)
    ]
    names.append(_beside(experiment, -1, BESIDE * max(target), "reference", "target p"))
    student = _curve(experiment, (mean, step.deviations[0]), "policy", "student q")
    if step.deviations[0] > BROAD * settings.deviation:
        names.append(_beside(experiment, 1, 3 * LIFT * top, "policy", "student q"))
        student = [each | {"label": ""} for each in student]
    frame = Frame(
        "Target and student",
        "density",
        f"Two humps at {_told(-settings.offset)} and {_told(settings.offset)}. "
        f"At step {step.index} "
        f"the student has mean {_told(mean)} and standard deviation {_told(step.deviations[0])}; "
        f"the exact fit has mean {_told(experiment.fits[0].mean)} and standard deviation "
        f"{_told(experiment.fits[0].deviation)}.",
        x="x",
        domain=(0.0, top),
    )
    chart.plane(
        frame,
        key="modes-densities",
        areas=_rows(experiment, target, "reference", "target p"),
        faint=others,
        lines=_named(student, at=mean + FLANK * step.deviations[0]),
        dashed=exact,
        names=names,
    )


def _places(experiment: "Experiment", steps: Sequence["Step"], marks: chart.Rows) -> None:
    """Draw where the students' means go, and how wide the chosen one is."""
    lines, faint = _ways(experiment, steps, lambda step: step.means)
    band = [
        {"x": step.index, "low": mean - wide, "high": mean + wide, "role": "policy", "name": ""}
        for step in steps
        for mean, wide in ((step.means[0], step.deviations[0]),)
    ]
    frame = Frame(
        "Mean of the student",
        "shaded: ± one deviation, dashed: the exact fit",
        f"The mean of the student over {steps[-1].index} steps goes from "
        f"{_told(steps[0].means[0])} to {_told(steps[-1].means[0])}, "
        f"its deviation from {_told(steps[0].deviations[0])} to "
        f"{_told(steps[-1].deviations[0])}.",
    )
    exact = _level(experiment, [fit.mean for fit in _distinct(experiment.fits)])
    chart.plane(
        frame, key="modes-means", bands=band, faint=faint, dashed=exact, lines=lines, marks=marks
    )


def _divergences(experiment: "Experiment", steps: Sequence["Step"], marks: chart.Rows) -> None:
    """Draw what is descended, down to the least that each start can reach."""
    of, unit = units.from_nats, units.of_information()
    descended = DESCENDED[experiment.settings.direction]
    lines, faint = _ways(experiment, steps, lambda step: list(map(of, step.divergences_nats)))
    least = [of(fit.divergence_nats) for fit in _distinct(experiment.fits)]
    top = max(of(HIGHEST_NATS), 1.2 * max(least))
    frame = Frame(
        "What is minimized",
        f"{descended}, {unit}; dashed: the exact fit",
        f"{descended} of the student falls from {_told(of(steps[0].divergences_nats[0]))} to "
        f"{_told(of(steps[-1].divergences_nats[0]))} {unit} over {steps[-1].index} steps; "
        f"the exact fit has {_told(of(experiment.fits[0].divergence_nats))}.",
        domain=(0.0, min(top, 1.05 * max([each["y"] for each in (*lines, *faint)] + least))),
    )
    exact = _level(experiment, sorted({round(value, 6) for value in least}))
    layers = {"faint": faint, "dashed": exact, "lines": lines, "marks": marks}
    chart.plane(frame, key="modes-divergences", **layers)


def _starts(experiment: "Experiment") -> list[str]:
    """The students' names, by where each started; one alone needs none."""
    means = experiment.start_means
    if len(means) == 1:
        return [""]
    names = [f"from {_told(mean)}" for mean in means]
    return [name if names.index(name) == k else f"{name} again" for k, name in enumerate(names)]


def _ways(
    experiment: "Experiment", steps: Sequence["Step"], values: "Callable[[Step], Sequence[float]]"
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The way of the chosen start through a value, and the ways of the others."""
    chosen, *others = (
        [_point(step.index, values(step)[k], "policy", name) for step in steps]
        for k, name in enumerate(_starts(experiment))
    )
    return chosen, [each for way in others for each in way]


def _distinct(fits: Sequence["Rest"]) -> list["Rest"]:
    """The fits that differ in sight, in order of their means."""
    kept = {(round(fit.mean, 3) + 0.0, round(fit.deviation, 3)): fit for fit in fits}
    return [kept[place] for place in sorted(kept)]


def _level(experiment: "Experiment", values: Sequence[float]) -> list[dict[str, Any]]:
    """Level lines across the whole run, without names of their own."""
    return [
        _point(x, value, "optimum", f"exact {_told(value)}") | {"label": ""}
        for value in values
        for x in (0, experiment.settings.steps)
    ]


def _highest(experiment: "Experiment") -> float:
    """A height into which target, starts and exact fits go; it holds while the student moves."""
    places = [(fit.mean, fit.deviation) for fit in experiment.fits]
    places.append((0.0, experiment.settings.start_deviation))
    return HEADROOM * max(
        max(experiment.target_density), *(max(experiment.density(*p)) for p in places)
    )


def _peak(experiment: "Experiment", fit: "Rest") -> float:
    return max(experiment.density(fit.mean, fit.deviation))


def _beside(experiment: "Experiment", side: int, y: float, role: str, name: str) -> dict[str, Any]:
    """A name left of both humps (side -1) or right of them (1)."""
    settings, axis = experiment.settings, experiment.axis
    away = settings.offset + CLEAR * settings.deviation + NAME * (axis[-1] - axis[0])
    return _point(side * away, y, role, name)


def _curve(
    experiment: "Experiment", gaussian: tuple[float, float], role: str, name: str
) -> list[dict[str, Any]]:
    return _rows(experiment, experiment.density(*gaussian), role, name)


def _rows(
    experiment: "Experiment", heights: Sequence[float], role: str, name: str
) -> list[dict[str, Any]]:
    pairs = zip(experiment.axis[::EVERY], heights[::EVERY], strict=True)
    return [_point(x, y, role, name) for x, y in pairs]


def _named(rows: list[dict[str, Any]], *, at: float) -> list[dict[str, Any]]:
    """The same curve with its name at one place: a line is named at the last of its rows."""
    return sorted(rows, key=lambda each: -abs(each["x"] - at))


def _point(x: float, y: float, role: str, name: str) -> dict[str, Any]:
    return {"x": x, "y": y, "role": role, "name": name}


def _told(value: float) -> str:
    return numerals.told(0.0 if abs(value) < 5e-4 else value, digits=3)
