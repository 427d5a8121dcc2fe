"""Claims call functions by name: only the public checks, and every failure is an error in words."""

import math
from importlib import import_module

import pytest

from engine.errors import EngineError
from engine.recompute import UnknownCheckError, names, path, recompute


def test_a_check_is_called_by_its_name() -> None:
    for name in names():
        module, _, function = path(name).rpartition(".")
        assert callable(getattr(import_module(module), function))
        assert module.startswith("engine.checks.")
    assert recompute("dpo_loss", {"margin": 0.0, "beta": 0.1}) == pytest.approx(math.log(2))


@pytest.mark.parametrize("name", ["", "_private", "torch", "math", "__import__", "eval", "exp"])
def test_nothing_else_can_be_called(name: str) -> None:
    with pytest.raises(UnknownCheckError, match="expected one of"):
        recompute(name, {})


def test_wrong_arguments_are_told() -> None:
    with pytest.raises(UnknownCheckError, match="wrong arguments"):
        recompute("dpo_loss", {"margin": 0.0, "nonsense": 1})


@pytest.mark.parametrize("value", ["a word", [1.0], "1e999"])
def test_values_that_cannot_be_computed_with_are_told(value: object) -> None:
    with pytest.raises(EngineError):
        recompute("dpo_loss", {"margin": value, "beta": 0.1})
