"""Experiments from plain numbers, as controls and addresses give them: one module per lab.

Each module has `Settings`, what can be set, and `build(settings)`, which makes an experiment of
them. Settings in, a run out: the same settings give the same run to the last bit.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Protocol

from engine.experiments.settings import Settings


class Experiment(Protocol):
    """Something to run, step by step."""

    @property
    def settings(self) -> Settings:
        """What was set."""
        ...

    @property
    def length(self) -> int:
        """The records that a whole run yields."""
        ...

    def run(self) -> Iterator[Any]:
        """Yield a frozen record per step, computed as it is asked for.

        Raises:
            EngineError: on the way, if numbers leave what a float can hold; what came before stays.
        """
        ...


def build(name: str, values: dict[str, object]) -> Experiment:
    """Return the experiment of that name with these settings.

    Raises:
        EngineError: a value that is no setting, is out of its range, or does not fit the others.
    """
    module = import_module(f"engine.experiments.{name}")
    built: Experiment = module.build(module.Settings.read(values))
    return built
