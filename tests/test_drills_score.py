"""The score in bits: proper, with a floor, and sliders that sum to one."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from drills import score
from drills.errors import DrillsError

Rule = Callable[[Sequence[float], int], float]


def beliefs(least: float = 0.0) -> st.SearchStrategy[tuple[float, ...]]:
    """Any belief over 2 to 6 options, each at least about `least`."""
    weights = st.lists(st.floats(0, 1), min_size=2, max_size=6).filter(lambda w: sum(w) > 1e-3)
    return weights.map(lambda w: tuple(least + (1 - least * len(w)) * x / sum(w) for x in w))


def pairs_of_beliefs(least: float = 0.0) -> st.SearchStrategy[tuple[tuple[float, ...], ...]]:
    """Two beliefs about the same options."""
    return st.tuples(beliefs(least), beliefs(least)).filter(lambda two: len(two[0]) == len(two[1]))


def expected(rule: Rule, belief: Sequence[float], report: Sequence[float]) -> float:
    """What a report earns on average if `belief` is how often each option is right."""
    return sum(b * rule(report, right) for right, b in enumerate(belief) if b > 0)


def linear(probabilities: Sequence[float], right: int) -> float:
    """The rule one might think of first, which rewards overstating."""
    return probabilities[right] * len(probabilities)


def clipped(probabilities: Sequence[float]) -> tuple[float, ...]:
    """The floor one might think of first: lift, then divide by the sum."""
    lifted = [max(p, score.FLOOR) for p in probabilities]
    return tuple(p / sum(lifted) for p in lifted)


@pytest.mark.parametrize(
    ("probabilities", "right", "bits"),
    [
        ((0.25, 0.25, 0.25, 0.25), 2, 0.0),
        ((0.5, 0.5), 0, 0.0),
        ((1.0, 0.0), 0, 1.0),
        ((0.0, 1.0, 0.0, 0.0), 1, 2.0),
        ((0.5, 0.25, 0.125, 0.125), 0, 1.0),
        ((0.5, 0.25, 0.125, 0.125), 3, -1.0),
        ((0.97, 0.01, 0.01, 0.01), 1, math.log2(0.04)),
        ((1.0, 0.0), 1, -math.inf),
    ],
)
def test_a_belief_earns_the_log_of_its_ratio_to_an_even_split(
    probabilities: tuple[float, ...], right: int, bits: float
) -> None:
    assert score.log_score_bits(probabilities, right) == pytest.approx(bits, abs=1e-12)


@given(pairs_of_beliefs(least=0.01))
def test_the_score_is_proper_and_a_wrong_report_costs_the_kl(
    two: tuple[tuple[float, ...], ...],
) -> None:
    belief, report = two
    loss = expected(score.log_score_bits, belief, belief) - expected(
        score.log_score_bits, belief, report
    )
    kl_bits = sum(b * math.log2(b / r) for b, r in zip(belief, report, strict=True))
    assert loss == pytest.approx(kl_bits, abs=1e-9)
    assert loss > -1e-12


@given(beliefs(least=0.02), st.integers(0, 5), st.integers(0, 5), st.floats(1e-3, 0.01))
def test_any_small_change_of_the_true_belief_earns_less(
    belief: tuple[float, ...], source: int, target: int, amount: float
) -> None:
    source, target = source % len(belief), target % len(belief)
    assume(source != target)
    report = list(belief)
    report[source] -= amount
    report[target] += amount
    honest = expected(score.log_score_bits, belief, belief)
    assert expected(score.log_score_bits, belief, report) < honest


def test_a_linear_score_would_reward_overstating() -> None:
    belief, boast = (0.6, 0.3, 0.1), (0.98, 0.01, 0.01)
    assert expected(linear, belief, boast) > expected(linear, belief, belief)
    assert expected(score.log_score_bits, belief, boast) < expected(
        score.log_score_bits, belief, belief
    )


@given(beliefs())
@example((1.0, 0.0, 0.0, 0.0))
@example((0.5, 0.5))
def test_the_floor_lifts_all_options_and_keeps_their_order(belief: tuple[float, ...]) -> None:
    held = score.with_floor(belief)
    assert min(held) >= score.FLOOR
    assert math.fsum(held) == pytest.approx(1, abs=1e-12)
    for i, j in pairwise(range(len(belief))):
        assert (belief[i] - belief[j]) * (held[i] - held[j]) >= 0
    assert score.with_floor(held) == pytest.approx(held, abs=1e-12)


@given(pairs_of_beliefs())
def test_no_belief_above_the_floor_serves_better_than_the_one_it_gives(
    two: tuple[tuple[float, ...], ...],
) -> None:
    belief, other = two
    best = expected(score.log_score_bits, belief, score.with_floor(belief))
    assert expected(score.log_score_bits, belief, score.with_floor(other)) <= best + 1e-9
    assert expected(score.log_score_bits, belief, score.one_click(len(belief), 0, 0.5)) <= (
        best + 1e-9
    )


@given(beliefs(least=0.01))
def test_a_belief_above_the_floor_is_left_alone(belief: tuple[float, ...]) -> None:
    assert score.with_floor(belief) == pytest.approx(belief, abs=1e-9)


def test_lifting_and_dividing_by_the_sum_would_break_the_floor() -> None:
    certain = (1.0, 0.0, 0.0, 0.0)
    assert min(clipped(certain)) < score.FLOOR
    assert score.with_floor(certain) == pytest.approx((0.97, 0.01, 0.01, 0.01))


def test_lifting_one_option_can_push_down_another() -> None:
    lifted = score.with_floor((0.9899, 0.0101, 0.0, 0.0))
    assert lifted == pytest.approx((0.97, 0.01, 0.01, 0.01))


@pytest.mark.parametrize(
    ("n", "confidence", "top", "rest"),
    [
        (4, 0.7, 0.7, 0.1),
        (4, 0.99, 0.97, 0.01),
        (2, 0.99, 0.99, 0.01),
        (3, 0.5, 0.5, 0.25),
        (3, 0.99, 0.98, 0.01),
        (6, 0.9, 0.9, 0.02),
    ],
)
def test_one_click_states_a_confidence(n: int, confidence: float, top: float, rest: float) -> None:
    assert score.one_click(n, 1, confidence) == pytest.approx((rest, top, *[rest] * (n - 2)))


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_nothing_earns_more_than_the_best_or_less_than_the_worst(n: int) -> None:
    sure = score.one_click(n, 0, 0.999)
    assert score.log_score_bits(sure, 0) == pytest.approx(score.best_bits(n))
    assert score.log_score_bits(sure, 1) == pytest.approx(score.worst_bits(n))
    assert score.best_bits(n) < math.log2(n)
    assert score.log_score_bits(score.uniform(n), n - 1) == 0


@given(beliefs(), st.integers(0, 5), st.floats(0, 1))
def test_sliders_sum_to_one_and_the_others_keep_their_ratios(
    belief: tuple[float, ...], changed: int, value: float
) -> None:
    changed %= len(belief)
    moved = score.rebalance(belief, changed, value)
    most = 1 - (len(belief) - 1) * score.FLOOR
    assert moved[changed] == pytest.approx(min(max(value, score.FLOOR), most))
    assert math.fsum(moved) == pytest.approx(1, abs=1e-12)
    assert min(moved) >= score.FLOOR - 1e-15
    free = [i for i, p in enumerate(moved) if i != changed and p > score.FLOOR + 1e-9]
    mass = sum(belief[i] for i in free)
    if mass > 1e-6:
        parts = [moved[i] / sum(moved[j] for j in free) for i in free]
        assert parts == pytest.approx([belief[i] / mass for i in free], abs=1e-6)


@st.composite
def sliders(draw: st.DrawFn) -> tuple[int, ...]:
    """Whole percents, each at least 1, that sum to 100."""
    count = draw(st.integers(2, 6))
    cuts = draw(st.lists(st.integers(1, 99), min_size=count - 1, max_size=count - 1, unique=True))
    edges = [0, *sorted(cuts), 100]
    return tuple(b - a for a, b in pairwise(edges))


@given(sliders(), st.integers(0, 5), st.integers(0, 100))
@example((34, 33, 33), 0, 33)
@example((97, 1, 1, 1), 0, 25)
def test_whole_percents_sum_to_exactly_one_hundred(
    percents: tuple[int, ...], changed: int, value: int
) -> None:
    changed %= len(percents)
    moved = score.rebalance_percent(percents, changed, value)
    assert sum(moved) == 100
    assert min(moved) >= 1
    assert moved[changed] == min(max(value, 1), 101 - len(percents))
    others = [i for i in range(len(percents)) if i != changed]
    for i in others:
        for j in others:
            if percents[i] > percents[j]:
                assert moved[i] >= moved[j]


@given(sliders(), st.integers(0, 5))
def test_putting_a_slider_where_it_was_changes_nothing(
    percents: tuple[int, ...], changed: int
) -> None:
    changed %= len(percents)
    assert score.rebalance_percent(percents, changed, percents[changed]) == percents


@given(sliders(), st.integers(0, 100))
def test_the_slider_that_moved_may_hold_its_new_value_already(
    percents: tuple[int, ...], value: int
) -> None:
    already = (value, *percents[1:])
    assert score.rebalance_percent(already, 0, value) == score.rebalance_percent(percents, 0, value)


def test_whole_percents_by_hand() -> None:
    assert score.rebalance_percent((25, 25, 25, 25), 0, 97) == (97, 1, 1, 1)
    assert score.rebalance_percent((97, 1, 1, 1), 0, 40) == (40, 20, 20, 20)
    assert score.rebalance_percent((50, 30, 20), 0, 75) == (75, 15, 10)
    assert score.rebalance_percent((50, 50), 1, 100) == (1, 99)
    assert score.to_percent(score.uniform(3)) == (34, 33, 33)
    assert score.to_percent((0.5, 0.25, 0.125, 0.125)) == (50, 25, 13, 12)


@given(sliders())
def test_percents_come_back_as_they_were(percents: tuple[int, ...]) -> None:
    assert score.to_percent(score.from_percent(percents)) == percents


@pytest.mark.parametrize("n", range(2, 21))
def test_an_even_split_in_whole_percents_is_exactly_no_idea(n: int) -> None:
    belief = score.from_percent(score.to_percent(score.uniform(n)))
    assert all(score.log_score_bits(belief, right) == 0 for right in range(n))


@pytest.mark.parametrize(
    ("bits", "n", "words"),
    [
        (math.log2(3), 4, "moved 1.6 bits toward the truth: as much as ruling out two thirds of"),
        (1.0, 4, "moved 1.0 bits toward the truth: as much as ruling out half of the options."),
        (1.0, 2, "as much as ruling out half of the options."),
        (score.best_bits(4), 4, "ruling out about three quarters of the options."),
        (math.log2(1.4), 4, "ruling out about 29% of the options."),
        (math.log2(0.2), 4, "cost you 2.3 bits: it gave the right answer 5%, and an even split"),
        (math.log2(0.2), 4, "would have given it 25%."),
        (score.worst_bits(3), 3, "cost you 5.1 bits: it gave the right answer 1%, and an even"),
        (0.0, 4, "earned 0.0 bits: it was worth no more and no less than an even split."),
        (-0.04, 4, "earned 0.0 bits"),
    ],
)
def test_bits_are_put_into_words(bits: float, n: int, words: str) -> None:
    sentence = score.meaning(bits, n)
    assert words in sentence
    assert sentence.endswith(".")
    assert "!" not in sentence


@given(st.integers(2, 6), st.floats(0.01, 1))
def test_every_possible_score_has_words(n: int, probability: float) -> None:
    sentence = score.meaning(math.log2(probability * n), n)
    assert ("cost" in sentence) == (math.log2(probability * n) <= -0.05)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: score.log_score_bits((0.5, 0.6), 0), "sum to 1.1"),
        (lambda: score.log_score_bits((0.5, 0.5), 2), "there is no option 2"),
        (lambda: score.log_score_bits((0.5, 0.5), -1), "there is no option -1"),
        (lambda: score.log_score_bits((1.0,), 0), "2 to 50 options; this one has 1"),
        (lambda: score.log_score_bits((1.5, -0.5), 0), "Option 1 was given 1.5"),
        (lambda: score.log_score_bits((0.5, math.nan), 0), "Option 2 was given nan"),
        (lambda: score.with_floor((0.2, 0.2)), "sum to 0.4"),
        (lambda: score.one_click(4, 4, 0.9), "there is no option 4"),
        (lambda: score.one_click(4, 0, 1.0), "between 0 and 1; this one is 1"),
        (lambda: score.one_click(4, 0, math.nan), "between 0 and 1; this one is nan"),
        (lambda: score.uniform(0), "this one has 0"),
        (lambda: score.uniform(99), "this one has 99"),
        (lambda: score.rebalance((0.5, 0.5), 0, math.nan), "lie between 0 and 1"),
        (lambda: score.rebalance((0.5, math.inf), 0, 0.3), "lie between 0 and 1"),
        (lambda: score.rebalance_percent((50, -50), 0, 10), "lie between 0 and 1"),
        (lambda: score.rebalance_percent((50, 50), 2, 10), "there is no option 2"),
        (lambda: score.meaning(2.1, 4), "at most 2.00 bits"),
        (lambda: score.meaning(-math.inf, 4), "a finite loss"),
    ],
)
def test_bad_input_is_named(wrong: Callable[[], object], says: str) -> None:
    with pytest.raises(DrillsError, match=says.replace(".", r"\.")):
        wrong()
