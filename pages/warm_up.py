"""What is loaded beside the first visitors: the heavy libraries, and the record's tables."""

import gc
import logging
import time
from importlib import import_module

from content.load import ContentError
from pages import resources
from pages.parts import figure, program

HEAVY = ("engine.algebra.derivations", "engine.experiments.dpo", "engine.figures", "drills.deck")
PAUSE_SECONDS = 0.3  # between two figures: the first visitors come first


def run() -> None:
    """Import the heavy modules, then take what they made out of the collector's sight."""
    if not resources.record_reachable():
        logging.getLogger(__name__).error("The database cannot be reached; nothing will be kept.")
    import_module("engine.train").single_threaded()
    for module in HEAVY:
        import_module(module)
    import_module("engine.recompute").names()  # imports what claims call
    program.run_once("dpo_from_scratch")
    gc.collect()
    gc.freeze()  # a collection over 400,000 library objects stops every session for 0.2 s
    _draw_figures()


def _draw_figures() -> None:
    """Draw every figure of the course once, in both themes; then each is at hand."""
    try:
        lessons = resources.course().lessons.values()
    except ContentError:  # the page lists the faults
        return
    for drawn in (each for lesson in lessons for each in lesson.head.figures):
        figure.prepare(drawn.function)
        time.sleep(PAUSE_SECONDS)
