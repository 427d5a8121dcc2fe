"""Write to the record from a screen: an error is told in place and loses nothing on the page."""

import streamlit as st

from drills.errors import DrillsError
from drills.events import Payload
from pages.parts.learner import Learner


def save(learner: Learner, item: str, payload: Payload, *, nonce: str | None = None) -> bool:
    """Append to the record; on failure say so under the widget and return False."""
    try:
        learner.add(item, payload, nonce=nonce)
    except DrillsError as error:
        st.error(str(error), icon=":material/error:")
        return False
    return True
