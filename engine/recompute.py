"""Recompute a stated number by name: the bridge from a claim in a file to a function here."""

import inspect
from collections.abc import Mapping
from typing import Any

from engine import checks
from engine.errors import EngineError


class UnknownCheckError(EngineError):
    """A claim names a function that `engine.checks` does not have, or calls it wrongly."""


def recompute(function: str, arguments: Mapping[str, Any]) -> float:
    """Call the function of `engine.checks` with this name; return its number.

    Raises:
        UnknownCheckError: if there is no such function, or the arguments do not fit it.
        EngineError: if the function refuses the values, or cannot compute with them.
    """
    known = names()
    if function not in known:
        raise UnknownCheckError(f"expected one of {', '.join(known)}; got {function!r}")
    check = getattr(checks, function)
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
    """Return the public functions defined in `engine.checks`: all that a claim may call."""
    functions = inspect.getmembers(checks, inspect.isfunction)
    return tuple(
        name
        for name, function in functions
        if function.__module__ == checks.__name__ and not name.startswith("_")
    )
