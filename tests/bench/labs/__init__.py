"""Runs of the labs against the same mathematics in bare NumPy, checked number by number."""

from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter

import torch

from tests.bench.labs import (
    broken,
    climbs,
    comparisons,
    densities,
    distil,
    draws,
    estimates,
    margins,
    scores,
    texts,
)
from tests.bench.labs.arrays import Race, Run, check
from tests.bench.measure import Seconds, interleaved

LABS: Mapping[str, Callable[[], Race]] = {
    "surprise": texts.race,
    "entropy": draws.entropy_race,
    "kl": draws.kl_race,
    "losses": margins.race,
    "annotator": comparisons.race,
    "distil": distil.race,
    "leash": partial(climbs.leash_race, "gradient"),
    "natural": partial(climbs.leash_race, "natural"),
    "reinforce": partial(climbs.leash_race, "reinforce"),
    "ppo": partial(climbs.leash_race, "ppo"),
    "grpo": climbs.grpo_race,
    "estimators": estimates.race,
    "rewarded": broken.rewarded_race,
    "preferred": broken.preferred_race,
    "modes": densities.race,
    "calibrate": scores.calibrate_race,
    "drift": scores.drift_race,
}
# Those that train tables. The others draw, count, integrate or fit one number.
TABULAR = frozenset(LABS) - {"surprise", "entropy", "kl", "modes", "calibrate", "drift"}


def ratio(name: str) -> Seconds:
    """Return (ours, the peer's) seconds for a whole run of one lab, one thread each.

    Raises:
        AssertionError: the two do not come to the same numbers.
    """
    race = LABS[name]()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        check(race)
        mine, theirs = (partial(_seconds, each) for each in (race.ours, race.peer))
        return interleaved(mine, theirs, rounds=15, warm_up=1, of=min)
    finally:
        torch.set_num_threads(threads)


def _seconds(run: Run) -> float:
    begin = perf_counter()
    run()
    return perf_counter() - begin
