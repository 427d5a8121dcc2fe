"""Stated numbers, computed again: what the claims of a course call, one file per subject.

Every public function takes plain numbers, lists and words, as they stand in a content file, and
answers with one float. No two files share a name, so `engine.recompute` finds a function by it.
"""
