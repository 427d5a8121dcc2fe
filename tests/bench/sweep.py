"""DPO for 64 values of β at once against DPO for one, in the random world of the lab."""

from collections.abc import Callable
from time import perf_counter

import torch

from engine import optimizers, preferences, sweep, train
from engine.experiments.dpo import Settings
from engine.policies import Tabular
from engine.preferences import Pairs, World
from tests.bench.measure import Seconds, interleaved

BETAS = torch.logspace(-1.5, 0.5, 64, dtype=torch.float64).tolist()
ONE = 0.5


def ratio() -> Seconds:
    """Return seconds for all β and for one, the same steps of gradient descent, one thread."""
    settings = Settings()
    generator = torch.Generator().manual_seed(settings.seed)
    world = preferences.world(settings.prompts, settings.responses, generator=generator)
    pairs = preferences.soft_pairs(world)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return interleaved(
            lambda: _seconds(lambda: all_betas(world, pairs, settings.steps)),
            lambda: _seconds(lambda: one_beta(world, pairs, settings.steps)),
            rounds=15,
            warm_up=2,
        )
    finally:
        torch.set_num_threads(threads)


def all_betas(world: World, pairs: Pairs, steps: int) -> sweep.SweepStep:
    """Return the last record of the sweep."""
    *_, last = sweep.dpo(world, pairs, betas=BETAS, steps=steps)
    return last


def one_beta(world: World, pairs: Pairs, steps: int) -> train.Step:
    """Return the last record of a run alone."""
    plain = optimizers.gradient_descent
    policy = Tabular.at_reference(world)
    *_, last = train.dpo(world, pairs, policy=policy, beta=ONE, optimizer=plain, steps=steps)
    return last


def _seconds(run: Callable[[], object]) -> float:
    begin = perf_counter()
    run()
    return perf_counter() - begin
