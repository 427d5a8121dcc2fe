"""The leash and GRPO in bare NumPy: the same updates, and the same numbers read at every step."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from engine import reinforce
from engine.experiments import grpo, leash
from tests.bench.labs.arrays import (
    Array,
    Fed,
    Own,
    Race,
    Source,
    Whole,
    gathered,
    in_logits,
    log_softmax,
)

State = tuple[Array, Array, float]  # logits, what is expected of each prompt, share clipped
Update = Callable[[State, Array, Array], State]  # state, log-probabilities and probabilities


def leash_race(algorithm: str) -> Race:
    """The lab's first world, climbed by one algorithm."""
    built = leash.build(leash.Settings.read({"algorithm": algorithm}))
    peer = partial(_leash_peer, built)
    if algorithm in ("gradient", "natural"):
        return Race(lambda: _leash_ours(built), lambda: peer(Own(0)))
    return Race(lambda: _leash_ours(built), lambda: peer(Own(0)), lambda: peer(Fed(0)))


def grpo_race() -> Race:
    """The lab's own prompts."""
    built = grpo.build(grpo.Settings())
    return Race(
        lambda: _grpo_ours(built),
        lambda: _grpo_peer(built, Own(0)),
        lambda: _grpo_peer(built, Fed(0)),
    )


def _leash_ours(built: leash.Experiment) -> Array:
    return np.array([(*_numbers(step), step.gold) for step in built.run()])


def _grpo_ours(built: grpo.Experiment) -> Array:
    rows = [
        (*_numbers(each), *each.solve_rates, *each.entropies_nats, *each.silent_chances)
        for each in built.run()
    ]
    return np.array(rows)


def _numbers(step: leash.Step | grpo.Step) -> tuple[float, ...]:
    return (
        step.reward,
        step.kl_to_reference_nats,
        step.objective,
        step.kl_to_optimum_nats,
        step.entropy_nats,
        step.clip_fraction,
    )


def _leash_peer(built: leash.Experiment, source: Source) -> Array:
    reward, reference = built.world.reward.numpy(), built.world.reference.numpy()
    gold, beta = built.gold.numpy(), built.settings.beta
    update = _UPDATES[built.settings.algorithm](built, source)
    optimum = log_softmax(reference + reward / beta)
    tables = np.stack([reward, reference, optimum, gold]).reshape(4, -1) / len(reward)
    rows = []
    for table, share, clipped in _visited(reference, built.settings.steps, update):
        earned, to_reference, to_optimum, meant = (tables @ share.ravel()).tolist()
        negative = np.dot(share.ravel(), table.ravel()).item() / len(table)
        leash_nats = max(negative - to_reference, 0.0)
        gap, objective = max(negative - to_optimum, 0.0), earned - beta * leash_nats
        rows.append((earned, leash_nats, objective, gap, -negative, clipped, meant))
    return np.array(rows)


def _grpo_peer(built: grpo.Experiment, source: Source) -> Array:
    reward, reference = built.world.reward.numpy(), built.world.reference.numpy()
    beaten = np.where(reward < reward.max(axis=1, keepdims=True), -np.inf, reference)
    optimum = log_softmax(beaten)  # at β = 0
    settings, tables = built.settings, np.stack([reward, reference]).reshape(2, -1) / len(reward)
    rows = []
    for table, share, clipped in _visited(reference, settings.steps, _grpo(built, source)):
        earned, to_reference = (tables @ share.ravel()).tolist()
        entropies = -(share * table).sum(axis=1)
        leash_nats = max(-entropies.mean() - to_reference, 0.0)
        gap = (share * (table - optimum)).sum(axis=1).mean().item()
        solved = (share * reward).sum(axis=1)
        silent = solved**settings.group + (1 - solved) ** settings.group
        whole = (earned, leash_nats, earned - settings.kl * leash_nats, gap, entropies.mean())
        rows.append((*whole, clipped, *solved.tolist(), *entropies.tolist(), *silent.tolist()))
    return np.array(rows)


def _visited(start: Array, steps: int, update: Update) -> Iterator[tuple[Array, Array, float]]:
    """The log-probabilities and probabilities of each step, the start first."""
    state: State = (start, np.zeros(len(start)), 0.0)
    for index in range(steps + 1):
        table = log_softmax(state[0])
        share = np.exp(table)
        if not table.min() > -1e6:
            raise RuntimeError("expected finite numbers at every step")
        yield table, share, state[2]
        if index < steps:
            state = update(state, table, share)


def _exact(built: leash.Experiment, source: Source, *, natural: bool) -> Update:
    reward, reference = built.world.reward.numpy(), built.world.reference.numpy()
    beta, rate = built.settings.beta, built.settings.rate

    def update(state: State, table: Array, share: Array) -> State:
        earned = reward - beta * (table - reference)
        value = (share * earned).sum(axis=1, keepdims=True)
        slope = earned - value
        return state[0] + rate * (slope if natural else share * slope), value, 0.0

    return update


def _reinforce(built: leash.Experiment, source: Source) -> Update:
    reward, reference = built.world.reward.numpy(), built.world.reference.numpy()
    settings = built.settings

    def update(state: State, table: Array, share: Array) -> State:
        logits, value, _ = state
        drawn = source.draw(share, settings.draws)
        earned = reward - settings.beta * (table - reference)
        returns = np.take_along_axis(earned, drawn, axis=1)
        slope = gathered(drawn, returns - value[:, None], reward.shape[1])
        value = value + reinforce.VALUE_RATE * (returns.mean(axis=1) - value)
        return logits + settings.rate * in_logits(share, slope), value, 0.0

    return update


def _ppo(built: leash.Experiment, source: Source) -> Update:
    reward, reference = built.world.reward.numpy(), built.world.reference.numpy()
    settings, rate = built.settings, built.settings.rate / built.settings.epochs
    kept = (1 - reinforce.VALUE_RATE) ** settings.epochs

    def update(state: State, table: Array, share: Array) -> State:
        logits, value, _ = state
        drawn = source.draw(share, settings.draws)
        earned = reward - settings.beta * (table - reference)
        returns = np.take_along_axis(earned, drawn, axis=1)
        advantage, bound = returns - value[:, None], settings.clip
        batch = (logits, table, share, drawn, advantage)
        logits, clipped = _reused(batch, (rate, settings.epochs, bound))
        mean = returns.mean(axis=1)
        return logits, mean + kept * (value - mean), clipped

    return update


def _grpo(built: grpo.Experiment, source: Source) -> Update:
    reward, reference = built.world.reward.numpy(), built.world.reference.numpy()
    settings, rate = built.settings, built.settings.rate / built.settings.epochs
    bound = grpo.CLIP if settings.clip == "on" else math.inf

    def price(table: Array) -> Array:
        found: Array = settings.kl * np.expm1(reference - table)
        return found

    def update(state: State, table: Array, share: Array) -> State:
        drawn = source.draw(share, settings.group)
        earned = np.take_along_axis(reward, drawn, axis=1)
        above, spread = earned - earned.mean(axis=1, keepdims=True), earned.std(axis=1)[:, None]
        agree = earned.max(axis=1, keepdims=True) == earned.min(axis=1, keepdims=True)
        advantage = np.where(agree, 0.0, above / np.where(agree, 1.0, spread))
        batch = (state[0], table, share, drawn, advantage)
        logits, clipped = _reused(batch, (rate, settings.epochs, bound), price)
        return logits, state[1], clipped

    return update


def _reused(
    batch: tuple[Array, Array, Array, Whole, Array],  # logits, log π, π, draws, advantages
    how: tuple[float, int, float],  # rate, epochs, bound
    price: Callable[[Array], Array] | None = None,
) -> tuple[Array, float]:
    """The logits after all epochs on one batch, and the share of slopes clipped to zero."""
    (logits, old, share, drawn, advantage), (rate, epochs, bound) = batch, how
    edge = np.where(advantage > 0, 1 + bound, 1 - bound)
    table, weight, count = old, advantage, 0
    for epoch in range(epochs):
        if epoch:
            table = log_softmax(logits)
            share = np.exp(table)
            ratio = np.exp(np.take_along_axis(table - old, drawn, axis=1))
            flat = (ratio - edge) * advantage > 0
            weight = np.where(flat, 0.0, ratio * advantage)
            count += int(flat.sum())
        if price:
            weight = weight + np.take_along_axis(price(table), drawn, axis=1)
        logits = logits + rate * in_logits(share, gathered(drawn, weight, logits.shape[1]))
    return logits, count / (epochs * drawn.size)


_UPDATES: dict[str, Callable[[leash.Experiment, Source], Update]] = {
    "gradient": partial(_exact, natural=False),
    "natural": partial(_exact, natural=True),
    "reinforce": _reinforce,
    "ppo": _ppo,
}
