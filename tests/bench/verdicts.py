"""The judge of typed lines against what SymPy offers: `simplify(a - b) == 0` and `a.equals(b)`.

All three are given the same lines of the corpus, those that are equivalent or different. SymPy is
given what our reader read, an equation as the difference of its sides; it works in a process of
its own, which is ended when a line takes longer than a learner may wait. Such a line is counted
with that time, and as not decided.
"""

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median, quantiles
from time import perf_counter

from sympy import Expr, simplify

from engine.algebra import equality, reader
from engine.algebra.verdict import judge
from tests.bench.measure import Seconds
from tests.typed_lines import TypedLine, typed_lines

LONGEST_P95_SECONDS = 0.1
PATIENCE_SECONDS = 1.0  # for one line, of a peer
_EVERY = 4  # line of the corpus: the peers need minutes for all
_ROUNDS = 3  # of ours, the quickest of which counts
PEERS = ("simplify", "equals")


@dataclass(frozen=True)
class Score:
    """How long the verdicts took, and which of them were right."""

    name: str
    seconds: Sequence[float]
    right: Sequence[bool]
    late: int = 0  # lines given up

    @property
    def p50(self) -> float:
        """Return what half of the lines took, at most."""
        return median(self.seconds)

    @property
    def p95(self) -> float:
        """Return what all but one in twenty lines took, at most."""
        return quantiles(self.seconds, n=20)[-1]

    @property
    def share_right(self) -> float:
        """Return the share of the lines that got their verdict."""
        return sum(self.right) / len(self.right)

    def __str__(self) -> str:
        """Return its row in the table."""
        times = f"{self.p50 * 1000:>9.1f} ms{self.p95 * 1000:>9.1f} ms"
        return f"{self.name:10}{times}{self.share_right:>9.1%}{self.late:>7}"


def ratio() -> Seconds:
    """Return the p95 of our verdicts and that of the quicker peer.

    Raises:
        RuntimeError: when ours is over its limit, or not right more often than both peers.
    """
    ours, *peers = scores()
    if ours.p95 >= LONGEST_P95_SECONDS:
        raise RuntimeError(f"expected a p95 under {LONGEST_P95_SECONDS} s, got {ours.p95:.3f} s")
    if any(peer.share_right >= ours.share_right for peer in peers):
        raise RuntimeError(f"expected to be right more often than {peers}")
    return ours.p95, min(peer.p95 for peer in peers)


def scores(every: int = _EVERY) -> list[Score]:
    """Return how we and the peers do on every so-manieth line."""
    lines = [each for each in typed_lines() if each.outcome in {"equivalent", "different"}][::every]
    return [ours(lines), *(peer(name, lines) for name in PEERS)]


def ours(lines: Sequence[TypedLine]) -> Score:
    """Judge the lines, nothing of an earlier verdict kept."""
    judge("x", "x", generator=random.Random(0))
    runs = [[_judged(line) for line in lines] for _ in range(_ROUNDS)]
    seconds = [
        min(times) for times in zip(*[[each[0] for each in run] for run in runs], strict=True)
    ]
    return Score("judge", seconds, [right for _, right in runs[0]])


def peer(name: str, lines: Sequence[TypedLine]) -> Score:
    """Let SymPy compare what was asked for with what was typed."""
    seconds, right, late = [], [], 0
    with _Process(name) as process:
        process.ask(lines[0], patience=60)
        for line in lines:
            took, outcome = process.ask(line, patience=PATIENCE_SECONDS)
            seconds.append(took)
            right.append(outcome == line.outcome)
            late += outcome == "late"
    return Score(name, seconds, right, late)


def table(results: Sequence[Score]) -> str:
    """Return the results as aligned text."""
    head = f"{'':10}{'p50':>12}{'p95':>12}{'right':>9}{'late':>7}"
    return "\n".join([head, *map(str, results)])


def _judged(line: TypedLine) -> tuple[float, bool]:
    reader.parse.cache_clear()
    equality.forget()
    reader.parse(line.expected)
    begin = perf_counter()
    found = judge(line.expected, line.typed, generator=random.Random(0))
    return perf_counter() - begin, found.outcome == line.outcome


class _Process:
    """A process with SymPy in it, begun again when it had to be ended."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> "_Process":
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, self.name), daemon=True)
        self.process.start()
        self.connection.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.join()

    def ask(self, line: TypedLine, *, patience: float) -> tuple[float, str]:
        """Return the seconds and the outcome; "late" after too long a wait."""
        self.connection.send((line.expected, line.typed))
        if not self.connection.poll(patience):
            self.__exit__()
            self.__enter__()
            return patience, "late"
        seconds, outcome = self.connection.recv()
        return float(seconds), str(outcome)


def _serve(connection: Connection, name: str) -> None:
    connection.send("ready")
    while True:
        expected, typed = map(_expression, connection.recv())
        begin = perf_counter()
        outcome = _compared(name, expected, typed)
        connection.send((perf_counter() - begin, outcome))


def _expression(text: str) -> Expr:
    says = reader.read(text)
    return says.lhs - says.rhs if says.is_Relational else says


def _compared(name: str, expected: Expr, typed: Expr) -> str:
    try:
        same = simplify(expected - typed) == 0 if name == "simplify" else expected.equals(typed)
    except Exception:  # noqa: BLE001  # whatever SymPy raises, it has not decided
        return "undecided"
    return {True: "equivalent", False: "different"}.get(same, "undecided")


if __name__ == "__main__":
    print(table(scores(*map(int, sys.argv[1:]))))
