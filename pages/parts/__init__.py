"""Shared widgets; state.py is the only file that touches session state."""
