"""Counting, chaining and multiplying: hand values, identities, and the wrong forms beside them."""

import math
import struct
from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import likelihood
from engine.errors import EngineError, RangeError

TEXT = "the cat sleeps . the cat sleeps . the cat eats . the dog eats ."
WORDS = likelihood.vocabulary(TEXT)


def counts() -> torch.Tensor:
    return likelihood.count(likelihood.numbered(TEXT, WORDS), size=len(WORDS))


def at(table: torch.Tensor, context: str, token: str) -> float:
    return table[WORDS.index(context), WORDS.index(token)].item()


def test_the_vocabulary_keeps_the_order_of_the_text() -> None:
    assert WORDS == (".", "the", "cat", "sleeps", "eats", "dog")


def test_transitions_counted_by_hand() -> None:
    table = counts()
    assert table.sum().item() == 16
    assert (at(table, "the", "cat"), at(table, "the", "dog")) == (3, 1)
    assert (at(table, ".", "the"), at(table, "cat", "sleeps")) == (4, 2)
    assert at(table, "cat", "the") == 0, "the context comes first"


def test_rows_are_normalized_and_columns_are_not() -> None:
    table = likelihood.most_likely(counts()).exp()
    assert table.sum(dim=1).tolist() == pytest.approx([1] * 6, abs=1e-15)
    assert table.sum(dim=0).tolist() != pytest.approx([1] * 6, abs=0.1)
    assert at(table, "cat", "eats") == pytest.approx(1 / 3, abs=1e-15)


def test_a_context_that_was_never_counted_is_left_even() -> None:
    empty = likelihood.most_likely(torch.zeros(2, 2, dtype=torch.float64)).exp()
    assert empty.tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_the_log_likelihood_is_the_sum_over_tokens() -> None:
    table = likelihood.most_likely(counts())
    numbers = likelihood.numbered(TEXT, WORDS)
    by_hand = sum(table[a, b].item() for a, b in pairwise(numbers))
    found = likelihood.log_likelihood(table, counts()).item()
    assert found == pytest.approx(by_hand, abs=1e-12) == pytest.approx(-6 * math.log(2))


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_no_model_beats_the_counts_of_a_random_text(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    table = torch.randint(0, 6, (4, 4), generator=generator).double()
    noise = torch.randn(4, 4, generator=generator, dtype=torch.float64)
    rival = torch.log_softmax((table + 0.1).log() + 0.1 * noise, dim=-1)
    best = likelihood.log_likelihood(likelihood.most_likely(table), table)
    assert likelihood.log_likelihood(rival, table) <= best + 1e-12


def test_smoothed_counts_are_beaten_so_the_comparison_can_fail() -> None:
    table = counts()
    best = likelihood.log_likelihood(likelihood.most_likely(table), table)
    smoothed = likelihood.log_likelihood(likelihood.most_likely(table + 1), table)
    assert best - smoothed > 1


def test_the_slope_is_expected_minus_counted() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    table = counts()
    expected = table.sum(dim=1, keepdim=True) * logits.softmax(dim=1)
    torch.testing.assert_close(likelihood.slope(logits, table), expected - table)
    at_rest = likelihood.slope(likelihood.most_likely(table), table)
    assert at_rest.abs().max() < 1e-12


@pytest.mark.parametrize(("precision", "code"), [(torch.float64, "d"), (torch.float32, "f")])
@pytest.mark.parametrize("probability", [0.5, 0.3, 0.1, 0.01])
def test_underflow_agrees_with_rounding_by_struct(
    probability: float, precision: torch.dtype, code: str
) -> None:
    def stored(number: float) -> float:
        return float(struct.unpack(code, struct.pack(code, number))[0])

    factor, value, taken = stored(probability), 1.0, 0
    while value > 0:
        value, taken = stored(value * factor), taken + 1
    assert likelihood.tokens_until_zero(probability, precision=precision) == taken


def test_halves_end_one_step_past_the_smallest_number() -> None:
    assert likelihood.tokens_until_zero(0.5, precision=torch.float64) == 1075
    assert likelihood.tokens_until_zero(0.5, precision=torch.float32) == 150


def test_above_one_half_a_product_is_stuck_at_the_smallest_number() -> None:
    assert 5e-324 * 0.6 == 5e-324
    assert 5e-324 * 0.5 == 0
    with pytest.raises(RangeError, match=r"at most 0\.5"):
        likelihood.tokens_until_zero(0.6, precision=torch.float64)


def test_conditionals_sum_to_one_and_multiply_back() -> None:
    joint = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    joint = joint / joint.sum()
    first, second, third = likelihood.conditionals(joint)
    for table in (first, second, third):
        total = table.sum(dim=-1)
        torch.testing.assert_close(total, torch.ones_like(total))
    for a, b, c in product(range(2), range(3), range(4)):
        chained = first[a] * second[a, b] * third[a, b, c]
        assert chained.item() == pytest.approx(joint[a, b, c].item(), abs=1e-15)
    bigram = joint.sum(dim=0) / joint.sum(dim=(0, 2)).unsqueeze(-1)  # forgets the first token
    wrong = first[0] * second[0, 0] * bigram[0, 0]
    assert wrong.item() != pytest.approx(joint[0, 0, 0].item(), abs=1e-3)


def test_a_prompt_counts_as_much_as_its_weight() -> None:
    words = likelihood.vocabulary("cat ? the cat sleeps .")
    chat = "cat ? | the cat sleeps ."
    full, masked, tenth = (
        likelihood.count_chat(chat, words, prompt_weight=weight) for weight in (1, 0, 0.1)
    )
    cat, asks, sleeps = (words.index(word) for word in ("cat", "?", "sleeps"))
    assert (full[cat, asks].item(), full[cat, sleeps].item()) == (1, 1)
    assert (masked[cat, asks].item(), masked[cat, sleeps].item()) == (0, 1)
    assert tenth[cat, asks].item() == pytest.approx(0.1)
    assert masked[asks].sum().item() == 1, "the answer's first token has the prompt as context"
    assert full.sum().item() == 6
    assert masked.sum().item() == 4


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: likelihood.numbered("the cow", WORDS), "cow"),
        (lambda: likelihood.count_chat("cat ? the", WORDS, prompt_weight=0), "between prompt"),
        (lambda: likelihood.tokens_until_zero(0, precision=torch.float64), "above 0"),
        (
            lambda: likelihood.log_likelihood(
                torch.zeros(2, 2).double(), torch.ones(2, 2).double()
            ),
            "sum to 1",
        ),
    ],
)
def test_what_has_no_answer_is_refused(call: object, says: str) -> None:
    assert callable(call)
    with pytest.raises(EngineError, match=says):
        call()
