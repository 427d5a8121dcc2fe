"""Measuring two things in turn, so that a busy moment of the machine meets both."""

from collections.abc import Callable, Iterable
from statistics import median

Seconds = tuple[float, float]  # ours, the peer's


def interleaved(
    ours: Callable[[], float],
    peer: Callable[[], float],
    *,
    rounds: int,
    warm_up: int = 1,
    of: Callable[[Iterable[float]], float] = median,
) -> Seconds:
    """Return the median of `rounds` measurements of each, taken in turn, after a warm-up.

    Of calculations that take milliseconds, `of` is rather min: all above it is the machine's.

    Raises:
        ValueError: when `rounds` is less than one.
    """
    if rounds < 1:
        raise ValueError(f"expected at least one round, got {rounds}")
    for _ in range(warm_up):
        ours(), peer()
    pairs = [(ours(), peer()) for _ in range(rounds)]
    return of(mine for mine, _ in pairs), of(theirs for _, theirs in pairs)
