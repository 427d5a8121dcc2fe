"""What a typed line is in a proof: the next line, the last one rewritten, or neither."""

import random
from dataclasses import dataclass
from typing import Literal

from engine.algebra.reader import parse
from engine.algebra.verdict import Verdict, judge

Kind = Literal["next", "rewriting", "repeated", "neither"]


@dataclass(frozen=True)
class Step:
    """Where a typed line leads, and the verdict that speaks of it."""

    kind: Kind
    verdict: Verdict
    behind: bool = False  # whether it speaks of the line that stands, not of the one to come


def follow(last: str, wanted: str, typed: str, *, generator: random.Random) -> Step:
    """Hold a typed line against the line that stands and the one that is to come.

    Where the two say the same, as r = .. and log(..) = .. do, the side that stands alone in the
    line to come decides which of them was written.

    Raises:
        ReadError: if one of the lines of the proof itself cannot be read.
    """
    ahead = judge(wanted, typed, generator=generator)
    if ahead.outcome == "unreadable":
        return Step("neither", ahead)
    if _repeats(last, wanted, typed):
        return Step("repeated", ahead)
    behind = judge(last, typed, generator=generator)
    if ahead.outcome == "equivalent":
        arrived = behind.outcome != "equivalent" or _written_as(wanted, typed, generator)
        return Step("next", ahead) if arrived else Step("rewriting", behind)
    if behind.outcome == "equivalent":
        return Step("rewriting", behind)
    if behind.mistake and not ahead.mistake:
        return Step("neither", behind, behind=True)
    return Step("neither", ahead)


def _repeats(last: str, wanted: str, typed: str) -> bool:
    """Whether the typed line is the one that stands.

    What cancels does so as soon as it is read. Where this makes one of the line that stands and
    the line to come, it is how they are written that tells them apart.
    """
    (stands, before), (written, now) = parse(last), parse(typed)
    if before == parse(wanted)[1]:
        return bool(written.latex == stands.latex)
    return bool(now == before)


def _written_as(wanted: str, typed: str, generator: random.Random) -> bool:
    """Whether what stands left in the wanted equation is a side of the typed one."""
    left, _, right = wanted.partition("=")
    if not right:
        return True
    sides = typed.split("=")
    verdicts = (judge(left, side, generator=generator) for side in sides)
    return any(each.outcome == "equivalent" for each in verdicts)
