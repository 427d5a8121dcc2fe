"""A sweep over β is as many single runs, number for number."""

from collections.abc import Iterator
from functools import partial

import pytest
import torch
from torch import Tensor

from engine import optimizers, preferences, sweep, train
from engine.errors import DivergenceError, EngineError, PairsError, RangeError
from engine.optimizers import Optimizer, P, Surface
from engine.policies import Tabular
from engine.preferences import Pairs, World

BETAS = torch.logspace(-1.5, 0.5, 64, dtype=torch.float64).tolist()
READINGS = (
    *("loss", "margin", "log_ratio_chosen", "log_ratio_rejected"),
    *("log_prob_chosen", "log_prob_rejected", "kl_to_optimum"),
)
ADAM = partial(optimizers.adam, learning_rate=0.2)


def world() -> World:
    return preferences.world(3, 5, generator=torch.Generator().manual_seed(0))


def kinds(world: World) -> dict[str, Pairs]:
    drawn = preferences.sampled_pairs(world, 40, generator=torch.Generator().manual_seed(1))
    return {
        "soft": preferences.soft_pairs(world),
        "sampled": drawn,
        "islands": preferences.soft_pairs(world, preferences.islands(5)),
        "deterministic": preferences.deterministic_pairs(world, preferences.chain(5)),
    }


# Not adam on sampled labels: where a gradient is zero by balance, it enlarges the last digit.
@pytest.mark.parametrize(
    ("labels", "optimizer"),
    [
        ("soft", optimizers.gradient_descent),
        ("sampled", optimizers.gradient_descent),
        ("islands", optimizers.gradient_descent),
        ("soft", ADAM),
        ("deterministic", ADAM),
    ],
    ids=["soft", "sampled", "islands", "soft-adam", "deterministic-adam"],
)
def test_64_betas_at_once_are_64_runs(labels: str, optimizer: Optimizer) -> None:
    truth, steps = world(), 20
    pairs = kinds(truth)[labels]
    swept = list(sweep.dpo(truth, pairs, betas=BETAS, steps=steps, optimizer=optimizer))
    assert [step.index for step in swept] == list(range(steps + 1))
    together = torch.stack([step.policy for step in swept])
    for at, beta in enumerate(BETAS):
        start = Tabular.at_reference(truth)
        run = train.dpo(truth, pairs, policy=start, beta=beta, optimizer=optimizer, steps=steps)
        *_, last = alone = list(run)
        policies = torch.stack([step.policy for step in alone])
        torch.testing.assert_close(together[:, at], policies, atol=1e-10, rtol=0)
        for name in READINGS:
            one = getattr(last, name)
            assert getattr(swept[-1], name)[at].item() == pytest.approx(one, abs=1e-10), name
    neighbor = (together[-1, 0] - together[-1, 1]).abs().max().item()
    assert neighbor > 1e-6, "each β has a run of its own"


def test_every_beta_comes_to_its_own_optimum() -> None:
    truth = world()
    pairs = preferences.soft_pairs(truth)
    adam = partial(optimizers.adam, learning_rate=0.5)
    *_, last = sweep.dpo(truth, pairs, betas=[0.3, 1.0, 3.0], steps=600, optimizer=adam)
    assert last.kl_to_optimum.max().item() < 1e-8
    apart = (last.policy[0].exp() * (last.policy[0] - last.policy[2])).sum(dim=1).mean().item()
    assert apart > 1e-2, "one optimum for all would not be the right one"


def test_records_cannot_be_changed() -> None:
    (start,) = sweep.dpo(world(), preferences.soft_pairs(world()), betas=[0.5], steps=0)
    with pytest.raises(AttributeError):
        start.index = 1  # type: ignore[misc]
    with pytest.raises(RuntimeError, match="InferenceMode"):
        start.policy.add_(1.0)


def test_a_step_too_long_for_one_beta_says_for_which() -> None:
    far = partial(optimizers.gradient_descent, learning_rate=1e9)
    pairs = preferences.soft_pairs(world())
    with pytest.raises(DivergenceError, match="for β = 2"):
        list(sweep.dpo(world(), pairs, betas=[1e-6, 2.0], steps=3, optimizer=far))


@pytest.mark.parametrize(
    "optimizer", [optimizers.newton, optimizers.lbfgs, partial(optimizers.lbfgs, memory=2)]
)
def test_an_optimizer_that_ties_the_runs_together_is_refused(optimizer: Optimizer) -> None:
    pairs = preferences.soft_pairs(world())
    with pytest.raises(EngineError, match="moves every parameter by itself"):
        sweep.dpo(world(), pairs, betas=[1.0], steps=1, optimizer=optimizer)


def test_what_makes_no_sense_is_refused_before_training() -> None:
    pairs = preferences.soft_pairs(world())
    with pytest.raises(PairsError, match="at least one β"):
        sweep.dpo(world(), pairs, betas=[], steps=1)
    with pytest.raises(RangeError, match="β"):
        sweep.dpo(world(), pairs, betas=[1.0, 0.0], steps=1)
    with pytest.raises(RangeError, match="steps"):
        sweep.dpo(world(), pairs, betas=[1.0], steps=-1)
    with pytest.raises(PairsError, match="chosen"):
        sweep.dpo(world(), preferences.one_pair(chosen=9), betas=[1.0], steps=1)


def test_an_optimizer_of_ones_own_that_asks_for_the_loss_is_told_why_not() -> None:
    def curious(surface: Surface[P], start: Tensor, steps: int) -> Iterator[P]:
        yield surface(start)
        surface(start).newton_direction()

    pairs = preferences.soft_pairs(world())
    with pytest.raises(EngineError, match="step length"):
        list(sweep.dpo(world(), pairs, betas=[1.0], steps=1, optimizer=curious))
