"""Review: what is due today, one card at a time, by the scheduler that Anki ships."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import streamlit as st

from content.load import LoadedCourse
from drills import queue as queues
from drills.events import Noted, Queued, Suspended, Unreviewed, Unsuspended, item
from drills.queue import Due, Queue
from drills.statistics import sitting, today
from pages import resources
from pages.parts import card, learner, line_card, links, preferences, proof, showing, spans, state
from pages.parts.card import Asked
from pages.parts.learner import Learner
from pages.parts.line_card import AskedLine
from pages.parts.place import Place
from pages.parts.proof import redraw
from pages.parts.quiet import quiet
from pages.parts.saving import save

SCOPE = "review"
LONGEST_WAIT = timedelta(minutes=5)  # between two looks at whether a card is due
ENDED = "review-ended"  # whether the learner ended the session in this tab
BACK = "review-back"  # the card that an undo brought back: it is asked next
ASIDE = "review-aside"  # the card suspended last, until something else is done
EMPTY = (
    "Nothing to review yet. Cards come here by themselves: those of a lesson when you have marked "
    "it as read at its end, those about a question when you miss it, and a line of a derivation "
    "when it did not come to you. Then each is asked again shortly before you would forget it."
)


def draw() -> None:
    """Draw the card that is due, or what there is instead."""
    st.title("Review", anchor=False)
    _draw()


@st.fragment
def _draw() -> None:
    who, course = learner.current(), resources.course()
    found = queues.queue(who.record.reviews, resources.syllabus(), learner.now())
    if not _anything(who):
        _empty(who, course)
        return
    preferences.remember_zone(who)
    asked = None if state.get(ENDED) else _asked(found, who, course)
    if asked is None:
        _done(found, who, course)
        return
    _card(asked, found)


def _anything(who: Learner) -> bool:
    """Whether any card is in this learner's reviews."""
    return next(queues.entered(who.record.reviews, resources.syllabus()), None) is not None


def _asked(found: Queue, who: Learner, course: LoadedCourse) -> Asked | AskedLine | None:
    """Return the card to ask: the one that is shown, the one brought back, else the next."""
    at = showing.shown(SCOPE)
    first = [state.get(BACK), at.item if at else None]
    known = {due.item: due for due in (*found.cards, *found.waiting)}
    wanted = [known[name] for name in first if name in known]
    every = (_of(due, who, course) for due in (*wanted, *found.cards, *found.early))
    return next((asked for asked in every if asked is not None), None)


def _of(due: Due, who: Learner, course: LoadedCourse) -> Asked | AskedLine | None:
    """Return a card with its place; None if it asks for a line that the course has dropped."""
    if due.line is not None:
        return line_card.of(due, due.line, proof.places(course, who))
    lesson, _, _ = due.item.partition("/")
    return card.of(due, Place(course, course.lessons[lesson], who))


# --- a card --------------------------------------------------------------------------------------


def _card(asked: Asked | AskedLine, found: Queue) -> None:
    at = showing.show(SCOPE, asked.item)
    _progress(found, asked.place.learner)
    drawn = card.draw(asked, at) if isinstance(asked, Asked) else line_card.draw(asked, at)
    if drawn:
        _went_on()
    _menu(asked, at)


def _went_on() -> None:
    """Forget what only the card before could need, and draw the next one."""
    state.drop(BACK)
    state.drop(ASIDE)
    redraw()


def _progress(found: Queue, who: Learner) -> None:
    done, left = today(who.record.reviews, found.now).cards, len(found.cards) + len(found.waiting)
    st.progress(done / max(1, done + left))
    quiet(
        f"**{left} to go** · new {found.new_done} of {found.new_cap} · "
        f"reviews {found.reviews_done} of {found.reviews_cap}"
    )


def _menu(asked: Asked | AskedLine, at: showing.Showing) -> None:
    who = asked.place.learner
    with st.container(horizontal=True, vertical_alignment="center", key="review-menu"):
        _undo(who)
        _note(asked, at)
        if st.button("Suspend", icon=":material/block:", type="tertiary", key=at.key("suspend")):
            _suspend(asked)
        if st.button("End", icon=":material/flag:", type="tertiary", key="review-end"):
            state.put(ENDED, value=True)
            redraw()
        if preferences.draw(who):
            redraw()
    if state.get(ASIDE):
        quiet("Suspended: it is not asked again. Undo brings it back.")
        return
    with st.container(key="review-hint"):
        quiet(card.KEYS if isinstance(asked, Asked) else line_card.KEYS)


def _undo(who: Learner) -> None:
    """Draw the button that takes back the latest grade of the day, or the latest suspension."""
    aside, latest = state.get(ASIDE), who.record.reviews.latest
    day = who.record.reviews.wishes.days.day(learner.now())
    taken = latest if latest and latest[1].day == day else None
    pressed = st.button(
        "Undo",
        icon=":material/undo:",
        type="tertiary",
        key="review-undo",
        shortcut="Z",
        disabled=not (aside or taken),
    )
    if not pressed:
        return
    if aside:
        _bring(aside, save(who, aside, Unsuspended()))
    elif taken:
        _bring(taken[0], save(who, taken[0], Unreviewed(nonce=taken[1].nonce)))


def _bring(name: str, done: bool) -> None:  # noqa: FBT001  the result of saving
    """Ask the card that was brought back next, from its question."""
    if done:
        state.drop(ASIDE)
        state.put(BACK, name)
        state.put(ENDED, value=False)
        showing.put_away(SCOPE)
        redraw()


def _suspend(asked: Asked | AskedLine) -> None:
    if save(asked.place.learner, asked.item, Suspended()):
        state.put(ASIDE, asked.item)
        showing.put_away(SCOPE)
        redraw()


def _note(asked: Asked | AskedLine, at: showing.Showing) -> None:
    """Draw the learner's note on this card, to write or change once the answer is seen."""
    who, name = asked.place.learner, asked.item
    before = who.record.reviews.notes.get(name, "")
    times = int(state.get("review-noted", default=0))
    key = at.key(f"note-{times}")
    label = "Your note" if before else "Note"
    with st.popover(
        label, icon=":material/edit_note:", type="tertiary", disabled=not at.turned, key=key
    ):
        text = st.text_area(
            "A note of your own on this card",
            before,
            max_chars=2_000,
            key=f"{key}-text",
            help="It stands under the answer. Formulas go between dollars.",
        )
        with st.container(horizontal=True):
            kept = st.button("Save note", key=f"{key}-save")
            gone = before and st.button("Remove note", type="tertiary", key=f"{key}-remove")
    if (kept or gone) and save(who, name, Noted(text="" if gone else text)):
        state.put("review-noted", times + 1)
        redraw()


# --- between cards -------------------------------------------------------------------------------


def _empty(who: Learner, course: LoadedCourse) -> None:
    st.markdown(EMPTY)
    first = next(iter(course.lessons.values()))
    links.draw(first.id, f"Begin with {first.head.title}", icon=":material/menu_book:")
    _add(who, course)


def _done(found: Queue, who: Learner, course: LoadedCourse) -> None:
    """Draw what was done, what is next, and what is left to do about the cards."""
    left = len(found.cards)
    st.subheader("Ended for now" if left else "All done for now", anchor=False)
    _summary(found, who)
    at = queues.next_due(found, who.record.reviews, resources.syllabus())
    st.markdown(_next(at, found, who, left))
    if at and not left:
        _come_back(at - queues.LEARN_AHEAD if found.waiting else at, found.now)
    with st.container(horizontal=True, vertical_alignment="center"):
        if found.next and st.button("Go on", icon=":material/play_arrow:", key="review-go-on"):
            state.put(ENDED, value=False)
            redraw()
        _undo(who)
        if preferences.draw(who):
            redraw()
    _leeches(found, who, course)
    _suspended(found, who, course)
    _add(who, course)


def _summary(found: Queue, who: Learner) -> None:
    done = sitting(who.record.reviews, found.now)
    if not done.reviews:
        return
    with st.container(horizontal=True, gap="large"):
        st.metric("cards", done.cards, width="content")
        st.metric("times again", done.again, width="content")
        st.metric("time", spans.spent(done.milliseconds), width="content")


def _come_back(at: datetime, now: datetime) -> None:
    """Draw the next card when it may be asked, should this page still be open then."""
    if at > now:
        st.fragment(_draw_from, run_every=min(at - now, LONGEST_WAIT))(at)


def _draw_from(at: datetime) -> None:
    if learner.now() >= at:
        st.rerun()


def _next(at: datetime | None, found: Queue, who: Learner, left: int) -> str:
    """Say what is due now, when the next card is, and what the caps keep back."""
    said = [f"{left} {'card is' if left == 1 else 'cards are'} due now." if left else ""]
    if at is None and not left:
        said.append("Nothing else is scheduled: every card is suspended.")
    elif at is not None and not left:
        said.append(f"The next card is due {_when(at, found.now, who)}.")
    kept = found.new_left + found.reviews_left
    if kept and not left:
        said.append(
            f"Your daily caps keep {found.new_left} new cards and {found.reviews_left} reviews "
            "for later days; *Settings* raises them."
        )
    return " ".join(each for each in said if each)


def _when(at: datetime, now: datetime, who: Learner) -> str:
    days = who.record.reviews.wishes.days
    return spans.until(at - now, days.day(at) - days.day(now))


def _leeches(found: Queue, who: Learner, course: LoadedCourse) -> None:
    named = _named(found.leeches, found, who, course)
    if named:
        st.markdown("**Leeches.** Forgotten eight times or more. Read the section again first.")
        st.markdown("\n".join(f"- {name}" for name in named.values()))


def _suspended(found: Queue, who: Learner, course: LoadedCourse) -> None:
    reviews = who.record.reviews
    every = (*resources.syllabus().cards, *reviews.lines)
    names = [name for name in every if name in reviews.suspended]
    if not names:
        return
    with st.expander(f"Suspended cards: {len(names)}"):
        for name, shown in _named(names, found, who, course).items():
            st.markdown(shown)
            back = st.button("Bring it back", type="tertiary", key=f"review-back-{name}")
            if back and save(who, name, Unsuspended()):
                redraw()


def _named(
    names: Iterable[str], found: Queue, who: Learner, course: LoadedCourse
) -> dict[str, str]:
    """Return cards by what they ask, with the way to where it is taught."""
    reviews = who.record.reviews
    dues = (queues.due(name, reviews, found.now) for name in names)
    every = (_of(due, who, course) for due in dues)
    return {asked.item: asked.named() for asked in every if asked is not None}


def _add(who: Learner, course: LoadedCourse) -> None:
    """Draw the choice of a lesson whose cards are added before it was read."""
    known = {name for name, _ in queues.entered(who.record.reviews, resources.syllabus())}
    waiting = {
        lesson.id: [item(lesson.id, name) for name in lesson.asked]
        for lesson in course.lessons.values()
    }
    open_ = {key: [n for n in names if n not in known] for key, names in waiting.items()}
    choice = [key for key, names in open_.items() if names]
    if not choice:
        return
    with st.expander("Add cards by choice"):
        chosen = st.selectbox(
            "Lesson",
            choice,
            format_func=lambda key: f"{course.lessons[key].head.title} · {len(open_[key])} cards",
            key=f"review-add-{len(known)}",
        )
        pressed = st.button("Add these cards", icon=":material/add:", key="review-add")
        if pressed and all(save(who, name, Queued()) for name in open_[chosen]):
            redraw()
