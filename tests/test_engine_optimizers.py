"""Optimizers on convex losses with a known minimum, and against independent implementations."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise

import pytest
import torch
from torch import Tensor

from engine import optimizers, policies, preferences, train
from engine.errors import RangeError
from engine.optimizers import Optimizer, P, Point, Surface
from engine.train import Step

STIFFNESS = torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64)
CENTER = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
START = torch.zeros(3, dtype=torch.float64)


@dataclass
class Bowl:
    """½ Σ stiffness (x − center)²."""

    parameters: Tensor

    @property
    def loss(self) -> float:
        return float((STIFFNESS * (self.parameters - CENTER).square()).sum() / 2)

    @property
    def gradient(self) -> Tensor:
        return STIFFNESS * (self.parameters - CENTER)

    def newton_direction(self) -> Tensor:
        return CENTER - self.parameters


@dataclass
class Valley:
    """√(1 + x²): from far away Newton's parabola overshoots, by the cube of the distance."""

    parameters: Tensor

    @property
    def loss(self) -> float:
        return float(torch.hypot(torch.ones(1).double(), self.parameters))

    @property
    def gradient(self) -> Tensor:
        return self.parameters / self.loss

    def newton_direction(self) -> Tensor:
        return -self.parameters * self.loss**2


def losses(points: Iterator[Point]) -> list[float]:
    return [point.loss for point in points]


def test_newton_is_exact_on_a_parabola_in_one_step() -> None:
    *_, last = optimizers.newton(Bowl, START, 1)
    torch.testing.assert_close(last.parameters, CENTER)


def test_newton_backtracks_where_the_full_step_overshoots() -> None:
    far = torch.tensor([4.0], dtype=torch.float64)
    overshot = Valley(far + Valley(far).newton_direction())
    assert overshot.loss > Valley(far).loss, "without a line search it would diverge"
    visited = losses(optimizers.newton(Valley, far, 12))
    assert all(later <= earlier for earlier, later in pairwise(visited))
    assert visited[-1] == pytest.approx(1.0, abs=1e-12)


def test_lbfgs_reaches_the_minimum_of_a_stretched_bowl() -> None:
    visited = losses(optimizers.lbfgs(Bowl, START, 25))
    assert all(later <= earlier for earlier, later in pairwise(visited))
    assert visited[-1] < 1e-20


def test_gradient_descent_by_hand() -> None:
    points = list(optimizers.gradient_descent(Bowl, START, 2, learning_rate=0.01))
    shrunk = CENTER * (1 - (1 - 0.01 * STIFFNESS) ** 2)
    torch.testing.assert_close(points[2].parameters, shrunk)


def test_adams_first_step_is_the_learning_rate_whatever_the_gradient() -> None:
    _, first = optimizers.adam(Bowl, START, 1, learning_rate=0.25)
    torch.testing.assert_close(first.parameters, 0.25 * CENTER.sign())


def test_adam_settles_because_its_rate_falls() -> None:
    def constant(surface: Surface[P], start: Tensor, steps: int) -> Iterator[P]:
        """Take the beginning of a run so long that the rate has hardly fallen."""
        return islice(optimizers.adam(surface, start, 10**6), steps + 1)

    *_, settled = small_run(optimizers.adam, 600)
    assert settled.kl_to_optimum < 1e-12
    rattling = [step.kl_to_optimum for step in small_run(constant, 600)]
    assert max(rattling[-200:]) > 1e-8
    assert min(rattling) < 1e-10, "though it has been there"


def small_run(optimizer: Optimizer, steps: int) -> Iterator[Step]:
    world = preferences.world(4, 4, generator=torch.Generator().manual_seed(0))
    pairs = preferences.soft_pairs(world)
    policy = policies.Tabular.at_reference(world)
    return train.dpo(world, pairs, policy=policy, beta=0.5, optimizer=optimizer, steps=steps)


@pytest.mark.slow
def test_adam_against_torch() -> None:
    steps, rate = 40, 0.3
    parameters = START.clone()
    adam = torch.optim.Adam([parameters], lr=rate, betas=(0.9, 0.99), eps=1e-12)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, T_max=steps)
    for point in islice(optimizers.adam(Bowl, START, steps, learning_rate=rate), steps):
        torch.testing.assert_close(point.parameters, parameters)
        parameters.grad = Bowl(parameters).gradient
        adam.step()
        schedule.step()


def test_all_agree_on_a_dpo_loss_with_a_finite_minimum() -> None:
    world = preferences.world(2, 3, generator=torch.Generator().manual_seed(0))
    pairs = preferences.sampled_pairs(world, 200, generator=torch.Generator().manual_seed(1))
    assert preferences.bounded(pairs, world)
    policy = policies.Tabular.at_reference(world)
    descent = partial(optimizers.gradient_descent, learning_rate=30.0)
    choices: list[Optimizer] = [optimizers.lbfgs, optimizers.adam, descent]
    *_, newton = train.dpo(world, pairs, policy=policy, beta=0.5, steps=10)
    for choice in choices:
        *_, last = train.dpo(world, pairs, policy=policy, beta=0.5, optimizer=choice, steps=400)
        torch.testing.assert_close(last.policy, newton.policy, atol=1e-6, rtol=0)


@pytest.mark.parametrize("optimizer", [optimizers.newton, optimizers.lbfgs])
def test_a_start_on_the_flat_far_side_is_no_trap(optimizer: Optimizer) -> None:
    world = preferences.world(3, 5, generator=torch.Generator().manual_seed(0))
    far = torch.randn(3, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    run = train.dpo(
        world,
        preferences.soft_pairs(world),
        policy=policies.Tabular(200 * far),
        beta=0.5,
        optimizer=optimizer,
        steps=200,
    )
    *_, last = run
    assert last.kl_to_optimum < 1e-9


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan])
@pytest.mark.parametrize("optimizer", [optimizers.adam, optimizers.gradient_descent])
def test_a_rate_must_be_above_zero(optimizer: Callable[..., Iterator[Point]], rate: float) -> None:
    with pytest.raises(RangeError, match=f"learning rate .* got {rate}"):
        next(optimizer(Bowl, START, 1, learning_rate=rate))
