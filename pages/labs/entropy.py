"""The entropy lab: shape a distribution, then see whether surprise comes out as entropy says.

The learner drags probabilities and sees entropy as an area; says how two estimates of it compare;
draws, and watches both come to the exact value, one of them always from below the other.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import chart, controls, lab_frame, numerals, shaper, units
from pages.parts.chart import Frame
from pages.parts.controls import SEED, Kept, Number, Slide
from pages.parts.lab import Run
from pages.parts.place import Place
from pages.parts.shaper import OUTCOMES, Shape

if TYPE_CHECKING:
    from engine.experiments.entropy import Experiment, Step

ID, USUAL = "entropy", "60,30,10"
TEMPERATURES = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0)
FLAT_NATS = 1e-9  # a spread below this is what rounding leaves of none
ERRORS = 2.0  # standard errors on either side of the exact value
ROOM, LEAST = 1.04, 0.1  # of the vertical axis: over what is drawn, and its end if that is nothing
WEIGHTS = Kept("weights", USUAL, check=lambda text: shaper.readable([text]))


def draw(place: Place) -> None:
    """Draw the lab."""
    lab_frame.draw(LAB, place)


def _stage(_place: Place) -> None:
    standing = WEIGHTS.draw(ID, {})
    shape = Shape("p", "at temperature 1", "policy", USUAL, standing)
    shaper.draw([shape], _shaped, key="shape-entropy", resizable=True)


def _shaped(texts: list[str]) -> None:
    controls.keep(ID, WEIGHTS.name, texts[0])


def _charts(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    left, right = st.columns(2)
    with left:
        _means(experiment, steps, at)
        _shares(experiment, steps[at])
    with right:
        _heat(experiment)
        _code(experiment)


def _means(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    """Draw both estimates as draws come in, over the exact value and its band."""
    of, unit = units.from_nats, units.of_information()
    entropy, deviation = experiment.entropy_nats, experiment.deviation_nats
    shown = [steps[k] for k in chart.thin(len(steps))]
    band = [
        {"x": step.index, "low": of(entropy - width), "high": of(entropy + width)}
        | {"role": "reference", "name": ""}
        for step in shown
        for width in (ERRORS * deviation / math.sqrt(step.index),)
    ]
    exact = [_at(x, of(entropy), "optimum", "") for x in (1, len(steps))]
    lines = [_at(step.index, of(step.mean_nats), "policy", "mean") for step in shown]
    lines += [_at(step.index, of(step.counted_nats), "rejected", "counted") for step in shown]
    marks = (
        [] if at == len(steps) - 1 else [{"x": steps[at].index, "role": "reference", "name": ""}]
    )
    frame = Frame(
        "Mean surprisal, entropy of the counts",
        f"{unit}; dashed: H, in a band of two standard errors",
        f"After {len(steps)} draws the mean surprisal is {_told(steps[-1].mean_nats)}, the entropy "
        f"of the counted shares {_told(steps[-1].counted_nats)}; the entropy is {_told(entropy)}.",
        x="draws",
        domain=(0.0, ROOM * max(LEAST, of(entropy), *(each["y"] for each in lines))),
    )
    chart.plane(frame, key="entropy-means", bands=band, dashed=exact, lines=lines, marks=marks)


def _heat(experiment: "Experiment") -> None:
    """Draw entropy against temperature, and where the run stands."""
    of, unit = units.from_nats, units.of_information()
    curve = [
        _at(point.temperature, of(point.entropy_nats), "optimum", "")
        for point in experiment.tempering
    ]
    at = experiment.settings.temperature
    here = [_at(at, of(experiment.entropy_nats), "policy", f"T = {at:g}")]
    ends = (curve[0]["x"], curve[-1]["x"])
    ceiling = [_at(x, of(experiment.most_nats), "reference", "") for x in ends]
    frame = Frame(
        "Entropy at every temperature",
        f"{unit}, exact; dashed: the most there can be",
        f"Entropy rises with temperature from {_told(experiment.tempering[0].entropy_nats)} to "
        f"{_told(experiment.tempering[-1].entropy_nats)}, under a ceiling of "
        f"{_told(experiment.most_nats)}; at {at:g} it is {_told(experiment.entropy_nats)}.",
        x="temperature, logarithmic",
        log_x=True,
    )
    chart.plane(frame, key="entropy-heat", dashed=ceiling, lines=curve, points=here)


def _shares(experiment: "Experiment", step: "Step") -> None:
    """Draw what was drawn beside what is probable."""
    rows = [
        {"group": name, "role": role, "name": said, "value": share}
        for name, p, count in zip(OUTCOMES, experiment.probabilities, step.counts, strict=False)
        for role, said, share in (("policy", "p", p), ("rejected", "counted", count / step.index))
    ]
    shares = ", ".join(f"{row['group']} {row['name']} {row['value']:.3f}" for row in rows)
    frame = Frame("What was drawn", f"share of {step.index} draws, beside its probability", shares)
    chart.bars(rows, frame, key="entropy-shares")


def _code(experiment: "Experiment") -> None:
    """Draw the surprisal of each outcome beside the digits of its code word, both in bits."""
    rows = [
        {"group": name, "role": role, "name": said, "value": value}
        for name, nats, digits in zip(
            OUTCOMES, experiment.surprisals_nats, experiment.code_digits, strict=False
        )
        if digits is not None
        for role, said, value in (
            ("policy", "surprisal", nats / math.log(2)),
            ("optimum", "code word", digits),
        )
    ]
    most = max(float(row["value"]) for row in rows)
    bits = experiment.entropy_nats / math.log(2)
    frame = Frame(
        "Surprisal and the best code",
        f"bits; on average {bits:.3f}, and {experiment.code_bits:.3f} binary digits",
        "Surprisal in bits and length of the code word of each outcome: "
        + ", ".join(f"{row['group']} {row['name']} {row['value']:.2f}" for row in rows),
        domain=(0.0, max(1.0, math.ceil(most))),
    )
    chart.bars(rows, frame, key="entropy-code")


def _at(x: float, y: float, role: str, name: str) -> dict[str, Any]:
    return {"x": x, "y": y, "role": role, "name": name}


def _told(nats: float) -> str:
    return f"{numerals.told(units.from_nats(nats), digits=3)} {units.of_information()}"


def _see(experiment: "Experiment", step: "Step") -> str:
    if experiment.deviation_nats < FLAT_NATS:
        return "Every draw surprises alike, so the mean is the entropy from the first draw on."
    gap = abs(step.mean_nats - experiment.entropy_nats)
    errors = gap * math.sqrt(step.index) / experiment.deviation_nats
    where = (
        "inside the band" if errors <= ERRORS else "outside the band, as about one run in twenty is"
    )
    short = step.mean_nats - step.counted_nats
    return (
        f"The mean surprisal ends {where}, and the entropy of the counts never rises above it. "
        f"What it lacks, now {_told(short)}, is the KL divergence of the counted shares from p."
    )


def _status(run: Run["Experiment", "Step"]) -> list[str]:
    return [f"H {_told(run.experiment.entropy_nats)}"]


def _numbers(step: "Step") -> dict[str, float]:
    return {"draws": step.index, "mean_nats": step.mean_nats, "counted_nats": step.counted_nats}


def _row(step: "Step") -> Mapping[str, Any]:
    of, unit = units.from_nats, units.of_information()
    return {
        "draw": step.index,
        "outcome": OUTCOMES[step.outcome],
        f"surprisal, {unit}": of(step.surprisal_nats),
        f"mean surprisal, {unit}": of(step.mean_nats),
        f"entropy of the counts, {unit}": of(step.counted_nats),
    }


LAB = lab_frame.Lab(
    id=ID,
    title="The area of surprise",
    promise="Shape a distribution with your hands, then draw from it and see its entropy come out.",
    stage=_stage,
    row=(
        Slide("temperature", "Temperature", TEMPERATURES, 1.0),
        Number("draws", "Draws", (10, 300, 2_000)),
    ),
    more=(WEIGHTS, SEED),
    asks=lambda _values: "lab-entropy-counted",
    presets={
        "Nearly sure": {"weights": "97,1,1,1", "temperature": 1.0, "draws": 300},
        "Eight alike": {"weights": "1,1,1,1,1,1,1,1", "temperature": 1.0, "draws": 300},
        "Whole bits": {"weights": "50,25,12.5,12.5", "temperature": 1.0, "draws": 300},
        "Cold": {"weights": USUAL, "temperature": 0.3, "draws": 300},
    },
    charts=_charts,
    see=_see,
    numbers=_numbers,
    table=_row,
    status=_status,
)
