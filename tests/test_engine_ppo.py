"""PPO: slopes against automatic differentiation, the first epoch against REINFORCE, the climb."""

import math

import pytest
import torch
from torch import Tensor

from engine import closed_form, on_policy, ppo, reinforce
from engine.errors import RangeError, ShapeError
from engine.on_policy import Plan
from engine.policies import Tabular
from engine.ppo import Batch, Clipping, Reuse
from engine.preferences import World, world

UNCLIPPED = Clipping(low=math.inf, high=math.inf)


def some(seed: int = 0) -> tuple[World, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    made = world(3, 4, generator=generator)
    return made, torch.randn(3, 4, generator=generator, dtype=torch.float64).log_softmax(dim=-1)


def plan(**numbers: float) -> Plan:
    chosen = {"beta": 0.5, "rate": 0.2, "steps": 200, "draws": 256} | numbers
    return Plan(**chosen, generator=torch.Generator().manual_seed(0))  # type: ignore[arg-type]


@pytest.mark.parametrize("clipping", [Clipping(), Clipping(low=0.2, high=0.28)])
def test_the_slope_is_the_derivative_of_the_clipped_objective(clipping: Clipping) -> None:
    log_ratio = torch.linspace(-0.5, 0.5, 41, dtype=torch.float64, requires_grad=True)
    for sign in (2.0, -2.0):
        advantage = torch.full((41,), sign, dtype=torch.float64)
        gain = ppo.objective(log_ratio.exp(), advantage, clipping).sum()
        (derivative,) = torch.autograd.grad(gain, log_ratio)
        ratio = log_ratio.detach().exp()
        torch.testing.assert_close(ppo.slope(ratio, advantage, clipping), derivative)
        flat = (ratio > 1 + clipping.high) if sign > 0 else (ratio < 1 - clipping.low)
        assert torch.equal(derivative == 0, flat), "flat exactly there"
        assert not torch.equal(derivative == 0, (ratio - 1).abs() > 0.2), "on one side only"


def test_the_first_epoch_is_reinforce_with_the_value_as_baseline() -> None:
    made, policy = some()
    responses = on_policy.draw(policy, 50, torch.Generator().manual_seed(1))
    returns, value = made.reward.gather(1, responses), torch.tensor([1.0, -2.0, 0.5]).double()
    batch = Batch(policy, responses, returns - value.unsqueeze(1))
    moved, clipped = ppo.reuse(
        Tabular(policy), batch, policy, Reuse(rate=1.0, clipping=Clipping(epochs=1))
    )
    plain = reinforce.sampled_gradient(policy, responses, returns, baseline=value)
    torch.testing.assert_close(moved - policy, plain)
    assert clipped == 0
    twice, _ = ppo.reuse(Tabular(policy), batch, policy, Reuse(1.0, Clipping(epochs=2)))
    assert not torch.allclose(twice - policy, 2 * plain, atol=1e-3), "later epochs differ"


def test_all_epochs_are_gradient_steps_on_one_objective() -> None:
    made, policy = some(1)
    responses = on_policy.draw(policy, 20, torch.Generator().manual_seed(2))
    advantage = made.reward.gather(1, responses)
    clipping, logits = Clipping(epochs=5), policy.clone()
    for _ in range(clipping.epochs):
        moving = logits.clone().requires_grad_()
        ratio = (moving.log_softmax(dim=-1) - policy).gather(1, responses).exp()
        ppo.objective(ratio, advantage, clipping).mean(dim=1).sum().backward()
        assert moving.grad is not None
        logits = logits + 0.7 * moving.grad
    found, share = ppo.reuse(
        Tabular(policy), Batch(policy, responses, advantage), policy, Reuse(0.7, clipping)
    )
    torch.testing.assert_close(found, logits)
    assert 0 < share < 1


def test_clipping_keeps_a_greedy_batch_closer() -> None:
    made, policy = some(2)
    responses = on_policy.draw(policy, 100, torch.Generator().manual_seed(3))
    batch = Batch(policy, responses, made.reward.gather(1, responses))
    ends = [
        on_policy.log_policy(Tabular(policy), ppo.reuse(Tabular(policy), batch, policy, how)[0])
        for how in (Reuse(0.5, Clipping(epochs=30)), Reuse(0.5, Clipping(30, math.inf, math.inf)))
    ]
    near, far = (float((end - policy).exp().gather(1, responses).max()) for end in ends)
    assert near < far / 2


def test_it_climbs_to_the_optimum_and_the_value_to_the_objective() -> None:
    made, _ = some(3)
    steps = list(ppo.ascend(made, Tabular.at_reference(made), plan()))
    best = closed_form.optimal_value(made.reward, made.reference, beta=0.5).mean().item()
    assert steps[-1].objective == pytest.approx(best, abs=0.01)
    assert steps[0].objective < best - 0.2
    hasty = ppo.ascend(made, Tabular.at_reference(made), plan(steps=20, rate=2.0))
    assert max(step.clip_fraction for step in hasty) > 0
    unclipped = ppo.ascend(
        made, Tabular.at_reference(made), plan(steps=20, rate=2.0), clipping=UNCLIPPED
    )
    assert max(step.clip_fraction for step in unclipped) == 0


def test_value_losses_by_hand() -> None:
    returns = torch.tensor([[1.0, 3.0]]).double()
    value, old = torch.tensor([1.5]).double(), torch.tensor([0.0]).double()
    assert ppo.value_loss(value, returns).item() == pytest.approx((0.25 + 2.25) / 4)
    held = ppo.clipped_value_loss(value, old, returns, bound=0.2)
    assert held.item() == pytest.approx((0.64 + 7.84) / 4)
    free = ppo.clipped_value_loss(value, old, returns, bound=9.0)
    torch.testing.assert_close(free, ppo.value_loss(value, returns))


def test_clipping_the_value_stops_its_slope_once_it_moved_far_enough() -> None:
    returns, old = torch.tensor([[2.0]]).double(), torch.tensor([0.0]).double()
    for at, flat in ((0.1, False), (0.3, True), (-0.3, False)):
        value = torch.tensor([at], dtype=torch.float64, requires_grad=True)
        loss = ppo.clipped_value_loss(value, old, returns, bound=0.2)
        (slope,) = torch.autograd.grad(loss.sum(), value)
        assert (slope.item() == 0) is flat


def test_what_has_no_answer_is_refused() -> None:
    for wrong in ({"epochs": 0}, {"low": 0.0}, {"high": float("nan")}, {"value_rate": -1.0}):
        with pytest.raises(RangeError):
            Clipping(**wrong)
    with pytest.raises(ShapeError):
        ppo.value_loss(torch.zeros(2), torch.zeros(1, 3))
    with pytest.raises(ShapeError):
        ppo.slope(torch.ones(2, 3), torch.ones(2, 1), Clipping())
