"""A recovery link, opened on another device: take up the record it stands for."""

import streamlit as st

from drills.errors import DrillsError
from pages.parts import learner, links, state

DONE = "restored-record"


def draw() -> None:
    """Ask whether to continue here with the record of the link."""
    st.title("Continue on this device", anchor=False)
    code = st.query_params.get("code", "")
    who = learner.current()
    if state.get(DONE):
        st.success(state.get(DONE), icon=":material/check:")
        links.draw("", "To the course", icon=":material/map:")
        return
    if not who.kept:
        st.markdown(
            "This needs the cookie that tells your browser from others; see the note above."
        )
        return
    if not code:
        st.markdown(
            "A recovery link ends in a code; this address has none. Open *Your record* on the "
            "device you used before, and copy the whole link."
        )
        return
    st.markdown(
        "Use only a link that you made yourself: everyone who has it sees and adds to this record."
    )
    bring = _bring(len(who.events))
    if st.button("Continue with that record", icon=":material/devices:"):
        _redeem(who, code, bring=bring)


def _bring(answers: int) -> bool:
    if not answers:
        st.markdown("This browser has no record of its own yet, so nothing is left behind.")
        return False
    st.markdown(f"This browser already has a record of its own, with {answers} entries.")
    return st.checkbox(
        "Add them to the record of the link",
        value=True,
        help="Otherwise they stay behind; only a recovery link made here leads back to them.",
    )


def _redeem(who: learner.Learner, code: str, *, bring: bool) -> None:
    try:
        brought = who.take_up(code, bring=bring)
    except DrillsError as error:
        st.error(str(error), icon=":material/error:")
        return
    more = f", with {brought} entries from this browser" if brought else ""
    state.put(DONE, f"This browser now continues that record{more}.")
    st.rerun()
