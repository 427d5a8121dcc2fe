"""The price of leaving the reference: which divergence each way of taking it moves, enumerated."""

import pytest
import torch
from torch import Tensor

from engine import distributions, kl_penalty
from engine.errors import EngineError, RangeError
from engine.estimators import Estimator, k1, k2, k3
from engine.kl_penalty import Penalty, in_loss, in_reward


def draw(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 20, 5, generator=generator, dtype=torch.float64)
    policy, reference = logits.log_softmax(dim=-1)
    return policy, reference


def slope(of: str, policy: Tensor, reference: Tensor) -> Tensor:
    """Return minus the gradient of a divergence in the logits, by automatic differentiation."""
    logits = policy.clone().requires_grad_()
    moving = logits.log_softmax(dim=-1)
    pair = (moving, reference) if of == "reverse" else (reference, moving)
    (found,) = torch.autograd.grad(-distributions.kl(*pair).sum(), logits)
    return found


@pytest.mark.parametrize(
    ("penalty", "right", "wrong"),
    [
        (in_reward(k1), "reverse", "forward"),
        (in_loss(k2), "reverse", "forward"),
        (in_loss(k3), "forward", "reverse"),
    ],
    ids=["k1 in the reward", "k2 in the loss", "k3 in the loss"],
)
def test_which_divergence_is_lowered(penalty: Penalty, right: str, wrong: str) -> None:
    policy, reference = draw(1)
    found = kl_penalty.expected_gradient(penalty, policy, reference)
    torch.testing.assert_close(found, slope(right, policy, reference))
    assert (found - slope(wrong, policy, reference)).abs().max() > 0.1


def test_k1_in_the_loss_does_nothing_on_average() -> None:
    policy, reference = draw(2)
    found = kl_penalty.expected_gradient(in_loss(k1), policy, reference)
    assert found.abs().max() < 1e-15
    assert slope("reverse", policy, reference).abs().max() > 0.1


@pytest.mark.parametrize("estimator", [k2, k3])
def test_the_others_in_the_reward_move_neither_divergence(estimator: Estimator) -> None:
    policy, reference = draw(3)
    found = kl_penalty.expected_gradient(in_reward(estimator), policy, reference)
    for of in ("reverse", "forward"):
        assert (found - slope(of, policy, reference)).abs().max() > 0.05


@pytest.mark.parametrize("estimator", [k1, k2, k3])
def test_weights_in_the_loss_are_the_estimators_derivative(estimator: Estimator) -> None:
    log_ratio = torch.linspace(-3, 3, 61, dtype=torch.float64, requires_grad=True)
    (derivative,) = torch.autograd.grad(estimator(log_ratio).sum(), log_ratio)
    torch.testing.assert_close(in_loss(estimator)(log_ratio.detach()), -derivative)


@pytest.mark.parametrize("beta", [1e-6, 0.05, 1.0, 1e3])
def test_the_forward_optimum_is_where_the_slopes_balance(beta: float) -> None:
    reward = torch.randn(20, 5, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    _, reference = draw(4)
    best = kl_penalty.forward_optimum(reward, reference, beta=beta)
    earned = best.exp() * (reward - (best.exp() * reward).sum(dim=-1, keepdim=True))
    pulled = beta * kl_penalty.expected_gradient(in_loss(k3), best, reference)
    torch.testing.assert_close(earned, -pulled, atol=1e-9 * max(beta, 1), rtol=0)
    if beta == 1.0:
        other = beta * kl_penalty.expected_gradient(in_loss(k2), best, reference)
        assert (earned + other).abs().max() > 0.01


def test_what_has_no_answer_is_refused() -> None:
    policy, reference = draw(5)
    with pytest.raises(EngineError, match="k1, k2 and k3"):
        in_loss(torch.abs)
    with pytest.raises(RangeError, match="β"):
        kl_penalty.forward_optimum(policy, reference, beta=0)
    with pytest.raises(RangeError, match="logarithms"):
        kl_penalty.expected_gradient(kl_penalty.none, policy.exp(), reference)
