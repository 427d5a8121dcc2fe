"""GRPO and Dr. GRPO as training: mean slopes by enumeration, where they rest, what lengths do."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from engine import grpo_training, kl_penalty, on_policy
from engine.errors import RangeError
from engine.estimators import k3
from engine.grpo_training import Grouped, Weights, dr_grpo_weights, grpo_weights
from engine.on_policy import Plan
from engine.policies import Tabular
from engine.ppo import Clipping
from engine.preferences import World

ONCE = Clipping(epochs=1)
REWARD = torch.tensor([[1.0, 0.0, 1.0]], dtype=torch.float64)
START = torch.tensor([[0.3, 0.5, 0.2]], dtype=torch.float64).log()


def mean_slope(weights: Weights, policy: Tensor, size: int) -> Tensor:
    """Return the mean slope in the logits over all sequences of responses."""
    total = torch.zeros_like(policy)
    for group in itertools.product(range(policy.shape[1]), repeat=size):
        drawn = torch.tensor([group])
        rewards = REWARD.gather(1, drawn)
        weight = weights(rewards, torch.ones_like(rewards))
        chance = policy.gather(1, drawn).sum().exp()
        slope = on_policy.gathered(drawn, weight, policy)
        total += chance * on_policy.in_logits(policy, slope)
    return total


def plan(**numbers: float) -> Plan:
    chosen = {"beta": 0.3, "rate": 0.3, "steps": 300, "draws": 8} | numbers
    return Plan(**chosen, generator=torch.Generator().manual_seed(0))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [2, 4])
def test_the_mean_slope_of_centered_groups_is_that_of_the_reward_but_for_one_factor(
    size: int,
) -> None:
    above = REWARD - (START.exp() * REWARD).sum()
    exact = (1 - 1 / size) * START.exp() * above
    torch.testing.assert_close(mean_slope(dr_grpo_weights, START, size), exact)
    divided = mean_slope(grpo_weights, START, size)
    assert (divided - exact).abs().max() > 0.1
    torch.testing.assert_close(  # one direction for all responses; only its length differs
        divided / divided.norm(), exact / exact.norm()
    )


def test_with_a_leash_it_rests_at_the_forward_optimum_and_not_at_the_closed_form() -> None:
    world, beta, size = World(REWARD, START), 0.3, 4
    price = beta / (1 - 1 / size)
    rest = kl_penalty.forward_optimum(REWARD, START, beta=price)
    pull = mean_slope(dr_grpo_weights, rest, size)
    back = beta * kl_penalty.expected_gradient(kl_penalty.in_loss(k3), rest, START)
    torch.testing.assert_close(pull, -back, atol=1e-10, rtol=0)
    steps = grpo_training.ascend_dr_grpo(
        Grouped.single_tokens(world),
        Tabular(START),
        plan(beta=beta, draws=size, steps=1500, rate=0.05),
        clipping=ONCE,
    )
    late = torch.stack([step.policy.exp() for step in steps][500:]).mean(dim=0)
    assert (late - rest.exp()).abs().max() < 0.02
    assert (late - on_policy.best(world, price).exp()).abs().max() > 0.05


@pytest.mark.parametrize("ascend", [grpo_training.ascend_grpo, grpo_training.ascend_dr_grpo])
def test_without_a_leash_right_answers_win(ascend: object) -> None:
    assert callable(ascend)
    grouped = Grouped.single_tokens(World(REWARD, START))
    steps = list(ascend(grouped, Tabular(START), plan(beta=0.0), clipping=Clipping(epochs=2)))
    assert steps[0].reward == pytest.approx(0.5)
    assert steps[-1].reward > 0.95
    assert math.isinf(steps[0].kl_to_optimum_nats)
    assert steps[-1].objective == steps[-1].reward


def test_the_length_of_a_wrong_answer_shields_it_only_with_the_division() -> None:
    rewards = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    lengths = torch.tensor([[10.0, 10.0, 100.0]], dtype=torch.float64)
    short, long = grpo_weights(rewards, lengths)[0, 1:].tolist()
    assert long == pytest.approx(short / 10)
    assert dr_grpo_weights(rewards, lengths)[0, 1] == dr_grpo_weights(rewards, lengths)[0, 2]


def test_the_std_convention_is_the_population_one() -> None:
    rewards = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    assert grpo_weights(rewards, torch.ones_like(rewards)).tolist() == [[1.0, -1.0]]


def test_what_has_no_length_is_refused() -> None:
    with pytest.raises(RangeError, match="length"):
        Grouped(World(REWARD, START), torch.zeros_like(REWARD))
