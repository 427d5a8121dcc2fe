"""Reinforcement with an entropy bonus: gradients by autograd, the optimum by its own theory."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from engine import closed_form
from engine.distributions import entropy
from engine.entropy_bonus import ascend, objective, optimum
from engine.errors import EngineError

START = torch.tensor([[0.3, 0.6, 0.1]], dtype=torch.float64).log()
REWARD = torch.tensor([[0.0, 1.0, 1.0]], dtype=torch.float64)


def draw(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(20, 4, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("bonus", [0.0, 0.1, 2.0])
def test_a_step_follows_the_gradient_of_the_objective(bonus: float) -> None:
    reward, logits = draw(1), draw(2).requires_grad_()
    start = logits.log_softmax(dim=-1)
    (slope,) = torch.autograd.grad(objective(start, reward, bonus=bonus).sum(), logits)
    with torch.no_grad():
        expected = (start + 0.3 * slope).log_softmax(dim=-1)
        _, got = ascend(start, reward, bonus=bonus, rate=0.3, steps=1)
        torch.testing.assert_close(got, expected)
        _, downhill = ascend(start, -reward, bonus=bonus, rate=0.3, steps=1)
    assert not torch.allclose(downhill, expected)


@pytest.mark.parametrize("bonus", [0.1, 1.0])
def test_the_optimum_is_that_of_a_divergence_from_the_uniform(bonus: float) -> None:
    reward = draw(3)
    flat = torch.zeros_like(reward).log_softmax(dim=-1)
    expected = closed_form.optimal_policy(reward, flat, beta=bonus)
    torch.testing.assert_close(optimum(reward, bonus=bonus), expected)


def test_the_optimum_reaches_tau_log_sum_and_nothing_is_better() -> None:
    reward = draw(4)
    best = objective(optimum(reward, bonus=0.5), reward, bonus=0.5)
    torch.testing.assert_close(best, 0.5 * torch.logsumexp(reward / 0.5, dim=-1))
    for seed in range(5, 25):
        other = objective(draw(seed).log_softmax(dim=-1), reward, bonus=0.5)
        assert bool((other < best).all())
    halved = objective(optimum(reward, bonus=0.25), reward, bonus=0.5)
    assert bool((halved < best).all())


def test_reward_alone_raises_reward_and_runs_entropy_down() -> None:
    run = list(ascend(START, REWARD, bonus=0.0, rate=1.0, steps=200))
    earned = [objective(policy, REWARD, bonus=0.0).item() for policy in run]
    spread = [entropy(policy).item() for policy in run]
    assert all(after > before for before, after in pairwise(earned))
    assert all(after < before for before, after in pairwise(spread))


def test_the_common_right_answer_outruns_the_rare_one_only_through_its_probability() -> None:
    run = list(ascend(START, REWARD, bonus=0.0, rate=1.0, steps=200))
    ratios = [(policy[0, 1] - policy[0, 2]).exp().item() for policy in run]
    assert ratios[0] == pytest.approx(6)
    assert all(after > before for before, after in pairwise(ratios))
    policy = START
    for _ in range(200):  # a push by the advantage alone, without the probability before it
        advantage = REWARD - (policy.exp() * REWARD).sum()
        policy = (policy + 0.1 * advantage).log_softmax(dim=-1)
    assert (policy[0, 1] - policy[0, 2]).exp().item() == pytest.approx(6)


def test_a_bonus_brings_the_two_right_answers_level() -> None:
    *_, last = ascend(START, REWARD, bonus=0.1, rate=1.0, steps=2000)
    torch.testing.assert_close(last.exp(), optimum(REWARD, bonus=0.1).exp(), atol=2e-3, rtol=0)
    assert last[0, 1].item() == pytest.approx(last[0, 2].item(), abs=1e-9)


def test_what_has_no_answer_is_refused() -> None:
    for bonus in (-0.1, float("nan")):
        with pytest.raises(EngineError, match="τ"):
            objective(START, REWARD, bonus=bonus)
    with pytest.raises(EngineError, match="above 0"):
        optimum(REWARD, bonus=0)
    with pytest.raises(EngineError, match="rate"):
        ascend(START, REWARD, bonus=0, rate=0, steps=1)
    with pytest.raises(EngineError, match="shape"):
        ascend(START, REWARD[:, :2], bonus=0, rate=1, steps=1)
    with pytest.raises(EngineError, match="finite"):
        ascend(START.exp().floor().log(), REWARD, bonus=0, rate=1, steps=1)
