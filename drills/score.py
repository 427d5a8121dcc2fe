"""Scores a stated belief in bits, by the logarithmic rule, and keeps beliefs scorable.

The score of a belief is log2(p(right) / (1/n)): how many bits it was nearer to the truth than an
even split over the n options. The rule is proper: whoever states what they believe can expect the
most (Good 1952; Gneiting and Raftery 2007). A probability of zero on the right option would cost
infinitely many bits, so no option may be given less than FLOOR.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from content.units import Unit, convert
from drills.errors import DrillsError

FLOOR = 0.01  # the least probability an option can be given; recorded beliefs rely on it
MOST_OPTIONS = 50  # beyond it the floors alone would take half of the probability
TOLERANCE = 1e-6  # how far from one the probabilities may sum

_NAMED_FRACTIONS = {
    0.05: "a twentieth",
    0.1: "a tenth",
    0.2: "a fifth",
    0.25: "a quarter",
    1 / 3: "a third",
    0.4: "two fifths",
    0.5: "half",
    0.6: "three fifths",
    2 / 3: "two thirds",
    0.75: "three quarters",
    0.8: "four fifths",
    0.9: "nine tenths",
}
ENOUGH = 10  # answers, below which nothing is said about a learner's beliefs as a whole
GROUPS = 10  # of confidences, each a tenth wide
_Number = TypeVar("_Number", float, Fraction)


def log_score_bits(probabilities: Sequence[float], right: int) -> float:
    """Bits earned by a belief when option `right` is true: log2(p[right] * n).

    Zero for an even split, at most log2(n), negative when the truth was thought less likely than
    in an even split, minus infinity when it was thought impossible.

    Raises:
        DrillsError: the numbers are not a probability per option, or `right` is not an option.
    """
    check(probabilities)
    _check_option(right, len(probabilities))
    stated = probabilities[right]
    return math.log2(stated * len(probabilities)) if stated > 0 else -math.inf


def best_bits(n: int) -> float:
    """The most bits one answer can earn: everything on the right option, down to the floor."""
    _check_count(n)
    return math.log2(n * (1 - (n - 1) * FLOOR))


def uniform(n: int) -> tuple[float, ...]:
    """The belief of someone with no idea: the same probability for every option."""
    _check_count(n)
    return (1 / n,) * n


def with_floor(probabilities: Sequence[float]) -> tuple[float, ...]:
    """The nearest belief, in KL(p || q), that gives every option at least FLOOR.

    Options under the floor are raised to it; the others keep their ratios. No other belief above
    the floor has a higher expected score for someone who believes `probabilities`.
    """
    check(probabilities)
    return _spread(tuple(float(p) for p in probabilities), total=1.0, floor=FLOOR)


def to_percent(probabilities: Sequence[float]) -> tuple[int, ...]:
    """A belief in whole percents that sum to 100, each at least 1, in the same order."""
    check(probabilities)
    exact = tuple(Fraction(float(p)) for p in probabilities)
    return _whole(_spread(exact, total=Fraction(100), floor=Fraction(1)))


def from_percent(percents: Sequence[float]) -> tuple[float, ...]:
    """A belief from percents; the even split in percents (34, 33, 33) is exactly even."""
    even = uniform(len(percents))
    if tuple(percents) == to_percent(even):
        return even
    return with_floor([percent / 100 for percent in percents])


def meaning(bits: float, n: int, *, unit: Unit = "bits") -> str:
    """One sentence that says, in `unit`, what a score of `bits` on n options means."""
    _check_count(n)
    if not math.isfinite(bits) or bits > math.log2(n) + TOLERANCE:
        raise DrillsError(
            f"A question with {n} options gives at most {math.log2(n):.2f} bits "
            f"and a finite loss; this score is {bits:g}."
        )
    if abs(bits) < 0.05:
        return (
            f"This belief earned 0.0 {unit}: it was worth no more and no less than an even split."
        )
    return _loss_in_words(bits, n, unit) if bits < 0 else _gain_in_words(bits, unit)


Stated = tuple[Sequence[float], int]  # a probability per option, and the index of the right one


@dataclass(frozen=True)
class Decomposition:
    """What a learner's answers cost, in bits per answer, and where it comes from.

    Two identities hold exactly:

    - `loss = entropy + gap`. The loss is the cross-entropy of the answers: the mean of
      -log2 q[right]. The entropy is what the beliefs themselves expected to pay: the mean of
      -sum q log2 q. The gap has expectation zero for a calibrated learner; above zero the beliefs
      were too sure, below zero not sure enough.
    - `confidence_loss = uncertainty - resolution + miscalibration` (Murphy 1973 for squares;
      Broecker 2009 for any proper score). It is about one event per answer: "the option in the
      lead is right", stated with the probability of that option. Confidences are grouped by
      tenths, and each stands for the mean of its group. With w the share of a group, f how often
      its leading options were right and q its mean confidence, in binary entropies and
      divergences: miscalibration = sum w KL(f || q), resolution = sum w KL(f || f_all),
      uncertainty = H(f_all). Grouping is what makes frequencies of single beliefs; the loss of the
      confidences before grouping differs by what they vary within a group.
    """

    count: int  # answers
    loss: float
    entropy: float
    even: float  # the loss of an even split over the same options
    chance: float  # standard deviation of the gap, were the beliefs exactly right
    led: int  # answers with one option in the lead: the others state no confidence
    confidence_loss: float
    uncertainty: float
    resolution: float
    miscalibration: float  # KL, never below zero

    @property
    def gap(self) -> float:
        """What the answers cost beyond what their own beliefs expected."""
        return self.loss - self.entropy

    @property
    def perplexity(self) -> float:
        """How many equally likely options the answers were as uncertain as, 2^loss."""
        return float(2**self.loss)

    @property
    def options(self) -> float:
        """The perplexity of an even split: how many options there were, as a geometric mean."""
        return float(2**self.even)


@dataclass(frozen=True)
class Group:
    """Answers of about the same confidence, and how often they were right."""

    stated: float  # mean confidence
    right: int
    count: int
    low: float  # of the band of 95% around the frequency (Wilson 1927)
    high: float

    @property
    def frequency(self) -> float:
        """How often the option in the lead was right."""
        return self.right / self.count


def decompose(answers: Sequence[Stated]) -> Decomposition | None:
    """Split what answers cost; None from fewer than ENOUGH answers or leading options.

    Raises:
        DrillsError: something is not a probability per option, or a right option had none.
    """
    groups = reliability(answers)
    if len(answers) < ENOUGH or groups is None:
        return None
    led = sum(group.count for group in groups)
    overall = sum(group.right for group in groups) / led
    shares = [(group.count / led, group.frequency, group.stated) for group in groups]
    return Decomposition(
        count=len(answers),
        loss=_mean([_surprise(belief, right) for belief, right in answers]),
        entropy=_mean([_entropy(belief) for belief, _ in answers]),
        even=_mean([math.log2(len(belief)) for belief, _ in answers]),
        chance=math.sqrt(math.fsum(_variance(belief) for belief, _ in answers)) / len(answers),
        led=led,
        confidence_loss=math.fsum(w * _cross_entropy(f, q) for w, f, q in shares),
        uncertainty=_cross_entropy(overall, overall),
        resolution=math.fsum(w * _kl(f, overall) for w, f, _ in shares),
        miscalibration=math.fsum(w * _kl(f, q) for w, f, q in shares),
    )


def reliability(answers: Sequence[Stated]) -> tuple[Group, ...] | None:
    """Return how often the leading option was right, by its probability, the least first.

    None from fewer than ENOUGH answers in which one option led: beliefs that favor no option
    state no confidence.
    """
    for belief, right in answers:
        check(belief)
        _check_option(right, len(belief))
    led = [(max(belief), belief[right] == max(belief)) for belief, right in answers if _led(belief)]
    if len(led) < ENOUGH:
        return None
    grouped: dict[int, list[tuple[float, bool]]] = {}
    for confidence, hit in led:
        grouped.setdefault(min(int(confidence * GROUPS + TOLERANCE), GROUPS - 1), []).append(
            (confidence, hit)
        )
    return tuple(_group(grouped[each]) for each in sorted(grouped))


def lacking(answers: Sequence[Stated]) -> int:
    """Return how many more answers with one option in the lead `decompose` needs."""
    return max(0, ENOUGH - sum(_led(belief) for belief, _ in answers))


def wilson(right: int, count: int, *, z: float = 1.959964) -> tuple[float, float]:
    """Return the band of 95% around a frequency (Wilson 1927), which holds for few answers too."""
    if not 0 <= right <= count or not count:
        raise DrillsError(f"A frequency needs 0 to {count} of {count} answers; {right} came.")
    frequency, shrink = right / count, 1 + z * z / count
    middle = (frequency + z * z / (2 * count)) / shrink
    spread = frequency * (1 - frequency) / count + z * z / (4 * count * count)
    half = z * math.sqrt(spread) / shrink
    return max(0.0, middle - half), min(1.0, middle + half)


def check(probabilities: Sequence[float]) -> None:
    """Refuse what is not one probability per option.

    Raises:
        DrillsError: too few or too many options, a number outside 0 to 1, or a sum other than 1.
    """
    _check_count(len(probabilities))
    for number, probability in enumerate(probabilities, start=1):
        if not 0 <= probability <= 1:  # also true of NaN
            raise DrillsError(
                f"Option {number} was given {probability:g}; a probability lies between 0 and 1."
            )
    total = math.fsum(probabilities)
    if abs(total - 1) > TOLERANCE:
        raise DrillsError(
            f"The probabilities of all options sum to 1; these sum to {total:.6g}. "
            f"Move one of them until the sum is 1."
        )


def _check_count(n: int) -> None:
    if not 2 <= n <= MOST_OPTIONS:
        raise DrillsError(f"A question has 2 to {MOST_OPTIONS} options; this one has {n}.")


def _check_option(index: int, n: int) -> None:
    if not 0 <= index < n:
        raise DrillsError(f"Options are counted from 0 to {n - 1}; there is no option {index}.")


def _spread(weights: tuple[_Number, ...], *, total: _Number, floor: _Number) -> tuple[_Number, ...]:
    """Share `total` in the ratio of the weights, but give nobody less than `floor`."""
    held: set[int] = set()  # who is lifted to the floor; lifting one can push down another
    while True:
        scale = _scale(weights, held, total - floor * len(held))
        shares = tuple(floor if i in held else scale(w) for i, w in enumerate(weights))
        low = {i for i, share in enumerate(shares) if share < floor}
        if not low:
            return shares
        held |= low


def _scale(
    weights: tuple[_Number, ...], held: set[int], rest: _Number
) -> Callable[[_Number], _Number]:
    """What turns the weight of one that is not held at the floor into its part of `rest`."""
    free = [weight for i, weight in enumerate(weights) if i not in held]
    mass = sum(free[1:], start=free[0]) if free else rest
    if mass > 0:
        return lambda weight: weight / mass * rest
    return lambda _: rest / len(free)  # no ratios to keep: equal parts


def _whole(shares: Sequence[Fraction]) -> tuple[int, ...]:
    """Round to whole numbers with the same sum (largest remainder), keeping the order."""
    wholes = [math.floor(share) for share in shares]
    missing = int(sum(shares)) - sum(wholes)
    by_remainder = sorted(range(len(shares)), key=lambda i: (wholes[i] - shares[i], -shares[i]))
    for i in by_remainder[:missing]:
        wholes[i] += 1
    return tuple(wholes)


def _amount(bits: float, unit: Unit) -> str:
    return f"{bits if unit == 'bits' else convert(bits, unit):.1f} {unit}"


def _gain_in_words(bits: float, unit: Unit) -> str:
    ruled_out = 1 - 2**-bits  # what is left of the options is 2^-bits
    return (
        f"You moved {_amount(bits, unit)} toward the truth: "
        f"as much as ruling out {_fraction_in_words(ruled_out)} of the options."
    )


def _loss_in_words(bits: float, n: int, unit: Unit) -> str:
    return (
        f"This belief cost you {_amount(-bits, unit)}: it gave the right answer "
        f"{_percent(2**bits / n)}, and an even split would have given it {_percent(1 / n)}."
    )


def _fraction_in_words(share: float) -> str:
    named = min(_NAMED_FRACTIONS, key=lambda fraction: abs(fraction - share))
    if abs(named - share) > 0.015:
        return f"about {share:.0%}"
    about = "" if abs(named - share) < 0.005 else "about "
    return about + _NAMED_FRACTIONS[named]


def _percent(probability: float) -> str:
    return f"{100 * probability:.2g}%"


def _group(members: Sequence[tuple[float, bool]]) -> Group:
    right = sum(hit for _, hit in members)
    stated = _mean([confidence for confidence, _ in members])
    return Group(stated, right, len(members), *wilson(right, len(members)))


def _led(belief: Sequence[float]) -> bool:
    first, second = sorted(belief, reverse=True)[:2]
    return first - second > TOLERANCE


def _surprise(belief: Sequence[float], right: int) -> float:
    if belief[right] <= 0:
        raise DrillsError("The right option had no probability: that costs infinitely many bits.")
    return -math.log2(belief[right])


def _entropy(belief: Sequence[float]) -> float:
    return -math.fsum(p * math.log2(p) for p in belief if p > 0)


def _variance(belief: Sequence[float]) -> float:
    """Return how much the surprise varies, in bits squared, if the belief is exactly right."""
    expected = _entropy(belief)
    return math.fsum(p * (math.log2(p) + expected) ** 2 for p in belief if p > 0)


def _cross_entropy(truth: float, stated: float) -> float:
    """Bits per event that happens with frequency `truth` and was given probability `stated`."""
    pairs = ((truth, stated), (1 - truth, 1 - stated))
    return -math.fsum(p * math.log2(q) if q > 0 else -math.inf for p, q in pairs if p > 0)


def _kl(truth: float, stated: float) -> float:
    return max(0.0, _cross_entropy(truth, stated) - _cross_entropy(truth, truth))


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / len(numbers)
