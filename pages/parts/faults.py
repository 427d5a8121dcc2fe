"""What an author sees instead of a course with faults: all of them, with file and line."""

import streamlit as st

from content.load import ContentError


def draw(error: ContentError) -> None:
    """Draw every fault as a line that an editor can jump to."""
    st.title("This course cannot be shown yet", anchor=False)
    count = len(error.faults)
    st.markdown(
        f"{count} fault{'s' if count > 1 else ''} in its files. Mend them and reload this page; "
        "`python -m content FOLDER` prints the same list."
    )
    for fault in error.faults:
        st.text(str(fault))
