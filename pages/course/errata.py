"""What the sources get wrong: the claim as often made and what is right, to read or to spot."""

import streamlit as st

from content.load import LoadedCourse
from content.schema import Erratum
from drills.events import Answered
from drills.record import ERRATA
from drills.score import best_bits, meaning
from pages import resources
from pages.parts import belief, claim, learner, predict, prose, spot, state, units, used_in
from pages.parts.learner import Learner
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.saving import save
from pages.parts.spot import Round

ABOUT = "Statements that popular texts on this subject repeat, and what is right instead."
READ, SPOT = "Read", "Spot the error"
AT = "errata-at"  # which round is on the screen
AGAIN = "errata-again"  # which one is asked once more


def draw() -> None:
    """Draw the errata in the way the address names."""
    course, who = resources.course(), learner.current()
    st.title("What the sources get wrong", anchor=False)
    st.markdown(ABOUT)
    way = st.segmented_control(
        "Way",
        [READ, SPOT],
        default=READ,
        required=True,
        key="way",
        bind="query-params",
        label_visibility="collapsed",
    )
    if way == SPOT:
        _spot(course, who)
    else:
        _read(course, who)


def _read(course: LoadedCourse, who: Learner) -> None:
    quiet(f"{len(course.errata)} of them. *{SPOT}* asks before it tells.")
    with st.container(gap="medium"):
        for number, erratum in enumerate(course.errata, start=1):
            with st.container(key=f"erratum-{erratum.id}", gap="small"):
                _erratum(number, erratum, course)
                _settle(erratum, course, who)


def _erratum(number: int, erratum: Erratum, course: LoadedCourse) -> None:
    wrong = prose.field(erratum.often_written, course=course)
    right = prose.field(erratum.right, course=course)
    st.markdown(
        f":small[:gray[{number} · Often written]]  \n{wrong}\n\n:small[:gray[Right]]  \n{right}"
    )


def _settle(erratum: Erratum, course: LoadedCourse, who: Learner) -> None:
    """Draw what it rests on: the source, the section that treats it, the computation."""
    source = f"Source: {prose.cite(erratum.source, course=course)}"
    treated = _treated(erratum, course)
    quiet(" · ".join(part for part in (source, treated) if part))
    if erratum.claim:
        lesson = course.lessons[erratum.claim.partition("/")[0]]
        settled = course.claim(erratum.claim)
        place = Place(course, lesson, who)
        claim.verify([(erratum.claim, settled)], place, key=f"erratum-{erratum.id}")


def _treated(erratum: Erratum, course: LoadedCourse) -> str:
    """Return a link to where a lesson treats it, if the claim's lesson is known."""
    if not erratum.claim:
        return ""
    lesson = course.lessons[erratum.claim.partition("/")[0]]
    section = course.uses.stated_in(erratum.claim) or ""
    title = f": {lesson.section(section).title}" if section else ""
    return f"Treated in [{lesson.head.short}{title}]({used_in.link(lesson, section)})"


@st.fragment
def _spot(course: LoadedCourse, who: Learner) -> None:
    """Draw one erratum at a time, and a summary at the end."""
    rounds = spot.rounds(course, who)
    at = int(state.once(AT, lambda: spot.first_open(rounds)))
    _status(rounds, who)
    if at >= len(rounds):
        _summary(rounds, course)
        return
    with st.container(border=True, key="spot"):
        quiet(f"{at + 1} of {len(rounds)} · One sentence is often written, the other is right.")
        _round(rounds[at], course, who)
        _step(at, rounds)


def _status(rounds: list[Round], who: Learner) -> None:
    answered = sum(one.answer is not None for one in rounds)
    earned = units.scored(who.record.bits_earned(ERRATA))
    most = units.from_bits(len(rounds) * best_bits(2))
    quiet(
        f"{answered} of {len(rounds)} answered · **{earned}**; {most:.1f} is the most. "
        "First answers count, and count toward no lesson."
    )


def _round(one: Round, course: LoadedCourse, who: Learner) -> None:
    st.markdown(f"**{one.choice.prompt}**")
    if one.answer is None or state.get(AGAIN) == one.name:
        _ask(one, course, who)
    else:
        _tell(one, one.answer, course, who)


def _ask(one: Round, course: LoadedCourse, who: Learner) -> None:
    times = len(who.record.all(Answered, one.name))
    key = f"spot-{one.erratum.id}-{one.choice.answer}-{times}"
    said = belief.ask(_sentences(one, course), key=key)
    if said is None:
        return
    given = predict.probabilities(said, one.choice)
    answer = Answered(probabilities=given, right=one.choice.answer)
    if save(who, one.name, answer, nonce=said.nonce):
        state.drop(AGAIN)
        st.rerun(scope="fragment")


def _tell(one: Round, answer: Answered, course: LoadedCourse, who: Learner) -> None:
    belief.tell(
        _sentences(one, course),
        answer.probabilities,
        right=answer.right,
        key=f"spotted-{one.erratum.id}",
    )
    st.markdown(f"**{meaning(answer.bits, len(answer.probabilities), unit=units.of_scores())}**")
    st.markdown(prose.field(one.erratum.right, course=course))
    _settle(one.erratum, course, who)
    if one.due:
        st.button(
            "Answer again",
            type="tertiary",
            key=f"spot-again-{one.erratum.id}",
            on_click=state.put,
            args=(AGAIN, one.name),
            help="You answered this a week ago or more. Your first answer keeps its bits.",
        )


def _sentences(one: Round, course: LoadedCourse) -> list[str]:
    return [prose.plain(option.text, course=course) for option in one.choice.options]


def _step(at: int, rounds: list[Round]) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.button(
            "Previous",
            icon=":material/arrow_back:",
            disabled=at == 0,
            key="spot-previous",
            on_click=state.put,
            args=(AT, at - 1),
        )
        st.button(
            "Summary" if at + 1 == len(rounds) else "Next",
            icon=":material/arrow_forward:",
            icon_position="right",
            key="spot-next",
            on_click=state.put,
            args=(AT, at + 1),
        )


def _summary(rounds: list[Round], course: LoadedCourse) -> None:
    """Draw what the round came to, and what to read again."""
    answered = [one for one in rounds if one.answer is not None]
    spotted = sum(one.right for one in answered)
    st.subheader(f"You spotted {spotted} of {len(answered)}", anchor=False)
    missed = [one.erratum for one in answered if not one.right]
    if missed:
        st.markdown("The others, put right:")
        st.markdown("\n".join(f"- {prose.field(each.right, course=course)}" for each in missed))
    _onward(rounds)


def _onward(rounds: list[Round]) -> None:
    """Draw what can be done now: those not answered, those long ago, all of them once more."""
    at = spot.first_open(rounds)
    due = next((place for place, one in enumerate(rounds) if one.due), None)
    if at < len(rounds):
        st.button("Go on with those not answered", on_click=state.put, args=(AT, at))
    if due is not None:
        st.button("See those from a week ago or more", on_click=state.put, args=(AT, due))
    st.button("From the first", on_click=state.put, args=(AT, 0))
