"""Numbers about the RLHF objective, its optimum, proxy rewards, best-of-n and clipping.

Policies and references come as probabilities, rewards as numbers, one per response of one prompt.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from engine import best_of_n, closed_form, distributions, guards, overoptimization, rlhf
from engine.errors import RangeError
from engine.preferences import World


def gap_in_value_identity(prompts: int, responses: int, beta: float, seed: int) -> float:
    """The largest gap between J(π) and β log Z − β KL(π‖π*) over random worlds and policies.

    In units of reward.
    """
    world, policy = _random(prompts, responses, seed)
    optimum = closed_form.optimal_policy(world.reward, world.reference, beta=beta)
    best = closed_form.optimal_value(world.reward, world.reference, beta=beta)
    reached = closed_form.objective(policy, world.reward, world.reference, beta=beta)
    return (reached - (best - beta * distributions.kl(policy, optimum))).abs().max().item()


def distance_after_natural_step(prompts: int, responses: int, beta: float, seed: int) -> float:
    """The largest KL(π*‖π) after one natural-gradient step of 1/β from random starts, in nats."""
    world, start = _random(prompts, responses, seed)
    *_, last = rlhf.natural_gradient_ascent(world, start, beta=beta, rate=1 / beta, steps=1)
    optimum = closed_form.optimal_policy(world.reward, world.reference, beta=beta)
    return distributions.kl(optimum, last.policy).max().item()


def probability_after_ascent(
    response: int, reference: list[float], reward: list[float], beta: float, steps: int
) -> float:
    """A response's probability after plain gradient ascent at rate 1 from the reference.

    Responses are counted from 0.
    """
    _check_response(response, reference)
    return _ascended(reference, reward, beta, steps).exp()[0, response].item()


def gold_after_ascent(
    reference: list[float], proxy: list[float], gold: list[float], beta: float, steps: int
) -> float:
    """The expected gold reward after the same ascent on the proxy."""
    return _mean(_ascended(reference, proxy, beta, steps), gold)


def gold_of_reference(reference: list[float], gold: list[float]) -> float:
    """The expected gold reward of the reference itself."""
    return _mean(_table(reference).log(), gold)


def gold_of_optimum(
    reference: list[float], proxy: list[float], gold: list[float], beta: float
) -> float:
    """The expected gold reward of the policy that is optimal for the proxy."""
    optimum = closed_form.optimal_policy(_table(proxy), _table(reference).log(), beta=beta)
    return _mean(optimum, gold)


def gold_gain_of_gaussian(beta: float, curvature: float) -> float:
    """How far the gold reward y − c y² rises above its start at the optimum for the proxy y.

    Integrated over y, not taken from the closed form.
    """
    return overoptimization.integrated(beta, curvature=curvature)[1]


def divergence_of_gaussian(beta: float, curvature: float) -> float:
    """The divergence of that optimum from the standard normal reference, in nats; integrated."""
    return overoptimization.integrated(beta, curvature=curvature)[0]


def gap_in_gaussian_form(curvature: float) -> float:
    """The largest gap between the integrated gold gain and d (√2 − 2 c d), d = √KL.

    Over β from 0.1 to 10.
    """
    gaps = []
    for beta in torch.logspace(-1, 1, 41, dtype=torch.float64).tolist():
        spent, gain = overoptimization.integrated(beta, curvature=curvature)
        gaps.append(abs(gain - overoptimization.gold_gain(spent, curvature=curvature)))
    return max(gaps)


def probability_in_best_of_n(
    response: int, reference: list[float], reward: list[float], draws: int
) -> float:
    """The probability that best-of-n keeps a response, counted from 0."""
    _check_response(response, reference)
    return _best(reference, reward, draws).exp()[0, response].item()


def gold_of_best_of_n(
    reference: list[float], proxy: list[float], gold: list[float], draws: int
) -> float:
    """The expected gold reward when the draw with the highest proxy reward is kept."""
    return _mean(_best(reference, proxy, draws), gold)


def divergence_of_best_of_n(reference: list[float], reward: list[float], draws: int) -> float:
    """KL(π_n‖π_ref), in nats."""
    return best_of_n.divergence(_table(reward), _table(reference).log(), draws=draws).item()


def bound_of_best_of_n(draws: int) -> float:
    """The bound log n − (n−1)/n, in nats (Beirami et al. 2024)."""
    return best_of_n.bound(draws)


def slack_in_best_of_n(responses: int, draws: int) -> float:
    """By how much the bound exceeds the divergence for equally likely responses, in nats."""
    reward = torch.arange(responses, dtype=torch.float64).unsqueeze(0)
    reference = torch.full_like(reward, 1 / responses).log()
    return best_of_n.bound(draws) - best_of_n.divergence(reward, reference, draws=draws).item()


def excess_over_bound(prompts: int, responses: int, seed: int) -> float:
    """By how much best-of-n's divergence ever passes its bound, in nats; zero if never.

    Over random worlds, with ties among the rewards, and n of 1, 2, 4 up to 4,096.
    """
    world, _ = _random(prompts, responses, seed)
    tied = world.reward.round()
    excess = [
        best_of_n.divergence(reward, world.reference, draws=draws).max().item()
        - best_of_n.bound(draws)
        for reward in (world.reward, tied)
        for draws in (2**power for power in range(13))
    ]
    return max(0.0, *excess)


def highest_gold_of_optimum(reference: list[float], proxy: list[float], gold: list[float]) -> float:
    """The most gold that the optimum for the proxy earns at any β, on a grid from 0.01 to 100."""
    prices = torch.logspace(-2, 2, 20_001, dtype=torch.float64).unsqueeze(1)
    tilted = _table(reference).log() + _table(proxy) / prices
    earned = (tilted.softmax(dim=-1) * _table(gold)).sum(dim=-1)
    return earned.max().item()


def probability_after_clipped_updates(start: float, clip: float, updates: int) -> float:
    """A response's probability after updates that each raise it by the factor 1 + ε, no more.

    Raises:
        RangeError: it would pass one, or the ratio of the others would leave the interval.
    """
    guards.positive("the start", start, advice="Choose a probability, for example 0.01.")
    reached = start * (1 + clip) ** updates
    left = 1 - start * (1 + clip) ** (updates - 1)  # for the others, before the last update
    if reached > 1 or (1 - reached) / left < 1 - clip:
        raise RangeError.expected(
            f"every ratio within {1 - clip:g} and {1 + clip:g}",
            got=f"a probability of {reached:.3g}",
            advice="Make fewer updates.",
        )
    return reached


def divergence_after_clipped_updates(start: float, clip: float, updates: int) -> float:
    """KL from the reference after those updates, the others keeping their proportions; nats."""
    end = probability_after_clipped_updates(start, clip, updates)
    before, after = (_table([share, 1 - share]).log() for share in (start, end))
    return distributions.kl(after, before).item()


def _random(prompts: int, responses: int, seed: int) -> tuple[World, Tensor]:
    """A world with standard normal rewards, and a policy that has nothing to do with it."""
    generator = torch.Generator().manual_seed(seed)
    reward, reference, policy = torch.randn(
        3, prompts, responses, generator=generator, dtype=torch.float64
    )
    return World(reward, reference.log_softmax(dim=-1)), policy.log_softmax(dim=-1)


def _ascended(
    reference: Sequence[float], reward: Sequence[float], beta: float, steps: int
) -> Tensor:
    world = World(_table(reward), _table(reference).log())
    *_, last = rlhf.gradient_ascent(world, world.reference, beta=beta, rate=1.0, steps=steps)
    return last.policy


def _best(reference: Sequence[float], reward: Sequence[float], draws: int) -> Tensor:
    return best_of_n.policy(_table(reward), _table(reference).log(), draws=draws)


def _mean(policy: Tensor, gold: Sequence[float]) -> float:
    values = _table(gold)
    guards.same_shape(policy=policy, gold=values)
    return math.fsum((policy.exp() * values).flatten().tolist())


def _table(values: Sequence[float]) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


def _check_response(response: int, responses: Sequence[object]) -> None:
    if not 0 <= response < len(responses):
        raise RangeError.expected(
            f"a response from 0 to {len(responses) - 1}", got=response, advice="Count from 0."
        )
