"""How a learner wants to review: cards a day, buttons, retention, the zone of their days."""

import re

import streamlit as st

from drills.events import REVIEWS, Preferred
from drills.reviews import Wishes
from drills.schedule import LEAST_RETENTION, MOST_RETENTION
from pages.parts import state
from pages.parts.learner import Learner
from pages.parts.saving import save

_ZONE = re.compile(r"[A-Za-z0-9_+\-/]{1,64}")
_SAVED = "preferences-saved"  # how often in this tab: another number makes another, shut popover
_BUTTONS = {"four": "Again, Hard, Good, Easy", "two": "Again, Good"}


def remember_zone(who: Learner) -> None:
    """Record the browser's time zone if it is not the one that is known: days begin by it."""
    zone, west = st.context.timezone, st.context.timezone_offset
    known = who.record.reviews.wishes.zone
    if zone and zone != known and _ZONE.fullmatch(zone):
        save(who, REVIEWS, Preferred(zone=zone, utc_offset=-int(west or 0)))


def draw(who: Learner) -> bool:
    """Draw the settings, shut; return whether others were recorded in this run."""
    wishes = who.record.reviews.wishes
    times = int(state.get(_SAVED, default=0))
    with (
        st.popover("Settings", icon=":material/tune:", type="tertiary", key=f"settings-{times}"),
        st.form(f"preferences-{times}", border=False),
    ):
        wish = _wish(wishes, times)
        if not st.form_submit_button("Save"):
            return False
    if not save(who, REVIEWS, wish):
        return False
    state.put(_SAVED, times + 1)
    return True


def _wish(wishes: Wishes, times: int) -> Preferred:
    new = st.number_input("New cards a day", 0, 9_999, wishes.new_per_day, key=f"new-{times}")
    most = st.number_input("Reviews a day", 0, 99_999, wishes.reviews_per_day, key=f"most-{times}")
    buttons = st.radio(
        "Buttons",
        list(_BUTTONS),
        index=list(_BUTTONS).index(wishes.buttons),
        format_func=_BUTTONS.__getitem__,
        key=f"buttons-{times}",
    )
    percent = st.slider(
        "Desired retention",
        round(100 * LEAST_RETENTION),
        round(100 * MOST_RETENTION),
        round(100 * wishes.retention),
        format="%d%%",
        key=f"retention-{times}",
        help="A card is due when you are expected to recall it with this probability. The higher, "
        "the shorter the intervals and the more reviews a day.",
    )
    return Preferred(
        new_per_day=new, reviews_per_day=most, buttons=buttons, retention=percent / 100
    )
