"""The coder against enumeration: what is sent comes back, and never costs two bits too much."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import coding
from engine.errors import RangeError

WEIGHTS = st.lists(st.integers(1, 1000), min_size=1, max_size=6)


def kraft(lengths: Sequence[int]) -> Fraction:
    return sum((Fraction(1, 2**length) for length in lengths), Fraction(0))


def after_itself(context: Sequence[int]) -> list[int]:
    """Return weights that favor the symbol that came last, and depend on all of the context."""
    weights = [1, 1, 1]
    for symbol in context:
        weights[symbol] += 1
    if context:
        weights[context[-1]] += 5
    return weights


@given(WEIGHTS, st.data())
def test_a_message_decodes_and_is_less_than_two_bits_too_long(
    weights: list[int], data: st.DataObject
) -> None:
    symbols = data.draw(st.lists(st.integers(0, len(weights) - 1), max_size=40))
    model = coding.fixed(weights)
    message = coding.encode(symbols, model)
    assert coding.decode(message, len(symbols), model) == symbols
    chance = Fraction(1)
    for symbol in symbols:
        chance *= Fraction(weights[symbol], sum(weights))
    share = Fraction(1, 2 ** len(message))
    assert chance / 4 < share <= chance, "exact: no logarithm is rounded"


@given(st.lists(st.integers(0, 2), max_size=30))
def test_a_model_with_memory_is_asked_alike_on_both_sides(symbols: list[int]) -> None:
    message = coding.encode(symbols, after_itself)
    assert coding.decode(message, len(symbols), after_itself) == symbols


def test_the_wrong_model_at_the_receiver_yields_another_text() -> None:
    symbols = coding.draw([9, 1], 50, seed=1)
    message = coding.encode(symbols, coding.fixed([9, 1]))
    assert coding.decode(message, 50, coding.fixed([8, 2])) != symbols


@pytest.mark.parametrize("model", [coding.fixed([5, 2, 1]), after_itself])
def test_messages_of_one_length_are_a_prefix_code(model: coding.Model) -> None:
    messages = sorted(coding.encode(symbols, model) for symbols in product(range(3), repeat=4))
    assert len(set(messages)) == 81
    assert not any(later.startswith(earlier) for earlier, later in pairwise(messages))
    assert kraft([len(message) for message in messages]) <= 1


def test_rounding_the_surprisal_up_is_one_bit_too_few() -> None:
    symbols, model = [1], coding.fixed([1, 1, 1])  # from 1/3 to 2/3: neither half fits
    assert math.ceil(coding.surprisal(symbols, model)) == 2
    assert len(coding.encode(symbols, model)) == 3
    quarters = [(Fraction(k, 4), Fraction(k + 1, 4)) for k in range(4)]
    assert not any(Fraction(1, 3) <= low and high <= Fraction(2, 3) for low, high in quarters)


def test_powers_of_one_half_cost_their_surprisal_and_certainty_nothing() -> None:
    model = coding.fixed([4, 2, 1, 1])
    assert len(coding.encode([0, 1, 2, 3, 0], model)) == 1 + 2 + 3 + 3 + 1
    assert coding.encode([0, 0, 0], coding.fixed([7])) == ""
    assert coding.decode("", 3, coding.fixed([7])) == [0, 0, 0]
    assert coding.encode([], model) == ""


def test_surprisal_of_a_long_text_does_not_underflow() -> None:
    symbols = [1] * 2000
    assert coding.surprisal(symbols, coding.fixed([9, 1])) == pytest.approx(2000 * math.log2(10))
    assert 0.1**2000 == 0, "the product itself is lost"


def test_huffman_on_the_textbook_source() -> None:
    assert sorted(coding.huffman([25, 25, 20, 15, 15])) == [2, 2, 2, 3, 3]  # Cover, Thomas 5.6.1
    assert coding.huffman([4, 2, 1, 1]) == [1, 2, 3, 3]
    assert coding.huffman([3]) == [0]


@given(st.lists(st.integers(1, 30), min_size=2, max_size=5))
def test_no_prefix_code_beats_huffman(weights: list[int]) -> None:
    def cost(lengths: Sequence[int]) -> int:
        return sum(w * length for w, length in zip(weights, lengths, strict=True))

    codes = product(range(1, len(weights)), repeat=len(weights))
    best = min(cost(lengths) for lengths in codes if kraft(lengths) <= 1)
    found = coding.huffman(weights)
    assert kraft(found) == 1
    assert cost(found) == best
    rounded = [math.ceil(math.log2(sum(weights) / weight)) for weight in weights]
    assert cost(rounded) >= best


def test_blocks_of_a_coin_by_hand() -> None:
    assert coding.block_rate([9, 1], 1) == 1
    pairs = 0.81 * 1 + 0.09 * 2 + 0.09 * 3 + 0.01 * 3
    assert coding.block_rate([9, 1], 2) == pytest.approx(pairs / 2, abs=1e-15)
    assert coding.block_rate([9, 1], 2) != pytest.approx(pairs, abs=0.1), "per toss, not per word"


def test_draws_follow_their_weights() -> None:
    drawn = coding.draw([4, 2, 1, 1], 40_000, seed=0)
    shares = [drawn.count(symbol) / 40_000 for symbol in range(4)]
    assert shares == pytest.approx([0.5, 0.25, 0.125, 0.125], abs=0.01)


@pytest.mark.parametrize("weights", [[], [1, 0], [1, -1]])
def test_weights_that_send_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(RangeError, match="above 0"):
        coding.fixed(weights)
    with pytest.raises(RangeError, match="above 0"):
        coding.encode([0], lambda _context: weights)


def test_what_has_no_weight_and_what_has_no_length_are_refused() -> None:
    with pytest.raises(RangeError, match="from 0 to 1"):
        coding.encode([2], coding.fixed([1, 1]))
    with pytest.raises(RangeError, match="from 0 to 1"):
        coding.surprisal([-1], coding.fixed([1, 1]))
    with pytest.raises(RangeError, match="at least 1 symbol"):
        coding.block_rate([1, 1], 0)
