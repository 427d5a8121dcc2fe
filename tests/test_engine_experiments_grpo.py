"""GRPO in the lab: pulls by enumeration, rest by balance, silence by counting, entropy falling."""

import itertools
import math

import numpy as np
import pytest
import torch

from engine import grpo as groups_of
from engine import grpo_training, on_policy
from engine.errors import RangeError
from engine.experiments.grpo import Experiment, Settings, Step, build


def made(**numbers: object) -> Experiment:
    return build(Settings.read(numbers))


def run(**numbers: object) -> list[Step]:
    return list(made(**numbers).run())


@pytest.mark.parametrize("size", [2, 5, 64])
def test_pulls_are_those_of_the_enumeration(size: int) -> None:
    for pull in made(group=size).pulls[::14]:
        divided = groups_of.expected_pull(pull.rate, size, groups_of.advantages).item()
        assert pull.divided == pytest.approx(divided, rel=1e-9)
        assert pull.centered == pytest.approx((1 - 1 / size) * pull.rate * (1 - pull.rate))
        agree = pull.rate**size + (1 - pull.rate) ** size
        assert pull.silent == pytest.approx(agree)


def test_dividing_by_the_deviation_favors_easy_and_hard_prompts() -> None:
    favors = [pull.favor for pull in made(group=8).pulls]
    assert min(favors) == favors[49]
    assert favors[0] == pytest.approx(favors[-1])
    assert all(np.diff(favors[:50]) < 0)
    assert favors[0] > 1.2 * favors[49]
    even = [pull.favor for pull in made(group=2).pulls]
    assert max(even) == pytest.approx(min(even)), "groups of two cannot favor anybody"


@pytest.mark.parametrize("deviation", ["on", "off"])
def test_the_first_expected_step_is_the_mean_over_all_groups(deviation: str) -> None:
    built = made(deviation=deviation, group=3, answers=4, rates="0.2", steps=1, rate=0.5)
    weights = {"on": grpo_training.grpo_weights, "off": grpo_training.dr_grpo_weights}[deviation]
    policy, mean = built.world.reference, torch.zeros(1, 4, dtype=torch.float64)
    for group in itertools.product(range(4), repeat=3):
        drawn = torch.tensor([group])
        rewards = built.world.reward.gather(1, drawn)
        weight = weights(rewards, torch.ones_like(rewards))
        slope = on_policy.in_logits(policy, on_policy.gathered(drawn, weight, policy))
        mean += policy.gather(1, drawn).sum().exp() * slope
    moved = torch.log_softmax(policy + 0.5 * mean, dim=-1)
    assert built.expected_path[1][0] == pytest.approx(moved.exp()[0, :2].sum().item(), abs=1e-12)
    assert built.expected_path[0] == (0.2,)


@pytest.mark.parametrize("deviation", ["on", "off"])
def test_a_leash_lets_each_prompt_come_to_rest_where_pull_and_price_balance(deviation: str) -> None:
    numbers = {"deviation": deviation, "kl": 0.3, "rates": "0.1,0.5", "group": 8}
    built = made(**numbers, steps=500, epochs=1, rate=0.2)
    of = {"on": groups_of.advantages, "off": groups_of.centered}[deviation]
    for start, rest in zip((0.1, 0.5), built.resting_rates, strict=True):
        pulled = groups_of.expected_pull(rest, 8, of).item()
        assert pulled == pytest.approx(0.3 * (rest - start), abs=1e-12)
    slow = made(**numbers, steps=500, epochs=1, rate=2)
    assert slow.expected_path[-1] == pytest.approx(built.resting_rates, abs=1e-6)
    late = np.mean([step.solve_rates for step in built.run()][300:], axis=0)
    assert late == pytest.approx(built.resting_rates, abs=0.04)


def test_the_deviation_lets_hard_prompts_catch_up() -> None:
    with_it, without = (made(deviation=each, rates="0.02,0.5") for each in ("on", "off"))
    late = with_it.expected_path[-1], without.expected_path[-1]
    assert late[0][0] > late[1][0] + 0.1
    first = with_it.pulls[1].divided / with_it.pulls[49].divided
    assert first > 1.2 * without.pulls[1].centered / without.pulls[49].centered


def test_the_start_is_what_was_asked_for_and_silence_is_counted() -> None:
    built = made(rates="0.02, 0.5", group=8, answers=6)
    first = next(built.run())
    assert first.solve_rates == pytest.approx((0.02, 0.5))
    counts = [(1 - p) ** 8 + p**8 for p in (0.02, 0.5)]
    assert first.silent_chances == pytest.approx(counts)
    assert first.silent_share == pytest.approx(sum(counts) / 2)
    entropies = [
        -sum(3 * p / 3 * math.log(p / 3) for p in (rate, 1 - rate)) for rate in (0.02, 0.5)
    ]
    assert first.entropies_nats == pytest.approx(entropies)


def test_training_solves_falls_silent_and_loses_more_entropy_than_it_must() -> None:
    steps, built = run(), made()
    assert steps[-1].reward > 0.95 > steps[0].reward
    assert steps[-1].silent_share > steps[0].silent_share + 0.3
    assert steps[-1].entropy_nats < built.entropy_at_best_nats - 0.2
    held = run(kl=0.2)[-1]
    assert held.reward > 0.85
    assert held.entropy_nats > steps[-1].entropy_nats + 0.2, "the leash keeps answers apart"


def test_without_clipping_nothing_is_clipped_and_with_it_something_is() -> None:
    hasty = {"epochs": 8, "rate": 5, "steps": 15}
    assert max(step.clip_fraction for step in run(**hasty)) > 0.1
    assert max(step.clip_fraction for step in run(**hasty, clip="off")) == 0


def test_one_epoch_never_clips() -> None:
    first, second = (run(epochs=1, steps=5, clip=clip) for clip in ("on", "off"))
    assert torch.equal(first[-1].policy, second[-1].policy)


@pytest.mark.parametrize(
    "rates", ["", "a", "0.5,", "0.5;0.6", "0", "1", "0.5,nan", "0.5," * 12 + "1"]
)
def test_rates_that_are_none_are_refused(rates: str) -> None:
    with pytest.raises(RangeError, match="success rates"):
        made(rates=rates)


def test_runs_repeat_and_settings_are_bounded() -> None:
    first, second, other = (run(steps=3, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first[-1].policy, second[-1].policy)
    assert not torch.equal(first[-1].policy, other[-1].policy)
    assert len(first) == made(steps=3).length == 4
    for wrong in ({"group": 1}, {"kl": -1}, {"deviation": "half"}, {"answers": 1}):
        with pytest.raises(RangeError):
            Settings.read(wrong)
