"""Two losses on the same labels: one scale, rests against brute force, training to them."""

import math

import pytest
import torch

from engine import experiments, margins
from engine.errors import EngineError, PairsError
from engine.experiments import losses
from engine.experiments.losses import Experiment, Settings, Step
from engine.margins import Setting


def run(**values: object) -> tuple[Experiment, list[Step]]:
    built = losses.build(Settings.read(values))
    return built, list(built.run())


def test_ipo_stops_where_its_formula_says_and_dpo_does_not_stop() -> None:
    built, steps = run()
    tau = built.settings.beta
    assert steps[-1].second.margin == pytest.approx(1 / (2 * tau), abs=1e-3)
    assert steps[-1].second.margin != pytest.approx(1 / tau, abs=0.5)
    assert built.rest("ipo") == pytest.approx(1 / (2 * tau))
    assert built.rest("dpo") == math.inf
    growth = [after.first.margin - half.first.margin for half, after in ((steps[100], steps[200]),)]
    assert growth[0] > 0.5
    assert (
        built.spot("dpo", steps[-1].first).slope < -0.05 < built.spot("ipo", steps[-1].second).slope
    )


def test_soft_labels_end_at_the_optimum_under_dpo_only() -> None:
    built, steps = run(labels="soft", rate=0.5, steps=400)
    reward = built.world.reward
    lead = (reward[:, 0] - reward[:, 1]).abs()
    share = lead.sigmoid()
    fitted = ((2 * share - 1) * lead / built.settings.beta).mean().item()
    assert steps[-1].first.margin == pytest.approx(fitted, abs=1e-2)
    assert built.rest("dpo") == pytest.approx(fitted)
    assert steps[-1].first.kl_to_optimum < 1e-4
    squared = ((2 * share - 1).square() / (2 * built.settings.beta)).mean().item()
    assert steps[-1].second.margin == pytest.approx(squared, abs=1e-6)
    assert built.rest("ipo") == pytest.approx(squared)
    assert steps[-1].second.kl_to_optimum > 0.1


@pytest.mark.parametrize("name", sorted(losses._RESTS))
@pytest.mark.parametrize("share", [0.6, 0.8])
def test_rests_are_the_minima_that_brute_force_finds(name: str, share: float) -> None:
    at = Setting(beta=0.7, flip=0.1)
    grid = torch.linspace(-6, 6, 2_401).tolist()
    (right,) = margins.curves([name], grid, at)
    (wrong,) = margins.curves([name], [-h for h in grid], at)
    mean = [share * a + (1 - share) * b for a, b in zip(right.value, wrong.value, strict=True)]
    lowest = grid[min(range(len(grid)), key=mean.__getitem__)]
    assert losses._RESTS[name](share, at) == pytest.approx(lowest, abs=6e-3)


@pytest.mark.parametrize(("name", "finite"), [("dpo", False), ("robust", False), ("cdpo", True)])
def test_only_some_losses_rest_when_labels_never_err(name: str, *, finite: bool) -> None:
    rest = losses.build(Settings(beta=0.5, flip=0.1)).rest(name)
    assert rest is not None
    assert math.isfinite(rest) == finite
    if finite:
        assert rest == pytest.approx(math.log(0.9 / 0.1) / 0.5)


def test_all_curves_leave_margin_zero_alike() -> None:
    built = losses.build(Settings())
    for name in margins.LOSSES:
        here = built.scaled(name, [0.0])
        assert here.value[0] == 0
        dented = name == "discopop"  # its blend gives way to e^(−βh) > −log σ right at 0
        assert here.slope[0] == pytest.approx(1 if dented else -1)
        (raw,) = margins.curves([losses.DRAWN_AS.get(name, name)], [0.0, 1.0], Setting(gamma=0.5))
        ratio = (raw.value[1] - raw.value[0]) / abs(raw.slope[0])
        assert built.scaled(name, [1.0]).value[0] == pytest.approx(ratio)
    assert [curve.name for curve in built.curves] == list(margins.LOSSES)


@pytest.mark.parametrize("pair", [("dpo", "ipo"), ("cdpo", "exo"), ("hinge", "r_dpo")])
def test_both_start_at_the_rate_that_was_set(pair: tuple[str, str]) -> None:
    _, steps = run(first=pair[0], second=pair[1], rate=0.2, steps=1)
    assert steps[1].first.margin == pytest.approx(0.2)
    assert steps[1].second.margin == pytest.approx(0.2)


def test_the_spot_is_on_the_curve() -> None:
    built, steps = run(steps=20)
    spot = built.spot("dpo", steps[-1].first)
    beta = built.settings.beta
    assert spot.margin == steps[-1].first.margin
    exact = (math.log1p(math.exp(-beta * spot.margin)) - math.log(2)) / (beta / 2)
    assert spot.value == pytest.approx(exact)


def test_the_same_settings_give_the_same_bits() -> None:
    def margins_of(seed: int) -> list[float]:
        return [step.first.margin for step in run(labels="sampled", steps=5, seed=seed)[1]]

    assert margins_of(3) == margins_of(3)
    assert margins_of(3) != margins_of(4)


def test_what_cannot_be_trained_is_refused_at_the_door() -> None:
    with pytest.raises(PairsError, match="one weight"):
        losses.build(Settings(first="aot", labels="soft"))
    assert losses.build(Settings(first="aot", labels="sampled")).length == 201
    with pytest.raises(EngineError, match="first"):
        experiments.build("losses", {"first": "rlhf"})
