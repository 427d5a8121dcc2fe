"""Any loss on pairs: DPO against the trainer that knows it by heart, IPO against its margin."""

from functools import partial

import pytest
import torch

from engine import losses, optimizers, pair_training, preferences, train
from engine.errors import DivergenceError, EngineError
from engine.pair_training import MarginLoss, Objective
from engine.policies import SharedFeatures, Tabular
from engine.preferences import World

DPO, IPO = MarginLoss.dpo(beta=0.5), MarginLoss.ipo(tau=0.25)


def world(seed: int = 0) -> World:
    return preferences.world(3, 4, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shared", ["shared", "table"])
def test_dpo_is_the_same_run_as_with_closed_forms(shared: str) -> None:
    made = world()
    pairs = preferences.soft_pairs(made)
    generator = torch.Generator().manual_seed(1)
    policy: SharedFeatures | Tabular = Tabular.at_reference(made)
    if shared == "shared":
        policy = SharedFeatures.random(made, 2, generator=generator)
    descent = partial(optimizers.gradient_descent, learning_rate=2.0)
    known = train.dpo(made, pairs, policy=policy, beta=0.5, optimizer=descent, steps=30)
    objective = Objective(policy, made.reference, pairs, DPO)
    found = pair_training.descend(objective.at, policy.start, 30, optimizer=descent)
    for place, step in zip(found, known, strict=True):
        torch.testing.assert_close(place.table, step.policy)
        assert place.loss == pytest.approx(step.loss, abs=1e-12)
        assert objective.margin(place.log_ratios).item() == pytest.approx(step.margin, abs=1e-12)


@pytest.mark.parametrize("name", ["gradient", "adam", "lbfgs"])
def test_ipo_stops_at_its_margin_where_dpo_goes_on(name: str) -> None:
    made, pair = preferences.displacement()
    policy = Tabular.at_reference(made)
    margins = []
    for loss in (IPO, DPO):
        objective = Objective(policy, made.reference, pair, loss)
        *_, last = pair_training.descend(
            objective.at, policy.start, 200, optimizer=pair_training.OPTIMIZERS[name]
        )
        margins.append(objective.margin(last.log_ratios).item())
    assert margins[0] == pytest.approx(1 / (2 * 0.25), abs=1e-3)
    assert margins[1] > 4


def test_the_anchor_adds_the_chosen_responses_own_likelihood() -> None:
    made, pair = preferences.displacement()
    plain, held = (
        Objective(Tabular.at_reference(made), made.reference, pair, DPO, anchor)
        for anchor in (0.0, 0.3)
    )
    table = torch.tensor([[0.2, 0.3, 0.5]]).double().log()
    log_ratios = plain.log_ratios(table)
    expected = plain.value(log_ratios) - 0.3 * table[0, 0]
    torch.testing.assert_close(held.value(log_ratios), expected)


@pytest.mark.parametrize("anchor", [0.0, 0.3])
@pytest.mark.parametrize("lead", [0.0, 0.7])
@pytest.mark.parametrize("name", ["dpo", "ipo"])
def test_the_slope_is_that_of_the_loss(name: str, lead: float, anchor: float) -> None:
    made = world(2)
    pairs = preferences.soft_pairs(made)
    loss = MarginLoss.dpo(beta=0.5, lead=lead) if name == "dpo" else IPO
    objective = Objective(Tabular.at_reference(made), made.reference, pairs, loss, anchor)
    generator = torch.Generator().manual_seed(3)
    shape = (2, len(pairs))
    moving = torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
    (exact,) = torch.autograd.grad(objective.value(moving), moving)
    found = objective.slope(moving.detach())
    torch.testing.assert_close(found, exact)
    assert not torch.allclose(found.flip(0), exact), "chosen and rejected are told apart"


def test_values_are_those_of_the_losses() -> None:
    margin = torch.linspace(-40.0, 40.0, 81, dtype=torch.float64)
    none = torch.zeros_like(margin)
    torch.testing.assert_close(DPO.value(margin), losses.dpo(margin, none, beta=0.5))
    torch.testing.assert_close(IPO.value(margin), losses.ipo(margin, none, tau=0.25))
    assert not torch.allclose(IPO.value(margin), losses.ipo(margin, none, tau=0.5))


def test_a_lead_is_the_price_of_length() -> None:
    margin = torch.tensor([0.3, -2.0, 1.5]).double()
    longer = torch.tensor([-2.0, 3.0, 5.0]).double()
    tokens = (torch.full((3,), 6.0) + longer, torch.full((3,), 6.0))
    exact = losses.r_dpo(margin, torch.zeros(3).double(), beta=0.5, alpha=0.02, lengths=tokens)
    found = MarginLoss.dpo(beta=0.5, lead=0.02 * longer / 0.5).value(margin)
    torch.testing.assert_close(found, exact)
    wrong = MarginLoss.dpo(beta=0.5, lead=-0.02 * longer / 0.5).value(margin)
    assert (wrong - exact).abs().max() > 0.05


def test_an_anchor_makes_the_policy_unique_on_islands() -> None:
    made = world(1)
    pairs = preferences.soft_pairs(made, preferences.islands(4))
    ends = {}
    for anchor in (0.0, 0.2):
        objective = Objective(Tabular.at_reference(made), made.reference, pairs, DPO, anchor)
        shifted = made.reference + torch.tensor([2.0, 2, 0, 0]).double()
        runs = [
            list(pair_training.descend(objective.at, start, 60, optimizer=optimizers.lbfgs))
            for start in (made.reference, shifted)
        ]
        ends[anchor] = runs[0][-1], runs[1][-1]
    (one, other), (first, second) = ends[0.0], ends[0.2]
    assert one.loss == pytest.approx(other.loss, abs=1e-9)
    assert (one.table - other.table).abs().max() > 0.5
    torch.testing.assert_close(first.table, second.table, atol=1e-4, rtol=0)


def test_what_cannot_work_is_refused() -> None:
    made, pair = preferences.displacement()
    policy = Tabular.at_reference(made)
    with pytest.raises(EngineError, match="at least 0"):
        Objective(policy, made.reference, pair, DPO, -1.0)
    objective = Objective(policy, made.reference, pair, IPO)
    with pytest.raises(EngineError, match="L-BFGS"):
        list(pair_training.descend(objective.at, policy.start, 1, optimizer=optimizers.newton))
    hasty = partial(optimizers.gradient_descent, learning_rate=1.0)
    with pytest.raises(DivergenceError, match="last good") as caught:
        list(pair_training.descend(objective.at, policy.start, 100, optimizer=hasty))
    assert isinstance(caught.value.last, int)
