"""The public functions of a package whose files are found, not listed."""

import inspect
import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import Any

from engine.errors import EngineError


def functions(package: str, *, leaving_out: str = "") -> dict[str, Callable[..., Any]]:
    """The public functions defined in the files of a package, by name.

    Args:
        package: its dotted name.
        leaving_out: the dotted name of a file that is not looked at.

    Raises:
        EngineError: two files define the same name.
    """
    found: dict[str, Callable[..., Any]] = {}
    for each in pkgutil.iter_modules(import_module(package).__path__, f"{package}."):
        for name, function in _public(each.name) if each.name != leaving_out else ():
            if name in found:
                raise EngineError.expected(
                    f"one `{name}` in {package}",
                    got=f"one in {found[name].__module__} and one in {each.name}",
                    advice="Rename one of them.",
                )
            found[name] = function
    return found


def _public(module: str) -> list[tuple[str, Callable[..., Any]]]:
    members = inspect.getmembers(import_module(module), inspect.isfunction)
    return [
        (name, function)
        for name, function in members
        if function.__module__ == module and not name.startswith("_")
    ]
