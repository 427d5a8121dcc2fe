"""Tabular DPO against the same mathematics in bare NumPy: batched Newton, nothing around it."""

from collections.abc import Callable
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray

from engine import policies, preferences, train
from engine.preferences import Pairs, World
from tests.bench.measure import Seconds, interleaved

PROMPTS, RESPONSES, BETA = 64, 16, 0.5
KL_NATS = 1e-6
MOST_STEPS = 50
RUNS = 20  # per measurement: one run is about a millisecond

Array = NDArray[np.float64]


def ratio() -> Seconds:
    """Return (ours, the peer's) seconds from the same preferences to the same KL, one thread each.

    Each is given the preferences in the form it works on: pairs here, a table of win rates there.
    """
    world = preferences.world(PROMPTS, RESPONSES, generator=torch.Generator().manual_seed(0))
    pairs = preferences.soft_pairs(world)
    tables = (world.reward.numpy(), world.reference.numpy(), win_rates(world))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return interleaved(
            lambda: _seconds(lambda: engine_newton_dpo(world, pairs, beta=BETA)),
            lambda: _seconds(lambda: numpy_newton_dpo(*tables, beta=BETA)),
            rounds=15,
            warm_up=2,
            of=min,
        )
    finally:
        torch.set_num_threads(threads)


def win_rates(world: World) -> Array:
    """Return how often the teacher prefers i to j, (prompts, responses, responses)."""
    reward = world.reward.numpy()
    return _sigmoid(reward[:, :, None] - reward[:, None, :])


def engine_newton_dpo(world: World, pairs: Pairs, *, beta: float) -> tuple[torch.Tensor, int]:
    """Return the log-policy (prompts, responses) and the steps it took, by the public path."""
    start = policies.Tabular.at_reference(world)
    for step in train.dpo(world, pairs, policy=start, beta=beta, steps=MOST_STEPS):
        if step.kl_to_optimum < KL_NATS:
            return step.policy, step.index
    raise RuntimeError(f"expected KL below {KL_NATS} in {MOST_STEPS} steps, got {step}")


def numpy_newton_dpo(
    reward: Array, reference: Array, wins: Array, *, beta: float
) -> tuple[Array, int]:
    """Return the log-policy (prompts, responses) and the steps it took.

    Every couple is compared once, the soft label split over both directions. The last logit of
    each prompt is held fixed, which makes each Hessian invertible.
    """
    optimum = _log_softmax(reference + reward / beta)
    weight = np.exp(optimum)
    diagonal = np.arange(reward.shape[1] - 1)
    logits = reference.copy()
    for steps in range(MOST_STEPS):
        policy = _log_softmax(logits)
        if (weight * (optimum - policy)).sum(axis=1).mean() < KL_NATS:
            return policy, steps
        score = beta * (logits - reference)
        right = _sigmoid(score[:, :, None] - score[:, None, :])
        gradient = beta * (right - wins).sum(axis=2)
        curvature = right * (1 - right)
        hessian = -curvature[:, :-1, :-1]
        hessian[:, diagonal, diagonal] = curvature.sum(axis=2)[:, :-1] - 0.25
        hessian *= beta**2
        logits[:, :-1] -= np.linalg.solve(hessian, gradient[:, :-1, None])[:, :, 0]
    raise RuntimeError(f"expected KL below {KL_NATS} in {MOST_STEPS} steps")


def _sigmoid(margin: Array) -> Array:
    odds: Array = np.negative(margin)
    np.exp(odds, out=odds)
    odds += 1.0
    return np.reciprocal(odds, out=odds)


def _log_softmax(logits: Array) -> Array:
    shifted: Array = logits - logits.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def _seconds(run: Callable[[], object]) -> float:
    begin = perf_counter()
    for _ in range(RUNS):
        run()
    return (perf_counter() - begin) / RUNS
