"""Draws: the only folder that imports streamlit."""
