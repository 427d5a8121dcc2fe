"""Spot the error: a claim as often written and the same put right; which of the two is it?"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_hex

from content.load import LoadedCourse
from content.schema import Choice, Erratum, Option
from drills.events import Answered, item
from drills.grade import leader
from drills.record import ERRATA, RETAINED_AFTER, fits, retained
from pages.parts import learner, state
from pages.parts.learner import Learner


@dataclass(frozen=True)
class Round:
    """One erratum in front of a learner: the two sentences in their order, and what was said."""

    erratum: Erratum
    choice: Choice
    answer: Answered | None  # the latest, if it was about these two sentences
    due: bool  # whether it is long enough ago to be asked again

    @property
    def name(self) -> str:
        """What the record calls it."""
        return item(ERRATA, self.erratum.id)

    @property
    def right(self) -> bool:
        """Whether the sentence that is right had the lead in the latest answer."""
        return self.answer is not None and leader(self.answer.probabilities) == self.answer.right


def rounds(course: LoadedCourse, who: Learner) -> list[Round]:
    """Return every erratum as this learner sees it, in the order of the course."""
    return [_round(erratum, who) for erratum in course.errata]


def order(erratum: str, seed: str) -> int:
    """Return where the right sentence stands, 0 or 1: even over errata, fixed for each learner."""
    return sha256(f"{seed}/{erratum}".encode()).digest()[0] % 2


def first_open(each: Sequence[Round]) -> int:
    """Return the place of the first round that waits for an answer; past the end if none does."""
    return next((place for place, one in enumerate(each) if one.answer is None), len(each))


def _round(erratum: Erratum, who: Learner) -> Round:
    name = item(ERRATA, erratum.id)
    latest = who.record.latest(Answered, name)
    right = latest.payload.right if latest else order(erratum.id, seed(who))
    choice = _choice(erratum, right)
    stands = latest is not None and fits(choice, latest.payload)
    first = who.record.first(Answered, name)
    old = first is not None and learner.now() - first.at >= RETAINED_AFTER
    due = old and retained(who.record, name) is None
    return Round(erratum, choice, latest.payload if latest and stands else None, due)


def _choice(erratum: Erratum, right: int) -> Choice:
    """Return the two sentences as a question, so that it is asked and scored as any other."""
    pair = [Option(text=erratum.often_written, feedback=erratum.right)]
    pair.insert(right, Option(text=erratum.corrected, feedback=erratum.right))
    return Choice(
        id=erratum.id,
        prompt="Which of the two is right?",
        options=pair,
        answer=right,
        section=ERRATA,
        source=erratum.source,
    )


def seed(who: Learner) -> str:
    """Return what the order is drawn from: the learner's cookie; without one, this tab."""
    return who.token or str(state.once("spot-seed", token_hex))
