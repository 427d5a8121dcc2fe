"""Numbers about cross-entropy, codes and perplexity.

Distributions of a source or a model come as probabilities where they are averaged over, and as
whole weights where symbols are drawn and coded, so that the coder stays exact.
"""

import math
import random
from collections.abc import Sequence

import torch
from torch import Tensor

from engine import coding, distributions, guards, perplexity
from engine.errors import EngineError, RangeError

_BITS_PER_NAT = 1 / math.log(2)
_LARGEST_WEIGHT = 60  # of a random model in the checks of the coder
# What a message may fall short of its surprisal by: the rounding of one logarithm.
_ROUNDING_BITS = 1e-6


def bits_at_best(truth: list[float]) -> float:
    """Entropy of a source, in bits per symbol."""
    return distributions.entropy(_logs(truth)).item() * _BITS_PER_NAT


def bits_under_model(truth: list[float], model: list[float]) -> float:
    """Cross-entropy of a source under a model, in bits per symbol."""
    return distributions.cross_entropy(_logs(truth), _logs(model)).item() * _BITS_PER_NAT


def bits_wasted(truth: list[float], model: list[float]) -> float:
    """KL(truth‖model) in bits per symbol: what is paid for reading the source wrongly."""
    return distributions.kl(_logs(truth), _logs(model)).item() * _BITS_PER_NAT


def gap_in_sum(outcomes: int, pairs: int, seed: int) -> float:
    """The largest |H(p, q) − H(p) − KL(p‖q)| over random pairs of distributions, in nats."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, pairs, outcomes, generator=generator, dtype=torch.float64)
    log_p, log_q = torch.log_softmax(3 * logits, dim=-1)
    parts = distributions.entropy(log_p) + distributions.kl(log_p, log_q)
    return (distributions.cross_entropy(log_p, log_q) - parts).abs().max().item()


def block_code_bits(weights: list[float], block: int) -> float:
    """Bits per symbol of the best prefix code for blocks of independent symbols."""
    return coding.block_rate(_whole(weights), block)


def block_bound_violation(outcomes: int, longest: int, sources: int, seed: int) -> float:
    """How far the best block code leaves the stretch from H up to H + 1/n, at most, in bits.

    Over random sources and blocks of n = 1 up to the longest; 0 when it never does.
    """
    generator = random.Random(seed)
    worst = 0.0
    for weights in (_random_weights(generator, outcomes) for _ in range(sources)):
        floor = bits_at_best([weight / sum(weights) for weight in weights])
        for block in range(1, longest + 1):
            excess = coding.block_rate(weights, block) - floor
            worst = max(worst, -excess, excess - 1 / block)
    return worst


def message_bits(truth: list[float], model: list[float], symbols: int, seed: int) -> float:
    """Length of the arithmetic coder's message for symbols drawn from a source, in bits.

    Raises:
        EngineError: the message does not decode to what was sent.
    """
    drawn = coding.draw(_whole(truth), symbols, seed=seed)
    return float(len(_sent(drawn, coding.fixed(_whole(model)))))


def sticky_message_bits(stay: int, leave: int, symbols: int, seed: int) -> float:
    """Length of the message for a coin that repeats its last side, in bits.

    The source stays with weight `stay` and turns with weight `leave`; the model knows this and
    predicts each toss from the one before, the first from nothing.

    Raises:
        EngineError: the message does not decode to what was sent.
    """

    def model(context: Sequence[int]) -> coding.Weights:
        if not context:
            return [1, 1]
        return [leave, stay] if context[-1] else [stay, leave]

    turns = coding.draw([stay, leave], symbols, seed=seed)
    return float(len(_sent(_running_sides(turns), model)))


def coder_overhead(messages: int, longest: int, seed: int) -> float:
    """The most bits by which a message exceeded its surprisal, over random models and sequences.

    Raises:
        EngineError: a message does not decode, or is shorter than its surprisal.
    """
    generator = random.Random(seed)
    return max(_overhead(generator, longest) for _ in range(messages))


def nats_behind(perplexity_stated: float) -> float:
    """The cross-entropy whose exponential is this perplexity, in nats."""
    return perplexity.in_nats(perplexity_stated)


def bits_behind(perplexity_stated: float) -> float:
    """The cross-entropy for which 2^H is this perplexity, in bits."""
    return perplexity.in_bits(perplexity_stated)


def perplexity_from_wrong_base(perplexity_stated: float) -> float:
    """What comes out when the cross-entropy in bits is put into e^H by mistake."""
    return perplexity.from_nats(perplexity.in_bits(perplexity_stated))


def gap_between_bases(outcomes: int, pairs: int, seed: int) -> float:
    """The largest relative gap of e^H and 2^H over random pairs, H in nats and in bits.

    H in bits is summed with logarithms to base two, not converted.
    """
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, pairs, outcomes, generator=generator, dtype=torch.float64)
    p, q = torch.softmax(logits, dim=-1)
    natural = distributions.cross_entropy(p.log(), q.log()).exp()
    binary = (p * q.log2()).sum(dim=-1).neg().exp2()
    return float((natural / binary - 1).abs().max())


def bits_per_character(perplexity_per_token: float, characters_per_token: float) -> float:
    """Bits per character of a model with this perplexity per token."""
    return perplexity.bits_per_unit(perplexity_per_token, units_per_token=characters_per_token)


def perplexity_of_stretch(bits_each: float, characters: float) -> float:
    """Perplexity of a stretch of characters that cost this many bits each."""
    return perplexity.of_longer_unit(bits_each, units=characters)


def perplexity_in_windows(stay: float, window: int, stride: int) -> float:
    """Perplexity of a coin that repeats its last side, scored window by window.

    Each window scores its last `stride` tosses; those before serve as context. The model knows
    the coin. Without context a toss is even; with any, it is the last side with chance `stay`.

    Raises:
        RangeError: the stride is not between 1 and the window.
    """
    if not 1 <= stride <= window:
        raise RangeError.expected(
            f"a stride from 1 to {window}", got=stride, advice="Score each toss exactly once."
        )
    contexts = range(window - stride, window)
    known, blind = bits_at_best([stay, 1 - stay]), bits_at_best([0.5, 0.5])
    return perplexity.from_bits(sum(known if seen else blind for seen in contexts) / stride)


def mean_surprisal(surprisals: list[float], tokens: list[float]) -> float:
    """Mean surprisal per token of a text of several parts, in the unit of the parts' means."""
    total = sum(each * count for each, count in zip(surprisals, tokens, strict=True))
    return total / sum(tokens)


def _overhead(generator: random.Random, longest: int) -> float:
    weights = _random_weights(generator, generator.randint(2, 6))
    symbols = [generator.randrange(len(weights)) for _ in range(generator.randint(1, longest))]
    model = coding.fixed(weights)
    overhead = len(_sent(symbols, model)) - coding.surprisal(symbols, model)
    if overhead < -_ROUNDING_BITS:
        raise EngineError.expected(
            "no message shorter than its surprisal", got=overhead, advice="Look for a lost bit."
        )
    return overhead


def _sent(symbols: Sequence[int], model: coding.Model) -> str:
    """The message, once it has been decoded and found to be what was sent."""
    message = coding.encode(symbols, model)
    if coding.decode(message, len(symbols), model) != list(symbols):
        raise EngineError.expected(
            "the sequence that was sent", got="another", advice="Decode with the sender's model."
        )
    return message


def _running_sides(turns: Sequence[int]) -> list[int]:
    sides: list[int] = []
    for turn in turns:
        sides.append((sides[-1] if sides else 0) ^ turn)
    return sides


def _random_weights(generator: random.Random, outcomes: int) -> list[int]:
    return [generator.randint(1, _LARGEST_WEIGHT) for _ in range(outcomes)]


def _whole(weights: Sequence[float]) -> list[int]:
    if any(weight != int(weight) for weight in weights):
        raise RangeError.expected(
            "whole weights", got=list(weights), advice="Multiply them until they are whole."
        )
    return [int(weight) for weight in weights]


def _logs(probabilities: Sequence[float]) -> Tensor:
    table = torch.tensor([probabilities], dtype=torch.float64).log()
    guards.log_probabilities("the distribution", table)
    return table
