"""The repair shop: eight trainings that went wrong, to be diagnosed from their curves and mended.

Each broken run is drawn before anything is asked. The learner names the cause, mends the run with
the controls, and the run is judged by its own numbers: any remedy that works counts.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.parts import break_it_charts, lab_frame, numerals, units
from pages.parts.controls import SEED, Number, Select, Slide, Values
from pages.parts.lab import Run
from pages.parts.place import Place

if TYPE_CHECKING:
    from engine.experiments.break_it import Experiment, Judgment, Step

CASES = {  # named by what is seen, not by what is wrong
    "small-beta": "Flattery takes over",
    "large-beta": "Hardly anything moves",
    "deterministic": "A margin without end",
    "displacement": "The winner sinks, too",
    "length": "Answers grow and grow",
    "islands": "Two starts, two policies",
    "overoptimization": "Better, then worse",
    "entropy-collapse": "Sure of the second best",
}
BETAS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
SCALES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
BONUSES = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)
SHARES = (0.4, 0.5, 0.6, 0.7, 0.8)
PENALTIES = (0.0, 0.02, 0.04, 0.06, 0.1, 0.2)
ANCHORS = (0.0, 0.02, 0.1, 0.5, 2.0)
# Reason -> what was measured and what is asked for: {0} the measure, {1} the threshold.
REASONS = {
    "gold-gained": "The policy is {0} better in gold than the reference; {1} is asked for.",
    "gold-lost": "Against the reference the policy gained {0} in gold; more than {1} is asked for.",
    "still-the-reference": "The divergence from the reference is {0}. Below {1} nothing has moved.",
    "gold-missed": "The policy gained {0} in gold. Half of what can sensibly be had is {1}.",
    "nothing-learned": "Hardly anything was learned. It gained {0}; at least {1} is asked for.",
    "margin-grows": "The second half of the run added {0} of the margin; at most {1} is rest.",
    "margin-settled": "The second half of the run added {0} of the margin; up to {1} is rest.",
    "chosen-fell": "The chosen response ended at probability {0}; it began with {1}.",
    "chosen-kept": "The chosen response ended at probability {0}, no lower than its first {1}.",
    "too-long": "A response has {0} tokens on average; at most {1} are allowed.",
    "too-short": "A response has {0} tokens on average; at least {1} are asked for.",
    "length-kept": "A response has {0} tokens on average, within the {1} that are allowed.",
    "two-policies": "The two starts ended {0} apart; at most {1} is one policy.",
    "one-policy": "The two starts ended {0} apart; up to {1} counts as one policy.",
    "past-the-peak": "The policy went past the peak: {0} of gold are missing, {1} may be.",
    "before-the-peak": "The policy stopped short of the peak: {0} of gold are missing, {1} may be.",
    "near-the-peak": "The policy is near the peak: {0} of gold are missing, {1} may be.",
    "certain-too-early": "The entropy fell to {0}; half of the first, {1}, should be left.",
    "entropy-kept": "The entropy is {0}, and half of the first is {1}: there is room to explore.",
    "certain-and-right": "The policy gained {0} in reward; {1} is nearly all there is to gain.",
}
NATS = ("still-the-reference", "certain-too-early", "entropy-kept")
PERCENT = ("margin-grows", "margin-settled")


def draw(place: Place) -> None:
    """Draw the lab."""
    lab_frame.draw(LAB, place)


def broken(head: Values) -> Values:
    """Return all settings of the run that a case begins with."""
    from engine.experiments.break_it import preset

    return preset(head["case"]).numbers()


def _matters(name: str) -> Callable[[Values], bool]:
    """Return whether a setting changes the run of a case."""

    def matters(values: Values) -> bool:
        from engine.experiments.break_it import CONTROLS

        return name in CONTROLS[values["case"]]

    return matters


def _words(judgment: "Judgment") -> str:
    """Return why a run is judged as it is, with both numbers."""
    unit = units.of_information()
    measure, threshold = judgment.measure, judgment.threshold
    if judgment.reason in PERCENT:
        return REASONS[judgment.reason].format(f"{measure:.1%}", f"{threshold:.0%}")
    if judgment.reason in NATS:
        both = (f"{_told(units.from_nats(each))} {unit}" for each in (measure, threshold))
        return REASONS[judgment.reason].format(*both)
    return REASONS[judgment.reason].format(_told(measure), _told(threshold))


def _judged(run: Run["Experiment", "Step"], _place: Place) -> None:
    """Say whether the run is mended, and by which number."""
    from engine.experiments.break_it import judge

    steps = run.job.steps
    if not steps:
        return
    judgment = judge(run.experiment, steps)
    verdict = (
        ":green[:material/check_circle:] **Mended.**"
        if judgment.mended
        else ":orange[:material/build:] **Still broken.**"
    )
    with st.container(border=True, key="break-it-judged"):
        st.markdown(f"{verdict} {_words(judgment)}")


def _see(experiment: "Experiment", step: "Step") -> str:
    return f"The run is at {break_it_charts.told(experiment, step)}."


def _tried(values: Values) -> bool:
    """Whether a run is the learner's own rather than the broken one."""
    return bool(dict(values) != broken(values))


def _told(value: float) -> str:
    return numerals.told(value, digits=3)


def _select(name: str, label: str, options: Mapping[str, str]) -> Select:
    return Select(name, label, options, when=_matters(name))


def _slide(name: str, label: str, values: tuple[float, ...], usual: float) -> Slide:
    return Slide(name, label, values, usual, when=_matters(name))


LAB = lab_frame.Lab(
    id="break-it",
    title="Mend what is broken",
    promise="Diagnose eight trainings that went wrong, then repair each with its own controls.",
    head=(Select("case", "Case", CASES),),
    first=broken,
    act="mend",
    row=(
        _slide("beta", "β, for IPO τ", BETAS, 0.05),
        _slide("scale", "Reward times", SCALES, 1.0),
        Number("stop", "Stop after step", (1, 500, 500), when=_matters("stop")),
    ),
    more=(
        _select("loss", "Loss", {"dpo": "DPO", "ipo": "IPO"}),
        _select("labels", "Labels", {"soft": "Soft", "deterministic": "Never in doubt"}),
        _select(
            "graph",
            "Who is compared",
            {"given": "As given", "chain": "Neighbors", "complete": "Every couple"},
        ),
        _select("features", "Policy", {"shared": "Shared features", "table": "A table"}),
        _slide("anchor", "Anchor on the chosen", ANCHORS, 0.0),
        _slide("longer", "Longer is preferred with", SHARES, 0.6),
        _slide("length_penalty", "Price of a token", PENALTIES, 0.0),
        _slide("bonus", "Entropy bonus", BONUSES, 0.0),
        _select("ascent", "Way up", {"natural": "Natural gradient", "gradient": "Gradient"}),
        _select(
            "optimizer",
            "Optimizer",
            {"lbfgs": "L-BFGS", "adam": "Adam", "gradient": "Gradient descent"},
        ),
        Number("steps", "Steps", (10, 200, 500)),
        replace(SEED, when=_matters("seed")),
    ),
    asks=lambda values: f"lab-break-it-{values['case']}",
    about=_tried,
    not_about="This is the broken run. Mend it: the question returns under a run of your own.",
    charts=break_it_charts.draw,
    see=_see,
    numbers=break_it_charts.numbers,
    table=break_it_charts.row,
    after=_judged,
)
