"""`python -m tests.bench [NAME ...]`: speed as ratios; exits with 1 when one is over its limit."""

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache

from tests.bench import crowd, deck, dpo_peer, labs, paint, queue, rerun, sweep, verdicts
from tests.bench.measure import Seconds
from tests.bench.servers import Servers, both

Running = Callable[[], Servers]  # starts both at its first call


@dataclass(frozen=True)
class Benchmark:
    """What is measured against what, and the ratio that it must not exceed."""

    name: str
    what: str
    limit: float
    measure: Callable[[Running], Seconds]
    most_s: float = math.inf  # that ours may take, whatever the peer takes


@dataclass(frozen=True)
class Result:
    """What a benchmark gave."""

    of: Benchmark
    ours_s: float
    peer_s: float

    @property
    def ratio(self) -> float:
        """Return ours over the peer's; below one we are faster."""
        return self.ours_s / self.peer_s

    @property
    def holds(self) -> bool:
        """Return whether the ratio and the seconds are within their limits."""
        return self.ratio <= self.of.limit and self.ours_s <= self.of.most_s

    def __str__(self) -> str:
        """Return its row in the table."""
        times = f"{self.ours_s * 1000:>9.1f} ms{self.peer_s * 1000:>9.1f} ms"
        verdict = "ok" if self.holds else "OVER"
        numbers = f"{times}{self.ratio:>7.2f}{self.of.limit:>7.2f}"
        return f"{self.of.name:11}{self.of.what:52}{numbers}  {verdict}"


def _lab(name: str) -> Benchmark:
    what = "whole run of a lab, every record read / bare NumPy"
    limit = 1.5 if name in labs.TABULAR else math.inf
    return Benchmark(name, what, limit, lambda _: labs.ratio(name), most_s=2.0)


def _on_record(name: str, what: str, seconds: Callable[[], float]) -> Benchmark:
    return Benchmark(name, f"{what} / 100 ms", 1.0, lambda _: (seconds(), queue.LIMIT_S))


BENCHMARKS = (
    Benchmark(
        "dpo", "tabular DPO, 64 x 16, to KL < 1e-6 / bare NumPy", 1.5, lambda _: dpo_peer.ratio()
    ),
    Benchmark("sweep", "DPO for 64 values of beta at once / for one", 5.0, lambda _: sweep.ratio()),
    *(_lab(name) for name in labs.LABS),
    Benchmark("deck", "deck export / bare genanki", 1.3, lambda _: deck.ratio()),
    _on_record("queue", "a grade at p95, 100,000 on record, SQLite", lambda: queue.sqlite().grade),
    _on_record("record", "the slowest part of that record's page", lambda: queue.sqlite().page),
    _on_record("queue_pg", "the grade on PostgreSQL", lambda: queue.postgresql().grade),
    _on_record("record_pg", "the record's page on PostgreSQL", lambda: queue.postgresql().page),
    Benchmark("build", "100,000 events read and folded / read", 6.0, lambda _: queue.first_build()),
    Benchmark(
        "judge", "verdict on a typed line, p95 / simplify, .equals", 1.0, lambda _: verdicts.ratio()
    ),
    Benchmark(
        "all",
        "rerun of the slowest lesson, all open / the same",
        3.5,  # that of DPO, with four labs: 230 elements, a fifth of a millisecond each
        lambda both: rerun.all_open(both()),
    ),
    Benchmark(
        "rerun",
        "rerun of the slowest lesson / one-line page",
        1.0,
        lambda both: rerun.first_visit(both()),
    ),
    Benchmark(
        "home",
        "rerun of the map of the course / of a lesson",
        1.0,
        lambda both: rerun.home(both()),
    ),
    Benchmark(
        "click",
        "slowest click in /dpo / rerun of one-line page",
        1.0,
        lambda both: rerun.click(both()),
    ),
    Benchmark(
        "crowd",
        "another page at p95 beside five running labs / 100 ms",
        1.0,
        lambda both: crowd.others(both()),
    ),
    Benchmark(
        "paint", "first paint of /dpo / one-line page", 1.3, lambda both: paint.ratio(both())
    ),
)


# What one word on the command line measures.
GROUPS = {"queue": ("queue", "record", "queue_pg", "record_pg", "build"), "labs": tuple(labs.LABS)}


def main(names: Sequence[str]) -> int:
    """Measure the benchmarks named (all, if none is), print the table, return the exit code."""
    known = [each.name for each in BENCHMARKS]
    names = [each for name in names for each in (GROUPS.get(name) or (name,))]
    if not set(names) <= set(known):
        print(f"expected some of {known}, got {list(names)}", file=sys.stderr)
        return 2
    results = measure([each for each in BENCHMARKS if not names or each.name in names])
    print(table(results))
    return 0 if all(result.holds for result in results) else 1


def measure(chosen: Iterable[Benchmark]) -> list[Result]:
    """Run the benchmarks one after the other, on one pair of servers."""
    with ExitStack() as stack:
        running = cache(lambda: stack.enter_context(both()))
        return [Result(each, *each.measure(running)) for each in chosen]


def table(results: Iterable[Result]) -> str:
    """Return the results as aligned text."""
    head = f"{'':63}{'ours':>12}{'peer':>12}{'ratio':>7}{'limit':>7}"
    return "\n".join([head, *(str(result) for result in results)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
