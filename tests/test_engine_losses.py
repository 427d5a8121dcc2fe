"""Preference losses: hand values, a reference implementation, gradients, and where they settle."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from engine import losses
from engine.errors import EngineError, PairsError, RangeError, ShapeError


def vector(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def draw(seed: int) -> Tensor:
    """Return 200 log-ratios, most of them between −20 and 20."""
    generator = torch.Generator().manual_seed(seed)
    return 10 * torch.randn(200, generator=generator, dtype=torch.float64)


def test_dpo_by_hand() -> None:
    loss = losses.dpo(vector(0.0, 1.5, -0.5), vector(0.0, -0.5, 1.5), beta=0.5)
    # log 2; log(1 + e^-1); log(1 + e)
    expected = vector(math.log(2), math.log1p(math.exp(-1)), math.log1p(math.e))
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("beta", [0.01, 0.3, 5.0])
def test_dpo_is_logistic_regression_on_the_margin(beta: float) -> None:
    chosen, rejected = draw(1), draw(2)
    loss = losses.dpo(chosen, rejected, beta=beta)
    logistic = torch.nn.functional.binary_cross_entropy_with_logits(
        beta * (chosen - rejected), torch.ones_like(chosen), reduction="none"
    )
    torch.testing.assert_close(loss, logistic)
    swapped = losses.dpo(rejected, chosen, beta=beta)
    assert not torch.allclose(loss, swapped), "which one was chosen matters"


def test_at_the_reference_the_loss_is_log_2_and_the_gradient_is_half_beta() -> None:
    chosen, rejected = vector(0.0).requires_grad_(), vector(0.0).requires_grad_()
    loss = losses.dpo(chosen, rejected, beta=0.3)
    assert loss.item() == pytest.approx(0.693147, abs=1e-6)
    gradient = torch.autograd.grad(loss.sum(), (chosen, rejected))
    assert [part.item() for part in gradient] == pytest.approx([-0.15, 0.15], abs=1e-15)


@pytest.mark.parametrize("beta", [0.05, 0.3, 3.0])
def test_the_gradient_is_minus_beta_times_the_wrong_probability(beta: float) -> None:
    chosen, rejected = draw(1).requires_grad_(), draw(2).requires_grad_()
    loss = losses.dpo(chosen, rejected, beta=beta).sum()
    of_chosen, of_rejected = torch.autograd.grad(loss, (chosen, rejected))
    wrong = 1 / (1 + torch.exp(beta * (chosen - rejected)))  # σ(−βh)
    torch.testing.assert_close(of_chosen, -beta * wrong)
    torch.testing.assert_close(of_rejected, beta * wrong)


def test_beta_log_z_cancels_only_within_a_prompt() -> None:
    chosen, rejected = vector(0.3, -1.2), vector(-0.4, 0.8)
    shift = vector(5.0, -7.0)  # any number per prompt, added to both
    plain = losses.dpo(chosen, rejected, beta=0.5)
    torch.testing.assert_close(losses.dpo(chosen + shift, rejected + shift, beta=0.5), plain)
    across = losses.dpo(chosen + shift, rejected + shift.flip(0), beta=0.5)
    assert not torch.allclose(across, plain)


def test_far_margins_stay_finite() -> None:
    loss = losses.dpo(vector(-5e3, 5e3, 30.0), vector(5e3, -5e3, -30.0), beta=1.0)
    assert loss.tolist() == pytest.approx([1e4, 0.0, math.exp(-60)], rel=1e-12)
    naive = -torch.log(torch.sigmoid(vector(-1e4)))
    assert naive.item() == math.inf, "the formula as written overflows here"


def test_ipo_by_hand() -> None:
    loss = losses.ipo(vector(3.0, 1.0), vector(1.0, 1.0), tau=0.25)  # target margin 2
    torch.testing.assert_close(loss, vector(0.0, 4.0))


def descend(loss: Callable[[Tensor], Tensor], *, rate: float, steps: int) -> list[float]:
    """Return the margins that plain gradient descent visits, from 0."""
    margin, visited = vector(0.0).requires_grad_(), [0.0]
    for _ in range(steps):
        (gradient,) = torch.autograd.grad(loss(margin).sum(), margin)
        margin = (margin - rate * gradient).detach().requires_grad_()
        visited.append(margin.item())
    return visited


@pytest.mark.parametrize("beta", [0.1, 1.0])
def test_deterministic_preferences_push_dpo_forever(beta: float) -> None:
    def loss(margin: Tensor) -> Tensor:
        return losses.dpo(margin, vector(0.0), beta=beta)

    margins = descend(loss, rate=4 / beta**2, steps=400)
    assert all(later > earlier for earlier, later in pairwise(margins))
    gained = margins[400] - margins[100]  # it grows as log(t)/β, which has no bound
    assert gained == pytest.approx(math.log(4) / beta, rel=0.02)


def test_deterministic_preferences_bring_ipo_to_a_stop() -> None:
    margins = descend(lambda m: losses.ipo(m, vector(0.0), tau=0.1), rate=0.1, steps=200)
    assert margins[-1] == pytest.approx(1 / (2 * 0.1), abs=1e-9)


@pytest.mark.parametrize("preference", [0.5, 0.7, 1.0])
def test_ipos_population_margin(preference: float) -> None:
    nothing, tau = vector(0.0), 0.2

    def expected(margin: Tensor) -> Tensor:
        there = losses.ipo(margin, nothing, tau=tau)
        back = losses.ipo(nothing, margin, tau=tau)
        return preference * there + (1 - preference) * back

    settled = descend(expected, rate=0.1, steps=200)[-1]
    assert settled == pytest.approx((2 * preference - 1) / (2 * tau), abs=1e-9)


@pytest.mark.parametrize("number", [0.0, -1.0, math.nan, math.inf])
def test_beta_and_tau_must_be_above_zero(number: float) -> None:
    with pytest.raises(RangeError, match=f"β to be a finite number above 0, got {number}"):
        losses.dpo(vector(1.0), vector(0.0), beta=number)
    with pytest.raises(RangeError, match=f"τ to be a finite number above 0, got {number}"):
        losses.ipo(vector(1.0), vector(0.0), tau=number)


@pytest.mark.parametrize(
    ("chosen", "rejected", "kind", "words"),
    [
        (vector(1.0, 2.0), vector(1.0), ShapeError, r"shape of log_ratio_chosen, \(2,\)"),
        (vector(), vector(), PairsError, "at least one preference pair"),
        (vector(math.nan), vector(0.0), RangeError, "NaN"),
        (vector(-math.inf), vector(-math.inf), RangeError, "both policies rule out"),
        (torch.tensor([1]), vector(0.0), ShapeError, "floating-point"),
    ],
)
def test_bad_log_ratios_are_refused_in_words(
    chosen: Tensor, rejected: Tensor, kind: type[EngineError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        losses.dpo(chosen, rejected, beta=0.1)
    with pytest.raises(kind, match=words):
        losses.ipo(chosen, rejected, tau=0.1)
