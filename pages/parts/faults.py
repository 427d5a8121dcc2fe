"""What an author sees when a course has faults: all of them, with file and line."""

import streamlit as st

from content.load import ContentError


def draw(error: ContentError) -> None:
    """Draw every fault as a line that an editor can jump to."""
    st.title("This course cannot be shown yet", anchor=False)
    count = len(error.faults)
    say = f"{count} faults in its files. Mend them" if count > 1 else "A fault in a file. Mend it"
    st.markdown(f"{say} and reload this page; `python -m content FOLDER` prints the same list.")
    for fault in error.faults:
        st.text(str(fault))


def notice(error: ContentError | None) -> None:
    """Say that files were edited and have faults, and that the course is as it was before."""
    if error is None:
        return
    st.warning(
        "The course's files were edited and have faults; this is the course as it was before.",
        icon=":material/edit_off:",
    )
    with st.expander("Show the faults"):
        for fault in error.faults:
            st.text(str(fault))
