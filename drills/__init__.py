"""Asks and remembers: grading, scores, the learner's record, decks. No UI, no torch, no sympy."""
