"""What the peers share: races and their check, arithmetic on tables, and two sources of draws."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Run = Callable[[], Array]  # every number of every record, (records, numbers)


class Race(NamedTuple):
    """A whole run of ours, and the same mathematics in bare NumPy."""

    ours: Run
    peer: Run
    fed: Run | None = None  # the peer on the very draws of ours, where it draws its own


class Source(Protocol):
    """Where random numbers come from."""

    def draw(self, share: Array, count: int) -> Whole:
        """Independent outcomes of each row of probabilities, (rows, count)."""
        ...

    def uniform(self, rows: int, columns: int) -> Array:
        """Numbers from 0 to 1."""
        ...

    def below(self, bound: int, rows: int) -> Whole:
        """Whole numbers below a bound, (rows, bound)."""
        ...


class Own:
    """NumPy's own generator."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def draw(self, share: Array, count: int) -> Whole:
        """By the inverse of the distribution function."""
        edges = share.cumsum(axis=1)[:, :-1]
        uniform = self._generator.random((len(share), count))
        found: Whole = (uniform[:, :, None] >= edges[:, None]).sum(axis=2)
        return found

    def uniform(self, rows: int, columns: int) -> Array:
        """Numbers from 0 to 1."""
        return self._generator.random((rows, columns))

    def below(self, bound: int, rows: int) -> Whole:
        """Whole numbers below a bound, (rows, bound)."""
        return self._generator.integers(bound, size=(rows, bound))


class Fed:
    """The draws of the engine's generator, so that both runs meet the same chances."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def draw(self, share: Array, count: int) -> Whole:
        """As `engine.on_policy.draw`."""
        table = torch.from_numpy(share)
        drawn = torch.multinomial(table, count, replacement=True, generator=self._generator)
        found: Whole = drawn.numpy()
        return found

    def uniform(self, rows: int, columns: int) -> Array:
        """Numbers from 0 to 1."""
        drawn = torch.rand(rows, columns, generator=self._generator, dtype=torch.float64)
        found: Array = drawn.numpy()
        return found

    def below(self, bound: int, rows: int) -> Whole:
        """Whole numbers below a bound, (rows, bound)."""
        found: Whole = torch.randint(bound, (rows, bound), generator=self._generator).numpy()
        return found


def check(race: Race) -> None:
    """Refuse a race whose two sides do not come to the same numbers, record by record.

    Raises:
        AssertionError: they do not.
    """
    peers = (race.fed or race.peer)()
    np.testing.assert_allclose(race.ours(), peers, rtol=1e-7, atol=1e-7)


def log_softmax(logits: Array) -> Array:
    """Log-probabilities of each row."""
    shifted: Array = logits - logits.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def gathered(drawn: Whole, weight: Array, responses: int) -> Array:
    """The mean over draws of the weights, each at its response, (prompts, responses)."""
    places = drawn + responses * np.arange(len(drawn))[:, None]
    sums = np.bincount(places.ravel(), weight.ravel(), minlength=len(drawn) * responses)
    found: Array = sums.reshape(len(drawn), responses) / drawn.shape[1]
    return found


def in_logits(share: Array, slope: Array) -> Array:
    """A slope in log π as one in the logits."""
    found: Array = slope - share * slope.sum(axis=1, keepdims=True)
    return found
