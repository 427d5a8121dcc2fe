"""Verdicts on drift: exact permutation tests, known divergences, and the level that is kept."""

import math
from itertools import combinations, product
from typing import Any

import pytest
import torch
from torch import Tensor

from engine import distributions, drift
from engine.drift_verdict import (
    Comparison,
    Kind,
    Pairing,
    alarms,
    compare,
    item_by_item,
    prepare,
    to_unit,
)
from engine.errors import RangeError, ShapeError


def row(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def memos(number: int, shift: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    return drift.memo_scores(number, shift=shift, generator=seeded(seed))


def rows(items: int, outcomes: int, seed: int) -> Tensor:
    return torch.randn(items, outcomes, generator=seeded(seed), dtype=torch.float64).softmax(dim=1)


def test_the_divergences_are_those_of_the_histograms() -> None:
    base, tuned = memos(300, 0.5)
    js, kl = (prepare(base, tuned, kind=kind).observed_nats for kind in ("js", "kl"))
    assert js == pytest.approx(drift.jensen_shannon(base, tuned), abs=1e-15)
    assert kl == pytest.approx(drift.smoothed_kl(tuned, base), abs=1e-15)
    assert kl != pytest.approx(drift.smoothed_kl(base, tuned), rel=1e-3)


def test_separated_scores_are_log_two_apart_and_their_plain_kl_is_infinite() -> None:
    base, tuned = torch.zeros(40).double(), torch.ones(40).double()
    found = compare(base, tuned, generator=seeded())
    assert found.divergence_nats == pytest.approx(math.log(2), abs=1e-15)
    assert (found.word, found.p_value) == ("drifted", 0.001)
    assert drift.histogram_kl(tuned, base) == math.inf
    smoothed = compare(base, tuned, kind="kl", generator=seeded())
    # 40 and 0 of 40 in two of ten bins, half a count more in each: KL = (40/45) log 81.
    assert smoothed.divergence_nats == pytest.approx(40 / 45 * math.log(81))


def test_plain_kl_by_hand() -> None:
    base, tuned = row(0.1, 0.1, 0.9, 0.9), row(0.1, 0.9, 0.9, 0.9)
    expected = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5)
    assert drift.histogram_kl(tuned, base) == pytest.approx(expected, abs=1e-15)
    assert drift.histogram_kl(base, base) == 0


def test_paired_rounds_are_the_swaps_and_nothing_else() -> None:
    base, tuned = row(0.05, 0.15, 0.25), row(0.95, 0.85, 0.25)
    by_hand = set()
    for swaps in product([False, True], repeat=3):
        kept = torch.tensor(swaps)
        left, right = torch.where(kept, tuned, base), torch.where(kept, base, tuned)
        by_hand.add(round(drift.jensen_shannon(left, right), 12))
    null = prepare(base, tuned, pairing="paired").null(300, seeded())
    assert {round(value, 12) for value in null.tolist()} == by_hand
    dealt = prepare(base, tuned, pairing="unpaired").null(300, seeded())
    assert {round(value, 12) for value in dealt.tolist()} > by_hand


def test_unpaired_rounds_approach_the_exact_test() -> None:
    base, tuned = row(0.1, 0.1, 0.1, 0.5), row(0.5, 0.9, 0.9, 0.9, 0.9)
    pooled, beyond, total = torch.cat([base, tuned]), 0, 0
    observed = drift.jensen_shannon(base, tuned)
    for chosen in combinations(range(9), 4):
        left = torch.zeros(9, dtype=torch.bool)
        left[list(chosen)] = True
        beyond += drift.jensen_shannon(pooled[left], pooled[~left]) >= observed - 1e-12
        total += 1
    null = prepare(base, tuned).null(20_000, seeded())
    share = (null >= observed - 1e-12).double().mean().item()
    assert total == math.comb(9, 4)
    assert share == pytest.approx(beyond / total, abs=5 * math.sqrt(0.04 * 0.96 / 20_000))


@pytest.mark.parametrize(
    ("options", "items", "expects"),
    [
        (("js", "paired"), (6, 6), 2 / 2**6),
        (("kl", "paired"), (6, 6), 1 / 2**6),
        (("js", "unpaired"), (3, 3), 2 / math.comb(6, 3)),
        (("js", "unpaired"), (3, 4), 1 / math.comb(7, 3)),
    ],
)
def test_the_least_p_value_is_that_of_the_most_extreme_answers(
    options: tuple[Kind, Pairing], items: tuple[int, int], expects: float
) -> None:
    base, tuned = torch.full((items[0],), 0.1).double(), torch.full((items[1],), 0.9).double()
    if options[0] == "kl":  # from spread to one place, further than from one place to spread
        base = torch.linspace(0.15, 0.65, items[0], dtype=torch.float64)
    prepared: Comparison = prepare(base, tuned, kind=options[0], pairing=options[1])
    assert prepared.least_p_value == pytest.approx(expects)
    null = prepared.null(20_000, seeded())
    share = (null >= prepared.observed_nats - 1e-12).double().mean().item()
    assert share == pytest.approx(expects, abs=5 * math.sqrt(expects / 20_000))


def test_five_pairs_are_too_few_however_different_and_six_are_enough() -> None:
    words = []
    for items in (5, 6):
        base = torch.full((items,), 0.1).double()
        words.append(compare(base, 1 - base, rounds=1999, generator=seeded(3)).word)
    assert words == ["too few", "drifted"]


def test_ten_rounds_are_too_few() -> None:
    base, tuned = memos(500, 1.0)
    found = compare(base, tuned, rounds=10, generator=seeded())
    assert (found.word, found.least_p_value) == ("too few", 1 / 11)


def test_a_difference_too_small_to_matter_is_told_apart_from_none() -> None:
    base, tuned = memos(2000, 0.3)
    words = [
        compare(base, tuned, threshold=threshold, generator=seeded()).word
        for threshold in (0.0, 0.001, 0.5)
    ]
    assert words == ["drifted", "drifted", "below the threshold"]
    again = compare(*memos(500, 0), generator=seeded())
    assert again.word == "no evidence"
    assert again.p_value > 0.05


@pytest.mark.parametrize("pairing", ["paired", "unpaired"])
def test_false_alarms_are_as_frequent_as_the_level_says(
    pairing: Pairing,
) -> None:
    found = alarms(
        0, memos=80, repeats=200, generator=seeded(), rounds=99, level=0.1, pairing=pairing
    )
    # Binomial(200, 0.1): outside 6 to 36 with a probability below 0.001. Memos shared by both
    # scorers make unpaired tests too careful, never too bold.
    assert found.found <= 36
    assert pairing == "unpaired" or found.found >= 6
    assert found.low <= found.rate <= found.high


def test_drift_is_found_and_pairs_find_more() -> None:
    rates = [
        alarms(0.5, memos=100, repeats=40, generator=seeded(), rounds=99, pairing=pairing).rate
        for pairing in ("paired", "unpaired")
    ]
    assert rates[0] > 0.6
    assert rates[1] < rates[0], "dealing out all scores forgets that the memos were the same"


def test_without_the_data_the_level_is_not_kept() -> None:
    wrong = right = 0
    for seed in range(300):
        generator = seeded(seed)
        scores = drift.memo_scores(60, shift=0, generator=generator)
        prepared = prepare(*scores)
        null = prepared.null(9, generator)
        wrong += (null >= prepared.observed_nats - 1e-12).double().mean().item() <= 0.05
        right += drift.p_value(prepared.observed_nats, null) <= 0.05
    assert right == 0, "nine rounds cannot reach a level of 0.05"
    assert wrong > 15, "counting rounds alone rejects about one in ten"


def test_the_interval_agrees_with_the_one_of_paired_histograms() -> None:
    base, tuned = memos(400, 0.6)
    found = compare(base, tuned, generator=seeded())
    low, high = drift.bootstrap_interval(base, tuned, rounds=999, generator=seeded(1))
    assert found.low_nats == pytest.approx(low, abs=0.006)
    assert found.high_nats == pytest.approx(high, abs=0.006)
    assert found.low_nats <= found.divergence_nats


def test_many_rounds_are_the_same_in_one_piece_and_in_several() -> None:
    base, tuned = memos(100, 0.4)
    prepared = prepare(base, tuned)
    generator = seeded(5)
    pieces = torch.cat([prepared.null(each, generator) for each in (30, 70)])
    assert torch.equal(pieces, prepared.null(100, seeded(5)))
    assert prepared.null(0, generator).numel() == 0


def test_rows_of_probabilities_item_by_item() -> None:
    base, tuned = rows(30, 4, 1), rows(30, 4, 2)
    found = item_by_item(base, tuned, rounds=500, generator=seeded())
    assert found.forward_nats == pytest.approx(
        (base * (base / tuned).log()).sum(dim=1).mean().item(), abs=1e-14
    )
    assert found.reverse_nats == pytest.approx(
        (tuned * (tuned / base).log()).sum(dim=1).mean().item(), abs=1e-14
    )
    middle = ((base + tuned) / 2).log()
    js = (distributions.kl(base.log(), middle) + distributions.kl(tuned.log(), middle)) / 2
    assert found.js_nats == pytest.approx(js.mean().item(), abs=1e-14)
    error = js.std().item() / math.sqrt(30)
    assert found.high_nats - found.low_nats == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert found.infinite == 0


def test_what_one_model_rules_out_is_infinite_in_one_direction() -> None:
    base = torch.tensor([[0.5, 0.5], [0.5, 0.5]]).double()
    tuned = torch.tensor([[1.0, 0.0], [0.5, 0.5]]).double()
    found = item_by_item(base, tuned, rounds=99, generator=seeded())
    assert found.forward_nats == math.inf
    assert found.reverse_nats == pytest.approx(math.log(2) / 2)
    assert 0 < found.js_nats < math.log(2)
    assert found.infinite == 1


def test_changes_that_cancel_are_called_that() -> None:
    base = torch.stack([row(0.9, 0.1), row(0.1, 0.9)]).repeat(20, 1)
    found = compare(base, base.flip(1), generator=seeded())
    assert found.word == "changes cancel"
    assert found.divergence_nats == pytest.approx(0, abs=1e-12)
    assert found.by_item is not None
    by_hand = 0.9 * math.log(0.9 / 0.5) + 0.1 * math.log(0.1 / 0.5)
    assert found.by_item.js_nats == pytest.approx(by_hand, abs=1e-14)
    assert compare(base, base, generator=seeded()).word == "no evidence"
    assert compare(base, base, threshold=0, generator=seeded()).word == "no evidence"


def test_pooled_probabilities_that_move_one_way_have_drifted() -> None:
    base = rows(100, 3, 1)
    tuned = (base.log() + row(0.8, 0, 0)).softmax(dim=1)
    found = compare(base, tuned, generator=seeded())
    assert (found.word, found.p_value) == ("drifted", 0.001)


def test_scores_on_a_scale_of_their_own_are_brought_to_one() -> None:
    base, tuned = row(1, 2, 5), row(3, 4, 4)
    left, right, ends = to_unit(base, tuned)
    assert ends == pytest.approx((1, 5))
    assert left.tolist() == [0, 0.25, 1]
    assert right.tolist() == [0.5, 0.75, 0.75]
    kept = to_unit(row(0.2, 0.3), row(0.4))
    assert kept[0].tolist() == [0.2, 0.3]
    assert kept[2] == pytest.approx((0, 1))
    with pytest.raises(RangeError, match="throughout"):
        to_unit(row(3, 3), row(3))
    with pytest.raises(RangeError, match="finite"):
        to_unit(row(math.nan), row(3))


def test_the_same_generator_gives_the_same_verdict() -> None:
    base, tuned = memos(100, 0.4)
    first, second = (compare(base, tuned, generator=seeded(9)) for _ in range(2))
    assert first == second


def test_what_has_no_answer_is_refused() -> None:
    scores, probabilities = row(0.1, 0.2), rows(2, 3, 1)
    with pytest.raises(ShapeError, match="one kind"):
        compare(scores, probabilities, generator=seeded())
    with pytest.raises(ShapeError, match="one kind"):
        compare(probabilities, rows(2, 4, 1), generator=seeded())
    with pytest.raises(ShapeError):
        compare(scores, row(0.1), pairing="paired", generator=seeded())
    with pytest.raises(RangeError, match="sum to 1"):
        compare(probabilities, probabilities * 2, generator=seeded())
    with pytest.raises(RangeError, match="from 0 to 1"):
        compare(scores, scores + 1, generator=seeded())
    wrong: list[Any] = [{"rounds": 0}, {"level": 0.0}, {"threshold": -1.0}, {"kind": "tv"}]
    for options in wrong:
        with pytest.raises(RangeError):
            compare(scores, scores, generator=seeded(), **options)
    with pytest.raises(RangeError, match="repeats"):
        alarms(0, memos=10, repeats=0, generator=seeded())
