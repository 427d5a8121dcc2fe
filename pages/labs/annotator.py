"""The annotator lab: your own preferences as data, with their errors, and a policy made of them.

Eight answers to one question are compared two at a time. What was chosen is the whole data set:
a reward is fitted to it, doubted, explained by what can be counted, and trained on by DPO.
"""

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from content.schema import Texts
from pages import resources
from pages.parts import annotator_charts, controls, lab_frame
from pages.parts.annotator_charts import LETTERS
from pages.parts.controls import Kept, Number, Select, Slide, Values
from pages.parts.lab import Run
from pages.parts.place import Place
from pages.parts.quiet import quiet

if TYPE_CHECKING:
    from engine.experiments.annotator import Experiment, Step

ID = "annotator"
BETAS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
NOTHING = "This course has no texts to compare: it needs a file texts.yaml."
SIDES = (("1", "The first"), ("2", "The second"))  # key, face


def draw(place: Place) -> None:
    """Draw the lab."""
    lab_frame.draw(LAB, place)


def _readable(text: str) -> bool:
    from engine.errors import EngineError
    from engine.experiments import annotator

    try:
        annotator.read(text)
    except EngineError:
        return False
    return True


CHOICES = Kept("choices", "", check=_readable)


def _build(values: Values) -> "Experiment":
    from engine.experiments import annotator

    texts = resources.course().texts
    features = annotator.count(texts.answers, texts.lists) if texts else None
    return annotator.build(annotator.Settings.read(dict(values)), features)


def _compare(place: Place) -> None:
    """Draw the two texts that are due, how far it went, and the ways back."""
    from engine.experiments.annotator import LEAST, schedule

    if place.course.texts is None:
        quiet(NOTHING)
        return
    said, due = CHOICES.draw(ID, {}), schedule()
    done = len(said.split())
    st.markdown(f"**{place.course.texts.question}** Which answer would you rather have?")
    more = f" · {LEAST - done} more, then run" if done < LEAST else " · enough to run"
    st.progress(done / len(due), f"{done} of {len(due)} compared{more}")
    if done < len(due):
        _pair(place.course.texts, due[done], said)
    else:
        quiet("You have compared every couple.")
    with st.container(horizontal=True):
        undo = partial(_keep, " ".join(said.split()[:-1]))
        st.button("Undo", on_click=undo, disabled=not said, key=f"{ID}-undo", shortcut="U")
        st.button("Start over", on_click=partial(_keep, ""), disabled=not said, key=f"{ID}-over")


def _pair(texts: Texts, due: tuple[int, int], said: str) -> None:
    for column, shown, other, (key, face) in zip(
        st.columns(2), due, reversed(due), SIDES, strict=True
    ):
        with column, st.container(border=True, height=240, key=f"{ID}-text-{key}"):
            st.markdown(texts.answers[shown])
        chosen = f"{said} {shown}{other}".strip()
        column.button(face, on_click=partial(_keep, chosen), key=f"{ID}-choose-{key}", shortcut=key)


def _keep(choices: str) -> None:
    controls.keep(ID, CHOICES.name, choices)


def _told_back(run: Run["Experiment", "Step"], place: Place) -> None:
    """Say what the comparisons amount to: a favorite, how sure, what explains it."""
    if place.course.texts is None or not run.job.steps:
        return
    made: Experiment = run.experiment
    best = made.fit.ranking[0]
    with st.container(border=True, key=f"{ID}-told"):
        st.markdown(f"**Your favorite is {LETTERS[best]}:** {place.course.texts.answers[best]}")
        st.markdown("\n".join(f"- {line}" for line in (_foreseen(made), _cycles(made), _why(made))))
        with st.expander("All eight, best first"):
            lines = (
                f"- **{LETTERS[k]}.** {place.course.texts.answers[k]}" for k in made.fit.ranking
            )
            st.markdown("\n".join(lines))


def _foreseen(made: "Experiment") -> str:
    found = made.foresight
    return (
        f"Left out one at a time, {found.right:g} of {found.of} comparisons were foretold by the "
        f"others ({found.accuracy:.0%}; coins do as well with probability {found.by_guessing:.2f})."
    )


def _cycles(made: "Experiment") -> str:
    found = made.triads
    if found.complete == 0:
        return "No three texts have all met yet, so there is no cycle to look for."
    return (
        f"Of {found.complete} triples in which all met, {found.cyclic} run in a circle; by tossing "
        f"coins one in four would."
    )


def _why(made: "Experiment") -> str:
    if made.reading is None or made.reading.features[0].alone == 0:
        return "Nothing that is counted here explains your rewards."
    first = made.reading.features[0]
    way = "more" if first.weight > 0 else "less"
    return (
        f"What explains most is *{first.name}*: {first.alone:.0%} of the variance by itself, and "
        f"beside the others you liked {way} of it. All together explain "
        f"{made.reading.explained:.0%}; with eight texts, much of that is chance."
    )


def _see(experiment: "Experiment", step: "Step") -> str:
    gap = max(
        abs(learnt - reward)
        for learnt, reward in zip(step.rewards, experiment.fit.reward.tolist(), strict=True)
    )
    top = max(range(len(LETTERS)), key=step.probabilities.__getitem__)
    return (
        f"The policy writes {LETTERS[top]} with probability {step.probabilities[top]:.2f}, and its "
        f"rewards differ from the fitted ones by at most {gap:.2g}."
    )


LAB = lab_frame.Lab(
    id=ID,
    title="Your own preferences",
    promise="Compare eight answers, and see the reward you gave and the policy it makes.",
    row=(
        Slide("beta", "β", BETAS, 1.0),
        Select("labels", "DPO learns from", {"fitted": "The fit", "said": "What you said"}),
    ),
    more=(CHOICES, Number("steps", "Steps", (1, 150, 300))),
    asks=lambda _values: "lab-annotator-unmet",
    stage=_compare,
    build=_build,
    charts=annotator_charts.draw,
    see=_see,
    numbers=annotator_charts.numbers,
    table=annotator_charts.row,
    after=_told_back,
)
