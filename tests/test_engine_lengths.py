"""Lengths under DPO: the closed form against training, and the penalty that restores them."""

import math

import pytest

from engine import lengths, optimizers, pair_training
from engine.errors import RangeError
from engine.lengths import Teacher
from engine.pair_training import MarginLoss, Objective


def trained(teacher: Teacher, beta: float, penalty: float) -> float:
    """Return the mean length after training."""
    policy, pairs = lengths.policy(teacher), lengths.pairs(teacher)
    longer = (pairs.chosen - pairs.rejected).double()
    loss = MarginLoss.dpo(beta=beta, lead=penalty * longer / beta)
    objective = Objective(policy, lengths.reference(teacher), pairs, loss)
    start = policy.start
    *_, last = pair_training.descend(objective.at, start, 30, optimizer=optimizers.lbfgs)
    return float((last.table.exp() * lengths.lengths()).sum())


def test_the_reference_is_geometric() -> None:
    table = lengths.reference(Teacher(mean_length=20)).exp()[0]
    exact = [0.95 ** (n - 1) * 0.05 for n in (1, 2, 50)]
    assert [table[n - 1].item() for n in (1, 2, 50)] == pytest.approx(exact, rel=1e-7)
    assert lengths.mean_length(Teacher(), 0.0) == pytest.approx(20, abs=1e-5)


@pytest.mark.parametrize("beta", [1.0, 3.0])
@pytest.mark.parametrize("penalty", [0.0, 0.03])
def test_training_ends_at_the_closed_form(beta: float, penalty: float) -> None:
    teacher = Teacher(longer=0.6)
    tilt = lengths.tilt_after_dpo(teacher, beta=beta, penalty=penalty)
    exact = lengths.mean_length(teacher, tilt)
    assert trained(teacher, beta, penalty) == pytest.approx(exact, rel=1e-6)
    going_on = 0.95 * math.exp(tilt)
    assert exact == pytest.approx(1 / (1 - going_on), rel=0.06), "still geometric"
    assert exact > 21


@pytest.mark.parametrize("beta", [0.3, 1.0])
def test_the_restoring_penalty_restores_at_every_beta_and_its_opposite_does_not(
    beta: float,
) -> None:
    teacher = Teacher(longer=0.6)
    penalty = lengths.restoring_penalty(teacher)
    assert penalty == pytest.approx(math.log(0.6 / 0.4) / 10)
    assert trained(teacher, beta, penalty) == pytest.approx(20, abs=1e-3)
    assert trained(teacher, beta, 0.0) > 60
    assert trained(teacher, beta, -penalty) > trained(teacher, beta, 0.0)


def test_an_indifferent_teacher_leaves_lengths_alone() -> None:
    assert lengths.tilt_after_dpo(Teacher(longer=0.5), beta=0.1) == 0
    assert lengths.tilt_after_dpo(Teacher(longer=0.4), beta=0.1) < 0


def test_what_has_no_answer_is_refused() -> None:
    for wrong in ({"longer": 1.0}, {"mean_length": 500.0}, {"apart": 0}):
        with pytest.raises(RangeError):
            Teacher(**wrong)
    with pytest.raises(RangeError, match="β"):
        lengths.tilt_after_dpo(Teacher(), beta=0.0)
