"""What is wrong with a course, said so that its author can mend it: file, line and next step."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One mistake in one file; as text it is one line. Sorts by file and line."""

    path: str  # relative to the course folder, with forward slashes
    line: int  # counted from 1
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {' '.join(self.message.split())}"


class ContentError(ValueError):
    """A course that cannot be taught as it stands; carries every fault found in one pass."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def suggest(word: str, known: Collection[str]) -> str:
    """The end of a sentence about an unknown name: what it may have been meant to be."""
    folded = {name.casefold(): name for name in known if name}
    close = get_close_matches(word.casefold(), folded, n=2, cutoff=0.6)
    if close:
        return "; did you mean " + " or ".join(f"`{folded[name]}`" for name in close) + "?"
    if not folded:
        return "; none is defined"
    return "; known: " + ", ".join(sorted(folded.values())) if len(folded) <= 8 else ""
