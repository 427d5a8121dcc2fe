"""The charts of somebody's own preferences: the reward they amount to, and the policy it makes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import chart, numerals, units

if TYPE_CHECKING:
    from engine.experiments.annotator import Experiment, Step

LETTERS = "ABCDEFGH"
REWARDS = chart.Frame("Your rewards", "fit ± standard error, and what the policy learnt", "")
POLICY = chart.Frame("The policy", "probability of each text", "")
LOSS = chart.Frame("DPO loss", "{unit} per comparison", "The DPO loss over the steps")
FEATURES = chart.Frame("What explains your rewards", "share of their variance, one by one", "")


def draw(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    """Draw the rewards and the policy as step `at` has them, and what explains them."""
    left, right = st.columns(2)
    with left:
        _rewards(experiment, steps[at])
        _loss(experiment, steps, at)
    with right:
        _policy(steps[at])
        _features(experiment)


def numbers(step: "Step") -> dict[str, float]:
    """Return what the record keeps of a step; information in nats."""
    rewards = {f"reward_{LETTERS[k]}": reward for k, reward in enumerate(step.rewards)}
    return {"step": step.index, "loss": step.loss, **rewards}


def row(step: "Step") -> dict[str, float]:
    """Return a step as the data table shows it; the loss names its unit."""
    table = numbers(step)
    table[f"loss ({units.of_information()})"] = units.from_nats(table.pop("loss"))
    return table


def _rewards(experiment: "Experiment", step: "Step") -> None:
    fit = experiment.fit
    fitted = list(zip(fit.reward.tolist(), fit.error.tolist(), strict=True))
    bars: list[dict[str, Any]] = []
    for letter, (reward, _), learnt in zip(LETTERS, fitted, step.rewards, strict=True):
        bars.append({"group": letter, "role": "reward", "name": "fit", "value": reward})
        bars.append({"group": letter, "role": "policy", "name": "policy", "value": learnt})
    ends = [
        {"group": letter, "low": reward - error, "high": reward + error}
        for letter, (reward, error) in zip(LETTERS, fitted, strict=True)
    ]
    values = [bar["value"] for bar in bars] + [
        end[side] for end in ends for side in ("low", "high")
    ]
    said = ", ".join(
        f"{letter} {_told(reward)} ± {_told(error)}"
        for letter, (reward, error) in zip(LETTERS, fitted, strict=True)
    )
    alt = f"Fitted reward of each text with its standard error: {said}."
    frame = replace(REWARDS, alt=alt, domain=(min(values), max(values)))
    chart.bars(bars, frame, key="annotator-rewards", spread=ends)


def _policy(step: "Step") -> None:
    even = 1 / len(LETTERS)
    rows = [
        {"group": letter, "role": role, "name": name, "value": value}
        for letter, probability in zip(LETTERS, step.probabilities, strict=True)
        for role, name, value in (
            ("reference", "before", even),
            ("policy", "policy", probability),
        )
    ]
    said = ", ".join(
        f"{letter} {_told(value)}"
        for letter, value in zip(LETTERS, step.probabilities, strict=True)
    )
    alt = f"Probability of each text at step {step.index}: {said}."
    chart.bars(rows, replace(POLICY, alt=alt), key="annotator-policy")


def _loss(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    rows = [
        {
            "step": steps[k].index,
            "value": units.from_nats(steps[k].loss),
            "role": "policy",
            "name": "",
        }
        for k in chart.thin(len(steps))
    ]
    frame = replace(
        LOSS,
        unit=LOSS.unit.format(unit=units.of_information()),
        last=experiment.settings.steps,
        at=None if at == len(steps) - 1 else steps[at].index,
    )
    chart.curves(rows, frame, key="annotator-loss")


def _features(experiment: "Experiment") -> None:
    if experiment.reading is None:
        return
    found = experiment.reading.features
    rows = [
        {"group": each.name, "role": "reward", "name": "share explained", "value": each.alone}
        for each in found
    ]
    said = ", ".join(f"{each.name} {each.alone:.0%}" for each in found)
    alt = f"Share of the rewards' variance that each feature explains by itself: {said}."
    chart.bars(rows, replace(FEATURES, alt=alt), key="annotator-features")


def _told(value: float) -> str:
    return numerals.told(value, digits=2)
