"""The charts of a run on preferences: what trains, and what came of it.

A single pair has no optimum to land on: its label says nothing of the reward behind it. So there
the probabilities of the three responses stand where a world shows how far the optimum is.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts import chart, units

if TYPE_CHECKING:
    from engine.experiments.dpo import Experiment
    from engine.train import Step

CURVES = {
    "ratios": chart.Frame(
        "Log-ratio to the reference",
        "log of policy over reference, nats",
        "Log-ratios of the chosen and the rejected response over the steps",
    ),
    "loss": chart.Frame("Loss", "{unit} per pair", "The DPO loss over the steps"),
    "margin": chart.Frame(
        "Margin h", "chosen minus rejected, nats", "The mean margin over the steps"
    ),
    "probabilities": chart.Frame(
        "Probabilities", "of the three responses", "Probability of each response over the steps"
    ),
    "divergence": chart.Frame(
        "Divergence from the optimum",
        "KL(π*‖π), {unit}, logarithmic",
        "KL divergence from the optimum to the policy over the steps, on a logarithmic axis",
        log=True,
    ),
}
POLICIES = chart.Frame(
    "The policy, first prompt",
    "probability: reference, policy, optimum",
    "Probability of each response under the reference, the policy and the optimum",
)
REWARDS = chart.Frame(
    "Implicit against true reward",
    "each prompt's mean at zero",
    "Implicit against true reward of every response, each prompt's mean taken out",
    x="true",
    y="implicit",
)
PAIR = (("chosen", "chosen"), ("rejected", "rejected"), ("third", "reference"))  # (name, role)
INFORMATION = ("loss", "kl_to_optimum")  # in the reader's unit; margins stay with β in nats
LEAST_NATS = 1e-16  # a divergence of exactly zero has no place on a logarithmic axis


def draw(experiment: "Experiment", steps: Sequence["Step"], at: int) -> None:
    """Draw the run so far, step `at` marked and its policy shown."""
    mark = None if at == len(steps) - 1 else steps[at].index
    shown = [steps[k] for k in chart.thin(len(steps))]
    last = experiment.settings.steps
    unit = units.of_information()
    frames = {
        name: replace(frame, unit=frame.unit.format(unit=unit), last=last, at=mark)
        for name, frame in CURVES.items()
    }
    pair = experiment.settings.data == "pair"
    left, right = st.columns(2)
    with left:
        chart.curves(_ratios(shown), frames["ratios"], key="run-ratios")
        chart.curves(_rows(shown, "loss", "policy"), frames["loss"], key="run-loss")
    with right:
        chart.curves(_rows(shown, "margin", "policy"), frames["margin"], key="run-margin")
        if pair:
            chart.curves(_probabilities(shown), frames["probabilities"], key="run-probabilities")
        else:
            chart.curves(_divergence(shown), frames["divergence"], key="run-divergence")
    if not pair:
        _policy(experiment, steps[at])


def numbers(step: "Step") -> dict[str, float]:
    """Return what the record keeps of a step; information in nats."""
    return {
        "step": step.index,
        "loss": step.loss,
        "margin": step.margin,
        "log_ratio_chosen": step.log_ratio_chosen,
        "log_ratio_rejected": step.log_ratio_rejected,
        "kl_to_optimum": step.kl_to_optimum,
    }


def row(step: "Step") -> dict[str, float]:
    """Return a step as the data table shows it; the columns of information name their unit."""
    table = numbers(step)
    for name in INFORMATION:
        table[f"{name} ({units.of_information()})"] = units.from_nats(table.pop(name))
    return table


def _policy(experiment: "Experiment", step: "Step") -> None:
    """Draw the policy of one prompt against the optimum, and all implicit rewards."""
    rows = [
        {"group": f"y{y + 1}", "role": role, "name": role, "value": value}
        for role, values in experiment.probabilities(step).items()
        for y, value in enumerate(values)
    ]
    points = [
        {"x": true, "y": learnt, "role": "reward", "name": f"prompt {prompt + 1}"}
        for prompt, true, learnt in experiment.rewards(step)
    ]
    left, right = st.columns(2)
    with left:
        chart.bars(rows, POLICIES, key="run-policy")
    with right:
        chart.against(points, REWARDS, key="run-rewards")


def _ratios(steps: Sequence["Step"]) -> list[dict[str, Any]]:
    return [
        *_rows(steps, "log_ratio_chosen", "chosen", name="chosen"),
        *_rows(steps, "log_ratio_rejected", "rejected", name="rejected"),
    ]


def _probabilities(steps: Sequence["Step"]) -> list[dict[str, Any]]:
    tables = [(step.index, step.policy[0].exp().tolist()) for step in steps]
    return [
        {"step": index, "value": values[y], "role": role, "name": name}
        for y, (name, role) in enumerate(PAIR)
        for index, values in tables
    ]


def _divergence(steps: Sequence["Step"]) -> list[dict[str, Any]]:
    return _rows(steps, "kl_to_optimum", "policy", least=LEAST_NATS)


def _rows(
    steps: Sequence["Step"], quantity: str, role: str, *, name: str = "", least: float = -math.inf
) -> list[dict[str, Any]]:
    return [
        {
            "step": step.index,
            "value": _value(step, quantity, least),
            "role": role,
            "name": name,
        }
        for step in steps
    ]


def _value(step: "Step", quantity: str, least: float) -> float:
    value = max(float(getattr(step, quantity)), least)
    return units.from_nats(value) if quantity in INFORMATION else value
