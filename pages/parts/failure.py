"""What a learner sees when a script failed: that nothing is lost, and what to do."""

import logging

import streamlit as st

WORDS = (
    "Something on this page failed. Everything you committed is saved. Reload the page; if this "
    "comes back, tell whoever runs this server the time, and they will find it in the log."
)


def tell(error: Exception) -> bool:
    """Log the failure and draw our words; True keeps Streamlit from drawing its own."""
    logging.getLogger(__name__).error("A script failed", exc_info=error)
    st.error(WORDS, icon=":material/error:")
    return True
