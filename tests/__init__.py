"""The checks of Surprisal: `python -m tests` runs all of them."""
