"""Where a learner stands in filling, proving and spotting: the attempts, played once more.

Each way goes in rounds. A round that is complete stays as it is until the next attempt, which
begins another one; `begun` says that the learner asked for that already.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from drills.events import Attempted


@dataclass(frozen=True)
class Round:
    """What every way has: which round it is, and the hints that were opened in it."""

    lines: tuple[str, ...]  # ids, of which the first is given
    number: int = 0
    hints: Mapping[str, int] = field(default_factory=dict)  # line -> highest grade

    def hinted(self, attempt: Attempted) -> Mapping[str, int]:
        """The hints, with those that the attempt speaks of."""
        seen = max(attempt.hint, self.hints.get(attempt.line, 0))
        return {**self.hints, attempt.line: seen}


@dataclass(frozen=True)
class Filling(Round):
    """A round of filling in: the last lines are blank."""

    blank: int = 1  # how many
    filled: Mapping[str, str] = field(default_factory=dict)  # line -> as it was typed
    ruled: frozenset[str] = frozenset()  # whose rule was found

    @property
    def blanks(self) -> tuple[str, ...]:
        """The lines that are blank at the start, in order."""
        return self.lines[len(self.lines) - self.blank :]

    @property
    def at(self) -> str | None:
        """The blank that is to be filled; None when all are."""
        return next((line for line in self.blanks if line not in self.filled), None)

    @property
    def complete(self) -> bool:
        """Whether every blank is filled."""
        return self.at is None

    @property
    def clean(self) -> bool:
        """Whether no hint was opened."""
        return not any(self.hints.values())

    def next(self) -> "Filling":
        """The round after this one: one blank more if this one went without a hint."""
        most = len(self.lines) - 1
        return Filling(self.lines, self.number + 1, blank=min(self.blank + self.clean, most))

    def after(self, attempt: Attempted) -> "Filling":
        """The round with one attempt more."""
        now = replace(self, hints=self.hinted(attempt))
        if attempt.outcome != "equivalent" or attempt.line not in self.blanks:
            return now
        if attempt.asked == "rule":
            return replace(now, ruled=self.ruled | {attempt.line})
        return replace(now, filled={**self.filled, attempt.line: attempt.typed})


@dataclass(frozen=True)
class Proving(Round):
    """A proof: the lines that were typed so far, intermediate ones among them."""

    steps: tuple[Attempted, ...] = ()

    @property
    def reached(self) -> int:
        """The place of the last line of the derivation that stands."""
        return sum(not step.rewriting for step in self.steps)

    @property
    def at(self) -> str | None:
        """The line that is to come; None at the end."""
        place = self.reached + 1
        return self.lines[place] if place < len(self.lines) else None

    @property
    def complete(self) -> bool:
        """Whether the last line stands."""
        return self.at is None

    @property
    def can_undo(self) -> bool:
        """Whether the last line is an intermediate one."""
        return bool(self.steps) and self.steps[-1].rewriting

    def next(self) -> "Proving":
        """The proof from its start."""
        return Proving(self.lines, self.number + 1)

    def after(self, attempt: Attempted) -> "Proving":
        """The proof with one attempt more."""
        now = replace(self, hints=self.hinted(attempt))
        if attempt.asked == "undo":
            return replace(now, steps=self.steps[:-1]) if self.can_undo else now
        if attempt.asked != "line" or attempt.outcome != "equivalent":
            return now
        fits = attempt.rewriting or attempt.line == self.at
        return replace(now, steps=(*self.steps, attempt)) if fits else now


@dataclass(frozen=True)
class Spotting(Round):
    """A round of spotting: the wrong line is marked, then repaired."""

    marked: str | None = None
    repaired: str | None = None  # as it was typed

    @property
    def complete(self) -> bool:
        """Whether the line is right again."""
        return self.repaired is not None

    def next(self) -> "Spotting":
        """Another round, with another slip."""
        return Spotting(self.lines, self.number + 1)

    def after(self, attempt: Attempted) -> "Spotting":
        """The round with one attempt more."""
        now = replace(self, hints=self.hinted(attempt))
        if attempt.outcome != "equivalent":
            return now
        if attempt.asked == "place":
            return replace(now, marked=attempt.line)
        return replace(now, repaired=attempt.typed)


R = TypeVar("R", Filling, Proving, Spotting)


def filling(attempts: Iterable[Attempted], lines: Sequence[str], *, begun: int = 0) -> Filling:
    """Where the learner stands in filling in these lines."""
    return _played(Filling(tuple(lines)), attempts, "fill", begun)


def proving(attempts: Iterable[Attempted], lines: Sequence[str], *, begun: int = 0) -> Proving:
    """Where the learner stands in proving these lines."""
    return _played(Proving(tuple(lines)), attempts, "prove", begun)


def spotting(attempts: Iterable[Attempted], lines: Sequence[str], *, begun: int = 0) -> Spotting:
    """Where the learner stands in spotting what is wrong in these lines."""
    return _played(Spotting(tuple(lines)), attempts, "spot", begun)


def _played(start: R, attempts: Iterable[Attempted], way: str, begun: int) -> R:
    now = start
    for attempt in attempts:
        if attempt.way == way:
            now = (now.next() if now.complete else now).after(attempt)
    return now.next() if now.complete and now.number < begun else now
