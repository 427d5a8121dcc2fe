"""Proper scores by enumeration: three that are, and the absolute error, which is refused."""

import math

import pytest
import torch
from torch import Tensor

from engine import calibration, properness
from engine.distributions import kl
from engine.errors import RangeError

PROPER = (calibration.log_loss, calibration.brier_loss, calibration.spherical_loss)


def row(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


@pytest.mark.parametrize("loss", PROPER)
@pytest.mark.parametrize(("outcomes", "parts"), [(2, 20), (3, 10), (4, 5)])
def test_honesty_is_strictly_best_under_a_proper_score(
    loss: properness.Loss, outcomes: int, parts: int
) -> None:
    properness.check_proper(loss, outcomes=outcomes, parts=parts)
    assert properness.best_misstatement(loss, outcomes=outcomes, parts=parts).gain < -1e-6


def test_absolute_error_is_refused_with_a_better_lie() -> None:
    with pytest.raises(RangeError, match="a proper score"):
        properness.check_proper(calibration.absolute_loss, outcomes=2, parts=10)
    found = properness.best_misstatement(calibration.absolute_loss, outcomes=2, parts=10)
    # Honesty at p expects 4 p (1 − p), certainty 2 (1 − p) for p above a half.
    gains = {p: 4 * p * (1 - p) - 2 * min(p, 1 - p) for p in (0.1 * k for k in range(11))}
    assert found.gain == pytest.approx(max(gains.values()))
    assert sorted(found.stated) == [0, 1]
    assert max(found.belief) == pytest.approx(0.7) or max(found.belief) == pytest.approx(0.8)


def test_the_uneven_brier_score_is_refused() -> None:
    def uneven(log_q: Tensor, happened: Tensor) -> Tensor:
        return calibration.brier_loss(log_q, happened) * (1 + happened)

    with pytest.raises(RangeError, match="gains"):
        properness.check_proper(uneven, outcomes=2, parts=20)


def test_the_excess_of_the_log_score_is_a_divergence() -> None:
    belief, stated = row(0.7, 0.2, 0.1), row(0.5, 0.25, 0.25)
    costs = [properness.expected(calibration.log_loss, belief, q).item() for q in (stated, belief)]
    divergence = kl(belief.log(), stated.log()).item()
    assert costs[0] - costs[1] == pytest.approx(divergence, abs=1e-14)


def test_what_cannot_happen_costs_nothing_and_what_was_ruled_out_everything() -> None:
    assert properness.expected(calibration.log_loss, row(1, 0), row(1, 0)).item() == 0
    assert properness.expected(calibration.log_loss, row(0.5, 0.5), row(1, 0)).item() == math.inf


def test_the_spherical_score_by_hand() -> None:
    log_q = row(0.6, 0.8 - 0.4).log()
    found = calibration.spherical_loss(log_q, torch.tensor([0])).item()
    assert found == pytest.approx(1 - 0.6 / math.hypot(0.6, 0.4), abs=1e-15)
    assert calibration.spherical_loss(row(0, 1).log(), torch.tensor([1])).item() == 0


def test_the_excess_of_the_spherical_score_is_an_angle() -> None:
    belief, stated = row(0.7, 0.2, 0.1), row(0.5, 0.25, 0.25)
    costs = [
        properness.expected(calibration.spherical_loss, belief, q).item() for q in (stated, belief)
    ]
    cosine = torch.nn.functional.cosine_similarity(belief, stated).item()
    assert costs[0] - costs[1] == pytest.approx(belief.norm().item() * (1 - cosine), abs=1e-14)


def test_absolute_loss_is_twice_what_was_withheld() -> None:
    found = calibration.absolute_loss(row(0.7, 0.2, 0.1).log(), torch.tensor([0])).item()
    assert found == pytest.approx(2 * 0.3)


def test_the_lattice_is_whole() -> None:
    parts, outcomes = 6, 3
    rows = list(properness._compositions(parts, outcomes))
    assert len(rows) == len({tuple(each) for each in rows}) == math.comb(parts + 2, 2)
    assert {sum(each) for each in rows} == {parts}
    with pytest.raises(RangeError, match="outcomes"):
        properness.check_proper(calibration.log_loss, outcomes=1, parts=3)
