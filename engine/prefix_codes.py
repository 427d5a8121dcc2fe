"""The best prefix code of a finite distribution, and what it costs on average.

In a prefix code no codeword begins another, so a stream of codewords can be cut in one way only.
"""

import heapq
import math
from collections.abc import Sequence
from itertools import count, product

from engine.errors import RangeError

_NORMALIZATION_TOLERANCE = 1e-9


def huffman_lengths(
    probabilities: Sequence[float],  # at least two, summing to 1
) -> list[int]:  # binary digits of each outcome's codeword
    """Lengths of the codewords of an optimal binary prefix code (Huffman 1952).

    Raises:
        RangeError: there are fewer than two probabilities, one is negative, or the sum is not 1.
    """
    _check(probabilities)
    ticket = count()
    heap = [(share, next(ticket), [index]) for index, share in enumerate(probabilities)]
    heapq.heapify(heap)
    lengths = [0] * len(probabilities)
    while len(heap) > 1:
        (one, _, left), (other, _, right) = heapq.heappop(heap), heapq.heappop(heap)
        for index in left + right:
            lengths[index] += 1
        heapq.heappush(heap, (one + other, next(ticket), left + right))
    return lengths


def average_length(
    probabilities: Sequence[float],  # at least two, summing to 1
    *,
    block: int = 1,  # outcomes coded together, independent of one another
) -> float:  # binary digits per outcome
    """The average cost of the best prefix code for blocks of independent outcomes.

    Raises:
        RangeError: as `huffman_lengths`, or the block is empty.
    """
    if block < 1:
        raise RangeError.expected("a block of at least 1", got=block, advice="Code 1 or more.")
    _check(probabilities)
    blocks = [math.prod(shares) for shares in product(probabilities, repeat=block)]
    lengths = huffman_lengths(blocks)
    return sum(share * length for share, length in zip(blocks, lengths, strict=True)) / block


def _check(probabilities: Sequence[float]) -> None:
    if len(probabilities) < 2 or min(probabilities) < 0:
        raise RangeError.expected(
            "two or more probabilities, none negative",
            got=list(probabilities),
            advice="A single outcome needs no code.",
        )
    if abs(math.fsum(probabilities) - 1) > _NORMALIZATION_TOLERANCE:
        raise RangeError.expected(
            "probabilities that sum to 1", got=math.fsum(probabilities), advice="Normalize them."
        )
