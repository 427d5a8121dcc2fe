"""The numbers of the lesson on cross-entropy, each against a way of its own to the same number."""

import math
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import coding
from engine.checks import compression as checks
from engine.errors import EngineError, RangeError

SOURCE, REVERSED = [0.5, 0.25, 0.125, 0.125], [0.125, 0.125, 0.25, 0.5]


def test_the_four_symbols_by_hand() -> None:
    assert checks.bits_at_best(SOURCE) == pytest.approx((2 + 2 + 1.5 + 1.5) / 4, abs=1e-12)
    reversed_cost = 0.5 * 3 + 0.25 * 3 + 0.125 * 2 + 0.125 * 1
    assert checks.bits_under_model(SOURCE, REVERSED) == pytest.approx(reversed_cost, abs=1e-12)
    assert checks.bits_under_model(SOURCE, [0.25] * 4) == pytest.approx(2, abs=1e-12)
    assert checks.bits_wasted(SOURCE, REVERSED) == pytest.approx(reversed_cost - 1.75, abs=1e-12)


def test_swapped_arguments_are_seen() -> None:
    coin, even = [0.9, 0.1], [0.5, 0.5]
    assert checks.bits_under_model(coin, even) == pytest.approx(1, abs=1e-12)
    assert checks.bits_under_model(even, coin) > 1.7


def test_what_the_model_rules_out_costs_infinitely_much() -> None:
    assert checks.bits_under_model([1 - 1e-6, 1e-6], [1.0, 0.0]) == math.inf
    assert checks.bits_under_model([1.0, 0.0], [1 - 1e-6, 1e-6]) < 1e-5


def test_the_sum_holds_and_the_sum_with_the_divergence_reversed_does_not() -> None:
    assert checks.gap_in_sum(5, 500, 1) < 1e-12
    coin, other = [0.9, 0.1], [0.7, 0.3]
    wrong = checks.bits_at_best(coin) + checks.bits_wasted(other, coin)
    assert abs(checks.bits_under_model(coin, other) - wrong) > 0.01


def test_block_codes_close_in_on_the_entropy_unevenly() -> None:
    floor = -(0.9 * math.log2(0.9) + 0.1 * math.log2(0.1))
    assert checks.bits_at_best([0.9, 0.1]) == pytest.approx(floor, abs=1e-12)
    rates = {block: checks.block_code_bits([9, 1], block) for block in range(1, 9)}
    assert all(floor <= rate < floor + 1 / block for block, rate in rates.items())
    assert min(rates, key=lambda block: rates[block]) == 6
    assert rates[6] < rates[8]


def test_the_bound_holds_and_half_of_it_does_not() -> None:
    assert checks.block_bound_violation(3, 5, 30, 1) == 0
    floor = checks.bits_at_best([0.999, 0.001])
    assert checks.block_code_bits([999, 1], 1) - floor > 0.98, (
        "the bit of overhead is nearly reached"
    )


def test_messages_grow_by_the_cross_entropy() -> None:
    models: dict[float, list[float]] = {1.75: [4, 2, 1, 1], 2: [1] * 4, 2.625: [1, 1, 2, 4]}
    for per_symbol, model in models.items():
        sent = checks.message_bits([4, 2, 1, 1], model, 4000, 7)
        assert sent / 4000 == pytest.approx(per_symbol, abs=0.06)


def test_a_message_is_the_sum_of_its_word_lengths_when_all_are_powers_of_one_half() -> None:
    drawn = coding.draw([4, 2, 1, 1], 1000, seed=2)
    assert checks.message_bits([4, 2, 1, 1], [4, 2, 1, 1], 1000, 2) == sum(
        [1, 2, 3, 3][symbol] for symbol in drawn
    )


def test_memory_halves_the_message_of_a_sticky_coin() -> None:
    turns = sum(coding.draw([9, 1], 1000, seed=3)[1:])
    surprisal = 1 - (999 - turns) * math.log2(0.9) - turns * math.log2(0.1)
    sent = checks.sticky_message_bits(9, 1, 1000, 3)
    assert 0 <= sent - surprisal < 2
    assert checks.sticky_message_bits(1, 1, 1000, 3) == 1000, "nothing to predict, a bit a toss"


def test_the_overhead_comes_near_two_bits_and_stays_below() -> None:
    assert 1.5 < checks.coder_overhead(500, 60, 1) < 2


def test_perplexity_ten() -> None:
    assert math.exp(checks.nats_behind(10)) == pytest.approx(10, rel=1e-12)
    assert 2 ** checks.bits_behind(10) == pytest.approx(10, rel=1e-12)
    assert checks.perplexity_from_wrong_base(10) == pytest.approx(10 ** (1 / math.log(2)))
    assert checks.gap_between_bases(6, 500, 1) < 1e-12


def test_shannons_range_per_letter_and_per_token() -> None:
    assert checks.perplexity_of_stretch(0.6, 1) == pytest.approx(1.5157, abs=5e-5)
    assert checks.perplexity_of_stretch(1.3, 4.5) == pytest.approx(57.68, abs=5e-3)
    assert checks.perplexity_of_stretch(0.6, 4.5) == pytest.approx(1.5157166**4.5, rel=1e-6)
    assert checks.bits_per_character(57.68, 4.5) == pytest.approx(1.3, abs=1e-4)


def windows_by_enumeration(stay: float, window: int, stride: int) -> float:
    """Return the perplexity from every sequence of a window, weighed by its probability."""
    total = 0.0
    for sides in product((0, 1), repeat=window):
        turns = [one != other for one, other in pairwise(sides)]
        chances = [0.5, *(1 - stay if turn else stay for turn in turns)]
        total -= math.prod(chances) * sum(map(math.log2, chances[window - stride :]))
    return math.exp2(total / stride)


@pytest.mark.parametrize("stay", [0.5, 0.6, 0.9])
@pytest.mark.parametrize(("window", "stride"), [(1, 1), (3, 3), (3, 2), (3, 1), (5, 5), (5, 2)])
def test_windows_against_every_sequence(stay: float, window: int, stride: int) -> None:
    found = checks.perplexity_in_windows(stay, window, stride)
    assert found == pytest.approx(windows_by_enumeration(stay, window, stride), rel=1e-12)


def test_overlap_lowers_the_perplexity_of_one_and_the_same_model() -> None:
    assert checks.perplexity_in_windows(0.9, 3, 1) < checks.perplexity_in_windows(0.9, 3, 3) - 0.1


@given(st.floats(0, 10), st.floats(0, 10), st.integers(1, 500), st.integers(1, 500))
def test_a_mean_weighs_parts_by_their_tokens(
    one: float, other: float, first: int, second: int
) -> None:
    found = checks.mean_surprisal([one, other], [first, second])
    assert found == pytest.approx((one * first + other * second) / (first + second), abs=1e-9)


def test_the_memo_is_not_the_mean_of_two_means() -> None:
    assert checks.mean_surprisal([3, 0.5], [400, 200]) == pytest.approx(13 / 6)
    assert checks.mean_surprisal([3, 0.5], [400, 200]) != pytest.approx(1.75, abs=0.1)


def test_what_has_no_answer_is_refused() -> None:
    with pytest.raises(RangeError, match="stride from 1 to 3"):
        checks.perplexity_in_windows(0.9, 3, 4)
    with pytest.raises(RangeError, match="whole"):
        checks.block_code_bits([0.9, 0.1], 1)
    with pytest.raises(EngineError, match="sum to 1"):
        checks.bits_at_best([0.9, 0.2])
