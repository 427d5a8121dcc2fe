"""The derivations, one file each: `<name>.py` with a `DERIVATION`, listed in `_MODULES`."""

from functools import cache

from engine.algebra.derivation import Derivation
from engine.algebra.derivations import dpo
from engine.errors import EngineError

_MODULES = (dpo,)  # in the order in which a learner meets them


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
