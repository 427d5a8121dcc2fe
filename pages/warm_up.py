"""What is loaded beside the first visitors: the heavy libraries, and the record's tables."""

import gc
import logging
from importlib import import_module

from pages import resources
from pages.parts import program

HEAVY = ("engine.algebra.derivations", "engine.experiments", "engine.figures", "drills.deck")


def run() -> None:
    """Import the heavy modules, then take what they made out of the collector's sight."""
    if not resources.record_reachable():
        logging.getLogger(__name__).error("The database cannot be reached; nothing will be kept.")
    import_module("engine.train").single_threaded()
    for module in HEAVY:
        import_module(module)
    program.run_once("dpo_from_scratch")
    gc.collect()
    gc.freeze()  # a collection over 400,000 library objects stops every session for 0.2 s
