"""A property that is worked out once for each instance, however many threads ask for it."""

from collections.abc import Callable
from threading import RLock
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """`functools.cached_property` for long work: whoever comes second waits, on this instance only.

    Before Python 3.12 the standard one holds a lock that all instances share, so that one learner
    waits for another; since then it holds none, so that two tabs do the work twice.
    """

    def __init__(self, work: Callable[[Any], T]) -> None:
        self._work = work

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> T:  # noqa: ANN401 - of any class
        kept: dict[str, Any] = instance.__dict__  # once the value is there, this is not called
        with kept.setdefault(f"lock of {self._name}", RLock()):
            if self._name not in kept:
                kept[self._name] = self._work(instance)
        value: T = kept[self._name]
        return value
