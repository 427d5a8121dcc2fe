"""Small gray text. Streamlit's captions fade everything in them, links too, below 4.5:1."""

import streamlit as st


def quiet(text: str) -> None:
    """Draw one paragraph of side information."""
    st.markdown(f":small[:gray[{text}]]")
