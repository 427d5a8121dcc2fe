"""Prefix codes: Huffman against every code that exists, and the bound that holds them all."""

import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import RangeError
from engine.prefix_codes import average_length, huffman_lengths


def normalized(weights: list[int]) -> list[float]:
    return [weight / sum(weights) for weight in weights]


def entropy_in_bits(shares: list[float]) -> float:
    return -sum(share * math.log2(share) for share in shares if share)


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), min_size=2, max_size=5))
def test_no_prefix_code_is_shorter(weights: list[int]) -> None:
    shares = normalized(weights)
    longest = len(shares) - 1
    best = min(  # by Kraft's inequality these are the lengths of all prefix codes
        sum(share * length for share, length in zip(shares, lengths, strict=True))
        for lengths in product(range(1, longest + 1), repeat=len(shares))
        if sum(2.0**-length for length in lengths) <= 1
    )
    assert average_length(shares) == pytest.approx(best, abs=1e-12)


@settings(deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=2, max_size=12))
def test_the_lengths_fill_the_tree_and_the_average_stays_within_one_bit(weights: list[int]) -> None:
    shares = normalized(weights)
    lengths = huffman_lengths(shares)
    assert sum(2.0**-length for length in lengths) == 1
    excess = average_length(shares) - entropy_in_bits(shares)
    assert -1e-12 <= excess < 1
    assert sum(lengths) / len(lengths) >= average_length(shares) - 1e-12, "long words are rare"


def test_halves_are_coded_without_loss_and_the_plain_mean_is_refused() -> None:
    shares = [0.5, 0.25, 0.125, 0.125]
    assert huffman_lengths(shares) == [1, 2, 3, 3]
    assert average_length(shares) == 1.75
    assert average_length(shares) != 2.25


def test_blocks_come_closer_and_stay_within_one_over_n() -> None:
    shares = [0.9, 0.05, 0.05]
    entropy = entropy_in_bits(shares)
    found = [average_length(shares, block=block) for block in (1, 2, 3, 4)]
    assert found[:2] == pytest.approx([1.1, 0.7275], abs=1e-12)
    assert found == sorted(found, reverse=True)
    for block, length in enumerate(found, start=1):
        assert entropy <= length < entropy + 1 / block


def test_what_cannot_be_coded_is_refused() -> None:
    for shares in ([1.0], [0.5, 0.6], [1.5, -0.5]):
        with pytest.raises(RangeError):
            huffman_lengths(shares)
    with pytest.raises(RangeError, match="block"):
        average_length([0.5, 0.5], block=0)
