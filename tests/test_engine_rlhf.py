"""Climbing the RLHF objective: gradients against autograd, the top against the closed form."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from engine import rlhf
from engine.closed_form import objective, optimal_policy, optimal_value
from engine.distributions import kl
from engine.errors import RangeError, ShapeError
from engine.preferences import World

BETAS = [0.1, 0.5, 1.0, 3.0]


def draw(prompts: int = 50, responses: int = 4) -> tuple[World, Tensor]:
    """Return a random world and a policy that has nothing to do with it."""
    generator = torch.Generator().manual_seed(prompts)
    cube = torch.randn(3, prompts, responses, generator=generator, dtype=torch.float64)
    return World(cube[0], cube[1].log_softmax(dim=-1)), cube[2].log_softmax(dim=-1)


def slope(world: World, policy: Tensor, beta: float) -> Tensor:
    """Return the derivative of J in the logits, by automatic differentiation."""
    logits = policy.clone().requires_grad_()
    value = objective(logits.log_softmax(dim=-1), world.reward, world.reference, beta=beta)
    (found,) = torch.autograd.grad(value.sum(), logits)
    return found


@pytest.mark.parametrize("beta", BETAS)
def test_the_gradient_is_the_derivative_in_the_logits(beta: float) -> None:
    world, policy = draw()
    exact = slope(world, policy, beta)
    torch.testing.assert_close(rlhf.gradient(rlhf.point(world, policy, beta=beta)), exact)
    uncentered = policy.exp() * (world.reward - beta * (policy - world.reference))
    assert not torch.allclose(uncentered, exact), "the mean must be taken off"


@pytest.mark.parametrize("beta", BETAS)
def test_the_advantage_is_the_natural_gradient(beta: float) -> None:
    world, policy = draw()
    shares = policy.exp()
    fisher = torch.diag_embed(shares) - shares.unsqueeze(2) * shares.unsqueeze(1)
    at = rlhf.point(world, policy, beta=beta)
    advantage = rlhf.natural_gradient(at)
    back = (fisher @ advantage.unsqueeze(2)).squeeze(2)
    torch.testing.assert_close(back, slope(world, policy, beta))
    torch.testing.assert_close(
        (shares * advantage).sum(dim=1), torch.zeros(50, dtype=torch.float64), atol=1e-12, rtol=0
    )


@pytest.mark.parametrize("beta", BETAS)
def test_at_the_optimum_and_only_there_no_response_has_an_advantage(beta: float) -> None:
    world, other = draw()
    optimum = optimal_policy(world.reward, world.reference, beta=beta)
    assert rlhf.point(world, optimum, beta=beta).advantage.abs().max() < 1e-12
    assert rlhf.point(world, other, beta=beta).advantage.abs().amax(dim=1).min() > 1e-3


@pytest.mark.parametrize("beta", BETAS)
def test_one_natural_step_of_one_over_beta_lands_on_the_optimum(beta: float) -> None:
    world, start = draw()
    optimum = optimal_policy(world.reward, world.reference, beta=beta)
    *_, last = rlhf.natural_gradient_ascent(world, start, beta=beta, rate=1 / beta, steps=1)
    torch.testing.assert_close(last.policy, optimum)
    best = optimal_value(world.reward, world.reference, beta=beta)
    torch.testing.assert_close(last.value, best)
    *_, wrong = rlhf.natural_gradient_ascent(world, start, beta=beta, rate=0.9 / beta, steps=1)
    assert kl(optimum, wrong.policy).max() > 1e-6, "any other length misses"


def test_shorter_natural_steps_shrink_the_distance_in_logits_by_one_factor() -> None:
    world, start = draw()
    optimum = optimal_policy(world.reward, world.reference, beta=0.5)
    run = list(rlhf.natural_gradient_ascent(world, start, beta=0.5, rate=0.4, steps=5))
    for before, after in pairwise(run):
        gaps = [point.policy - optimum for point in (before, after)]
        first, second = (gap - gap.mean(dim=1, keepdim=True) for gap in gaps)
        torch.testing.assert_close(second, (1 - 0.4 * 0.5) * first)


@pytest.mark.parametrize("beta", [0.5, 1.0])
def test_plain_ascent_gets_there_too_and_never_goes_down(beta: float) -> None:
    world, start = draw(5, 3)
    run = list(rlhf.gradient_ascent(world, start, beta=beta, rate=1.0, steps=1500))
    best = optimal_value(world.reward, world.reference, beta=beta)
    assert (best - run[-1].value).abs().max() < 1e-9
    values = torch.stack([point.value for point in run])
    assert bool((values.diff(dim=0) > -1e-12).all())
    assert (best - run[5].value).max() > 1e-3, "five steps are not enough"


def test_a_run_has_its_start_and_one_point_per_step() -> None:
    world, start = draw()
    run = list(rlhf.gradient_ascent(world, start, beta=1.0, rate=0.1, steps=3))
    assert len(run) == 4
    assert run[0].policy is start
    torch.testing.assert_close(
        run[0].value, objective(start, world.reward, world.reference, beta=1.0)
    )


@pytest.mark.parametrize("ascent", [rlhf.gradient_ascent, rlhf.natural_gradient_ascent])
def test_what_has_no_answer_is_refused(ascent: object) -> None:
    assert callable(ascent)
    world, start = draw()
    for beta, rate, says in [(0.0, 1.0, "β"), (1.0, 0.0, "rate"), (1.0, math.inf, "rate")]:
        with pytest.raises(RangeError, match=says):
            list(ascent(world, start, beta=beta, rate=rate, steps=1))
    with pytest.raises(ShapeError, match="shape"):
        list(ascent(world, start[:, :2].log_softmax(dim=-1), beta=1.0, rate=1.0, steps=1))
    with pytest.raises(RangeError, match="sum to 1"):
        list(ascent(world, start + 1, beta=1.0, rate=1.0, steps=1))
