"""One pure function per preference loss, differentiable, one value per pair.

A log-ratio is log π(y|x) − log π_ref(y|x) of a whole response: nats, summed over its tokens.
Where a method is known under one name and computed in two ways, both are here under names of
their own, and each docstring says what TRL 1.16.0 computes under which of its names.
"""

from engine.losses.distributional import aot, aot_paired
from engine.losses.pairwise import (
    cdpo,
    discopop,
    dpo,
    exo,
    hinge,
    ipo,
    ipo_per_token,
    r_dpo,
    robust,
)
from engine.losses.pointwise import apo_down, apo_zero, bco, kto, kto_baseline, nca, sppo
from engine.losses.reference_free import orpo, sft, simpo, slic

__all__ = [
    "aot",
    "aot_paired",
    "apo_down",
    "apo_zero",
    "bco",
    "cdpo",
    "discopop",
    "dpo",
    "exo",
    "hinge",
    "ipo",
    "ipo_per_token",
    "kto",
    "kto_baseline",
    "nca",
    "orpo",
    "r_dpo",
    "robust",
    "sft",
    "simpo",
    "slic",
    "sppo",
]
