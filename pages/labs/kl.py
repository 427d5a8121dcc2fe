"""The KL lab: shape two distributions, see both divergences as areas, sample one of them.

The learner first says where two unbiased estimates stand before a rare sample has come; then
watches them settle, beside their exact means and spreads.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import chart, controls, lab_frame, numerals, shaper, units
from pages.parts.chart import Frame
from pages.parts.controls import SEED, Kept, Number, Values
from pages.parts.lab import Run
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.shaper import OUTCOMES, Shape

if TYPE_CHECKING:
    from engine.experiments.kl import Estimate, Experiment, Step

ID = "kl"
TUNED, BASE, CLOSE, CUT = "2,18,80", "50,30,20", "45,32,23", "62.5,37.5,0"
SAME_NATS = 1e-9  # what rounding may leave between two ways to one number
UNSEEN = "It has not yet, and until it does every mean is finite."
ERRORS = 2.0  # standard errors on either side of the exact mean
K = {"k1": ("k₁", "policy"), "k2": ("k₂", "rejected"), "k3": ("k₃", "chosen")}


def _distribution(text: str) -> bool:
    return shaper.readable([text])


Q, P = (Kept(name, usual, check=_distribution) for name, usual in (("q", TUNED), ("p", BASE)))


def draw(place: Place) -> None:
    """Draw the lab."""
    lab_frame.draw(LAB, place)


def _about(values: Values) -> bool:
    """Whether a run is of the pair that the prediction names."""
    return (values["q"], values["p"]) == (TUNED, BASE)


def _stage(_place: Place) -> None:
    q = Shape("q", "tuned model", "policy", TUNED, Q.draw(ID, {}))
    p = Shape("p", "base model", "reference", BASE, P.draw(ID, {}))
    shaper.draw([q, p], _shaped, key="shape-kl", resizable=True)


def _shaped(texts: list[str]) -> None:
    controls.keep_all(ID, dict(zip((Q.name, P.name), texts, strict=True)))


def _charts(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    shown = [steps[k] for k in chart.thin(len(steps))]
    mark = [] if at == len(steps) - 1 else [{"x": steps[at].index, "role": "reference", "name": ""}]
    domain = _domain(experiment, shown)
    left, right = st.columns(2)
    for column, name in ((left, "k1"), (right, "k3"), (left, "k2")):
        with column:
            _estimate(experiment, shown, name, mark=mark, domain=domain)
    with right:
        _sampled(experiment, steps[: at + 1])


def _estimate(
    experiment: "Experiment",
    steps: Sequence["Step"],
    name: str,
    *,
    mark: list[dict[str, Any]],
    domain: tuple[float, float],
) -> None:
    """Draw one running mean in the band where it belongs, over the exact divergence."""
    of, unit = units.from_nats, units.of_information()
    symbol, role = K[name]
    exact, truth = experiment.estimates[name], experiment.reverse_nats
    lines = [_at(s.index, of(y), role, symbol) for s in steps if math.isfinite(y := _mean(s, name))]
    if not lines:
        quiet(f"**{symbol}** is infinite from the first sample on.")
        return
    ends = (1, steps[-1].index) if math.isfinite(truth) else ()
    frame = Frame(
        f"{symbol}: {_tends(exact.mean_nats, truth)}",
        f"{unit}; dashed: KL(q‖p). One sample scatters by {_number(exact.deviation_nats)}",
        f"The mean of {symbol} over {steps[-1].index} samples is {_told(_mean(steps[-1], name))}; "
        f"it tends to {_told(exact.mean_nats)}. KL(q‖p) is {_told(truth)}.",
        x="samples",
        domain=domain,
    )
    chart.plane(
        frame,
        key=f"kl-{name}",
        bands=_band(steps, exact, role),
        dashed=[_at(x, of(truth), "optimum", "") for x in ends],
        lines=lines,
        marks=mark,
    )


def _band(steps: Sequence["Step"], exact: "Estimate", role: str) -> list[dict[str, Any]]:
    """Two standard errors about what the mean tends to; none where that is infinite."""
    if not math.isfinite(exact.mean_nats):
        return []
    of, center = units.from_nats, exact.mean_nats
    widths = [(step.index, ERRORS * exact.deviation_nats / math.sqrt(step.index)) for step in steps]
    return [
        {"x": x, "low": of(center - by), "high": of(center + by), "role": role, "name": ""}
        for x, by in widths
    ]


def _domain(experiment: "Experiment", steps: Sequence["Step"]) -> tuple[float, float]:
    """The vertical axis that all estimates share: what is drawn, and zero."""
    values = [_mean(step, name) for step in steps for name in K]
    finite = [value for value in (*values, experiment.reverse_nats) if math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.05, *finite])
    room = 0.06 * (high - low)
    return units.from_nats(low - (room if low < 0 else 0.0)), units.from_nats(high + room)


def _sampled(experiment: "Experiment", steps: Sequence["Step"]) -> None:
    """Draw how often each outcome came beside how probable it is."""
    q, p = (table[0].exp().tolist() for table in (experiment.log_q, experiment.log_p))
    counts = Counter(step.outcome for step in steps)
    rows = [
        {"group": OUTCOMES[y], "role": role, "name": name, "value": share}
        for y in range(len(q))
        for name, role, share in (
            ("p", "reference", p[y]),
            ("q", "policy", q[y]),
            ("sampled", "optimum", counts[y] / len(steps)),
        )
    ]
    said = ", ".join(f"{row['group']} {row['name']} {row['value']:.3f}" for row in rows)
    frame = Frame("What was sampled", f"share of {len(steps)} samples of q", said)
    chart.bars(rows, frame, key="kl-sampled")


def _tends(mean: float, truth: float) -> str:
    if math.isinf(mean):
        return "infinite once q says what p rules out"
    gap = mean - truth
    if abs(gap) < SAME_NATS:
        return "unbiased here"
    return f"tends to {_number(mean)}, {'above' if gap > 0 else 'below'} the truth"


def _see(experiment: "Experiment", step: "Step") -> str:
    if math.isinf(experiment.reverse_nats):
        came = math.isinf(step.k1_nats)
        return "q can say what p calls impossible, so KL(q‖p) is infinite. " + (
            "It has, and every mean is infinite from there on." if came else UNSEEN
        )
    lost = experiment.reverse_nats - experiment.estimates["k3"].mean_nats
    if lost > SAME_NATS:
        return (
            f"k₃ settles {_told(lost)} too low: in nats, by the probability that p gives to what q "
            "never says. k₁ is unbiased all the same."
        )
    loud, calm = sorted(("k1", "k3"), key=lambda it: -experiment.estimates[it].deviation_nats)
    ratio = _ratio(*(experiment.estimates[it].deviation_nats for it in (loud, calm)))
    return (
        f"k₁ and k₃ come to the same divergence, k₂ to its own mean. A sample of {K[loud][0]} "
        f"scatters {ratio} one of {K[calm][0]}."
    )


def _ratio(loud: float, calm: float) -> str:
    return f"{loud / calm:.1f} times as much as" if calm > SAME_NATS else "no more than"


def _status(run: Run["Experiment", "Step"]) -> list[str]:
    it = run.experiment
    return [f"KL(q‖p) {_told(it.reverse_nats)}", f"KL(p‖q) {_told(it.forward_nats)}"]


def _numbers(step: "Step") -> dict[str, float]:
    return {"samples": step.index} | {f"{name}_nats": _mean(step, name) for name in K}


def _row(step: "Step") -> Mapping[str, Any]:
    of, unit = units.from_nats, units.of_information()
    means = {f"mean {symbol}, {unit}": of(_mean(step, name)) for name, (symbol, _) in K.items()}
    ratio = {f"log q/p, {unit}": of(step.log_ratio_nats)}
    return {"sample": step.index, "outcome": OUTCOMES[step.outcome]} | ratio | means


def _mean(step: "Step", name: str) -> float:
    return float(getattr(step, f"{name}_nats"))


def _at(x: float, y: float, role: str, name: str) -> dict[str, Any]:
    return {"x": x, "y": y, "role": role, "name": name}


def _number(nats: float) -> str:
    return numerals.told(units.from_nats(nats), digits=3)


def _told(nats: float) -> str:
    return f"{_number(nats)} {units.of_information()}" if math.isfinite(nats) else _number(nats)


LAB = lab_frame.Lab(
    id=ID,
    title="Two shapes, two divergences",
    promise="Shape two distributions with your hands, then estimate their divergence from samples.",
    stage=_stage,
    row=(Number("samples", "Samples", (10, 400, 2_000)), SEED),
    more=(Q, P),
    asks=lambda _values: "lab-kl-rare",
    about=_about,
    not_about="Your prediction was about the tuned and the base model.",
    presets={
        "Far": {"q": TUNED, "p": BASE, "samples": 400},
        "Close": {"q": CLOSE, "p": BASE, "samples": 400},
        "Cut": {"q": CUT, "p": BASE, "samples": 400},
        "Impossible": {"q": BASE, "p": CUT, "samples": 400},
    },
    charts=_charts,
    see=_see,
    numbers=_numbers,
    table=_row,
    status=_status,
)
