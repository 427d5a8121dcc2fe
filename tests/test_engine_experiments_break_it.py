"""Eight failures: each begins broken, is mended by what helps and not by what helps another."""

import math
from functools import cache
from typing import Any, get_args

import pytest
import torch

from engine import distributions, overoptimization
from engine.errors import DivergenceError, RangeError
from engine.experiments import break_it
from engine.experiments.break_it import (
    CAUSES,
    CONTROLS,
    Case,
    Experiment,
    Judgment,
    Settings,
    Step,
    preset,
)

CASES = get_args(Case)
MENDS: dict[str, list[dict[str, Any]]] = {
    "small-beta": [{"beta": 0.5}, {"stop": 5}, {"scale": 0.1}],
    "large-beta": [{"beta": 0.5}, {"scale": 10.0}],
    "deterministic": [{"loss": "ipo"}, {"labels": "soft"}, {"stop": 10}],
    "displacement": [{"features": "table"}, {"graph": "complete"}, {"anchor": 0.1}],
    "length": [{"length_penalty": 0.04}, {"longer": 0.5}, {"beta": 10.0}],
    "islands": [{"graph": "chain"}, {"graph": "complete"}, {"anchor": 0.1}],
    "overoptimization": [{"beta": 0.5}, {"stop": 11}, {"scale": 0.2}],
    "entropy-collapse": [{"bonus": 1.0}, {"beta": 0.5}, {"ascent": "natural"}],
}
# What helps in another case, or is often tried: the reason with which each is turned down.
WRONG: dict[str, list[tuple[dict[str, Any], str]]] = {
    "small-beta": [({"bonus": 1.0}, "gold-lost"), ({"steps": 400}, "gold-lost")],
    "large-beta": [({"steps": 500}, "still-the-reference"), ({"beta": 0.05}, "gold-missed")],
    "deterministic": [({"beta": 5.0}, "margin-grows"), ({"graph": "chain"}, "margin-grows")],
    "displacement": [({"loss": "ipo"}, "chosen-fell"), ({"beta": 1.0}, "chosen-fell")],
    "length": [({"loss": "ipo"}, "too-long"), ({"length_penalty": 0.2}, "too-short")],
    "islands": [({"beta": 5.0}, "two-policies"), ({"loss": "ipo"}, "two-policies")],
    "overoptimization": [({"bonus": 2.0}, "past-the-peak"), ({"beta": 5.0}, "before-the-peak")],
    "entropy-collapse": [({"scale": 10.0}, "certain-too-early"), ({"stop": 1}, "nothing-learned")],
}


def made(case: str, **changes: object) -> Experiment:
    return break_it.build(Settings.read(preset(case).numbers() | changes))


@cache
def outcome(case: str, **changes: object) -> tuple[Experiment, list[Step], Judgment]:
    experiment = made(case, **changes)
    steps = list(experiment.run())
    return experiment, steps, break_it.judge(experiment, steps)


def pick(table: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(case, each) for case, entries in table.items() for each in entries]


@pytest.mark.parametrize("case", CASES)
def test_every_case_begins_broken(case: str) -> None:
    experiment, steps, judgment = outcome(case)
    assert not judgment.mended
    assert len(steps) == experiment.length
    assert set(experiment.shown) <= set(steps[0].readings)
    assert all(math.isfinite(value) for step in steps for value in step.readings.values())


@pytest.mark.parametrize(("case", "changes"), pick(MENDS))
def test_what_helps_is_judged_mended(case: str, changes: dict[str, Any]) -> None:
    assert set(changes) <= set(CONTROLS[case])
    assert outcome(case, **changes)[2].mended


@pytest.mark.parametrize(("case", "wrong"), pick(WRONG))
def test_what_helps_elsewhere_is_turned_down_with_the_reason(
    case: str, wrong: tuple[dict[str, Any], str]
) -> None:
    changes, reason = wrong
    judgment = outcome(case, **changes)[2]
    assert (judgment.mended, judgment.reason) == (False, reason)


def test_every_case_has_its_mends_and_five_causes_of_which_the_first_is_its_own() -> None:
    assert set(MENDS) == set(WRONG) == set(CAUSES) == set(CONTROLS) == set(CASES)
    for causes in CAUSES.values():
        assert len(set(causes)) == 5
    assert len({causes[0] for causes in CAUSES.values()}) == len(CASES)


def test_the_loose_leash_follows_flattery_to_the_end() -> None:
    experiment, steps, judgment = outcome("small-beta")
    flattery = steps[-1].policies[0].exp()[0, 2].item()
    assert flattery > 0.999
    assert judgment.measure == pytest.approx(0 - 1.38, abs=1e-3)
    assert steps[-1].readings["kl_nats"] == pytest.approx(math.log(100), abs=0.01)
    ends = outcome("small-beta", beta=0.5)[0].ends
    weight = torch.tensor([0.6, 0.39, 0.01]).double() * torch.tensor([2.0, 4, 6]).double().exp()
    share = weight / weight.sum()
    assert ends["gold"] == pytest.approx(float(share @ torch.tensor([1.0, 2, 0]).double()))
    assert experiment.ends["proxy"] == pytest.approx(3, abs=1e-6)


def test_a_bonus_moves_the_end_to_where_the_objective_with_entropy_is_highest() -> None:
    ends = made("entropy-collapse", bonus=0.5, beta=0.3).ends
    logits = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    reference = torch.tensor([[0.6, 0.399, 0.001]]).double().log()
    reward = torch.tensor([[1.0, 2.0, 3.0]]).double()
    for _ in range(300):
        table = logits.log_softmax(dim=-1)
        value = (table.exp() * reward).sum() - 0.3 * distributions.kl(table, reference).sum()
        value = value + 0.5 * distributions.entropy(table).sum()
        (slope,) = torch.autograd.grad(value, logits)
        logits = (logits + 3 * slope).detach().requires_grad_()
    best = logits.detach().log_softmax(dim=-1)
    assert ends["proxy"] == pytest.approx(float((best.exp() * reward).sum()), abs=1e-6)
    assert ends["entropy_nats"] == pytest.approx(float(distributions.entropy(best)), abs=1e-6)


def test_the_gaussian_is_held_against_its_own_peak() -> None:
    _, steps, judgment = outcome("overoptimization")
    last = steps[-1].readings
    gained = overoptimization.gold_gain(last["kl_nats"], curvature=0.25)
    assert judgment.measure == pytest.approx(1 - gained, abs=1e-5)
    assert max(step.readings["gold"] for step in steps) > last["gold"] + 10, "it was there once"
    with pytest.raises(DivergenceError, match="last good one"):
        outcome("overoptimization", beta=0.02)


def test_the_chosen_response_falls_while_its_margin_grows() -> None:
    _, steps, judgment = outcome("displacement")
    assert steps[0].readings["chosen"] == judgment.threshold == pytest.approx(1 / 3)
    assert judgment.measure < 0.01
    assert steps[-1].readings["margin"] > 1
    assert steps[-1].policies[0].exp()[0, 2].item() > 0.99, "the third response takes all"


def test_islands_end_with_one_loss_and_two_policies() -> None:
    _, steps, judgment = outcome("islands")
    last = steps[-1].readings
    assert last["loss"] == pytest.approx(last["other_loss"], abs=1e-9)
    assert judgment.measure > 0.1
    first, second = steps[-1].policies
    within = (first - second)[:, :2]  # the same on an island but for a constant
    torch.testing.assert_close(within[:, 0], within[:, 1], atol=1e-4, rtol=0)


def test_lengths_end_at_the_closed_form_and_the_penalty_restores_them() -> None:
    experiment, steps, _ = outcome("length")
    assert steps[-1].readings["mean_length"] == pytest.approx(
        experiment.ends["mean_length"], rel=1e-3
    )
    restored = outcome("length", length_penalty=math.log(1.5) / 10)[1][-1]
    assert restored.readings["mean_length"] == pytest.approx(20, abs=0.01)


def test_ipo_settles_at_the_mean_margin_it_asks_for() -> None:
    """Labels of four ordered responses ask every pair for 1/(2τ): least squares gives 5/6 of it."""
    last = outcome("deterministic", loss="ipo", beta=0.1)[1][-1].readings
    assert last["margin"] == pytest.approx(5 / 6 * 5, abs=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_every_control_of_a_case_changes_its_run(case: str) -> None:
    other = {"loss": "ipo", "labels": "soft", "graph": "chain", "features": "table"}
    numbers = {"beta": 1.7, "scale": 1.3, "bonus": 0.3, "anchor": 0.2, "longer": 0.7, "seed": 3}
    numbers |= {"length_penalty": 0.01, "stop": 3, "steps": 12}
    base = preset(case)
    if case == "islands":
        other["labels"] = "deterministic"
    start = list(made(case, steps=10).run())
    for name in CONTROLS[case]:
        swap = {"natural": "gradient", "gradient": "natural"} | {"lbfgs": "adam", "adam": "lbfgs"}
        new = other.get(name) or numbers.get(name) or swap[getattr(base, name)]
        changed = list(made(case, **({"steps": 10} | {name: new})).run())
        same = len(changed) == len(start) and changed[-1].readings == start[-1].readings
        assert not same, name


def test_after_the_stop_nothing_moves() -> None:
    steps = outcome("small-beta", stop=5)[1]
    assert [step.index for step in steps] == list(range(201))
    assert steps[5].readings == steps[200].readings != steps[4].readings


def test_runs_repeat_and_what_is_no_setting_is_refused() -> None:
    first, second = (list(made("islands", steps=10).run())[-1] for _ in range(2))
    assert all(map(torch.equal, first.policies, second.policies))
    assert first.readings == second.readings
    with pytest.raises(RangeError):
        preset("something-else")
    with pytest.raises(RangeError, match="records"):
        break_it.judge(made("length"), [])
    for wrong in ({"beta": 0}, {"anchor": -1}, {"case": 3}, {"stop": 0}):
        with pytest.raises(RangeError):
            break_it.Settings.read(wrong)
