"""Numbers about surprisal, entropy, temperature and what training does to them.

Distributions come as probabilities, not as logarithms.
"""

import math
from collections import defaultdict
from itertools import product

import torch
from torch import Tensor

from engine import distributions, entropy_bonus, guards, prefix_codes, temperature
from engine.errors import RangeError, ShapeError

_NATS_PER_BIT = math.log(2)
_RANDOM_TABLES = 50  # rows that an identity is checked on
_RATE = 1.0  # what the gradient is multiplied by in the runs of the lesson
_STEPS_TO_REST = 400  # of that rate, after which a run with a bonus of 1 has come to rest


def surprisal_in_bits(probability: float) -> float:
    """−log₂ p, the surprisal of an outcome that had probability p.

    Raises:
        RangeError: the probability is not above zero and at most one.
    """
    if not 0 < probability <= 1:
        raise RangeError.expected(
            "a probability above 0 and at most 1", got=probability, advice="Try 0.5."
        )
    return -math.log2(probability)


def entropy_in_bits(probabilities: list[float]) -> float:
    """H(p) = −Σ p log₂ p (Shannon 1948, section 6)."""
    return _bits(_table(probabilities).log())


def effective_options(probabilities: list[float]) -> float:
    """The number of equally likely outcomes with the same entropy, e^H with H in nats."""
    return math.exp(distributions.entropy(_table(probabilities).log()).item())


def prefix_code_digits(probabilities: list[float], block: int) -> float:
    """Binary digits per outcome in the best prefix code for blocks (Huffman 1952)."""
    return prefix_codes.average_length(probabilities, block=block)


def prefix_code_violation(outcomes: int, seed: int) -> float:
    """By how many bits H ≤ L < H + 1 fails at worst, over random distributions; 0 if it holds.

    L is the average length of a Huffman code (Cover and Thomas 2006, theorem 5.4.1).
    """
    worst = 0.0
    for row in _random(outcomes, seed).softmax(dim=-1).tolist():
        excess = prefix_codes.average_length(row) - entropy_in_bits(row)
        worst = max(worst, -excess, excess - 1)
    return worst if worst > 1e-12 else 0.0


def tempered_probability(outcome: int, probabilities: list[float], temperature: float) -> float:
    """The probability of an outcome, counted from 0, after tempering."""
    _check_outcome(outcome, probabilities)
    return _tempered(probabilities, temperature).exp()[0, outcome].item()


def temperature_slope_gap(outcomes: int, seed: int) -> float:
    """The largest gap between dH/dT by automatic differentiation and Var(z)/T³, in nats.

    Over random logits and temperatures of 0.5, 1 and 2.
    """
    logits = _random(outcomes, seed)
    gaps = []
    for value in (0.5, 1.0, 2.0):
        dial = torch.full((len(logits), 1), value, dtype=torch.float64, requires_grad=True)
        total = distributions.entropy(torch.log_softmax(logits / dial, dim=-1)).sum()
        (slope,) = torch.autograd.grad(total, dial)
        formula = temperature.entropy_slope(logits, temperature=value)
        gaps.append((slope.squeeze(-1) - formula).abs().max().item())
    return max(gaps)


def kept_by_nucleus(probabilities: list[float], mass: float) -> float:
    """How many outcomes nucleus sampling keeps at this mass (Holtzman et al. 2019)."""
    kept = temperature.nucleus(_table(probabilities).log(), mass=mass)
    return float((~torch.isneginf(kept)).sum().item())


def entropy_response_gap(outcomes: int, seed: int) -> float:
    """The largest gap between the slope of H along a push and −Cov(log p, push), in nats.

    The slope comes from automatic differentiation, over random logits and random pushes.
    """
    logits, push = _random(outcomes, seed), _random(outcomes, seed + 1)
    step = torch.zeros(len(logits), 1, dtype=torch.float64, requires_grad=True)
    total = distributions.entropy(torch.log_softmax(logits + step * push, dim=-1)).sum()
    (slope,) = torch.autograd.grad(total, step)
    formula = temperature.entropy_response(torch.log_softmax(logits, dim=-1), push)
    return (slope.squeeze(-1) - formula).abs().max().item()


def entropy_response_to_one(outcome: int, probabilities: list[float]) -> float:
    """How fast entropy changes as one logit is raised, in nats per unit of logit."""
    _check_outcome(outcome, probabilities)
    push = torch.zeros(1, len(probabilities), dtype=torch.float64)
    push[0, outcome] = 1
    return temperature.entropy_response(_table(probabilities).log(), push).item()


def reinforced_probability(
    response: int, start: list[float], reward: list[float], bonus: float, steps: int
) -> float:
    """A response's probability after exact gradient ascent at rate 1."""
    _check_outcome(response, start)
    return _reinforced(start, reward, bonus, steps).exp()[0, response].item()


def reinforced_entropy_in_bits(
    start: list[float], reward: list[float], bonus: float, steps: int
) -> float:
    """The policy's entropy after the same ascent."""
    return _bits(_reinforced(start, reward, bonus, steps))


def bonus_optimum_gap(responses: int, seed: int) -> float:
    """How far ascent with a bonus of 1 comes to rest from the softmax of reward over bonus.

    The largest difference of log-probabilities, over random rewards.
    """
    reward = _random(responses, seed).sigmoid()
    start = torch.log_softmax(_random(responses, seed + 1), dim=-1)
    run = entropy_bonus.ascend(start, reward, bonus=1.0, rate=_RATE, steps=_STEPS_TO_REST)
    *_, last = run
    return (last - entropy_bonus.optimum(reward, bonus=1.0)).abs().max().item()


def probability_under_bonus(outcomes: int, bonus: float) -> float:
    """What the optimum gives the only outcome with reward 1 when all others earn 0."""
    guards.count("outcomes", outcomes, least=1)
    reward = torch.zeros(1, outcomes, dtype=torch.float64)
    reward[0, 0] = 1
    return entropy_bonus.optimum(reward, bonus=bonus).exp()[0, 0].item()


def token_entropy_in_bits(choices: list[list[float]]) -> float:
    """Mean entropy of a token, for tokens drawn independently from these distributions."""
    return sum(entropy_in_bits(choice) for choice in choices) / len(choices)


def meaning_entropy_in_bits(choices: list[list[float]], carries: list[float]) -> float:
    """Entropy over meanings of whole responses (the idea of Kuhn et al. 2023), by enumeration.

    A token drawn where `carries` is 1 changes the meaning; one drawn where it is 0 does not.
    """
    if len(carries) != len(choices):
        raise ShapeError.expected(
            "one mark for each token", got=len(carries), advice=f"Give {len(choices)} marks."
        )
    meanings: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for picks in product(*(range(len(choice)) for choice in choices)):
        chance = math.prod(choice[pick] for choice, pick in zip(choices, picks, strict=True))
        kept = tuple(pick for pick, mark in zip(picks, carries, strict=True) if mark)
        meanings[kept] += chance
    return entropy_in_bits(list(meanings.values()))


def forecast_gap(forecast: list[float], outcomes: list[float]) -> float:
    """Calibration error of one forecast made again and again: |confidence − accuracy|.

    Confidence is the highest stated probability, accuracy how often that outcome happens. With
    a single forecast there is a single bin, so this is its expected calibration error.
    """
    _table(forecast)
    _table(outcomes)
    best = max(range(len(forecast)), key=forecast.__getitem__)
    return abs(forecast[best] - outcomes[best])


def _bits(log_p: Tensor) -> float:
    return distributions.entropy(log_p).item() / _NATS_PER_BIT


def _tempered(probabilities: list[float], value: float) -> Tensor:
    return temperature.temper(_table(probabilities).log(), temperature=value)


def _reinforced(start: list[float], reward: list[float], bonus: float, steps: int) -> Tensor:
    table = torch.tensor([reward], dtype=torch.float64)
    *_, last = entropy_bonus.ascend(
        _table(start).log(), table, bonus=bonus, rate=_RATE, steps=steps
    )
    return last


def _random(outcomes: int, seed: int) -> Tensor:
    guards.count("outcomes", outcomes, least=2)
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(_RANDOM_TABLES, outcomes, generator=generator, dtype=torch.float64)


def _table(probabilities: list[float]) -> Tensor:
    table = torch.tensor([probabilities], dtype=torch.float64)
    guards.log_probabilities("the probabilities", table.log())
    return table


def _check_outcome(outcome: int, among: list[float]) -> None:
    if not 0 <= outcome < len(among):
        raise RangeError.expected(
            f"an outcome from 0 to {len(among) - 1}", got=outcome, advice="Count from 0."
        )
