"""Scores a stated belief in bits, by the logarithmic rule, and keeps beliefs scorable.

The score of a belief is log2(p(right) / (1/n)): how many bits it was nearer to the truth than an
even split over the n options. The rule is proper: whoever states what they believe can expect the
most (Good 1952; Gneiting and Raftery 2007). A probability of zero on the right option would cost
infinitely many bits, so no option may be given less than FLOOR.
"""

import math
from collections.abc import Callable, Sequence
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


def worst_bits(n: int) -> float:
    """The least bits one answer can earn (negative): the floor on the right option."""
    _check_count(n)
    return math.log2(n * FLOOR)


def uniform(n: int) -> tuple[float, ...]:
    """The belief of someone with no idea: the same probability for every option."""
    _check_count(n)
    return (1 / n,) * n


def one_click(n: int, index: int, confidence: float) -> tuple[float, ...]:
    """`confidence` on one option, the rest shared equally, no option below the floor."""
    _check_count(n)
    _check_option(index, n)
    if not 0 < confidence < 1:
        raise DrillsError(f"A confidence lies between 0 and 1; this one is {confidence:g}.")
    rest = (1 - confidence) / (n - 1)
    return with_floor([confidence if i == index else rest for i in range(n)])


def with_floor(probabilities: Sequence[float]) -> tuple[float, ...]:
    """The nearest belief, in KL(p || q), that gives every option at least FLOOR.

    Options under the floor are raised to it; the others keep their ratios. No other belief above
    the floor has a higher expected score for someone who believes `probabilities`.
    """
    check(probabilities)
    return _spread(tuple(float(p) for p in probabilities), total=1.0, floor=FLOOR)


def rebalance(probabilities: Sequence[float], changed: int, value: float) -> tuple[float, ...]:
    """Give option `changed` the probability `value`; the others share the rest in their ratios.

    `value` is held between the floor and what the floors of the others leave.
    `probabilities[changed]` is not read, so it may hold the new value already.
    """
    _check_change(probabilities, changed, value)
    most = 1 - (len(probabilities) - 1) * FLOOR
    held = min(max(float(value), FLOOR), most)
    others = tuple(float(p) for i, p in enumerate(probabilities) if i != changed)
    shares = _spread(others, total=1 - held, floor=FLOOR)
    return (*shares[:changed], held, *shares[changed:])


def rebalance_percent(percents: Sequence[int], changed: int, value: int) -> tuple[int, ...]:
    """As `rebalance`, in whole percents: they sum to exactly 100 and each is at least 1."""
    _check_change(percents, changed, value)
    held = min(max(value, 1), 100 - (len(percents) - 1))
    others = tuple(Fraction(p) for i, p in enumerate(percents) if i != changed)
    shares = _whole(_spread(others, total=Fraction(100 - held), floor=Fraction(1)))
    return (*shares[:changed], held, *shares[changed:])


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


def _check_change(amounts: Sequence[float], changed: int, value: float) -> None:
    _check_count(len(amounts))
    _check_option(changed, len(amounts))
    others = [amount for i, amount in enumerate(amounts) if i != changed]
    if not all(0 <= amount <= 100 for amount in (*others, value)):  # false for NaN as well
        raise DrillsError(
            f"Probabilities lie between 0 and 1 (or 0% and 100%); these are {tuple(amounts)}, "
            f"and option {changed} is to become {value}."
        )


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
