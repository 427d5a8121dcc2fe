"""Right, wrong, and what to say: an answer held against its question."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from content.schema import Choice, Synthesis
from content.units import Unit
from drills import score
from drills.errors import DrillsError

_TIE = 1e-9  # a lead smaller than this is rounding


@dataclass(frozen=True)
class Grade:
    """What a stated belief about one question was worth."""

    bits: float  # log2(p[answer] * n), of the belief after the floor
    best_bits: float  # what the surest right answer would have earned
    meaning: str  # the score in one sentence
    right: bool | None  # None: no option led
    believed: int | None  # the option with the most probability, None when several share it
    answer: int  # the right option
    feedback: str | None  # what to say to who believed that option, None when no option led
    right_feedback: str  # what to say about the right option
    probabilities: tuple[float, ...]  # after the floor: what was scored, and what to record


@dataclass(frozen=True)
class SelfGrade:
    """A free text held against the rubric by the learner; such an answer earns no bits."""

    met: tuple[int, ...]  # indexes of the rubric's points, ascending
    of: int  # how many points the rubric has
    fraction: float  # met / of
    missed: tuple[str, ...]  # the points not met, in the rubric's order


def grade(choice: Choice, probabilities: Sequence[float], *, unit: Unit = "bits") -> Grade:
    """Score a probability per option of `choice`, and pick the feedback for what was believed.

    `unit` is that of the sentence about the score; the score itself is in bits.

    Raises:
        DrillsError: not one probability per option, or they do not sum to one.
    """
    _check_length(choice, probabilities)
    scored = score.with_floor(probabilities)
    bits = score.log_score_bits(scored, choice.answer)
    believed = leader(scored)
    return Grade(
        bits=bits,
        best_bits=score.best_bits(len(scored)),
        meaning=score.meaning(bits, len(scored), unit=unit),
        right=None if believed is None else believed == choice.answer,
        believed=believed,
        answer=choice.answer,
        feedback=None if believed is None else choice.options[believed].feedback,
        right_feedback=choice.options[choice.answer].feedback,
        probabilities=scored,
    )


def self_grade(question: Synthesis, met: Iterable[int]) -> SelfGrade:
    """Count the points of the rubric that the learner finds in their own text.

    Raises:
        DrillsError: a point that the rubric does not have.
    """
    points = sorted(set(met))
    count = len(question.rubric)
    if any(not 0 <= point < count for point in points):
        raise DrillsError(
            f"The rubric's points are counted from 0 to {count - 1}; these were ticked: {points}."
        )
    missed = tuple(text for i, text in enumerate(question.rubric) if i not in points)
    return SelfGrade(met=tuple(points), of=count, fraction=len(points) / count, missed=missed)


def leader(probabilities: Sequence[float]) -> int | None:
    """Return the one option with the most probability, None when several share it."""
    most = max(probabilities)
    leaders = [i for i, p in enumerate(probabilities) if most - p < _TIE]
    return leaders[0] if len(leaders) == 1 else None


def _check_length(choice: Choice, probabilities: Sequence[float]) -> None:
    if len(probabilities) != len(choice.options):
        raise DrillsError(
            f"Question {choice.id!r} takes a probability for each of its {len(choice.options)} "
            f"options; {len(probabilities)} came. Reload the page and answer again."
        )
