"""Grading: the bits, the feedback of the option that was believed, and the rubric."""

import math

import pytest

from content.schema import Choice, Option, Synthesis
from drills.errors import DrillsError
from drills.grade import grade, self_grade
from drills.score import uniform

CHOICE = Choice(
    id="what-cancels",
    prompt="What cancels in the difference of two rewards?",
    options=[
        Option(text="beta", feedback="It scales both terms and stays."),
        Option(text="log Z", feedback="It is the same for both responses."),
        Option(text="the reference", feedback="It differs between the responses."),
    ],
    answer=1,
    section="why-z-cancels",
    source="rafailov2023",
)
SYNTHESIS = Synthesis(
    id="why",
    kind="synthetic",
    prompt="Why does one prompt matter?",
    model_answer="Because Z depends on the prompt.",
    rubric=["Names Z", "Says it depends on the prompt", "Says that it cancels"],
    section="why-z-cancels",
    source="rafailov2023",
)


def test_a_right_belief_earns_bits() -> None:
    graded = grade(CHOICE, (0.1, 0.8, 0.1))
    assert graded.bits == pytest.approx(math.log2(0.8 * 3))
    assert (graded.right, graded.believed, graded.answer) == (True, 1, 1)
    assert graded.feedback == graded.right_feedback == "It is the same for both responses."
    assert "toward the truth" in graded.meaning
    assert graded.best_bits == pytest.approx(math.log2(0.98 * 3))


def test_a_wrong_belief_gets_the_feedback_written_for_it() -> None:
    graded = grade(CHOICE, (0.1, 0.2, 0.7))
    assert graded.bits == pytest.approx(math.log2(0.6))
    assert (graded.right, graded.believed) == (False, 2)
    assert graded.feedback == "It differs between the responses."
    assert graded.right_feedback == "It is the same for both responses."
    assert "cost you 0.7 bits" in graded.meaning


def test_certainty_is_scored_at_the_floor() -> None:
    graded = grade(CHOICE, (1.0, 0.0, 0.0))
    assert graded.probabilities == pytest.approx((0.98, 0.01, 0.01))
    assert graded.bits == pytest.approx(math.log2(0.03))


@pytest.mark.parametrize("belief", [uniform(3), (0.45, 0.45, 0.1), (0.0, 0.5, 0.5)])
def test_without_a_leading_option_it_is_neither_right_nor_wrong(
    belief: tuple[float, ...],
) -> None:
    graded = grade(CHOICE, belief)
    assert (graded.right, graded.believed, graded.feedback) == (None, None, None)
    assert graded.right_feedback


def test_no_idea_earns_nothing() -> None:
    assert grade(CHOICE, uniform(3)).bits == 0


def test_a_belief_about_another_number_of_options_is_refused() -> None:
    with pytest.raises(DrillsError, match="each of its 3 options; 2 came"):
        grade(CHOICE, (0.5, 0.5))


def test_a_free_text_is_graded_by_the_points_it_makes() -> None:
    graded = self_grade(SYNTHESIS, [2, 0, 2])
    assert (graded.met, graded.of, graded.missed) == (
        (0, 2),
        3,
        ("Says it depends on the prompt",),
    )
    assert graded.fraction == pytest.approx(2 / 3)
    assert self_grade(SYNTHESIS, ()).fraction == 0


def test_a_point_that_the_rubric_lacks_is_refused() -> None:
    with pytest.raises(DrillsError, match="counted from 0 to 2"):
        self_grade(SYNTHESIS, [3])
