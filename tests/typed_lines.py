"""The typed lines of `typed_lines.yaml`, each with the verdict that it should get."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).with_suffix(".yaml")
OUTCOMES = ("equivalent", "different", "undecided", "unreadable")


@dataclass(frozen=True)
class TypedLine:
    """What was asked for, what was typed, and what should become of it."""

    expected: str
    typed: str
    outcome: str
    why: str
    form: bool = True
    mistake: str | None = None
    at: int | None = None

    def __str__(self) -> str:
        return f"{self.outcome}: {self.typed!r} for {self.expected!r} ({self.why})"


@cache
def typed_lines() -> tuple[TypedLine, ...]:
    """Every line of the file, in its order."""
    groups = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(_line(group["expected"], each) for group in groups for each in group["lines"])


def _line(expected: str, entry: dict[str, object]) -> TypedLine:
    fields = dict(entry)
    (outcome,) = (name for name in OUTCOMES if name in fields)
    return TypedLine(expected, str(fields.pop(outcome)), outcome, **fields)  # type: ignore[arg-type]
