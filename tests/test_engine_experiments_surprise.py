"""The underflow lab: the step at which a product ends, and the sum that goes on."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest
import torch

from engine import likelihood
from engine.errors import RangeError
from engine.experiments.surprise import PRECISIONS, Experiment, Settings, Step, build

MANTISSA = {"float64": (53, -1074), "float32": (24, -149), "float16": (11, -24)}  # digits, last bit


def made(**values: object) -> tuple[Experiment, list[Step]]:
    usual = {"precision": "float64", "probability": 0.1, "tokens": 400}
    experiment = build(Settings.read(usual | values))
    return experiment, list(experiment.run())


def zero_in(steps: list[Step]) -> int | None:
    return next((step.index for step in steps if step.lost), None)


def rounded(exact: Fraction, precision: str) -> Fraction:
    """IEEE 754 rounding to nearest, ties to even, by whole numbers alone."""
    digits, last = MANTISSA[precision]
    exponent = max(last, (exact.numerator.bit_length() - exact.denominator.bit_length()) - digits)
    while exact / Fraction(2) ** exponent >= 2**digits:
        exponent += 1
    return round(exact / Fraction(2) ** exponent) * Fraction(2) ** exponent


@pytest.mark.parametrize(("precision", "known"), [("float64", 324), ("float32", 46)])
def test_the_lesson_s_own_numbers(precision: str, known: int) -> None:
    experiment, steps = made(precision=precision)
    assert zero_in(steps) == experiment.zero_at == known
    assert known == likelihood.tokens_until_zero(0.1, precision=PRECISIONS[precision])


@pytest.mark.parametrize("precision", ["float64", "float32", "float16"])
@pytest.mark.parametrize("probability", [0.5, 0.25, 0.05, 0.003])
def test_the_closed_form_meets_the_run(probability: float, precision: str) -> None:
    experiment, steps = made(probability=probability, precision=precision, tokens=1_100)
    assert zero_in(steps) == experiment.zero_at
    assert experiment.zero_at != zero_in(made(probability=probability + 0.2, tokens=1_100)[1])


@pytest.mark.parametrize("text", ["equal", "varied", "story"])
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_every_product_is_the_one_of_whole_numbers(text: str, precision: str) -> None:
    _, steps = made(text=text, precision=precision, probability=0.4, tokens=150)
    product = Fraction(1)
    for step in steps:
        factor = torch.tensor(step.probability, dtype=PRECISIONS[precision]).item()
        product = rounded(product * Fraction(factor), precision)
        assert Fraction(step.product) == product


@pytest.mark.parametrize("precision", ["float64", "float32", "float16"])
@pytest.mark.parametrize("probability", [0.3, 0.5, 0.51, 0.75, 0.8, 0.9])
def test_above_one_half_the_product_sticks_above_zero(probability: float, precision: str) -> None:
    tokens = math.ceil(760 / -math.log(probability)) if precision == "float64" else 1_200
    experiment, steps = made(
        probability=probability, precision=precision, tokens=min(2_000, tokens)
    )
    if experiment.zero_at is None or experiment.zero_at > experiment.length - 60:
        return  # it did not get so far: nothing to see yet
    assert steps[-1].product == experiment.stuck_at
    assert (steps[-1].product > 0) == (probability > 0.5)


def test_the_sticking_point_depends_on_the_tie() -> None:
    least = likelihood.least_positive(torch.float16)
    assert likelihood.product_ends_at(0.75, precision=torch.float16) == 2 * least, "2 is even"
    assert likelihood.product_ends_at(5 / 6 + 1e-3, precision=torch.float16) == 3 * least
    assert likelihood.product_ends_at(0.5, precision=torch.float16) == 0, "1 is odd, and goes to 0"
    for bad in (0.0, -1.0, 0.9999, 1.0, math.nan):
        with pytest.raises(RangeError, match=r"above 0 and at most 0\.999"):
            likelihood.product_ends_at(bad, precision=torch.float64)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_least_number_is_the_least(precision: str) -> None:
    least = likelihood.least_positive(PRECISIONS[precision])
    assert math.log2(least) == MANTISSA[precision][1]
    assert torch.tensor(least, dtype=PRECISIONS[precision]).item() > 0
    assert torch.tensor(least / 2, dtype=torch.float64).to(PRECISIONS[precision]).item() == 0


def test_the_sum_goes_on_where_the_product_has_ended() -> None:
    _, steps = made()
    after = steps[323:]
    assert {step.product for step in after} == {0.0}
    assert all(later.sum_nats > step.sum_nats for step, later in pairwise(after))
    assert steps[-1].sum_nats == pytest.approx(400 * math.log(10), rel=1e-12)
    assert steps[-1].perplexity == pytest.approx(10)
    assert steps[-1].perplexity != pytest.approx(math.exp(steps[-1].sum_nats / 400 / math.log(2)))


def test_while_it_lasts_the_product_is_e_to_minus_the_sum() -> None:
    _, steps = made(text="varied", seed=3)
    for step in steps[:250]:
        assert step.product == pytest.approx(math.exp(-step.sum_nats), rel=1e-9)


@pytest.mark.parametrize("text", ["varied", "story"])
def test_the_expected_sum_is_the_mean_over_seeds(text: str) -> None:
    runs = [made(text=text, tokens=40, seed=seed, probability=0.2) for seed in range(120)]
    last = [steps[-1].sum_nats for _, steps in runs]
    mean = sum(last) / len(last)
    spread = math.sqrt(sum((each - mean) ** 2 for each in last) / len(last) / len(last))
    assert abs(mean - runs[0][0].expected_nats[-1]) < 4 * spread
    assert abs(mean - 40 * math.log(6)) > 4 * spread, "not that of tokens all equally likely"


def test_the_story_is_one_that_its_model_can_tell() -> None:
    experiment, steps = made(text="story", tokens=12, seed=1)
    assert [step.token for step in steps][::4] == ["the"] * 3
    assert [step.token for step in steps][3::4] == ["."] * 3
    assert {round(step.probability, 6) for step in steps} <= {1, 0.75, 0.25, 0.666667, 0.333333}
    by_hand = 0.75 * (math.log(4 / 3) + math.log(3) - 2 / 3 * math.log(2)) + 0.25 * math.log(4)
    assert experiment.expected_nats[3] == pytest.approx(by_hand, rel=1e-12)


def test_the_same_settings_give_the_same_run() -> None:
    for text in ("varied", "story"):
        assert made(text=text, seed=5)[1] == made(text=text, seed=5)[1]
        assert made(text=text, seed=5)[1] != made(text=text, seed=6)[1]


@pytest.mark.parametrize(
    "bad",
    [{"probability": 0}, {"probability": 1}, {"tokens": 5_000}, {"precision": "int8"}, {"text": 1}],
    ids=str,
)
def test_what_cannot_be_set_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(RangeError, match=r"^Expected"):
        Settings.read(bad)
