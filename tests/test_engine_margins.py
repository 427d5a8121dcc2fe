"""All losses side by side: curves against closed forms, training against where theory ends."""

import math
from functools import partial
from itertools import pairwise

import pytest
import torch

from engine import margins, optimizers, preferences, train
from engine.errors import DivergenceError, EngineError, PairsError, RangeError
from engine.margins import LOSSES, Setting, Step
from engine.policies import Tabular
from engine.preferences import Pairs, World

BETA = 0.5
ADAM = partial(optimizers.adam, learning_rate=0.2)
GRID = [-12.0, -3.0, -0.5, 0.0, 0.7, 2.5, 12.0]
CURVES = [name for name in LOSSES if name != "aot"]


def world() -> World:
    return preferences.world(2, 4, generator=torch.Generator().manual_seed(0))


def couple() -> World:
    """One prompt, two responses, a reference without an opinion."""
    reward = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    return World(reward, torch.full((1, 2), 0.5, dtype=torch.float64).log())


def learn(name: str, truth: World, pairs: Pairs, steps: int, beta: float = BETA) -> list[Step]:
    return list(margins.train(name, truth, pairs, steps=steps, setting=(Setting(beta), ADAM)))


def test_the_curve_of_dpo_is_the_closed_form() -> None:
    (curve,) = margins.curves(["dpo"], GRID, Setting(beta=BETA))
    assert curve.value == pytest.approx([math.log1p(math.exp(-BETA * h)) for h in GRID])
    slopes = [-BETA / (1 + math.exp(BETA * h)) for h in GRID]
    assert curve.slope == pytest.approx(slopes)
    assert curve.slope != pytest.approx([-slope for slope in slopes])


@pytest.mark.parametrize("name", CURVES)
def test_slopes_are_those_of_the_values(name: str) -> None:
    tiny = 1e-5
    (curve,) = margins.curves([name], GRID)
    (after,) = margins.curves([name], [h + tiny for h in GRID])
    (before,) = margins.curves([name], [h - tiny for h in GRID])
    differences = [(a - b) / (2 * tiny) for a, b in zip(after.value, before.value, strict=True)]
    assert curve.slope == pytest.approx(differences, abs=1e-6)
    assert len(curve.value) == len(GRID)


def test_half_the_margin_goes_to_each_response() -> None:
    (sppo,) = margins.curves(["sppo"], [2.0], Setting(beta=BETA))
    assert sppo.value[0] == pytest.approx(2 * (1.0 - 1 / (2 * BETA)) ** 2)
    (whole,) = margins.curves(["sppo"], [1.0], Setting(beta=BETA))
    assert whole.value[0] == pytest.approx(2 * (0.5 - 1.0) ** 2)
    assert whole.value[0] != pytest.approx((1.0 - 1.0) ** 2 + (0.0 + 1.0) ** 2)


def test_dpo_under_this_roof_is_the_dpo_of_train() -> None:
    truth = world()
    pairs = preferences.soft_pairs(truth)
    plain = optimizers.gradient_descent
    start = Tabular.at_reference(truth)
    alone = train.dpo(truth, pairs, policy=start, beta=BETA, optimizer=plain, steps=25)
    here = margins.train("dpo", truth, pairs, steps=25, setting=(Setting(beta=BETA), plain))
    for ours, theirs in zip(here, alone, strict=True):
        torch.testing.assert_close(ours.policy, theirs.policy.clone(), atol=1e-12, rtol=0)
        for name in ("index", "loss", "margin", "kl_to_optimum", "log_prob_rejected"):
            assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=1e-12)
    other = margins.train("ipo", truth, pairs, steps=25, setting=(Setting(beta=BETA), plain))
    assert [*other][-1].margin != pytest.approx(ours.margin, abs=1e-3)


@pytest.mark.parametrize("beta", [0.25, 1.0])
def test_where_deterministic_margins_end(beta: float) -> None:
    truth, pairs = couple(), preferences.one_pair()
    assert learn("ipo", truth, pairs, 150, beta)[-1].margin == pytest.approx(0.5 / beta, abs=5e-3)
    short = partial(optimizers.gradient_descent, learning_rate=0.1 / beta)  # 0.2 nats a step
    *_, hinge = margins.train("hinge", truth, pairs, steps=60, setting=(Setting(beta), short))
    assert 1 / beta - 1e-9 <= hinge.margin <= 1 / beta + 0.2
    assert hinge.loss == pytest.approx(0, abs=1e-12)
    soft = learn("cdpo", truth, pairs, 200, beta)[-1]
    assert soft.margin == pytest.approx(math.log(9) / beta, abs=1e-2), "σ(βh) = 1 − ε = 0.9"


@pytest.mark.parametrize("name", ["dpo", "robust", "exo", "ipo"])
def test_deterministic_pairs_drive_some_losses_forever(name: str) -> None:
    def margin(steps: int) -> list[float]:
        setting = Setting(beta=1.0), partial(optimizers.gradient_descent, learning_rate=0.2)
        run = margins.train(name, couple(), preferences.one_pair(), steps=steps, setting=setting)
        return [step.margin for step in run]

    path = margin(300)
    late = path[300] - path[150]
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(path))
    if name in {"dpo", "robust"}:
        assert late > 0.6, "log 2 with every doubling of the time, at least"
    else:
        assert late == pytest.approx(0, abs=0.05)


def test_sppo_brings_each_log_ratio_to_its_own_target() -> None:
    """With many other responses, both targets ±1/(2β) can be met at once."""
    reward = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    reference = torch.tensor([[0.1, 0.2, 0.7]], dtype=torch.float64).log()
    last = learn("sppo", World(reward, reference), preferences.one_pair(), 200)[-1]
    ratios = [last.log_ratio_chosen, last.log_ratio_rejected]
    assert ratios == pytest.approx([1 / (2 * BETA), -1 / (2 * BETA)], abs=1e-4)
    dpo = learn("dpo", World(reward, reference), preferences.one_pair(), 200)[-1]
    assert [dpo.log_ratio_chosen, dpo.log_ratio_rejected] != pytest.approx(ratios, abs=0.1)


def test_only_dpo_and_its_kin_find_the_optimum_from_soft_labels() -> None:
    truth = world()
    pairs = preferences.soft_pairs(truth)
    assert learn("dpo", truth, pairs, 200)[-1].kl_to_optimum < 1e-6
    ends = [learn(name, truth, pairs, 80)[-1] for name in ("robust", "cdpo", "sft")]
    assert all(end.kl_to_optimum > 1e-3 for end in ends)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_trains_downhill_and_its_record_adds_up(name: str) -> None:
    truth = world()
    pairs = preferences.sampled_pairs(truth, 60, generator=torch.Generator().manual_seed(2))
    plain = partial(optimizers.gradient_descent, learning_rate=0.05)
    first, *_, last = margins.train(name, truth, pairs, steps=40, setting=(Setting(), plain))
    assert first.margin == pytest.approx(0, abs=1e-12)
    assert last.loss < first.loss
    chosen = last.policy[pairs.prompt, pairs.chosen].mean().item()
    assert last.log_prob_chosen == pytest.approx(chosen)
    assert last.margin == pytest.approx(last.log_ratio_chosen - last.log_ratio_rejected)


def test_what_makes_no_sense_is_refused() -> None:
    truth = world()
    pairs = preferences.soft_pairs(truth)
    with pytest.raises(EngineError, match="a loss among dpo"):
        margins.train("ppo", truth, pairs, steps=1)
    with pytest.raises(EngineError, match="single pairs"):
        margins.curves(["aot"], GRID)
    with pytest.raises(PairsError, match="at least one"):
        margins.curves(["dpo"], [])
    with pytest.raises(RangeError, match="finite"):
        margins.curves(["dpo"], [math.inf])
    with pytest.raises(PairsError, match="one weight"):
        margins.train("aot", truth, pairs, steps=1)
    with pytest.raises(EngineError, match="Newton"):
        margins.train("dpo", truth, pairs, steps=1, setting=(Setting(), optimizers.newton))
    with pytest.raises(RangeError, match="flipped"):
        margins.train(
            "exo", truth, pairs, steps=1, setting=(Setting(flip=0.0), optimizers.gradient_descent)
        )
    far = partial(optimizers.gradient_descent, learning_rate=1e9)
    with pytest.raises(DivergenceError, match="smaller steps"):
        list(margins.train("ipo", truth, pairs, steps=5, setting=(Setting(), far)))
