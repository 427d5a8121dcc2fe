"""Which cards go to Anki: the whole course, a lesson, a topic, or what was missed."""

import time
from dataclasses import dataclass

import streamlit as st

from content.load import LoadedCourse
from drills.anki_notes import Selection, topics
from drills.events import Exported
from drills.queue import missed
from pages import resources
from pages.parts.learner import Learner
from pages.parts.quiet import quiet

COURSE, LESSON, TOPIC, MISSED = "The whole course", "A lesson", "A topic", "Only what I missed"
SCOPES = (COURSE, LESSON, TOPIC, MISSED)
NOTHING_MISSED = (
    "You have missed nothing yet. Cards come in here when a quiz question on their section was "
    "answered wrongly, or when you forgot them in a review."
)
_MIME = {"apkg": "application/octet-stream", "tsv": "text/tab-separated-values; charset=utf-8"}
_LABELS = {"apkg": "for Anki (.apkg)", "tsv": "As text (.tsv)"}


@dataclass(frozen=True)
class _Choice:
    """What was chosen: the cards, and what the file is called after."""

    selection: Selection
    name: str  # the lesson, the topic, `missed`, or `course`
    lesson: str | None = None


@st.fragment
def draw(who: Learner) -> None:
    """Draw the choice, how many cards it holds, and both downloads."""
    course = resources.course()
    scope = st.radio("Cards", SCOPES, key="deck-scope", horizontal=True)
    choice = _narrowed(scope, course, who)
    lessons = [course.lessons[choice.lesson]] if choice.lesson else list(course.lessons.values())
    cards = len(list(choice.selection.cards(lessons)))
    if not cards:
        st.markdown(NOTHING_MISSED if scope == MISSED else "No card fits this choice.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        for form in _LABELS:
            _download(who, choice, form, cards)
    quiet("The file is made when you ask for it.")


def _narrowed(scope: str, course: LoadedCourse, who: Learner) -> _Choice:
    """Draw what narrows the choice down, and return what is left."""
    lesson, topic, only, name = None, None, None, "course"
    if scope == LESSON:
        titles = {each.id: each.head.title for each in course.lessons.values()}
        lesson = name = st.selectbox(
            "Lesson", titles, format_func=titles.__getitem__, key="deck-lesson"
        )
    elif scope == TOPIC:
        topic = name = st.selectbox(
            "Topic",
            topics(course),
            format_func=lambda each: each.replace("-", " "),
            key="deck-topic",
        )
    elif scope == MISSED:
        only, name = missed(who.record.reviews, resources.syllabus()), "missed"
    pictures = st.checkbox("With figures", value=True, key="deck-pictures")
    out = _suspended(who)
    return _Choice(Selection(topic, only, out, pictures), name, lesson)


def _suspended(who: Learner) -> frozenset[str]:
    """Return the cards to leave out: those this learner has suspended, if that is wanted."""
    suspended = who.record.reviews.suspended
    if not suspended:
        return frozenset()
    label = f"Leave out what I have suspended ({len(suspended)})"
    return suspended if st.checkbox(label, value=True, key="deck-suspended") else frozenset()


def _download(who: Learner, choice: _Choice, form: str, cards: int) -> None:
    def made() -> bytes:
        data = resources.selected(
            choice.selection, form, lesson=choice.lesson, epoch=int(time.time())
        )
        who.note(choice.lesson or "course", Exported(form=form, count=cards))
        return data

    many = f"{cards} card{'' if cards == 1 else 's'} "
    st.download_button(
        (many if form == "apkg" else "") + _LABELS[form],
        made,
        file_name=f"surprisal{'' if choice.name == 'course' else f'-{choice.name}'}.{form}",
        mime=_MIME[form],
        icon=":material/download:",
        on_click="ignore",  # a rerun would race with the making
        key=f"deck-{form}",
    )
