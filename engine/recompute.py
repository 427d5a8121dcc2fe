"""Recompute a stated number by name: the bridge from a claim in a file to a function here."""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from engine import modules
from engine.errors import EngineError


class UnknownCheckError(EngineError):
    """A claim names a function that `engine.checks` does not have, or calls it wrongly."""


def recompute(function: str, arguments: Mapping[str, Any]) -> float:
    """Call the function of `engine.checks` with this name; return its number.

    Raises:
        UnknownCheckError: if there is no such function, or the arguments do not fit it.
        EngineError: if the function refuses the values, or cannot compute with them.
    """
    check = _check(function)
    try:
        inspect.signature(check).bind(**arguments)
    except TypeError as error:
        raise UnknownCheckError(
            f"{function} was called with the wrong arguments: {error}"
        ) from error
    try:
        return float(check(**arguments))
    except EngineError:
        raise
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise UnknownCheckError(f"{function} cannot compute with these values: {error}") from error


def names() -> tuple[str, ...]:
    """Return the names of all functions that a claim may call."""
    return tuple(sorted(_known()))


def path(function: str) -> str:
    """Return where a function stands, as it is imported: "engine.checks.preferences.dpo_loss".

    Raises:
        UnknownCheckError: if there is no such function.
    """
    return f"{_check(function).__module__}.{function}"


def _check(function: str) -> Callable[..., float]:
    known = _known()
    if function not in known:
        raise UnknownCheckError(f"expected one of {', '.join(names())}; got {function!r}")
    return known[function]


@cache
def _known() -> dict[str, Callable[..., float]]:
    return modules.functions("engine.checks")
