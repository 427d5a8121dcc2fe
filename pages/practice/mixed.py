"""Mixed practice: ten things from all that was begun, cards, questions and lines by turns."""

from collections.abc import Iterator

import streamlit as st

from content.load import LoadedCourse
from content.schema import Choice
from drills import mixture
from drills import queue as queues
from drills.events import Answered, item
from drills.mixture import Task
from pages import resources
from pages.parts import (
    card,
    derivation,
    keys,
    learner,
    line_card,
    links,
    preferences,
    proof,
    quiz,
    showing,
    spot,
    state,
    units,
)
from pages.parts.learner import Learner
from pages.parts.line_card import Wanted
from pages.parts.place import Place
from pages.parts.proof import Proof, redraw
from pages.parts.quiet import quiet
from pages.parts.showing import Showing

SCOPE = "mixed"
TASKS = "mixed-tasks"  # of the session in this tab
AT = "mixed-at"  # how many of them are done
SINCE = "mixed-since"  # how many events the record had when it began
TOLD = "mixed-told"  # the question whose answer is shown
ABOUT = (
    "Cards that are due, questions not yet answered or missed, and lines to prove take turns, "
    "never two of one lesson in a row while others are left. Which idea is asked for is then yours "
    "to find, too: in a lesson its title has told you."
)
EMPTY = (
    "Nothing to mix yet. Begin a lesson: what you predict, read or answer there opens its cards, "
    "questions and lines for practice here."
)
CAUGHT_UP = (
    "Nothing is left to practice: no card is due, every question you met is answered rightly, and "
    "every line is proved."
)
KINDS = {"card": "card", "question": "question", "line": "line to prove"}


def draw() -> None:
    """Draw the task at hand, or the way to the first of ten."""
    st.title("Mixed practice", anchor=False)
    _draw()


@st.fragment
def _draw() -> None:
    who, course = learner.current(), resources.course()
    chosen: tuple[Task, ...] = state.get(TASKS, default=())
    at = int(state.get(AT, default=0))
    if not chosen:
        _begin(who, course)
    elif at >= len(chosen):
        _end(who, course)
    else:
        _task(chosen, at, who, course)


def _begin(who: Learner, course: LoadedCourse) -> None:
    every = _every(who, course)
    if not every:
        st.markdown(CAUGHT_UP if who.events else EMPTY)
        first = next(iter(course.lessons.values()))
        links.draw(first.id, f"Open {first.head.title}", icon=":material/menu_book:")
        return
    st.markdown(ABOUT)
    _start(who, every, label="Begin")


def _start(who: Learner, every: tuple[Task, ...], *, label: str) -> None:
    """Draw the button that begins a session."""
    size = min(len(every), mixture.SIZE)
    counted = f"{size} {'thing' if size == 1 else 'things'}"
    if st.button(f"{label}: {counted}", icon=":material/shuffle:", key=f"mixed-start-{label}"):
        preferences.remember_zone(who)
        seed = f"{spot.seed(who)}/{len(who.events)}"
        state.put(TASKS, mixture.mix(every, seed=seed))
        state.put(AT, 0)
        state.put(SINCE, len(who.events))
        showing.put_away(SCOPE)
        redraw()


def _every(who: Learner, course: LoadedCourse) -> tuple[Task, ...]:
    found = queues.queue(who.record.reviews, resources.syllabus(), learner.now())
    return mixture.tasks(found, who.record, course, _lines(course, who))


def _lines(course: LoadedCourse, who: Learner) -> Iterator[tuple[str, str]]:
    """Yield every line that can be typed, as the item of its derivation and its id."""
    for name, place in proof.places(course, who).items():
        work = Proof(derivation.load(name), place, "review")
        yield from ((work.item, line) for line in work.ids[1:])


# --- one task ------------------------------------------------------------------------------------


def _task(chosen: tuple[Task, ...], at: int, who: Learner, course: LoadedCourse) -> None:
    task = chosen[at]
    place = Place(course, course.lessons[task.lesson], who)
    st.progress(at / len(chosen))
    quiet(f"**{at + 1} of {len(chosen)}** · {KINDS[task.kind]} · {place.lesson.head.short}")
    shown = showing.show(SCOPE, task.item)
    if _drawn(task, place, shown):
        _on()
    with st.container(horizontal=True, key="mixed-menu"):
        if st.button("Skip", icon=":material/skip_next:", type="tertiary", key=shown.key("skip")):
            _on()
        if st.button("End", icon=":material/flag:", type="tertiary", key="mixed-end"):
            state.put(AT, len(chosen))
            redraw()


def _on() -> None:
    """Go on to the next task."""
    state.put(AT, int(state.get(AT, default=0)) + 1)
    state.drop(TOLD)
    showing.put_away(SCOPE)
    redraw()


def _drawn(task: Task, place: Place, shown: Showing) -> bool:
    """Draw a task; return whether it is done. What the course has dropped meanwhile is."""
    if task.kind == "question":
        return _question(task, place, shown)
    if task.kind == "line":
        wanted = _wanted(task, place)
        return wanted is None or _line(wanted, shown)
    due = queues.due(task.item, place.learner.record.reviews, learner.now())
    if due.line is not None:
        places = proof.places(place.course, place.learner)
        asked = line_card.of(due, due.line, places)
        return asked is None or line_card.draw(asked, shown)
    one = card.of(due, place)
    return one is None or card.draw(one, shown)


def _question(task: Task, place: Place, shown: Showing) -> bool:
    questions = {item(place.lesson.id, each.id): each for each in place.lesson.questions}
    question = questions.get(task.item)
    if not isinstance(question, Choice):
        return True
    latest = place.learner.record.latest(Answered, task.item)
    with st.container(border=True, key="mixed-question"):
        if state.get(TOLD) == task.item and latest is not None:
            quiz.tell(question, latest.payload, place)
        elif quiz.answer(question, place):
            state.put(TOLD, task.item)
            redraw()
    return state.get(TOLD) == task.item and _next(shown)


def _wanted(task: Task, place: Place) -> Wanted | None:
    name = task.derivation.partition("/")[2]
    if name not in proof.places(place.course, place.learner):
        return None
    return line_card.line_of(Proof(derivation.load(name), place, "review"), task.line)


def _line(wanted: Wanted, shown: Showing) -> bool:
    with card.frame(shown, line_card.HEIGHT):
        line_card.face(wanted, shown)
    with card.row(shown):
        if shown.turned:
            return _next(shown)
        line_card.give(wanted, shown, width="stretch")
    return False


def _next(shown: Showing) -> bool:
    key = shown.key("next")
    keys.press({"Enter": key, " ": key}, key="mixed-keys")
    return st.button("Next", key=key, width="stretch", icon=":material/arrow_forward:")


# --- the end -------------------------------------------------------------------------------------


def _end(who: Learner, course: LoadedCourse) -> None:
    """Draw what the session came to, and the way to another one."""
    done = mixture.result(who.events[int(state.get(SINCE, default=0)) :])
    st.subheader("The session is over", anchor=False)
    figures = (
        ("cards recalled", done.cards - done.again, done.cards),
        ("questions right", done.right, done.questions),
        ("lines typed", done.typed, done.lines),
    )
    with st.container(horizontal=True, gap="large"):
        for label, good, of in figures:
            if of:
                st.metric(label, f"{good} of {of}", width="content")
    if not any(of for _, _, of in figures):
        st.markdown("Nothing was answered in it, so nothing has changed.")
    if done.questions:
        quiet(
            f"Your answers were worth **{units.scored(done.bits)}**. Toward a lesson's score only "
            "first answers count."
        )
    if done.lines > done.typed:
        quiet("Lines that were missed will come back in [Review](/review).")
    every = _every(who, course)
    if every:
        _start(who, every, label="Another session")
    else:
        st.markdown(CAUGHT_UP)
