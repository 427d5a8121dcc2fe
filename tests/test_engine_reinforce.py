"""REINFORCE: means and variances by enumeration, the baseline's role, the climb to the optimum."""

import math

import pytest
import torch
from torch import Tensor

from engine import closed_form, kl_penalty, on_policy, reinforce, rlhf
from engine.errors import DivergenceError, RangeError, ShapeError
from engine.estimators import k1
from engine.on_policy import Plan
from engine.policies import Tabular
from engine.preferences import World, world

BETA = 0.5


def some(seed: int = 0, prompts: int = 3, responses: int = 4) -> tuple[World, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    made = world(prompts, responses, generator=generator)
    logits = torch.randn(prompts, responses, generator=generator, dtype=torch.float64)
    return made, logits.log_softmax(dim=-1)


def single_draws(policy: Tensor, signal: Tensor, baseline: Tensor) -> Tensor:
    """Return the gradient of each possible single draw, (responses drawn, prompts, logits)."""
    prompts, responses = policy.shape
    gradients = []
    for y in range(responses):
        drawn = torch.full((prompts, 1), y)
        found = reinforce.sampled_gradient(
            policy, drawn, signal.gather(1, drawn), baseline=baseline
        )
        gradients.append(found)
    return torch.stack(gradients)


def plan(**numbers: float) -> Plan:
    generator = torch.Generator().manual_seed(int(numbers.pop("seed", 0)))
    chosen = {"beta": BETA, "rate": 0.5, "steps": 300, "draws": 16} | numbers
    return Plan(**chosen, generator=generator)  # type: ignore[arg-type]


@pytest.mark.parametrize("level", [0.0, 1.7, -30.0])
def test_the_mean_over_all_draws_is_the_exact_gradient_whatever_the_baseline(level: float) -> None:
    made, policy = some()
    signal = reinforce.signal(made, policy, kl_penalty.in_reward(k1), BETA)
    baseline = torch.full((3,), level, dtype=torch.float64)
    each = single_draws(policy, signal, baseline)
    mean = (policy.exp().T.unsqueeze(2) * each).sum(dim=0)
    exact = rlhf.gradient(rlhf.point(made, policy, beta=BETA))
    torch.testing.assert_close(mean, exact)
    torch.testing.assert_close(
        reinforce.expected_gradient(policy, signal, baseline=baseline), exact
    )
    spread = (policy.exp().T.unsqueeze(2) * (each - mean) ** 2).sum(dim=(0, 2))
    torch.testing.assert_close(reinforce.variance(policy, signal, baseline=baseline), spread)


def test_a_baseline_that_looks_at_the_response_is_biased_and_refused() -> None:
    made, policy = some()
    signal, looking = made.reward, made.reward / 2
    mean = on_policy.in_logits(policy, policy.exp() * (signal - looking))
    right = reinforce.expected_gradient(policy, signal, baseline=torch.zeros(3).double())
    assert (mean - right).abs().max() > 0.05
    with pytest.raises(ShapeError, match="depends on the response"):
        reinforce.expected_gradient(policy, signal, baseline=looking)
    drawn = torch.zeros(3, 4, dtype=torch.int64)
    with pytest.raises(ShapeError, match="depends on the response"):
        reinforce.sampled_gradient(policy, drawn, signal, baseline=looking)


def test_the_best_baseline_has_the_least_variance_and_is_not_quite_the_mean() -> None:
    made, policy = some(1)
    best = reinforce.best_baseline(policy, made.reward)
    least = reinforce.variance(policy, made.reward, baseline=best)
    moving = best.clone().requires_grad_()
    (slope,) = torch.autograd.grad(
        reinforce.variance(policy, made.reward, baseline=moving).sum(), moving
    )
    torch.testing.assert_close(slope, torch.zeros_like(slope), atol=1e-12, rtol=0)
    mean = (policy.exp() * made.reward).sum(dim=-1)
    for other in (mean, torch.zeros(3).double(), best + 5):
        assert bool((reinforce.variance(policy, made.reward, baseline=other) > least).all())


def test_sampled_climbs_come_near_the_optimum_and_more_draws_come_nearer() -> None:
    made, _ = some(2)
    first, near, far = (
        list(reinforce.ascend(made, Tabular.at_reference(made), plan(draws=draws)))
        for draws in (1, 512, 16)
    )
    best = closed_form.optimal_value(made.reward, made.reference, beta=BETA).mean().item()
    assert near[-1].kl_to_optimum_nats < 0.01 < far[0].kl_to_optimum_nats
    late = [sum(step.kl_to_optimum_nats for step in run[-100:]) for run in (near, far, first)]
    assert late[0] < late[1] < late[2]
    for step in near[::50]:
        assert step.objective == pytest.approx(best - BETA * step.kl_to_optimum_nats, abs=1e-9)


def test_without_a_price_k1_in_the_loss_never_finds_the_optimum() -> None:
    """Its mean slope is zero, so the leash is cut: reward alone decides."""
    made, _ = some(2)
    policy, how = Tabular.at_reference(made), plan(draws=256, steps=400)
    *_, held = reinforce.ascend(made, policy, how)
    loose_plan = plan(draws=256, steps=400)
    *_, loose = reinforce.ascend(made, policy, loose_plan, penalty=kl_penalty.in_loss(k1))
    assert held.kl_to_optimum_nats < 0.01 < 0.2 < loose.kl_to_optimum_nats
    assert loose.reward > held.reward


def test_same_seed_same_bits_and_the_global_generator_is_left_alone() -> None:
    made, _ = some()
    before = torch.get_rng_state()
    first, second, other = (
        list(reinforce.ascend(made, Tabular.at_reference(made), plan(steps=5, seed=seed)))
        for seed in (4, 4, 5)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first[-1].policy, second[-1].policy)
    assert not torch.equal(first[-1].policy, other[-1].policy)


def test_without_a_leash_the_limit_of_the_optimum_is_the_best_of_the_reference() -> None:
    made = World(
        torch.tensor([[1.0, 0.0, 1.0]]).double(), torch.tensor([[0.2, 0.5, 0.3]]).double().log()
    )
    torch.testing.assert_close(
        on_policy.best(made, 0.0).exp(), torch.tensor([[0.4, 0.0, 0.6]]).double()
    )
    close = on_policy.best(made, 0.01)
    torch.testing.assert_close(close.exp(), on_policy.best(made, 0.0).exp())


def test_the_way_to_an_optimum_that_rules_out_what_is_allowed_is_infinite() -> None:
    made = World(torch.tensor([[1.0, 0.0]]).double(), torch.tensor([[0.5, 0.5]]).double().log())
    for rare in (-1.0, -800.0):  # e^−800 is 0 in double precision, and 0 · ∞ is not a number
        table = torch.tensor([[0.0, rare]]).double().log_softmax(dim=-1)
        assert on_policy.read(made, table, beta=0.0).kl_to_optimum_nats == math.inf
        share = table.exp()
        product = (share * (table - on_policy.best(made, 0.0))).sum()
        assert bool(product.isnan()) == (rare == -800.0)
    reached = torch.tensor([[0.0, -torch.inf]]).double()
    assert on_policy.read(made, reached, beta=0.0).kl_to_optimum_nats == 0.0


def test_what_has_no_answer_is_refused() -> None:
    made, _ = some()
    for wrong in ({"rate": 0.0}, {"steps": -1}, {"draws": 0}, {"beta": -0.1}, {"beta": 1e400}):
        with pytest.raises(RangeError):
            plan(**wrong)
    with pytest.raises(ShapeError, match="Build the policy"):
        reinforce.ascend(made, Tabular(torch.zeros(2, 2).double()), plan())
    with pytest.raises(DivergenceError, match="last good") as caught:
        list(reinforce.ascend(made, Tabular.at_reference(made), plan(rate=1e9)))
    assert isinstance(caught.value.last, on_policy.Step)
