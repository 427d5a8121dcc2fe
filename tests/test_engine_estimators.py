"""KL estimates: their means, variances and slopes, by hand, by closed form, by differentiation."""

import math

import pytest
import torch
from torch import Tensor

from engine import distributions, estimators
from engine.errors import RangeError, ShapeError
from engine.estimators import Estimator, gradient_as_loss, k1, k2, k3, mean, variance


def table(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64).log()


TUNED, BASE = table([0.02, 0.18, 0.8]), table([0.5, 0.3, 0.2])
CLOSE = table([0.45, 0.32, 0.23])


def draw(seed: int, rows: int = 100) -> tuple[Tensor, Tensor]:
    """Return logits of q and log-probabilities of p, over four outcomes."""
    generator = torch.Generator().manual_seed(seed)
    logits, scores = torch.randn(2, rows, 4, generator=generator, dtype=torch.float64)
    return logits, scores.log_softmax(dim=-1)


def slope_of(divergence: str, logits: Tensor, log_p: Tensor) -> Tensor:
    """Return the gradient of a divergence in closed form: q − p, or q (log q/p − KL)."""
    log_q = logits.log_softmax(dim=-1)
    if divergence == "forward":
        return log_q.exp() - log_p.exp()
    log_ratio = log_q - log_p
    return log_q.exp() * (log_ratio - (log_q.exp() * log_ratio).sum(dim=-1, keepdim=True))


def test_the_three_by_hand() -> None:
    log_ratio = torch.tensor([0.0, math.log(2), -math.log(2)], dtype=torch.float64)
    assert k1(log_ratio).tolist() == pytest.approx([0, math.log(2), -math.log(2)])
    assert k2(log_ratio).tolist() == pytest.approx([0, math.log(2) ** 2 / 2, math.log(2) ** 2 / 2])
    assert k3(log_ratio).tolist() == pytest.approx([0, 0.5 - 1 + math.log(2), 2 - 1 - math.log(2)])


def test_k3_is_never_negative_and_keeps_its_digits_near_zero() -> None:
    small = torch.linspace(-1e-4, 1e-4, 101, dtype=torch.float64)
    assert bool((k3(small) >= 0).all())
    torch.testing.assert_close(k3(small), small**2 / 2 - small**3 / 6, rtol=1e-6, atol=1e-22)
    assert bool((k1(small) < 0).any())


def test_k1_and_k3_are_unbiased_and_k2_is_not() -> None:
    logits, log_p = draw(1)
    log_q = logits.log_softmax(dim=-1)
    truth = distributions.kl(log_q, log_p)
    torch.testing.assert_close(mean(k1, log_q, log_p), truth)
    torch.testing.assert_close(mean(k3, log_q, log_p), truth)
    assert bool(((mean(k2, log_q, log_p) - truth).abs() > 1e-4).all())
    other = distributions.kl(log_p, log_q)
    assert not torch.allclose(mean(k3, log_q, log_p), other, atol=1e-2), "not the other direction"


def test_k3_misses_the_share_that_q_cuts_off() -> None:
    cut = table([0.625, 0.375, 0.0])
    assert mean(k1, cut, BASE).item() == pytest.approx(-math.log(0.8), abs=1e-12)
    assert mean(k3, cut, BASE).item() == pytest.approx(-math.log(0.8) - 0.2, abs=1e-12)


def test_what_p_rules_out_makes_the_mean_infinite() -> None:
    assert mean(k1, BASE, table([0.625, 0.375, 0.0])).item() == math.inf


def test_variances_by_hand() -> None:
    weights, gaps = (0.02, 0.18, 0.8), [math.log(q / p) for q, p in ((2, 50), (18, 30), (80, 20))]
    values = [math.exp(-gap) - 1 + gap for gap in gaps]
    center = sum(w * v for w, v in zip(weights, values, strict=True))
    spread = sum(w * (v - center) ** 2 for w, v in zip(weights, values, strict=True))
    assert variance(k3, TUNED, BASE).item() == pytest.approx(spread, rel=1e-12)


def test_k3_is_quieter_close_by_and_louder_far_away() -> None:
    assert variance(k3, CLOSE, BASE).item() < variance(k1, CLOSE, BASE).item() / 1000
    assert variance(k3, TUNED, BASE).item() > 9 * variance(k1, TUNED, BASE).item()


@pytest.mark.parametrize(
    ("shift", "quieter"), [(0.1, True), (1.0, True), (1.11, True), (1.13, False)]
)
def test_shifted_normals_follow_their_closed_form(shift: float, quieter: bool) -> None:  # noqa: FBT001
    """Two normals a shift apart: Var k1 = s², Var k3 = e^{s²} − 1 − s²; they meet at s² ≈ 1.256."""
    x = torch.linspace(-16, 16, 6401, dtype=torch.float64)
    log_q = (-((x - shift) ** 2) / 2).log_softmax(dim=0).unsqueeze(0)
    log_p = (-(x**2) / 2).log_softmax(dim=0).unsqueeze(0)
    noisy, quiet = variance(k1, log_q, log_p).item(), variance(k3, log_q, log_p).item()
    assert mean(k1, log_q, log_p).item() == pytest.approx(shift**2 / 2, rel=1e-9)
    assert noisy == pytest.approx(shift**2, rel=1e-9)
    assert quiet == pytest.approx(math.expm1(shift**2) - shift**2, rel=1e-6)
    assert (quiet < noisy) is quieter


def test_an_average_over_real_samples_agrees() -> None:
    drawn = torch.multinomial(
        TUNED.exp()[0], 200_000, replacement=True, generator=torch.Generator().manual_seed(3)
    )
    for estimator in (k1, k2, k3):
        values = estimator((TUNED - BASE)[0, drawn])
        error = (variance(estimator, TUNED, BASE) / len(drawn)).sqrt().item()
        assert abs(values.mean().item() - mean(estimator, TUNED, BASE).item()) < 4 * error


@pytest.mark.parametrize(
    ("estimator", "divergence", "wrong"),
    [(k2, "reverse", "forward"), (k3, "forward", "reverse")],
)
def test_slopes_as_losses(estimator: Estimator, divergence: str, wrong: str) -> None:
    logits, log_p = draw(2)
    slope = gradient_as_loss(estimator, logits, log_p)
    torch.testing.assert_close(slope, slope_of(divergence, logits, log_p))
    assert (slope - slope_of(wrong, logits, log_p)).abs().max() > 0.1


def test_k1_as_a_loss_has_no_slope() -> None:
    logits, log_p = draw(3)
    assert gradient_as_loss(k1, logits, log_p).abs().max() < 1e-14
    assert slope_of("reverse", logits, log_p).abs().max() > 0.1, "though the divergence has one"


def test_a_slope_through_the_weights_is_that_of_the_divergence() -> None:
    """The part that backpropagation through samples leaves out makes even k1 right."""
    logits, log_p = draw(4)
    moving = logits.clone().requires_grad_()
    estimators.mean(k1, moving.log_softmax(dim=-1), log_p).sum().backward()
    assert moving.grad is not None
    torch.testing.assert_close(moving.grad, slope_of("reverse", logits, log_p))


def test_the_score_function_in_the_reward_is_right_too() -> None:
    logits, log_p = draw(5)
    log_q = logits.log_softmax(dim=-1)
    score = torch.eye(4, dtype=torch.float64) - log_q.exp().unsqueeze(1)  # ∇ log q(x), x by row
    weights = (log_q.exp() * k1(log_q - log_p)).unsqueeze(-1)
    torch.testing.assert_close((weights * score).sum(dim=1), slope_of("reverse", logits, log_p))


def test_what_is_no_distribution_is_refused() -> None:
    with pytest.raises(RangeError, match="Pass logarithms"):
        mean(k1, BASE.exp(), BASE)
    with pytest.raises(ShapeError, match="shape of log_q"):
        variance(k3, BASE, table([0.5, 0.5]))
    with pytest.raises(RangeError, match="log_p"):
        gradient_as_loss(k2, BASE, BASE.exp())
