"""What DPO training must do: exact where theory is exact, and failing where theory says so."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice, pairwise
from typing import Literal

import pytest
import torch
from torch import Tensor

from engine import losses, optimizers, policies, preferences, train
from engine.closed_form import implicit_reward, log_partition, optimal_policy
from engine.distributions import kl
from engine.errors import DivergenceError, EngineError, PairsError, RangeError, ShapeError
from engine.optimizers import Optimizer, P, Surface
from engine.policies import Policy, SharedFeatures, Tabular
from engine.preferences import Pairs, World
from engine.train import Step

Name = Literal["newton", "lbfgs", "adam"]
ENOUGH: dict[Name, int] = {"newton": 8, "lbfgs": 80, "adam": 500}
NAMES: list[Name] = list(ENOUGH)
BETA = 0.5


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small() -> World:
    return preferences.world(3, 4, generator=seeded())


def learn(
    world: World, pairs: Pairs, optimizer: Name | Optimizer = "newton", *, steps: int
) -> list[Step]:
    """Train a table from the reference."""
    policy = Tabular.at_reference(world)
    return list(train.dpo(world, pairs, policy=policy, beta=BETA, optimizer=optimizer, steps=steps))


# --- What a record says


def test_the_first_record_is_the_reference() -> None:
    world = small()
    (start,) = learn(world, preferences.soft_pairs(world), steps=0)
    optimum = optimal_policy(world.reward, world.reference, beta=BETA)
    assert start.index == 0
    assert start.loss == pytest.approx(math.log(2), abs=1e-15)
    readings = [start.margin, start.log_ratio_chosen, start.log_ratio_rejected]
    assert readings == pytest.approx([0.0] * 3, abs=1e-14)
    torch.testing.assert_close(start.policy, world.reference)
    distance = kl(optimum, world.reference).mean().item()
    assert start.kl_to_optimum == pytest.approx(distance, rel=1e-12)
    assert start.kl_to_optimum != pytest.approx(kl(world.reference, optimum).mean().item())


def test_readings_are_weighted_means_over_pairs() -> None:
    world = small()
    pairs = preferences.soft_pairs(world, preferences.chain(4))
    step = learn(world, pairs, steps=2)[-1]
    share = pairs.weight / pairs.weight.sum()

    def mean(table: Tensor, response: Tensor) -> float:
        return float((share * table[pairs.prompt, response]).sum())

    ratio = step.policy.clone() - world.reference
    assert step.log_prob_chosen == pytest.approx(mean(step.policy, pairs.chosen))
    assert step.log_prob_rejected == pytest.approx(mean(step.policy, pairs.rejected))
    assert step.log_ratio_chosen == pytest.approx(mean(ratio, pairs.chosen))
    assert step.log_ratio_rejected == pytest.approx(mean(ratio, pairs.rejected))
    assert step.margin == pytest.approx(step.log_ratio_chosen - step.log_ratio_rejected)
    chosen, rejected = (ratio[pairs.prompt, y] for y in (pairs.chosen, pairs.rejected))
    loss = (share * losses.dpo(chosen, rejected, beta=BETA)).sum().item()
    assert step.loss == pytest.approx(loss, rel=1e-12)


def test_records_are_numbered_and_cannot_be_changed() -> None:
    world = small()
    steps = learn(world, preferences.soft_pairs(world), steps=3)
    assert [step.index for step in steps] == [0, 1, 2, 3]
    with pytest.raises(AttributeError):
        steps[0].margin = 1.0  # type: ignore[misc]
    with pytest.raises(RuntimeError, match="InferenceMode"):
        steps[0].policy.add_(1.0)


def test_nothing_is_computed_before_it_is_asked_for() -> None:
    world = small()
    endless = train.dpo(
        world,
        preferences.soft_pairs(world),
        policy=Tabular.at_reference(world),
        beta=BETA,
        steps=10**12,
    )
    assert [step.index for step in islice(endless, 3)] == [0, 1, 2]


# --- Soft labels from a Bradley-Terry teacher: the optimum, exactly


@pytest.mark.parametrize("beta", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("graph", [preferences.complete, preferences.chain])
@pytest.mark.parametrize("name", NAMES)
def test_soft_labels_on_a_connected_graph_recover_the_optimum(
    name: Name, graph: Callable[[int], Tensor], beta: float
) -> None:
    world = small()
    pairs = preferences.soft_pairs(world, graph(4))
    policy, steps = Tabular.at_reference(world), ENOUGH[name]
    *_, last = train.dpo(world, pairs, policy=policy, beta=beta, optimizer=name, steps=steps)
    assert last.kl_to_optimum < (1e-12 if name == "newton" else 1e-10)
    implicit = implicit_reward(last.policy, world.reference, beta=beta)
    constant = beta * log_partition(world.reward, world.reference, beta=beta).unsqueeze(1)
    torch.testing.assert_close(implicit, world.reward - constant, atol=1e-4, rtol=0)
    assert not torch.allclose(implicit, world.reward - constant / beta, atol=1e-2), "no β on log Z"


def test_the_optimum_of_another_beta_is_not_reached() -> None:
    world = small()
    last = learn(world, preferences.soft_pairs(world), steps=8)[-1]
    other = optimal_policy(world.reward, world.reference, beta=2 * BETA)
    assert kl(other, last.policy).mean().item() > 1e-2


def test_newton_doubles_the_digits() -> None:
    world = preferences.world(64, 16, generator=seeded())
    steps = learn(world, preferences.soft_pairs(world), steps=6)
    assert steps[4].kl_to_optimum < 1e-6
    assert steps[6].kl_to_optimum < 1e-12


def test_shared_features_that_hold_the_reward_recover_the_optimum_too() -> None:
    world = small()
    features = SharedFeatures.random(world, 3, generator=seeded(1))
    truth = torch.tensor([1.0, -0.5, 2.0], dtype=torch.float64)
    world = World(features.features @ truth, world.reference)
    pairs = preferences.soft_pairs(world)
    for name in NAMES:
        run = train.dpo(
            world, pairs, policy=features, beta=BETA, optimizer=name, steps=ENOUGH[name]
        )
        *_, last = run
        assert last.kl_to_optimum < 1e-10
    too_few = SharedFeatures(features.features[:, :, :2], world.reference)
    *_, last = train.dpo(world, pairs, policy=too_few, beta=BETA, steps=20)
    assert last.kl_to_optimum > 1e-2, "features that cannot express the reward do not"


def test_many_sampled_pairs_come_close() -> None:
    world = small()
    few, many = (
        learn(world, preferences.sampled_pairs(world, n, generator=seeded(2)), steps=12)[-1]
        for n in (300, 100_000)
    )
    assert many.kl_to_optimum < 1e-3 < few.kl_to_optimum


# --- Where preferences do not determine the policy


def from_two_starts(pairs: Pairs, world: World) -> tuple[Step, Step]:
    elsewhere = world.reference + torch.randn(3, 4, generator=seeded(5), dtype=torch.float64)
    ends = []
    for start in (world.reference, elsewhere):
        *_, last = train.dpo(world, pairs, policy=Tabular(start), beta=BETA, steps=20)
        ends.append(last)
    return ends[0], ends[1]


def test_islands_leave_the_policy_to_the_start() -> None:
    world = small()
    pairs = preferences.soft_pairs(world, preferences.islands(4))
    one, other = from_two_starts(pairs, world)
    assert one.loss == pytest.approx(other.loss, abs=1e-14)
    assert (one.policy - other.policy).abs().max().item() > 0.1
    within = (one.policy - other.policy)[:, 0] - (one.policy - other.policy)[:, 1]
    assert within.abs().max().item() < 1e-7, "inside an island all is determined"


def test_a_connected_graph_does_not() -> None:
    world = small()
    one, other = from_two_starts(preferences.soft_pairs(world, preferences.chain(4)), world)
    torch.testing.assert_close(one.policy, other.policy, atol=1e-7, rtol=0)


# --- Deterministic preferences


@pytest.mark.parametrize("beta", [0.1, 1.0])
def test_deterministic_margins_grow_without_bound_and_beta_sets_the_speed(beta: float) -> None:
    world = small()
    pairs = preferences.deterministic_pairs(world)
    policy = Tabular.at_reference(world)
    steps = list(train.dpo(world, pairs, policy=policy, beta=beta, steps=200))
    assert all(later.margin > earlier.margin for earlier, later in pairwise(steps))
    assert steps[200].margin - steps[100].margin > 90 / beta
    assert 0 < steps[200].loss < 1e-50, "the infimum 0 is approached and never attained"


def test_soft_margins_do_not() -> None:
    world = small()
    steps = learn(world, preferences.soft_pairs(world), steps=200)
    assert steps[200].margin == pytest.approx(steps[10].margin, abs=1e-9)


# --- One pair: what happens to the chosen response


def first_gradient(world: World, pairs: Pairs, policy: Policy) -> Tensor:
    seen: list[Tensor] = []

    def look(surface: Surface[P], start: Tensor, steps: int) -> Iterator[P]:
        point = surface(start)
        seen.append(point.gradient)
        yield point

    list(train.dpo(world, pairs, policy=policy, beta=0.3, steps=0, optimizer=look))
    return seen[0]


def test_at_the_reference_the_gradient_is_half_beta_not_zero() -> None:
    world, pair = preferences.displacement()
    gradient = first_gradient(world, pair, Tabular.at_reference(world))
    torch.testing.assert_close(gradient, torch.tensor([[-0.15, 0.15, 0.0]]).double())


DESCENTS: list[Name | Optimizer] = [*NAMES, optimizers.gradient_descent]


@pytest.mark.parametrize("optimizer", DESCENTS)
def test_in_a_table_one_pair_never_lowers_the_chosen(optimizer: Name | Optimizer) -> None:
    world, pair = preferences.displacement()
    steps = learn(world, pair, optimizer, steps=60)
    for earlier, later in pairwise(steps):
        assert later.log_prob_chosen >= earlier.log_prob_chosen
        assert later.log_prob_rejected <= earlier.log_prob_rejected
        assert later.margin >= earlier.margin
    assert steps[-1].policy[0, 0].exp().item() > 0.9


@pytest.mark.parametrize("optimizer", DESCENTS)
def test_with_shared_features_the_chosen_falls_while_the_margin_grows(
    optimizer: Name | Optimizer,
) -> None:
    world, pair = preferences.displacement()
    policy = policies.displacement()
    run = train.dpo(world, pair, policy=policy, beta=BETA, optimizer=optimizer, steps=400)
    steps = list(run)
    assert steps[0].policy.exp().tolist() == [pytest.approx([1 / 3] * 3)]
    assert all(later.margin > earlier.margin for earlier, later in pairwise(steps[:60]))
    assert all(
        later.log_prob_chosen < earlier.log_prob_chosen for earlier, later in pairwise(steps[:60])
    )
    chosen, rejected, unseen = steps[-1].policy[0].tolist()
    assert rejected < chosen < math.log(1e-3)
    assert math.exp(unseen) > 0.999
    assert steps[-1].loss < steps[0].loss, "by its own measure the run succeeds"


# --- Bad input and bad runs


def test_a_run_that_leaves_the_numbers_stops_with_its_last_good_step() -> None:
    world = small()
    run = train.dpo(
        world,
        preferences.soft_pairs(world),
        policy=Tabular.at_reference(world),
        beta=BETA,
        optimizer=partial(optimizers.adam, learning_rate=1e307),
        steps=50,
    )
    first = next(run)
    with pytest.raises(DivergenceError, match="Step 0 was the last good one") as caught:
        next(run)
    assert caught.value.last is first


def test_a_run_that_only_shakes_goes_on() -> None:
    world = small()
    shaking = partial(optimizers.adam, learning_rate=100.0)
    assert len(learn(world, preferences.soft_pairs(world), shaking, steps=30)) == 31


@pytest.mark.parametrize("beta", [0.0, -1.0, math.nan, math.inf])
def test_beta_is_checked_before_anything_runs(beta: float) -> None:
    world = small()
    pairs, policy = preferences.soft_pairs(world), Tabular.at_reference(world)
    with pytest.raises(RangeError, match=f"β to be a finite number above 0, got {beta}"):
        train.dpo(world, pairs, policy=policy, beta=beta, steps=1)


def test_other_bad_input_is_refused_at_once() -> None:
    world, wide = small(), preferences.world(3, 5, generator=seeded())
    pairs, policy = preferences.soft_pairs(world), Tabular.at_reference(world)
    with pytest.raises(RangeError, match="steps to be at least 0, got -1"):
        train.dpo(world, pairs, policy=policy, beta=BETA, steps=-1)
    with pytest.raises(ShapeError, match=r"over 3 prompts and 4 responses, got \(3, 5\)"):
        train.dpo(world, pairs, policy=Tabular.at_reference(wide), beta=BETA, steps=1)
    with pytest.raises(PairsError, match="got 4"):
        train.dpo(world, preferences.soft_pairs(wide), policy=policy, beta=BETA, steps=1)
    with pytest.raises(EngineError, match="newton, lbfgs, adam, got 'sgd'"):
        train.dpo(world, pairs, policy=policy, beta=BETA, steps=1, optimizer="sgd")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="optimiser"):
        train.dpo(world, pairs, policy=policy, beta=BETA, steps=1, optimiser="adam")  # type: ignore[call-arg]
