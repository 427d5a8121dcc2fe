"""The quiz: one question at a time, a probability on every option, the score told in bits."""

from collections.abc import Sequence

import streamlit as st

from content.schema import Choice, Synthesis
from drills.events import Answered, SelfGraded, Wrote
from drills.grade import grade, self_grade
from drills.record import fits
from drills.score import best_bits
from pages.parts import belief, predict, prose, state, units
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.saving import save

KIND = {
    "factual": "Factual: you know it or look it up",
    "conceptual": "Conceptual: it follows from what you understood",
    "synthetic": "Synthetic: in your own words",
}
LONGEST_ANSWER = 10_000  # characters


@st.fragment
def draw(place: Place) -> None:
    """Draw the quiz of a lesson."""
    questions = place.lesson.questions
    answered = [_is_answered(question, place) for question in questions]
    _status(answered, place)
    at = _pick(place.lesson.id, answered)
    with st.container(border=True, key=f"quiz-{place.lesson.id}"):
        question = questions[at]
        quiet(f"Question {at + 1} of {len(questions)} · {KIND[question.kind]}")
        if isinstance(question, Choice):
            _choice(question, place)
        else:
            _synthesis(question, place)
        _step(place.lesson.id, at, len(questions))


def bits_to_earn(questions: Sequence[Choice | Synthesis]) -> float:
    """Return the most bits that these questions can give."""
    return sum(best_bits(len(q.options)) for q in questions if isinstance(q, Choice))


def _status(answered: Sequence[bool], place: Place) -> None:
    earned = units.scored(place.learner.record.bits_earned(place.lesson.id))
    most = units.from_bits(bits_to_earn(place.lesson.questions))
    st.markdown(
        f"{sum(answered)} of {len(answered)} answered · **{earned}**; {most:.1f} is the most. "
        ":gray[First answers count.]"
    )


def _pick(lesson: str, answered: Sequence[bool]) -> int:
    key = f"quiz-at-{lesson}"
    if state.get(key) is None:
        state.put(key, answered.index(False) if False in answered else 0)
    marks = [
        f":green-background[**{k + 1}**]" if done else f"{k + 1}" for k, done in enumerate(answered)
    ]
    at = st.segmented_control(
        "Question",
        range(len(answered)),
        format_func=lambda k: marks[k],
        key=key,
        required=True,
        label_visibility="collapsed",
    )
    return int(at or 0)


def _mark(number: int, *, done: bool) -> str:
    """Name a question; an answered one is set off without growing, so that the row never wraps."""
    return f":green-background[**{number}**]" if done else f"{number}"


def _step(lesson: str, at: int, questions: int) -> None:
    key = f"quiz-at-{lesson}"
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.button(
            "Previous question",
            icon=":material/arrow_back:",
            disabled=at == 0,
            key=f"quiz-previous-{lesson}",
            on_click=state.put,
            args=(key, at - 1),
        )
        st.button(
            "Next question",
            icon=":material/arrow_forward:",
            icon_position="right",
            disabled=at == questions - 1,
            key=f"quiz-next-{lesson}",
            on_click=state.put,
            args=(key, at + 1),
        )


def _is_answered(question: Choice | Synthesis, place: Place) -> bool:
    name = place.item(question.id)
    if isinstance(question, Synthesis):
        return place.learner.record.latest(SelfGraded, name) is not None
    latest = place.learner.record.latest(Answered, name)
    return latest is not None and fits(question, latest.payload)


def _choice(question: Choice, place: Place) -> None:
    name = place.item(question.id)
    latest = place.learner.record.latest(Answered, name)
    retry = f"retry-{name}"
    if latest is None or not fits(question, latest.payload) or state.get(retry):
        if answer(question, place):
            state.drop(retry)
            st.rerun(scope="app")
        return
    tell(question, latest.payload, place)
    st.button(
        "Answer again",
        type="tertiary",
        key=f"retry-button-{name}",
        on_click=state.put,
        args=(retry, True),
        help="Only your first answer counts toward your score.",
    )


def answer(question: Choice, place: Place) -> bool:
    """Draw the question; return whether an answer was recorded in this run."""
    st.markdown(place.words(question.prompt))
    name = place.item(question.id)
    hinted = predict.hint(question.hint, place, key=f"hint-{name}")
    times = len(place.learner.record.all(Answered, name))
    said = belief.ask(place.options(question), key=f"ask-{name}-{times}")
    if said is None:
        return False
    payload = Answered(
        probabilities=predict.probabilities(said, question), right=question.answer, hint=hinted
    )
    return save(place.learner, name, payload, nonce=said.nonce)


def tell(question: Choice, answered: Answered, place: Place) -> None:
    """Draw the question with what was believed, what it was worth, and what is right."""
    st.markdown(place.words(question.prompt))
    key = f"told-{place.item(question.id)}"
    probabilities = answered.probabilities
    belief.tell(place.options(question), probabilities, right=question.answer, key=key)
    predict.feedback(grade(question, probabilities, unit=units.of_scores()), place)
    quiet(f"Source: {prose.cite(question.source, course=place.course)}")


def _synthesis(question: Synthesis, place: Place) -> None:
    st.markdown(place.words(question.prompt))
    name = place.item(question.id)
    written = place.learner.record.latest(Wrote, name)
    if written is None or state.get(f"retry-{name}"):
        _write(question, written.payload.text if written else "", place)
        return
    st.markdown("**Your answer**")
    st.text(written.payload.text)
    st.markdown("**A model answer**")
    st.markdown(place.words(question.model_answer))
    quiet(f"Source: {prose.cite(question.source, course=place.course)}")
    _self_grade(question, place)
    st.button(
        "Write it again",
        type="tertiary",
        key=f"retry-button-{name}",
        on_click=state.put,
        args=(f"retry-{name}", True),
    )


def _write(question: Synthesis, draft: str, place: Place) -> None:
    name = place.item(question.id)
    text = st.text_area(
        "Your answer",
        value=draft,
        height=180,
        max_chars=LONGEST_ANSWER,
        key=f"text-{name}",
        placeholder="A few sentences. The model answer opens when you have written yours.",
    )
    if not st.button("Compare with the model answer", key=f"compare-{name}"):
        return
    if not text.strip():
        st.info("Write at least a sentence first: comparing teaches only who has committed.")
        return
    if save(place.learner, name, Wrote(text=text[:LONGEST_ANSWER])):
        state.drop(f"retry-{name}")
        st.rerun(scope="app")


def _self_grade(question: Synthesis, place: Place) -> None:
    name = place.item(question.id)
    before = place.learner.record.latest(SelfGraded, name)
    met_before = before.payload.met if before else ()
    st.markdown("**Which of these did your answer say?**")
    met = [
        index
        for index, point in enumerate(question.rubric)
        if st.checkbox(
            place.words(point),
            value=index in met_before,
            key=f"rubric-{name}-{index}",
        )
    ]
    if st.button("Save my grade", key=f"grade-{name}"):
        graded = self_grade(question, met)
        if save(place.learner, name, SelfGraded(met=graded.met, of=graded.of)):
            st.rerun(scope="app")
    if before is not None:
        quiet(f"Saved: {len(met_before)} of {before.payload.of} points.")
