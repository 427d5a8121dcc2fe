"""Experiments from plain numbers: repeatable, bounded, and right where the optimum is known."""

from dataclasses import asdict
from itertools import product
from typing import Any

import pytest
import torch

from engine.errors import EngineError
from engine.experiments.dpo import Settings, build
from engine.train import Step

WORLD = {"data": "world", "prompts": 3, "responses": 4, "steps": 5}
BAD: list[dict[str, Any]] = [
    {"beta": 0},
    {"beta": -1.0},
    {"beta": float("nan")},
    {"beta": float("inf")},
    {"beta": "much"},
    {"seed": "9" * 400},
    {"seed": 10**400},
    {"seed": -1},
    {"steps": float("inf")},
    {"steps": None},
    {"steps": [1]},
    {"prompts": 10**9},
    {"responses": 1},
    {"pairs": 0},
    {"policy": "None"},
    {"optimizer": "__class__"},
    {"graph": "preferences"},
    {"labels": 1},
    {"nonsense": 1},
]


def run(**numbers: object) -> list[Step]:
    return list(build(Settings.read(WORLD | numbers)).run())


@pytest.mark.parametrize("optimizer", ["gradient", "adam", "lbfgs", "newton"])
@pytest.mark.parametrize("policy", ["table", "shared"])
def test_the_same_settings_give_the_same_run_to_the_last_bit(policy: str, optimizer: str) -> None:
    numbers = {"policy": policy, "optimizer": optimizer, "labels": "sampled", "pairs": 50}
    first, second = run(**numbers), run(**numbers)
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one.policy, other.policy)
        assert (one.loss, one.margin) == (other.loss, other.margin)


def test_another_seed_is_another_world() -> None:
    assert not torch.equal(run(seed=1)[0].policy, run(seed=2)[0].policy)


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    run(labels="sampled", policy="shared")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("numbers", BAD, ids=lambda bad: next(iter(bad)))
def test_every_bad_setting_is_refused_in_words(numbers: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match=r"^(Expected|These are no settings)"):
        Settings.read(numbers)


@pytest.mark.parametrize("name", Settings.limits)
def test_both_ends_of_each_range_can_be_set(name: str) -> None:
    for end in Settings.limits[name]:
        assert Settings.read({name: end}).numbers()[name] == end


def test_numbers_and_settings_are_the_same_thing() -> None:
    settings = Settings(data="world", policy="shared", beta=0.5, seed=7, optimizer="newton")
    assert Settings.read(settings.numbers()) == settings
    assert Settings.read({name: str(value) for name, value in asdict(settings).items()}) == settings
    assert Settings.read({}) == Settings()


@pytest.mark.parametrize("graph", ["complete", "chain"])
def test_soft_labels_on_a_connected_graph_lead_to_the_optimum(graph: str) -> None:
    last = run(labels="soft", graph=graph, optimizer="newton", steps=30, prompts=8)[-1]
    assert last.kl_to_optimum < 1e-10


def test_islands_do_not_lead_to_the_optimum() -> None:
    settings = WORLD | {"graph": "islands", "optimizer": "newton", "steps": 30}
    built = build(Settings.read(settings))
    assert not built.connected
    assert list(built.run())[-1].kl_to_optimum > 1e-3


@pytest.mark.parametrize(("data", "policy"), list(product(["pair", "world"], ["table", "shared"])))
def test_what_the_page_draws_is_normalized_and_centered(data: str, policy: str) -> None:
    built = build(Settings.read(WORLD | {"data": data, "policy": policy}))
    *_steps, last = built.run()
    for probabilities in built.probabilities(last).values():
        assert sum(probabilities) == pytest.approx(1.0)
    rewards = built.rewards(last)
    for column in (1, 2):
        of_first = [row[column] for row in rewards if row[0] == 0]
        assert sum(of_first) == pytest.approx(0.0, abs=1e-9)
