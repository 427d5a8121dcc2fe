"""The charts of a climb on a leash: where the policy is, between divergence and two rewards.

The closed form of the optimum for every β and the exact best-of-n stand dashed and as points in
the same plane, so that the way of a training run can be held against both.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import chart, numerals, units
from pages.parts.chart import Frame

if TYPE_CHECKING:
    from engine.experiments.leash import Experiment, Spot, Step

REWARDS = (("proxy", "reward"), ("gold", "chosen"))  # (name, role)
ROOM = 1.08  # of the horizontal axis, over what it must hold
TALL = 380  # pixels
LEAST_NATS = 1e-12  # below it a divergence is rounding, and the logarithmic axis ends


def draw(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    """Draw the run so far, step `at` marked and its policy shown."""
    shown = [steps[k] for k in chart.thin(len(steps))]
    mark = [] if at == len(steps) - 1 else [{"x": steps[at].index, "role": "reference", "name": ""}]
    _plane(experiment, [steps[k] for k in chart.thin(at + 1)], _reach(experiment, steps))
    left, right = st.columns(2)
    with left:
        _rewards(shown, mark)
        _policy(experiment, steps[at])
    with right:
        _objective(experiment, shown, mark)
        _divergence(shown, mark)


def _reach(experiment: "Experiment", steps: Sequence["Step"]) -> float:
    """How far the horizontal axis goes, in nats: what was reached, by whichever way."""
    farthest = max(step.kl_to_reference_nats for step in steps)
    marked = (experiment.optimum, experiment.peak, experiment.best_of_n[-1])
    return ROOM * max(farthest, *(spot.kl_nats for spot in marked))


def _plane(experiment: "Experiment", steps: Sequence["Step"], reach: float) -> None:
    """Draw both rewards against the divergence: trained, optimal for every β, best of n."""
    unit, now = units.of_information(), steps[-1].spot
    curve = [spot for spot in experiment.curve if spot.kl_nats <= reach]
    kept = [spot for spot in experiment.best_of_n if spot.kl_nats <= reach]
    optimum, peak = experiment.optimum, experiment.peak
    beta = numerals.told(experiment.settings.beta, digits=3)
    frame = Frame(
        "Proxy and gold against the divergence",
        "reward; solid: this run, dashed: optima, gray: best of n",
        f"At step {steps[-1].index} the policy is {_nats(now.kl_nats)} from the reference, with "
        f"{_number(now.proxy)} in proxy and {_number(now.gold)} in gold. The optimum at β = {beta} "
        f"is at {_nats(optimum.kl_nats)}, with {_number(optimum.proxy)} and "
        f"{_number(optimum.gold)}. Among optima gold peaks at {_number(peak.gold)}, at "
        f"{_nats(peak.kl_nats)}.",
        x=f"KL from the reference, {unit}, square-root scale",
        root_x=True,
        height=TALL,
    )
    chart.plane(
        frame,
        key="leash-plane",
        dashed=_spots(curve, "optimum for β = {}"),
        points=[
            *_spots(kept, "best of {}", role="reference"),
            *_spots([now], "policy, step {}", role="policy"),
        ],
        paths=_spots([step.spot for step in steps], "{name}, trained", label=""),
        intervals=[_gap(now)],
        marks=[{"x": _x(optimum), "role": "optimum", "name": f"optimum at β = {beta}"}],
    )


def _spots(
    spots: Iterable["Spot"], name: str, *, role: str = "", label: str | None = None
) -> list[dict[str, Any]]:
    """Return both rewards of each spot; a name with a place for a number is said on hover."""
    return [
        {
            "x": _x(spot),
            "y": getattr(spot, reward),
            "role": role or own,
            "name": reward if not role and label is None else _named(name, reward, spot),
            "label": reward if label is None else label,
        }
        for reward, own in REWARDS
        for spot in spots
    ]


def _named(name: str, reward: str, spot: "Spot") -> str:
    return name.format(numerals.told(spot.at, digits=3), name=reward)


def _gap(now: "Spot") -> dict[str, Any]:
    """What the proxy promises and gold does not hold, as an upright line at the policy."""
    low, high = sorted((now.proxy, now.gold))
    return {"x": _x(now), "low": low, "high": high, "role": "policy", "name": ""}


def _rewards(steps: Sequence["Step"], mark: list[dict[str, Any]]) -> None:
    last = steps[-1]
    most = max(steps, key=lambda step: step.gold)
    frame = Frame(
        "Both rewards over the steps",
        "mean over the policy's responses",
        f"At step {last.index} the proxy is {_number(last.reward)} and gold {_number(last.gold)}. "
        f"Gold was highest at step {most.index}, with {_number(most.gold)}.",
        x="step",
    )
    lines = [
        {"x": step.index, "y": getattr(step.spot, name), "role": role, "name": name}
        for name, role in REWARDS
        for step in steps
    ]
    chart.plane(frame, key="leash-rewards", lines=lines, marks=mark)


def _objective(
    experiment: "Experiment", steps: Sequence["Step"], mark: list[dict[str, Any]]
) -> None:
    """Draw what is climbed under its exact ceiling."""
    frame = Frame(
        "What is maximized",
        "proxy − β KL, in units of reward; dashed: β log Z",
        f"The objective is {_number(steps[-1].objective)} at step {steps[-1].index}. No policy has "
        f"more than {_number(experiment.best)}.",
        x="step",
    )
    ends = (steps[0].index, max(steps[-1].index, 1))
    chart.plane(
        frame,
        key="leash-objective",
        dashed=[{"x": x, "y": experiment.best, "role": "optimum", "name": "β log Z"} for x in ends],
        lines=[{"x": s.index, "y": s.objective, "role": "policy", "name": ""} for s in steps],
        marks=mark,
    )


def _divergence(steps: Sequence["Step"], mark: list[dict[str, Any]]) -> None:
    """Draw how far the optimum is, on a logarithmic axis."""
    values = [max(step.kl_to_optimum_nats, LEAST_NATS) for step in steps]
    frame = Frame(
        "Divergence from the optimum",
        f"KL(π‖π*), {units.of_information()}, logarithmic",
        f"The policy is {_nats(steps[-1].kl_to_optimum_nats)} from the optimum.",
        x="step",
        log=True,
    )
    lines = [
        {"x": step.index, "y": units.from_nats(value), "role": "policy", "name": ""}
        for step, value in zip(steps, values, strict=True)
    ]
    chart.plane(frame, key="leash-divergence", lines=lines, marks=mark)


def _policy(experiment: "Experiment", step: "Step") -> None:
    """Draw what the policy writes, beside the reference and the optimum."""
    tables = experiment.probabilities(step)
    if experiment.settings.world == "gaussian":
        _densities(experiment, tables)
        return
    count = len(tables["policy"])
    names = experiment.labels or [f"y{y + 1}" for y in range(count)]
    rows = [
        {"group": names[y], "role": role, "name": role, "value": value}
        for role, values in tables.items()
        for y, value in enumerate(values)
    ]
    said = ", ".join(f"{n} {_number(p)}" for n, p in zip(names, tables["policy"], strict=True))
    where = "" if experiment.labels else ", first prompt"
    frame = Frame(
        f"The policy{where}",
        "probability of each response",
        f"The policy writes {said}.",
    )
    chart.bars(rows, frame, key="leash-policy")


def _densities(experiment: "Experiment", tables: dict[str, list[float]]) -> None:
    """Draw the three distributions over numbers, wherever one of them has any weight."""
    numbers = experiment.world.reward[0].tolist()
    least = 1e-4 * max(map(max, tables.values()))
    rows = {
        role: [
            {"x": y, "y": share, "role": role, "name": role}
            for y, share in zip(numbers, shares, strict=True)
            if share > least
        ]
        for role, shares in tables.items()
    }
    mean = sum(y * share for y, share in zip(numbers, tables["policy"], strict=True))
    frame = Frame(
        "The policy",
        "share of each number; gray: reference, dashed: optimum",
        f"The policy is a normal distribution about {_number(mean)}; the reference is about 0.",
        x="response y, which is its proxy reward",
    )
    chart.plane(
        frame,
        key="leash-densities",
        areas=[*rows["reference"], *rows["policy"]],
        dashed=[row | {"label": ""} for row in rows["optimum"]],
    )


def numbers(step: "Step") -> dict[str, float]:
    """Return what the record keeps of a step; information in nats."""
    return {
        "step": step.index,
        "proxy": step.reward,
        "gold": step.gold,
        "objective": step.objective,
        "kl_to_reference": step.kl_to_reference_nats,
        "kl_to_optimum": step.kl_to_optimum_nats,
        "entropy": step.entropy_nats,
    }


def row(step: "Step") -> dict[str, float]:
    """Return a step as the data table shows it; the columns of information name their unit."""
    table = numbers(step)
    for name in ("kl_to_reference", "kl_to_optimum", "entropy"):
        table[f"{name} ({units.of_information()})"] = units.from_nats(table.pop(name))
    return table


def _x(spot: "Spot") -> float:
    return units.from_nats(spot.kl_nats)


def _number(value: float) -> str:
    return numerals.told(value, digits=3)


def _nats(nats: float) -> str:
    return numerals.divergence(units.from_nats(max(nats, 0.0)), units.of_information())
