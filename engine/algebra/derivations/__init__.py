"""The derivations, one file each: `<name>.py` with a `DERIVATION`, listed in `_MODULES`."""

from functools import cache

from engine.algebra.derivation import Derivation
from engine.algebra.derivations import (
    brier_proper,
    cross_entropy,
    distillation_gradient,
    dpo,
    gaussian_moments,
    grpo_advantage,
    ipo_margin,
    k3,
    kl_optimum,
    logit_gradient,
    max_entropy,
    softmax_max_entropy,
)
from engine.errors import EngineError

_MODULES = (  # in the order in which a learner meets them
    logit_gradient,
    max_entropy,
    softmax_max_entropy,
    cross_entropy,
    k3,
    gaussian_moments,
    kl_optimum,
    dpo,
    ipo_margin,
    grpo_advantage,
    distillation_gradient,
    brier_proper,
)


@cache
def all_derivations() -> dict[str, Derivation]:
    """Every derivation by its id."""
    return {module.DERIVATION.id: module.DERIVATION for module in _MODULES}


def derivation(name: str) -> Derivation:
    """The derivation of that id.

    Raises:
        EngineError: if there is none.
    """
    known = all_derivations()
    if name not in known:
        raise EngineError.expected(
            "a derivation", got=repr(name), advice=f"Choose one of {', '.join(known)}."
        )
    return known[name]
