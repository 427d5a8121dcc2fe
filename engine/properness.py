"""Whether a score is proper, by trying every belief against every statement on a lattice.

A loss takes log-probabilities (forecasts, outcomes) and what happened (forecasts,), as those of
`engine.calibration` do. The lattice cuts certainty into equal parts and deals them out over the
outcomes in every way. What is found improper there is improper; what is found proper there is
proper between those beliefs and statements.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

import torch
from torch import Tensor

from engine import guards
from engine.errors import RangeError

Loss = Callable[[Tensor, Tensor], Tensor]
_ROUNDING = 1e-12  # a smaller gain counts as none


@dataclass(frozen=True)
class Misstatement:
    """A statement that expects less loss than the honest one, or as little."""

    belief: tuple[float, ...]  # probabilities
    stated: tuple[float, ...]  # probabilities
    gain: float  # expected loss of honesty minus that of the statement, in the unit of the loss


def expected(
    loss: Loss,
    beliefs: Tensor,  # (beliefs, outcomes), probabilities
    stated: Tensor,  # (statements, outcomes), probabilities
) -> Tensor:  # (beliefs, statements), in the unit of the loss
    """The loss that each belief can expect of each statement; what cannot happen costs nothing."""
    statements, outcomes = stated.shape
    every = torch.arange(outcomes).repeat_interleave(statements)
    paid = loss(stated.log().repeat(outcomes, 1), every).view(outcomes, statements)
    products = beliefs.unsqueeze(2) * paid  # (beliefs, outcomes, statements)
    return products.masked_fill((beliefs == 0).unsqueeze(2), 0.0).sum(dim=1)


def best_misstatement(
    loss: Loss,
    *,
    outcomes: int,  # at least 2
    parts: int,  # at least 1, into which certainty is cut
) -> Misstatement:
    """The misstatement that gains most over honesty, by enumeration of the lattice.

    A strictly proper loss has a gain below zero even there, a proper one has none above.

    Raises:
        RangeError: there are fewer than two outcomes, or no part.
    """
    guards.count("outcomes", outcomes, least=2)
    guards.count("parts", parts, least=1)
    lattice = torch.tensor(list(_compositions(parts, outcomes)), dtype=torch.float64) / parts
    costs = expected(loss, lattice, lattice)
    gains = costs.diagonal().unsqueeze(1) - costs
    gains.fill_diagonal_(-torch.inf)
    belief, stated = divmod(int(gains.argmax()), len(lattice))
    pair = tuple(lattice[belief].tolist()), tuple(lattice[stated].tolist())
    return Misstatement(*pair, gains[belief, stated].item())


def check_proper(
    loss: Loss,
    *,
    outcomes: int,  # at least 2
    parts: int,  # at least 1
) -> None:
    """Refuse a loss under which somebody on the lattice does better by not saying their belief.

    Raises:
        RangeError: the loss is improper; the message names the belief and the better statement.
    """
    found = best_misstatement(loss, outcomes=outcomes, parts=parts)
    if found.gain > _ROUNDING:
        raise RangeError.expected(
            "a proper score, under which honesty expects the least loss",
            got=f"one where belief {_words(found.belief)} gains {found.gain:.6g} by stating "
            f"{_words(found.stated)}",
            advice="Use the log score, the Brier score or the spherical score.",
        )


def _compositions(parts: int, outcomes: int) -> Iterator[list[int]]:
    """All ways to deal equal parts out over the outcomes, by where the bars stand between them."""
    for bars in combinations(range(parts + outcomes - 1), outcomes - 1):
        edges = [-1, *bars, parts + outcomes - 1]
        yield [high - low - 1 for low, high in pairwise(edges)]


def _words(probabilities: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{each:g}" for each in probabilities) + ")"
