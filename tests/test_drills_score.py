"""The score in bits: proper, with a floor; what many answers say about a learner."""

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


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_nothing_earns_more_than_the_best(n: int) -> None:
    sure = score.with_floor((1.0, *[0.0] * (n - 1)))
    assert score.log_score_bits(sure, 0) == pytest.approx(score.best_bits(n))
    assert score.log_score_bits(sure, 1) == pytest.approx(math.log2(n / 100))
    assert score.best_bits(n) < math.log2(n)
    assert score.log_score_bits(score.uniform(n), n - 1) == 0


@st.composite
def sliders(draw: st.DrawFn) -> tuple[int, ...]:
    """Whole percents, each at least 1, that sum to 100."""
    count = draw(st.integers(2, 6))
    cuts = draw(st.lists(st.integers(1, 99), min_size=count - 1, max_size=count - 1, unique=True))
    edges = [0, *sorted(cuts), 100]
    return tuple(b - a for a, b in pairwise(edges))


def test_whole_percents_by_hand() -> None:
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
        (math.log2(0.03), 3, "cost you 5.1 bits: it gave the right answer 1%, and an even"),
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
        (lambda: score.uniform(0), "this one has 0"),
        (lambda: score.uniform(99), "this one has 99"),
        (lambda: score.meaning(2.1, 4), "at most 2.00 bits"),
        (lambda: score.meaning(-math.inf, 4), "a finite loss"),
    ],
)
def test_bad_input_is_named(wrong: Callable[[], object], says: str) -> None:
    with pytest.raises(DrillsError, match=says.replace(".", r"\.")):
        wrong()


ANSWERS = [  # confidence 0.8 right three times in four, 0.6 right half of the time, even splits
    *[((0.8, 0.1, 0.1), 0)] * 6,
    *[((0.8, 0.1, 0.1), 1)] * 2,
    *[((0.4, 0.6), 1)] * 3,
    *[((0.4, 0.6), 0)] * 3,
    *[((0.5, 0.5), 1)] * 2,
]


def kl(truth: float, stated: float) -> float:
    """The divergence of two coins, in bits."""
    return truth * math.log2(truth / stated) + (1 - truth) * math.log2((1 - truth) / (1 - stated))


def entropy(*probabilities: float) -> float:
    """The entropy of a distribution, in bits."""
    return -sum(p * math.log2(p) for p in probabilities)


def test_what_answers_cost_is_split_by_hand() -> None:
    found = score.decompose(ANSWERS)
    assert found is not None
    assert (found.count, found.led) == (16, 14)
    surprises = [0.8] * 6 + [0.1] * 2 + [0.6] * 3 + [0.4] * 3 + [0.5] * 2
    assert found.loss == pytest.approx(-sum(map(math.log2, surprises)) / 16)
    own = (8 * entropy(0.8, 0.1, 0.1) + 6 * entropy(0.4, 0.6) + 2) / 16
    assert found.entropy == pytest.approx(own)
    assert found.gap == pytest.approx(found.loss - own)
    assert found.even == pytest.approx((8 * math.log2(3) + 8) / 16)
    assert found.perplexity == pytest.approx(math.prod(surprises) ** (-1 / 16))
    assert found.options == pytest.approx(3**0.5 * 2**0.5)
    assert found.miscalibration == pytest.approx((8 * kl(0.75, 0.8) + 6 * kl(0.5, 0.6)) / 14)
    overall = 9 / 14
    assert found.uncertainty == pytest.approx(entropy(overall, 1 - overall))
    assert found.resolution == pytest.approx((8 * kl(0.75, overall) + 6 * kl(0.5, overall)) / 14)
    squared = (8 * (0.8 - 0.75) ** 2 + 6 * (0.6 - 0.5) ** 2) / 14  # of the score of squares
    assert found.miscalibration != pytest.approx(squared)


@given(
    st.lists(
        st.tuples(beliefs(least=0.02), st.integers(0, 5)).map(lambda a: (a[0], a[1] % len(a[0]))),
        min_size=10,
        max_size=60,
    )
)
def test_both_splits_sum_to_what_they_split(answers: list[tuple[tuple[float, ...], int]]) -> None:
    found = score.decompose(answers)
    assume(found is not None)
    assert found is not None
    assert found.gap + found.entropy == pytest.approx(found.loss)
    parts = found.uncertainty - found.resolution + found.miscalibration
    assert found.confidence_loss == pytest.approx(parts)
    assert min(found.miscalibration, found.resolution, found.uncertainty) >= 0


def test_answers_that_come_out_as_often_as_stated_cost_what_they_expected() -> None:
    calibrated = [((0.7, 0.2, 0.1), right) for right, n in enumerate((7, 2, 1)) for _ in range(n)]
    found = score.decompose(calibrated)
    assert found is not None
    assert found.gap == pytest.approx(0, abs=1e-12)
    assert found.miscalibration == pytest.approx(0, abs=1e-12)
    boasts = [((0.98, 0.01, 0.01), right) for _, right in calibrated]
    boasted = score.decompose(boasts)
    assert boasted is not None
    assert boasted.gap > 1
    assert boasted.miscalibration == pytest.approx(kl(0.7, 0.98))


def test_little_says_nothing() -> None:
    assert score.decompose(ANSWERS[:9]) is None
    assert score.decompose([((0.5, 0.5), 0)] * 50) is None  # no option ever led
    assert score.reliability(ANSWERS[:9]) is None
    assert score.decompose(ANSWERS[:10]) is not None


def test_the_curve_groups_confidences_and_shows_how_sure_it_is() -> None:
    groups = score.reliability(ANSWERS)
    assert groups is not None
    assert [(round(g.stated, 9), g.right, g.count) for g in groups] == [(0.6, 3, 6), (0.8, 6, 8)]
    assert all(g.low < g.frequency < g.high for g in groups)


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),  # scipy.stats.binomtest(..).proportion_ci(method="wilson")
    [(8, 10, 0.490162, 0.943318), (0, 10, 0.0, 0.277533), (10, 10, 0.722467, 1.0)],
)
def test_the_band_is_wilsons(right: int, count: int, low: float, high: float) -> None:
    assert score.wilson(right, count) == pytest.approx((low, high), abs=1e-5)
