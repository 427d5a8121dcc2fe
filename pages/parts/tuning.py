"""The parameters of FSRS, fitted to one learner: offered, watched, shown, applied on their word."""

from collections.abc import Sequence

import streamlit as st

from content.schema import BasicCard
from drills import optimize, statistics, telling
from drills.events import REVIEWS, Preferred
from drills.optimize import Change
from pages import resources
from pages.parts import prose, state, units
from pages.parts.learner import Learner
from pages.parts.quiet import quiet
from pages.parts.saving import save
from pages.parts.search import Found, Search

ABOUT = (
    "FSRS foresees how a memory fades by 21 parameters, fitted to the reviews of many people. With "
    "enough reviews of your own they can be fitted to you. It takes up to some minutes, in the "
    "background; nothing changes before you say so."
)
SHOWN = 8  # cards whose intervals are shown
JOB = "search"  # in the session
POLL_SECONDS = 0.5


def draw(who: Learner) -> None:
    """Draw where this learner stands: too few reviews, ready, searching, or found."""
    st.subheader("Parameters of your own", anchor=False)
    reviews = who.record.reviews
    usable = optimize.usable(reviews)
    if reviews.wishes.parameters:
        _in_use(who)
    if usable < optimize.ENOUGH:
        quiet(
            f"FSRS schedules by parameters fitted to many people. From {optimize.ENOUGH} reviews "
            f"on a later day than the one before, they can be fitted to you; you have {usable}."
        )
        return
    job = _job(who)
    if job is None:
        _offer(who)
    elif job.live:
        _watch(job)
    elif job.found:
        _show(who, job.found)
    else:
        _ended(job)


def _job(who: Learner) -> Search | None:
    """Return this tab's search, unless it was of a record that the tab has left."""
    owner, job = state.get(JOB, (None, None))
    return job if owner == who.id else None


def _in_use(who: Learner) -> None:
    st.markdown("Your own parameters are in use.")
    usual = Preferred(parameters=())
    if st.button("Back to the usual ones", key="usual") and save(who, REVIEWS, usual):
        state.drop(JOB)
        st.rerun()


def _offer(who: Learner) -> None:
    st.markdown(ABOUT)
    if st.button("Fit them to my reviews", icon=":material/tune:", key="fit"):
        state.put(JOB, (who.id, Search(who.record.reviews)))
        st.rerun()


def _watch(job: Search) -> None:
    """Draw the progress again and again; the page is rerun once when the search ends."""

    def look() -> None:
        said = "Waiting for another search to end" if job.waiting else "Fitting to your reviews"
        st.progress(min(1.0, job.share), said)
        if st.button("Cancel", icon=":material/close:", key="fit-cancel"):
            job.cancel()
        if not job.live:
            st.rerun(scope="app")

    st.fragment(look, run_every=POLL_SECONDS)()


def _ended(job: Search) -> None:
    if job.error:
        st.error(job.error, icon=":material/error:")
    else:
        st.markdown("The search was called off. Nothing has changed.")
    if st.button("Try again", key="fit-again"):
        state.drop(JOB)
        st.rerun()


def _show(who: Learner, found: Found) -> None:
    """Draw what would change, and ask."""
    st.markdown(telling.search(found.before_bits, found.after_bits, units.of_scores()))
    before, after = st.columns(2)
    unit = units.of_scores()
    before.metric(f"surprise in use, {unit}", f"{units.from_bits(found.before_bits):.3f}")
    after.metric(f"surprise found, {unit}", f"{units.from_bits(found.after_bits):.3f}")
    a_day = statistics.load(who.record.reviews, resources.syllabus())
    st.markdown(telling.moved(found.changes, a_day))
    if found.changes:
        st.table([_row(change) for change in _few(found.changes)])
    with st.container(horizontal=True):
        use = st.button("Use them from now on", icon=":material/check:", key="fit-use")
        keep = st.button("Keep what I have", key="fit-keep")
    wish = Preferred(parameters=found.parameters)
    if keep or (use and save(who, REVIEWS, wish)):
        state.drop(JOB)
        st.rerun()


def _few(changes: Sequence[Change]) -> Sequence[Change]:
    """Return some changes of all sizes, the largest first."""
    stride = max(1, len(changes) // SHOWN)
    return changes[::stride][:SHOWN]


def _row(change: Change) -> dict[str, str]:
    return {
        "card": _question(change.item),
        "now": f"{change.before_days} d",
        "then": f"{change.after_days} d",
    }


def _question(item: str) -> str:
    """Return what a card asks; a line to be proved by where it stands."""
    course = resources.course()
    lesson, _, name = item.partition("/")
    known = course.lessons.get(lesson)
    card = next((each for each in known.cards if each.id == name), None) if known else None
    if isinstance(card, BasicCard):
        return prose.plain(card.question, course=course, lesson=lesson)
    return f"{known.head.short if known else lesson}: {name.replace('-', ' ')}"
