"""One file per lab, found by the id that a lesson gives."""

from importlib import import_module
from types import ModuleType


def load(name: str) -> ModuleType:
    """Return the module of a lab: its `LAB`, and what draws it."""
    return import_module(f"pages.labs.{name.replace('-', '_')}")
