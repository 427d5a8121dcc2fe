"""The surprise lab: what a probability costs, and where a product of many of them ends.

The learner reads −log p off a curve; says what a program holds after 1,200 factors of 0.9; then
watches the product stick or vanish, while the sum of logarithms goes on.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import chart, lab_frame, numerals, surprise_curve, units
from pages.parts.chart import Frame
from pages.parts.controls import SEED, Number, Select, Slide, Values
from pages.parts.lab import Run
from pages.parts.place import Place

if TYPE_CHECKING:
    from engine.experiments.surprise import Experiment, Step

PROBABILITIES = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
FORMATS = {"float32": "float32", "float64": "float64", "float16": "float16"}
TEXTS = {"equal": "All the same", "varied": "At random", "story": "A bigram model's story"}
BEFORE, BEHIND = 30, 20  # tokens shown of the end of a product
MULTIPLES = 30.0  # of the smallest number, shown there
FAR = 40.0  # nats above the smallest number, far above that chart
OFF = 2 * MULTIPLES  # drawn for what is above that chart: canvases fail at 10³⁰
ROOM = 1.04  # of the vertical axes, over what is drawn


def draw(place: Place) -> None:
    """Draw the lab."""
    lab_frame.draw(LAB, place)


def _stage(_place: Place) -> None:
    surprise_curve.draw(key="surprise-curve")


def _set(values: Values) -> bool:
    """Whether the tokens' probability is the learner's to set: a story has its own."""
    return bool(values.get("text") != "story")


def _random(values: Values) -> bool:
    return bool(values.get("text") != "equal")


def _about(values: Values) -> bool:
    """Whether a run is the one that was predicted."""
    wanted = {"text": "equal", "precision": "float32", "probability": 0.9}
    return (
        all(values[name] == value for name, value in wanted.items()) and values["tokens"] >= 1_100
    )


def _charts(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    shown = [steps[k] for k in chart.thin(len(steps))]
    mark = [] if at == len(steps) - 1 else [{"x": steps[at].index, "role": "reference", "name": ""}]
    left, right = st.columns(2)
    with left:
        _products(experiment, shown, mark)
        if experiment.zero_at is not None and steps[-1].index > experiment.zero_at - BEFORE:
            _last(experiment, steps[experiment.zero_at - BEFORE :][: BEFORE + BEHIND], mark)
        else:
            _perplexity(shown, mark)
    with right:
        _sums(experiment, shown, mark)
        _surprisals(shown, mark)


def _products(
    experiment: "Experiment", steps: Sequence["Step"], mark: list[dict[str, Any]]
) -> None:
    """Draw what the program holds over what is true, as powers of ten."""
    true = [_at(s.index, -s.sum_nats / math.log(10), "optimum", "") for s in steps]
    held = [
        _at(s.index, math.log10(s.product), "rejected", "program") | {"label": ""}
        for s in steps
        if s.product > 0
    ]
    last = steps[-1]
    frame = Frame(
        "The product",
        f"power of ten; dashed: exact, solid: in {experiment.settings.precision}",
        f"After {last.index} tokens the program holds {numerals.told(last.product)}; the true "
        f"product is 10 to the power {numerals.told(-last.sum_nats / math.log(10))}.",
        x="tokens",
        domain=(-ROOM * max(last.sum_nats / math.log(10), 1.0), 0.0),
    )
    ends = [] if experiment.zero_at is None else [_end(experiment, last)]
    chart.plane(frame, key="surprise-product", dashed=true, lines=held, marks=[*ends, *mark])


def _end(experiment: "Experiment", last: "Step") -> dict[str, Any]:
    """Where the true product rounds to zero, as far as the run has come."""
    at = experiment.zero_at or 0
    name = f"rounds to 0 at {at}" if at <= last.index else ""
    return {"x": min(at, last.index), "role": "optimum", "name": name}


def _last(experiment: "Experiment", steps: Sequence["Step"], mark: list[dict[str, Any]]) -> None:
    """Draw the end of the product in multiples of the smallest number; none lies between two."""
    least = math.log(experiment.least)
    true = [
        _at(s.index, min(math.exp(min(-s.sum_nats - least, FAR)), OFF), "optimum", "")
        for s in steps
    ]
    multiples = [s.product / experiment.least for s in steps]
    held = [
        _at(s.index, min(y, OFF), "rejected", "program")
        for s, y in zip(steps, multiples, strict=True)
    ]
    seen = [each for each in mark if steps[0].index <= each["x"] <= steps[-1].index]
    frame = Frame(
        "Its last steps",
        f"in smallest numbers of {experiment.settings.precision}; dashed: exact",
        f"From token {steps[0].index} to {steps[-1].index} the program goes from "
        f"{numerals.told(multiples[0])} to {numerals.told(multiples[-1])} smallest numbers.",
        x="tokens",
        domain=(0.0, min(MULTIPLES, ROOM * max(each["y"] for each in (*true, *held)))),
    )
    chart.plane(frame, key="surprise-last", dashed=true, steps=held, marks=seen)


def _sums(experiment: "Experiment", steps: Sequence["Step"], mark: list[dict[str, Any]]) -> None:
    """Draw the sum of surprisals over the one that is to be expected."""
    of, unit = units.from_nats, units.of_information()
    lines = [_at(s.index, of(s.sum_nats), "policy", "sum") for s in steps]
    expected = [
        _at(s.index, of(experiment.expected_nats[s.index - 1]), "optimum", "") for s in steps
    ]
    last = steps[-1]
    frame = Frame(
        "The sum of logarithms",
        f"−log p of all tokens, {unit}; dashed: what is expected",
        f"After {last.index} tokens the surprisals add up to {_told(last.sum_nats)}.",
        x="tokens",
        domain=(0.0, ROOM * max(lines[-1]["y"], expected[-1]["y"], 0.1)),
    )
    chart.plane(frame, key="surprise-sum", dashed=expected, lines=lines, marks=mark)


def _surprisals(steps: Sequence["Step"], mark: list[dict[str, Any]]) -> None:
    """Draw what each token cost."""
    points = [_at(s.index, units.from_nats(s.surprisal_nats), "policy", s.token) for s in steps]
    most = max(point["y"] for point in points)
    frame = Frame(
        "Each token's surprisal",
        f"−log p, {units.of_information()}",
        f"Surprisals of single tokens, up to {numerals.told(most, digits=3)}.",
        x="tokens",
        domain=(0.0, max(ROOM * most, 0.1)),
    )
    chart.plane(frame, key="surprise-each", points=points, marks=mark)


def _perplexity(steps: Sequence["Step"], mark: list[dict[str, Any]]) -> None:
    lines = [_at(s.index, s.perplexity, "policy", "") for s in steps]
    top = max(line["y"] for line in lines)
    frame = Frame(
        "Perplexity so far",
        "e to the mean surprisal in nats",
        f"After {steps[-1].index} tokens perplexity is {numerals.told(steps[-1].perplexity)}.",
        x="tokens",
        domain=(1.0, max(ROOM * top, 1.1)),
    )
    chart.plane(frame, key="surprise-perplexity", lines=lines, marks=mark)


def _see(experiment: "Experiment", step: "Step") -> str:
    where, at = experiment.settings.precision, experiment.zero_at
    if step.lost:
        return (
            f"The product has become 0. Among the smallest numbers that {where} holds, rounding is "
            "rough, and it has rounded down. The sum passes there without a mark."
        )
    if at is not None and step.index > at:
        return (
            f"The true product would round to 0 at token {at}. The program still holds "
            f"{numerals.told(step.product)}, a multiple of the smallest number of {where}, and so "
            "far rounding up keeps it there."
        )
    return (
        f"Far above the smallest number of {where}, product and sum still tell the same. Take more "
        "tokens, or less probable ones, or a format with fewer bits, to see where the product ends."
    )


def _status(run: Run["Experiment", "Step"]) -> list[str]:
    last = run.job.steps[-1]
    return [f"product {numerals.told(last.product)}", f"sum {_told(last.sum_nats)}"]


def _numbers(step: "Step") -> dict[str, float]:
    return {
        "tokens": step.index,
        "product": step.product,
        "sum_nats": step.sum_nats,
        "perplexity": step.perplexity,
    }


def _row(step: "Step") -> Mapping[str, Any]:
    of, unit = units.from_nats, units.of_information()
    return {
        "tokens": step.index,
        "token": step.token,
        "probability": step.probability,
        f"surprisal, {unit}": of(step.surprisal_nats),
        "product": step.product,
        f"sum, {unit}": of(step.sum_nats),
        "perplexity": step.perplexity,
    }


def _at(x: float, y: float, role: str, name: str) -> dict[str, Any]:
    return {"x": x, "y": y, "role": role, "name": name}


def _told(nats: float) -> str:
    return f"{numerals.told(units.from_nats(nats))} {units.of_information()}"


LAB = lab_frame.Lab(
    id="surprise",
    title="Where a product ends",
    promise="Multiply the probabilities of a text as a program does, and add their logarithms.",
    stage=_stage,
    row=(
        Slide("probability", "Probability of each token", PROBABILITIES, 0.9, when=_set),
        Select("precision", "Format", FORMATS),
    ),
    more=(
        Select("text", "Tokens", TEXTS),
        Number("tokens", "How many", (10, 1_200, 2_000)),
        Number("seed", SEED.label, SEED.bounds, when=_random),
    ),
    asks=lambda _values: "lab-surprise-stuck",
    about=_about,
    not_about="Your prediction was about 1,200 factors of 0.9 in float32.",
    presets={
        "0.1 each": {
            "text": "equal",
            "precision": "float64",
            "probability": 0.1,
            "tokens": 400,
        },
        "Half precision": {
            "text": "equal",
            "precision": "float16",
            "probability": 0.5,
            "tokens": 40,
        },
        "Stuck": {"text": "equal", "precision": "float32", "probability": 0.9, "tokens": 1_200},
        "A story": {"text": "story", "precision": "float32", "tokens": 600},
    },
    charts=_charts,
    see=_see,
    numbers=_numbers,
    table=_row,
    status=_status,
)
