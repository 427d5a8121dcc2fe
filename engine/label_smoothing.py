"""Label smoothing: the right answer's probability lowered by a share that goes to all alike.

A smoothed label is (1 − ε)·[right] + ε/N over N outcomes (Szegedy et al. 2015, section 7), the
right one included. Logits are tables (cases, outcomes), losses are in nats.
"""

import math

import torch
from torch import Tensor

from engine import distributions, guards
from engine.errors import RangeError


def smooth(
    right: Tensor,  # (cases,), which outcome is right, counted from 0
    outcomes: int,  # N, at least 2
    *,
    share: float,  # ε, from 0 to below 1
) -> Tensor:  # (cases, outcomes), probabilities
    """The targets that label smoothing puts in place of hard labels.

    Raises:
        RangeError: the share lies outside its range, or a right outcome is not in the table.
    """
    guards.count("outcomes", outcomes, least=2)
    _check_share(share)
    least, most = torch.aminmax(right)
    if least.item() < 0 or most.item() >= outcomes:
        raise RangeError.expected(
            f"right outcomes from 0 to {outcomes - 1}",
            got=f"{least.item()} to {most.item()}",
            advice="Count outcomes from 0.",
        )
    return (1 - share) * torch.nn.functional.one_hot(right, outcomes).double() + share / outcomes


def loss(
    log_q: Tensor,  # (cases, outcomes), log-probabilities of the student
    right: Tensor,  # (cases,), which outcome is right, counted from 0
    *,
    share: float,  # ε, from 0 to below 1
) -> Tensor:  # (cases,) nats
    """Cross-entropy to the smoothed labels, −Σ y log q (Szegedy et al. 2015, section 7).

    Raises:
        RangeError: the share lies outside its range, an outcome is not in the table, or a row does
            not sum to one.
        ShapeError: `log_q` is not a table of floating-point numbers, or the lengths disagree.
    """
    guards.table(log_q=log_q)
    guards.same_shape(log_q=log_q[:, 0], right=right)
    targets = smooth(right, log_q.shape[1], share=share).to(log_q.dtype)
    return distributions.cross_entropy(targets.log(), log_q)


def pull_to_uniform(
    log_q: Tensor,  # (cases, outcomes), log-probabilities of the student
) -> Tensor:  # (cases,) nats, 0 for a student that favors nothing
    """KL(u‖q) from the even spread u: the part of the loss by which smoothing pulls.

    The loss is (1 − ε)(−log q_right) + ε (log N + KL(u‖q)). A bonus for entropy would pull by the
    other direction, KL(q‖u).

    Raises:
        RangeError: a row does not sum to one.
        ShapeError: `log_q` is not a table of floating-point numbers.
    """
    guards.table(log_q=log_q)
    return distributions.kl(torch.full_like(log_q, -math.log(log_q.shape[1])), log_q)


def optimal_gap(
    outcomes: int,  # N, at least 2
    *,
    share: float,  # ε, from 0 to below 1
) -> float:  # nats; +inf where nothing is smoothed
    """How far the right logit stands above the others at the least loss, log(1 + N(1 − ε)/ε).

    There the student states the smoothed label. A hard label has no such place: the gap grows for
    ever.

    Raises:
        RangeError: the share lies outside its range, or there are fewer than two outcomes.
    """
    guards.count("outcomes", outcomes, least=2)
    _check_share(share)
    return math.log1p(outcomes * (1 - share) / share) if share > 0 else math.inf


def _check_share(share: float) -> None:
    if not 0 <= share < 1:  # false for NaN, too
        raise RangeError.expected(
            "a share from 0 to below 1", got=share, advice="0.1 is usual; 0 smooths nothing."
        )
