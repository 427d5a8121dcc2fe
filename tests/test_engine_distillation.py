"""Distillation against closed forms, automatic differentiation and other optimizers."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine import distillation
from engine.errors import EngineError, RangeError, ShapeError

TEACHER = torch.tensor([[4.0, 2.0, 0.0, -2.0, -4.0]], dtype=torch.float64)
STUDENT = torch.tensor([[2.0, 3.0, 0.0, -1.0, -4.0]], dtype=torch.float64)
Loss = Callable[..., Tensor]
LOSSES = [distillation.soft_cross_entropy, distillation.divergence]


def slope(loss: Loss, temperature: float, *, factor: float = 1.0) -> Tensor:
    logits = STUDENT.clone().requires_grad_()
    total = factor * loss(logits, TEACHER, temperature=temperature).sum()
    (found,) = torch.autograd.grad(total, logits)
    return found


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(temperature=st.floats(0.2, 50))
def test_softening_raises_to_a_power_and_normalizes(temperature: float) -> None:
    powers = [math.exp(value) ** (1 / temperature) for value in TEACHER[0].tolist()]
    exact = [power / sum(powers) for power in powers]
    found = distillation.soften(TEACHER, temperature=temperature).exp()[0].tolist()
    assert found == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0, 20.0])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_that_of_either_loss(loss: Loss, temperature: float) -> None:
    stated = distillation.gradient(STUDENT, TEACHER, temperature=temperature)
    torch.testing.assert_close(stated, slope(loss, temperature), rtol=0, atol=1e-14)
    turned = distillation.gradient(TEACHER, STUDENT, temperature=temperature)
    assert not torch.allclose(turned, slope(loss, temperature), atol=1e-6)
    if temperature != 1:
        without = temperature * stated
        assert not torch.allclose(without, slope(loss, temperature), atol=1e-6), "1/T forgotten"


def test_the_losses_differ_by_the_entropy_of_the_teacher() -> None:
    shares = [math.exp(value) for value in TEACHER[0].tolist()]
    shares = [share / sum(shares) for share in shares]
    entropy = -sum(share * math.log(share) for share in shares)
    soft, forward = (loss(STUDENT, TEACHER, temperature=1.0).item() for loss in LOSSES)
    assert soft - forward == pytest.approx(entropy, abs=1e-12)
    backward = distillation.divergence(TEACHER, STUDENT, temperature=1.0).item()
    assert soft - backward != pytest.approx(entropy, abs=1e-3), "reverse KL would be refused"


def test_a_teacher_that_moves_parts_the_gradients() -> None:
    logits = STUDENT.clone().requires_grad_()
    found = []
    for loss in LOSSES:
        total = loss(logits, 0.5 * logits + TEACHER, temperature=1.0).sum()
        found.append(torch.autograd.grad(total, logits)[0])
    one, other = found
    assert not torch.allclose(one, other, atol=1e-3)


@pytest.mark.parametrize("shift", [0.0, 7.0])
def test_times_t_squared_the_gradient_tends_to_the_limit(shift: float) -> None:
    exact = torch.tensor([[-2.0, 1.0, 0.0, 1.0, 0.0]], dtype=torch.float64) / 5
    limit = distillation.limit(STUDENT + shift, TEACHER)
    torch.testing.assert_close(limit, exact, rtol=0, atol=1e-14)
    errors = []
    for temperature in (1e1, 1e2, 1e3):
        scaled = distillation.scaled_gradient(STUDENT + shift, TEACHER, temperature=temperature)
        errors.append((scaled - limit).norm().item())
        once = distillation.gradient(STUDENT, TEACHER, temperature=temperature) * temperature
        assert (once - limit).norm() > 0.4, "T alone would be refused"
    assert errors[0] > 8 * errors[1] > 64 * errors[2]


def test_t_squared_before_the_loss_is_t_squared_before_the_gradient() -> None:
    scaled = distillation.scaled_gradient(STUDENT, TEACHER, temperature=5.0)
    torch.testing.assert_close(scaled, slope(distillation.divergence, 5.0, factor=25.0))


@pytest.mark.parametrize("keep", [1, 2, 3, 4])
def test_a_student_of_a_truncated_list_learns_the_list_scaled_up(keep: int) -> None:
    log_p = torch.tensor([[0.1, 0.5, 0.06, 0.3, 0.04]], dtype=torch.float64).log()
    kept = dict(enumerate(log_p.exp()[0].tolist()))
    listed = sorted(kept, key=lambda index: -kept[index])[:keep]
    mass = sum(kept[index] for index in listed)
    exact = [kept[index] / mass if index in listed else 0.0 for index in range(5)]
    cut = distillation.truncate(log_p, keep=keep).exp()
    assert cut[0].tolist() == pytest.approx(exact, abs=1e-12)
    one = torch.ones(1, 1, dtype=torch.float64)
    fitted = torch.softmax(distillation.fit(one, cut, decay=1e-8), dim=-1)
    assert fitted[0].tolist() == pytest.approx(exact, abs=1e-4)


def test_a_full_list_is_no_truncation() -> None:
    log_p = torch.log_softmax(TEACHER, dim=-1)
    torch.testing.assert_close(distillation.truncate(log_p, keep=5), log_p)


@pytest.mark.parametrize("hard", [False, True])
def test_at_the_fit_the_slope_of_the_loss_in_torch_is_zero(*, hard: bool) -> None:
    memos = distillation.memos(60, generator=generator(4))
    log_p = torch.log_softmax(memos.teacher, dim=-1)
    targets = distillation.top_labels(log_p) if hard else log_p.exp()
    slopes = []
    for decay in (0.01, 0.02):
        weights = distillation.fit(memos.features, targets, decay=decay).requires_grad_()
        loss = torch.nn.functional.cross_entropy(memos.features @ weights, targets)
        (slope,) = torch.autograd.grad(loss + 0.005 * weights.square().sum(), weights)
        slopes.append(slope.abs().max().item())
    assert slopes[0] < 1e-6 < 1e-3 < slopes[1], "a fit at another decay is refused"


def test_a_student_that_can_match_does_and_this_one_cannot_quite() -> None:
    memos = distillation.memos(50, generator=generator(1))
    product = (memos.features[:, 1] * memos.features[:, 2]).unsqueeze(1)
    targets = torch.softmax(memos.teacher, dim=-1)
    misses = []
    for features in (torch.cat([memos.features, product], dim=1), memos.features):
        said = torch.softmax(features @ distillation.fit(features, targets, decay=1e-7), dim=-1)
        misses.append((said - targets).abs().max().item())
    assert misses[0] < 1e-3 < 0.1 < misses[1]


def test_drawn_labels_average_to_the_soft_target_and_likeliest_ones_do_not() -> None:
    log_p = torch.log_softmax(STUDENT, dim=-1).expand(20_000, -1)
    drawn = distillation.sampled_labels(log_p, generator=generator(3))
    assert bool((drawn.sum(dim=-1) == 1).all())
    error = (drawn.mean(dim=0) - log_p[0].exp()).abs().max().item()
    assert error < 4 * 0.5 / math.sqrt(20_000)
    top = distillation.top_labels(log_p).mean(dim=0)
    assert top.tolist() == [0, 1, 0, 0, 0]
    assert (top - log_p[0].exp()).abs().max().item() > 0.2


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_a_temperature_that_means_nothing_is_refused(temperature: float) -> None:
    with pytest.raises(RangeError, match="temperature"):
        distillation.soften(TEACHER, temperature=temperature)


def test_what_has_no_answer_is_refused() -> None:
    log_p = torch.log_softmax(TEACHER, dim=-1)
    with pytest.raises(ShapeError):
        distillation.divergence(STUDENT[:, :4], TEACHER, temperature=1.0)
    for keep in (0, 6):
        with pytest.raises(RangeError, match="from 1 to 5"):
            distillation.truncate(log_p, keep=keep)
    with pytest.raises(RangeError, match="sum to 1"):
        distillation.truncate(TEACHER, keep=2)
    with pytest.raises(EngineError, match="decay"):
        distillation.fit(torch.ones(1, 1, dtype=torch.float64), log_p.exp(), decay=0)
