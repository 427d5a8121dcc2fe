"""Predict, then read: the text below stays shut until the learner says what they believe."""

import streamlit as st

from content.schema import Choice
from drills import score
from drills.events import Predicted, Repredicted
from drills.grade import Grade, grade
from drills.record import fits
from pages.parts import belief, state, units
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.saving import save


def committed(choice: Choice, place: Place) -> Predicted | None:
    """Return the prediction that stands, or None while the text is shut."""
    event = place.learner.record.first(Predicted, place.item(choice.id))
    if event is None or not fits(choice, event.payload):
        return None
    return event.payload


def commit(choice: Choice, place: Place, *, act: str = "read") -> bool:
    """Draw the question before what answers it; return whether that may open."""
    with st.container(border=True, key=f"predict-{place.item(choice.id)}"):
        standing = committed(choice, place)
        if standing is None:
            _ask_before(choice, place, act=act)
        else:
            _tell_before(choice, standing, place, act=act)
    return standing is not None


def again(choice: Choice, place: Place) -> None:
    """Draw the same question after the text; once answered, both beliefs side by side."""
    with st.container(border=True, key=f"again-{place.item(choice.id)}"):
        _again(choice, place)


@st.fragment
def _ask_before(choice: Choice, place: Place, *, act: str) -> None:
    _heading(f"Before you {act}", choice, place)
    hinted = hint(choice.hint, place, key=f"hint-{place.item(choice.id)}")
    key = f"ask-{place.item(choice.id)}"
    said = belief.ask(place.options(choice), key=key)
    if said is None:
        return
    payload = Predicted(probabilities=probabilities(said, choice), right=choice.answer, hint=hinted)
    if save(place.learner, place.item(choice.id), payload, nonce=said.nonce):
        st.rerun(scope="app")


@st.fragment
def _again(choice: Choice, place: Place) -> None:
    first = committed(choice, place)
    second = _second(choice, place)
    if second is not None:
        _heading("Asked again", choice, place)
        _tell_after(choice, first, second, place)
        return
    _heading("The same question again", choice, place)
    key = f"again-ask-{place.item(choice.id)}"
    said = belief.ask(place.options(choice), key=key)
    if said is None:
        return
    payload = Repredicted(probabilities=probabilities(said, choice), right=choice.answer)
    if save(place.learner, place.item(choice.id), payload, nonce=said.nonce):
        st.rerun(scope="app")


def probabilities(said: belief.Committed, choice: Choice) -> tuple[float, ...]:
    """Return what was committed as probabilities, the floor held on this side too."""
    if said.percents is None:
        return score.uniform(len(choice.options))
    total = sum(said.percents)  # 100 from our own page; above zero from any other
    return score.from_percent([100 * percent / total for percent in said.percents])


def hint(text: str | None, place: Place, *, key: str) -> bool:
    """Draw the hint, shut; return whether it was ever opened, which the record keeps."""
    if text is None:
        return False
    opened = f"{key}-opened"
    expander = st.expander("Hint", icon=":material/lightbulb:", on_change="rerun", key=key)
    if expander.open:
        state.put(opened, value=True)
        with expander:
            st.markdown(place.words(text))
    return bool(state.get(opened, default=False))


def feedback(graded: Grade, place: Place, *, before: str = "") -> None:
    """Say what the belief was worth, and to the believed option what was written for it."""
    wrong = graded.feedback if graded.feedback and not graded.right else ""
    said = (before, f"**{graded.meaning}**", place.words(wrong), place.words(graded.right_feedback))
    st.markdown("\n\n".join(part for part in said if part))


def _heading(label: str, choice: Choice, place: Place) -> None:
    st.markdown(f"**{label}.** {place.words(choice.prompt)}")


def _tell_before(choice: Choice, standing: Predicted, place: Place, *, act: str) -> None:
    """Show what was committed, until it stands beside the second answer."""
    if _second(choice, place) is not None:
        after = "" if act == "read" else f" once you {act}"
        quiet(f":material/check: You predicted first; both answers stand below{after}.")
        return
    _heading(f"Before you {act}", choice, place)
    options = place.options(choice)
    belief.tell(options, standing.probabilities, key=f"told-{place.item(choice.id)}")
    quiet("Committed. The same question returns below, once you know more.")


def _second(choice: Choice, place: Place) -> Repredicted | None:
    latest = place.learner.record.latest(Repredicted, place.item(choice.id))
    return latest.payload if latest is not None and fits(choice, latest.payload) else None


def _tell_after(choice: Choice, first: Predicted | None, latest: Repredicted, place: Place) -> None:
    belief.tell(
        place.options(choice),
        latest.probabilities,
        right=choice.answer,
        first=first.probabilities if first else None,
        key=f"retold-{place.item(choice.id)}",
    )
    after = grade(choice, latest.probabilities, unit=units.of_scores())
    before = ""
    if first is not None:
        then, now = (units.scored(each) for each in (_bits(choice, first), after.bits))
        before = f":small[:gray[Before reading: {then}. After: {now}.]]"
    feedback(after, place, before=before)


def _bits(choice: Choice, belief_: Predicted) -> float:
    return grade(choice, belief_.probabilities).bits
