"""Codes for symbols of known probability: an exact arithmetic coder, and Huffman's optimal code.

A model is a function from the symbols so far to positive whole weights, one for each symbol that
may come next; the weights are the probabilities times their sum. Whole numbers keep every step
exact, so that what is decoded is what was sent, whatever the length. Lengths are in bits.
"""

import heapq
import math
import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate, product

from engine.errors import RangeError

Weights = Sequence[int]  # above zero, one for each symbol
Model = Callable[[Sequence[int]], Weights]  # from the context (symbols so far) to the next symbol


def fixed(weights: Weights) -> Model:
    """The model that ignores its context: every symbol is drawn with the same weights.

    Raises:
        RangeError: a weight is not above zero, or there is none.
    """
    _check(weights)
    return lambda _context: weights


def encode(symbols: Sequence[int], model: Model) -> str:
    """The message for a sequence, as a string of 0 and 1 (Cover and Thomas 2006, section 13.3).

    The model's probability of the whole sequence is a stretch of the unit interval; the message
    is the shortest binary fraction all of whose continuations lie in it. It is never shorter
    than −log₂ of that probability and less than two bits longer. No message of a sequence of
    this length begins with the message of another.

    Raises:
        RangeError: a weight is not above zero, or a symbol has none.
    """
    low, width, scale = _interval(symbols, model)
    length = max(0, scale.bit_length() - width.bit_length())
    while True:
        first = -(-(low << length) // scale)  # rounded up
        if (first + 1) * scale <= (low + width) << length:
            return f"{first:0{length}b}" if length else ""
        length += 1


def decode(message: str, count: int, model: Model) -> list[int]:
    """The sequence of `count` symbols that `encode` turned into this message.

    The model is asked only about symbols that are already decoded.

    Raises:
        RangeError: a weight is not above zero.
    """
    value, digits = int(message or "0", 2), len(message)
    symbols: list[int] = []
    low, width, scale = 0, 1, 1
    for _ in range(count):
        ends = _ends(model(symbols))
        offset = ((value * scale - (low << digits)) * ends[-1]) // (width << digits)
        symbol = bisect_right(ends, offset)
        low, width, scale = _narrowed(low, width, scale, ends, symbol)
        symbols.append(symbol)
    return symbols


def surprisal(symbols: Sequence[int], model: Model) -> float:
    """Minus log₂ of the model's probability of a sequence, in bits.

    Raises:
        RangeError: a weight is not above zero, or a symbol has none.
    """
    _, width, scale = _interval(symbols, model)
    return math.log2(scale) - math.log2(width)


def draw(weights: Weights, count: int, *, seed: int) -> list[int]:
    """Independent symbols, each with probability proportional to its weight.

    The same on every machine: Python promises its `random()` for a seed.

    Raises:
        RangeError: a weight is not above zero, or there is none.
    """
    _check(weights)
    ends = list(accumulate(weights))
    generator = random.Random(seed)
    return [bisect_right(ends, int(generator.random() * ends[-1])) for _ in range(count)]


def huffman(weights: Weights) -> list[int]:
    """Word lengths, in bits, of a prefix code with the least expected length (Huffman 1952).

    Raises:
        RangeError: a weight is not above zero, or there is none.
    """
    _check(weights)
    lengths = [0] * len(weights)
    heap = [(weight, symbol, [symbol]) for symbol, weight in enumerate(weights)]
    heapq.heapify(heap)
    while len(heap) > 1:
        (light, tie, one), (heavy, _, other) = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in (merged := one + other):
            lengths[symbol] += 1
        heapq.heappush(heap, (light + heavy, tie, merged))
    return lengths


def block_rate(weights: Weights, block: int) -> float:
    """Bits per symbol of the best prefix code for blocks of independent symbols.

    Args:
        weights: of one symbol.
        block: how many symbols share one code word, at least 1.

    Raises:
        RangeError: a weight is not above zero, there is none, or the block is empty.
    """
    if block < 1:
        raise RangeError.expected(
            "a block of at least 1 symbol", got=block, advice="Raise it to 1 or more."
        )
    _check(weights)
    blocks = [math.prod(each) for each in product(weights, repeat=block)]
    total = sum(weight * length for weight, length in zip(blocks, huffman(blocks), strict=True))
    return total / (sum(blocks) * block)


def _interval(symbols: Sequence[int], model: Model) -> tuple[int, int, int]:
    """Start and width of a sequence's stretch of the unit interval, over a common scale."""
    low, width, scale = 0, 1, 1
    for place, symbol in enumerate(symbols):
        ends = _ends(model(symbols[:place]))
        if not 0 <= symbol < len(ends):
            raise RangeError.expected(
                f"a symbol from 0 to {len(ends) - 1}", got=symbol, advice="Give it a weight."
            )
        low, width, scale = _narrowed(low, width, scale, ends, symbol)
    return low, width, scale


def _narrowed(
    low: int, width: int, scale: int, ends: Sequence[int], symbol: int
) -> tuple[int, int, int]:
    start = ends[symbol - 1] if symbol else 0
    return low * ends[-1] + width * start, width * (ends[symbol] - start), scale * ends[-1]


def _ends(weights: Weights) -> list[int]:
    _check(weights)
    return list(accumulate(weights))


def _check(weights: Weights) -> None:
    if not weights or min(weights) < 1:
        raise RangeError.expected(
            "at least one weight, each a whole number above 0",
            got=list(weights),
            advice="A symbol with weight 0 cannot be sent; leave it out or give it a weight.",
        )
