"""Label smoothing: against its parts, its closed-form optimum and automatic differentiation."""

import math

import pytest
import torch
from torch import Tensor

from engine import distributions, label_smoothing
from engine.errors import RangeError, ShapeError

RIGHT = torch.tensor([0, 3, 1])


def students(seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(3, 4, generator=generator, dtype=torch.float64)


def test_smoothed_labels_by_hand() -> None:
    targets = label_smoothing.smooth(RIGHT, 4, share=0.1)
    assert targets[0].tolist() == pytest.approx([0.925, 0.025, 0.025, 0.025])
    assert targets.sum(dim=1).tolist() == pytest.approx([1, 1, 1])
    assert targets[0, 0].item() != pytest.approx(0.9), "the right outcome takes part in the share"


def test_the_loss_is_the_one_of_torch() -> None:
    logits = students()
    ours = label_smoothing.loss(logits.log_softmax(dim=1), RIGHT, share=0.2)
    theirs = torch.nn.functional.cross_entropy(logits, RIGHT, label_smoothing=0.2, reduction="none")
    torch.testing.assert_close(ours, theirs)


def test_the_loss_splits_into_hard_labels_and_a_pull_in_one_direction() -> None:
    log_q = students().log_softmax(dim=1)
    hard = -log_q.gather(1, RIGHT.unsqueeze(1)).squeeze(1)
    pull = label_smoothing.pull_to_uniform(log_q)
    loss = label_smoothing.loss(log_q, RIGHT, share=0.2)
    torch.testing.assert_close(loss, 0.8 * hard + 0.2 * (math.log(4) + pull))
    other = distributions.kl(log_q, torch.full_like(log_q, -math.log(4)))
    wrong = 0.8 * hard + 0.2 * (math.log(4) + other)
    assert (wrong - loss).abs().min().item() > 1e-3, "KL(q‖u) is another penalty"


@pytest.mark.parametrize(("outcomes", "share"), [(2, 0.1), (4, 0.1), (1000, 0.1), (4, 0.5)])
def test_at_the_optimal_gap_the_slope_vanishes(outcomes: int, share: float) -> None:
    gap = label_smoothing.optimal_gap(outcomes, share=share)
    right = torch.tensor([1])
    slopes = []
    for stated in (gap, math.log((1 - share) / share)):  # the second forgets the even part
        logits = torch.zeros(1, outcomes, dtype=torch.float64)
        logits[0, 1] = stated
        logits.requires_grad_()
        loss = label_smoothing.loss(logits.log_softmax(dim=1), right, share=share).sum()
        slopes.append(torch.autograd.grad(loss, logits)[0].abs().max().item())
    assert slopes[0] < 1e-12
    assert slopes[1] > 1e-3


def test_without_smoothing_the_gap_has_no_end() -> None:
    assert label_smoothing.optimal_gap(4, share=0) == math.inf
    log_q = students().log_softmax(dim=1)
    hard = -log_q.gather(1, RIGHT.unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(label_smoothing.loss(log_q, RIGHT, share=0), hard)


def test_what_has_no_answer_is_refused() -> None:
    for share in (-0.1, 1.0, math.nan):
        with pytest.raises(RangeError, match="share"):
            label_smoothing.smooth(RIGHT, 4, share=share)
    with pytest.raises(RangeError, match="from 0 to 2"):
        label_smoothing.smooth(RIGHT, 3, share=0.1)
    with pytest.raises(RangeError, match="outcomes"):
        label_smoothing.optimal_gap(1, share=0.1)
    with pytest.raises(ShapeError):
        label_smoothing.loss(students().log_softmax(dim=1), RIGHT[:2], share=0.1)
