"""The charts of a test for drift: two scorers, what chance alone gives, and the verdict."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import chart, numerals, units
from pages.parts.chart import Frame

if TYPE_CHECKING:
    from engine.drift_verdict import Verdict
    from engine.experiments.drift import Experiment, Histogram, Step

HEADROOM, LIFT = 1.2, 0.07  # of the highest bar: above it, and from a bar to its name
WIDE = 0.16  # of the axis: what a name takes
ROLES = {"base": "reference", "tuned": "policy"}
KINDS = {"js": "Jensen-Shannon divergence", "kl": "KL(tuned‖base), smoothed"}
VERDICTS = {
    "drifted": "Drifted. Chance comes as far less often than the level allows, and the "
    "divergence reaches the threshold.",
    "below the threshold": "Moved, but below the threshold. Chance comes as far less often than "
    "the level allows, and the difference is smaller than what was set to matter.",
    "changes cancel": "Changes cancel. The pooled answers show no drift, yet item by item the two "
    "differ by more than the threshold.",
    "no evidence": "No evidence of drift. Chance swaps come as far often enough; a drift that "
    "cancels, or is small, would look the same.",
    "too few": "Too few. With so few rounds or items no result could have reached the level.",
}


def draw(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    """Draw the verdict and the rounds as far as step `at`."""
    step = steps[at]
    st.markdown(f"**After {step.rounds:,} rounds: {verdict(step.verdict)}**")
    left, right = st.columns(2)
    with left:
        _null(experiment, step)
        _p_values(experiment, steps, at)
    with right:
        _histograms(experiment)
        _size(step.verdict)


def verdict(found: "Verdict") -> str:
    """Return the verdict in a sentence or two."""
    return VERDICTS[found.word]


def numbers(step: "Step") -> dict[str, float]:
    """Return what the record keeps of a step; information in nats."""
    found = step.verdict
    return {
        "rounds": step.rounds,
        "p_value": step.p_value,
        "divergence_nats": found.divergence_nats,
        "low_nats": found.low_nats,
        "high_nats": found.high_nats,
    }


def row(step: "Step") -> Mapping[str, Any]:
    """Return a step as the data table shows it."""
    return {
        "rounds": step.rounds,
        "reached the line": step.beyond,
        "p-value": step.p_value,
        "share, low": step.low,
        "share, high": step.high,
        "verdict": step.verdict.word,
    }


def _null(experiment: "Experiment", step: "Step") -> None:
    """Draw the divergences of all rounds, and the line that the data drew."""
    of, unit = units.from_nats, units.of_information()
    edges = [of(edge) for edge in experiment.edges_nats]
    counts = [*step.histogram, step.histogram[-1]]
    rows = [_at(x, y, "reference", "rounds") for x, y in zip(edges, counts, strict=True)]
    line = _at(of(experiment.observed_nats), 0.0, "policy", "data")
    way = "swapped" if step.verdict.pairing == "paired" else "dealt anew"
    frame = Frame(
        "What chance gives",
        f"rounds out of {step.rounds:,} with scores {way}",
        f"Histogram of the divergences of {step.rounds} rounds; {step.beyond} reach the divergence "
        f"of the data, {_told(experiment.observed_nats)}.",
        x=f"{KINDS[experiment.settings.kind]}, {unit}",
        domain=(0.0, max(1.0, 1.15 * max(counts))),
    )
    chart.plane(frame, key="drift-null", steps=rows, marks=[line])


def _histograms(experiment: "Experiment") -> None:
    """Draw the scores of both, or the mean probabilities of each outcome."""
    found = experiment.histograms
    scores = experiment.base.ndim == 1
    said = "; ".join(
        f"{each.name} " + ", ".join(f"{share:.3f}" for share in each.shares) for each in found
    )
    frame = Frame(
        "What is compared",
        "share of the scores in each bin" if scores else "mean probability of each outcome",
        f"Shares: {said}.",
        x="score",
        domain=(0.0, HEADROOM * max(max(each.shares) for each in found)) if scores else None,
    )
    if scores:
        chart.plane(
            frame, key="drift-histograms", steps=_steps(experiment), names=_names(experiment)
        )
        return
    bars = [
        {"group": f"{k + 1}", "role": ROLES[each.name], "name": each.name, "value": share}
        for each in found
        for k, share in enumerate(each.shares)
    ]
    chart.bars(bars, frame, key="drift-outcomes")


def _p_values(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    """Draw the share of rounds that reach the line, with its interval, beside the level."""
    shown = [steps[k] for k in chart.thin(len(steps)) if steps[k].rounds]
    band = [
        {"x": s.rounds, "low": s.low, "high": s.high, "role": "policy", "name": ""} for s in shown
    ]
    line = [_at(s.rounds, s.p_value, "policy", "p") for s in shown]
    level, last = experiment.settings.level, experiment.settings.rounds
    marks = [] if at == len(steps) - 1 else [_at(steps[at].rounds, 0.0, "reference", "")]
    frame = Frame(
        "p-value",
        "shaded: its 95% interval, dashed: the level",
        f"The p-value after {steps[-1].rounds} rounds is {steps[-1].p_value:.3g}; the level is "
        f"{level:g}.",
        x="rounds",
        domain=(0.0, min(1.0, max(3 * level, 1.5 * steps[-1].p_value))),
    )
    dashed = [_at(x, level, "optimum", "level") | {"label": ""} for x in (0, last)]
    chart.plane(frame, key="drift-p", bands=band, dashed=dashed, lines=line, marks=marks)


def _size(found: "Verdict") -> None:
    """Draw the divergence with its interval, and the least that matters as a dashed line."""
    of, unit = units.from_nats, units.of_information()
    name, threshold = "divergence", of(found.threshold_nats)
    interval = {"x": 0.4, "low": of(found.low_nats), "high": of(found.high_nats)}
    here = _at(0.4, of(found.divergence_nats), "policy", name)
    frame = Frame(
        "How large, and what matters",
        f"{unit}, with 95% interval; dashed: the threshold",
        f"The divergence is {_told(found.divergence_nats)}, its 95% interval from "
        f"{_told(found.low_nats)} to {_told(found.high_nats)}; the threshold is "
        f"{_told(found.threshold_nats)}.",
        x="",
        domain=(0.0, 1.15 * max(of(found.high_nats), of(found.divergence_nats), threshold, 1e-6)),
    )
    dashed = [_at(x, threshold, "optimum", "threshold") for x in (0.0, 1.0)]
    chart.plane(
        frame,
        key="drift-size",
        dashed=dashed,
        intervals=[interval | {"role": "policy", "name": name}],
        points=[here],
        names=[here | {"x": 0.6}],  # right of it
    )


def _steps(experiment: "Experiment") -> list[dict[str, Any]]:
    """Both histograms, each share from the left edge of its bin to the right one."""
    return [
        _at(x, share, ROLES[each.name], each.name)
        for each in experiment.histograms
        for x, share in zip(experiment.bin_edges, [*each.shares, each.shares[-1]], strict=True)
    ]


def _names(experiment: "Experiment") -> list[dict[str, Any]]:
    """Each name over the bin in which its scorer is furthest above the other."""
    base, tuned = experiment.histograms
    named = [_over(experiment, base, tuned), _over(experiment, tuned, base)]
    start, *_, end = experiment.bin_edges
    if abs(named[0]["x"] - named[1]["x"]) < WIDE * (end - start):
        named[1]["y"] += 2 * LIFT * max(base.shares + tuned.shares)
    return named


def _over(experiment: "Experiment", own: "Histogram", other: "Histogram") -> dict[str, Any]:
    """The name of one histogram, above whatever stands under it."""
    above = [mine - its for mine, its in zip(own.shares, other.shares, strict=True)]
    place = above.index(max(above))
    near = slice(max(place - 1, 0), place + 2)  # a name is wider than a bin
    top = max(own.shares[near] + other.shares[near]) + LIFT * max(own.shares + other.shares)
    middle = sum(experiment.bin_edges[place : place + 2]) / 2
    return _at(middle, top, ROLES[own.name], own.name)


def _at(x: float, y: float, role: str, name: str) -> dict[str, Any]:
    return {"x": x, "y": y, "role": role, "name": name}


def _told(nats: float) -> str:
    return f"{numerals.told(units.from_nats(nats), digits=3)} {units.of_information()}"
