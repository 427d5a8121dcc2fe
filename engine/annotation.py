"""What somebody's own comparisons amount to: a reward, how sure it is, and a policy trained on it.

Rewards are a Bradley-Terry fit with a Gaussian prior around zero. The prior keeps the rewards of
somebody who never contradicts himself finite, and makes their sum zero: only differences count.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from engine import guards, train
from engine.errors import PairsError, RangeError, ShapeError
from engine.policies import Tabular
from engine.preferences import Pairs, World

Comparison = tuple[int, int]  # winner, loser

CHANCE = 0.5  # of guessing one comparison
CYCLIC_BY_CHANCE = 0.25  # of three items compared by tossing coins
_STEPS, _HALVINGS = 100, 40
_FLAT = 1e-11  # of a gradient whose terms are at most one comparison each


@dataclass(frozen=True, eq=False)
class Fit:
    """The most plausible rewards, in units where a lead of 1 wins with odds of e."""

    reward: Tensor  # (items,), sums to zero
    error: Tensor  # (items,), standard errors of these centered rewards, from the Hessian
    spread: float  # standard deviation of the prior, units of reward

    @property
    def ranking(self) -> list[int]:
        """The items, best first; those that only rounding tells apart in their own order."""
        return self.reward.round(decimals=9).argsort(descending=True, stable=True).tolist()


@dataclass(frozen=True)
class Foresight:
    """How often the other comparisons foretell the one left out."""

    right: float  # comparisons foretold; a tie counts half
    of: int  # comparisons
    by_guessing: float  # the probability that coins do at least as well

    @property
    def accuracy(self) -> float:
        """The share foretold; guessing gives one half."""
        return self.right / self.of


@dataclass(frozen=True)
class Triads:
    """Three items all compared: a beats b, b beats c; does a beat c?"""

    cyclic: int  # triads in which c beats a
    complete: int  # triads in which each couple has a winner by majority


@dataclass(frozen=True)
class Feature:
    """What one visible feature says about the reward."""

    name: str
    alone: float  # share of the reward's variance that it explains by itself, 0 to 1
    weight: float  # reward per standard deviation of the feature, beside all others


@dataclass(frozen=True)
class Reading:
    """The reward as a linear function of visible features."""

    explained: float  # share of the variance explained by all features together, 0 to 1
    features: tuple[Feature, ...]  # the one that explains most first


def fit(
    comparisons: Sequence[Comparison],
    *,
    items: int,  # >= 2
    spread: float = 3.0,  # > 0, standard deviation of the prior, units of reward
) -> Fit:
    """Fit rewards to comparisons by maximum a posteriori (Bradley and Terry 1952, and a prior).

    Raises:
        PairsError: there is no comparison, or one names a wrong item or one item twice.
        RangeError: there are fewer than two items, or the spread is not above zero.
    """
    wins = _wins(comparisons, items, spread)
    reward = _maximize(wins.unsqueeze(0), spread)[0]
    hessian = _hessian(wins.unsqueeze(0), _wrong(reward.unsqueeze(0)), spread)[0]
    # The common level is known from the prior alone, and what is centered has no part in it:
    # it is held fast by a lift, whose share is taken off again.
    lift = hessian.diagonal().max()
    variance = torch.linalg.inv(hessian + lift / items).diagonal()
    variance = variance - 1 / (items * (lift + 1 / spread**2))
    return Fit(reward, variance.clamp_min(0.0).sqrt(), spread)


def foresight(comparisons: Sequence[Comparison], fitted: Fit) -> Foresight:
    """Leave each comparison out, fit the others exactly, and see whether they foretell it.

    Guessing is measured by coins tossed apart, which comparisons of the same items are only nearly.

    Args:
        comparisons: winner and loser of each.
        fitted: the fit to all of them, close to which those to all but one are found.

    Raises:
        PairsError: there is no comparison, or one names a wrong item or one item twice.
    """
    wins = _wins(comparisons, len(fitted.reward), fitted.spread)
    each = torch.arange(len(comparisons))
    winner, loser = torch.tensor(comparisons).T
    others = wins.repeat(len(comparisons), 1, 1)
    others[each, winner, loser] -= 1
    reward = _maximize(others, fitted.spread, start=fitted.reward)
    lead = reward[each, winner] - reward[each, loser]
    tied = lead.abs() < 1e-9
    right = float((lead > 0)[~tied].sum()) + float(tied.sum()) / 2
    return Foresight(right, len(comparisons), _coins(math.ceil(right), len(comparisons)))


def triads(comparisons: Sequence[Comparison], *, items: int) -> Triads:
    """Count the cycles of three among items that were all compared, by majority of each couple.

    Raises:
        PairsError: there is no comparison, or one names a wrong item or one item twice.
        RangeError: there are fewer than two items.
    """
    wins = _wins(comparisons, items, 1.0)
    beats = (wins > wins.T).double()
    decided = beats + beats.T
    cyclic = torch.linalg.matrix_power(beats, 3).trace() / 3  # a cycle starts at three places
    complete = torch.linalg.matrix_power(decided, 3).trace() / 6  # and runs in two directions
    return Triads(round(cyclic.item()), round(complete.item()))


def world(fitted: Fit, reference: Sequence[float] | None = None) -> World:
    """One prompt whose responses are the items: the fitted reward, and where the policy starts.

    Args:
        fitted: the rewards.
        reference: (items,) probabilities above zero; all equal when left out.

    Raises:
        ShapeError: the reference has not one probability for each item.
        RangeError: a probability is zero, or they do not sum to one.
    """
    size = len(fitted.reward)
    given = [1 / size] * size if reference is None else list(reference)
    return World(fitted.reward.unsqueeze(0), torch.tensor([given], dtype=torch.float64).log())


def pairs(comparisons: Sequence[Comparison]) -> Pairs:
    """The comparisons as DPO takes them, all at one prompt.

    Raises:
        PairsError: there is no comparison, or one names an item twice.
    """
    guards.pairs_exist(len(comparisons))
    winner, loser = torch.tensor(comparisons).T.contiguous()
    weight = torch.ones(len(comparisons), dtype=torch.float64)
    return Pairs(torch.zeros_like(winner), winner, loser, weight)


def learn(
    truth: World,
    labels: Pairs,
    *,
    beta: float,  # > 0, in units of reward per nat
    steps: int,  # >= 0
) -> Iterator[train.Step]:
    """Train a table on the comparisons by DPO, from the reference, by Newton's method.

    With `pairs(comparisons)` it learns what was said, and margins may grow for ever; with
    `preferences.soft_pairs(truth)` it learns what the fit says, and ends at its optimum.

    Raises:
        RangeError: β is not above zero, or `steps` is negative.
        PairsError: a pair names an item that does not exist.
    """
    policy = Tabular.at_reference(truth)
    return train.dpo(truth, labels, policy=policy, beta=beta, steps=steps)


def implicit_reward(
    policy: Tensor,  # (moments, items), log-probabilities
    truth: World,
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (moments, items), units of reward
    """What policies act on, β log(π/π_ref), shifted to sum to zero.

    Raises:
        RangeError: β is not above zero.
    """
    guards.beta(beta)
    reward = beta * (policy - truth.reference)
    return reward - reward.mean(dim=1, keepdim=True)


def read(
    fitted: Fit,
    features: dict[str, Sequence[float]],  # by name, (items,) each: words, digits, hedges
) -> Reading:
    """Explain the rewards by visible features, by least squares with an intercept.

    Raises:
        ShapeError: a feature has not one number for each item.
        RangeError: a number is not finite, there is no feature, or there are so many that any
            reward would be explained.
    """
    table = _standardized(fitted, features)
    reward = fitted.reward - fitted.reward.mean()
    weight = torch.linalg.lstsq(table, reward.unsqueeze(1), driver="gelsd").solution.squeeze(1)
    total = reward.square().sum()
    if total.item() < 1e-18:  # all items alike: nothing to explain
        return Reading(0.0, tuple(Feature(name, 0.0, 0.0) for name in features))
    # Columns have mean 0 and mean square 1, or are 0: a correlation is an inner product.
    alone = (table.T @ reward).square() / (len(reward) * total)
    explained = 1 - (reward - table @ weight).square().sum() / total
    found = [
        Feature(name, min(share, 1.0), slope)
        for name, share, slope in zip(features, alone.tolist(), weight.tolist(), strict=True)
    ]
    found.sort(key=lambda feature: -feature.alone)
    return Reading(min(max(explained.item(), 0.0), 1.0), tuple(found))


class _Spot(NamedTuple):
    """Rewards of some tables of wins, and what the loss does there."""

    reward: Tensor  # (tables, items)
    wrong: Tensor  # (tables, items, items), the probability σ(r_j − r_i) that i loses against j
    gradient: Tensor  # (tables, items), of minus the log-posterior

    @classmethod
    def at(cls, reward: Tensor, wins: Tensor, spread: float) -> "_Spot":
        wrong = _wrong(reward)
        pull = wins * wrong
        return cls(reward, wrong, (pull.mT - pull).sum(dim=2).add_(reward, alpha=spread**-2))


def _maximize(wins: Tensor, spread: float, start: Tensor | None = None) -> Tensor:
    """The most plausible rewards of each table of wins, (tables, items), by Newton's method.

    It ends in the same place wherever it starts, (items,): the posterior has one maximum.
    """
    reward = wins.new_zeros(wins.shape[:2]) if start is None else start.expand(wins.shape[:2])
    spot = _Spot.at(reward, wins, spread)
    flat = _FLAT * max(wins.sum().item() / len(wins), 1.0)
    for _ in range(_STEPS):
        if spot.gradient.abs().max().item() < flat:
            break
        hessian = _hessian(wins, spot.wrong, spread)
        step = torch.linalg.solve(hessian, spot.gradient.unsqueeze(2))[:, :, 0].neg_()
        spot = _descend(wins, spot, step, spread)
    return spot.reward - spot.reward.mean(dim=1, keepdim=True)


def _descend(wins: Tensor, spot: _Spot, step: Tensor, spread: float) -> _Spot:
    """Each table's whole step, or the first of its halves that lowers its loss enough."""
    length = torch.ones_like(step[:, :1])
    for _ in range(_HALVINGS):
        trial = _Spot.at(torch.addcmul(spot.reward, length, step), wins, spread)
        # Where a convex loss still falls at the end of a step, it fell all the way.
        rising = torch.linalg.vecdot(trial.gradient, step) > 0
        if not bool(rising.any()):
            break
        slope = torch.linalg.vecdot(spot.gradient, step)
        before, after = (_loss(wins, each.reward, spread) for each in (spot, trial))
        short = rising & (after > before + 1e-4 * length[:, 0] * slope + 1e-14 * before)
        if not bool(short.any()):
            break
        length = torch.where(short.unsqueeze(1), length / 2, length)
    return trial


def _loss(wins: Tensor, reward: Tensor, spread: float) -> Tensor:
    """Minus the log-posterior, up to a constant: (tables,), nats."""
    lead = reward.unsqueeze(2) - reward.unsqueeze(1)
    prior = reward.square().sum(dim=1) / (2 * spread**2)
    return prior - (wins * logsigmoid(lead)).sum(dim=(1, 2))


def _wrong(reward: Tensor) -> Tensor:
    """The probability σ(r_j − r_i) that i loses against j, (tables, items, items)."""
    return (reward.unsqueeze(1) - reward.unsqueeze(2)).sigmoid_()


def _hessian(wins: Tensor, wrong: Tensor, spread: float) -> Tensor:
    """A graph's Laplacian and the prior's share on the diagonal, (tables, items, items)."""
    weight = (wins + wins.mT).mul_(wrong).mul_(wrong.mT)
    degree = weight.sum(dim=2)
    hessian = weight.neg_()
    hessian.diagonal(dim1=1, dim2=2).add_(degree).add_(1 / spread**2)
    return hessian


def _wins(comparisons: Sequence[Comparison], items: int, spread: float) -> Tensor:
    """How often i won against j, (items, items), after a check of all that was given."""
    guards.count("items", items, least=2)
    guards.positive("the spread", spread, advice="3 keeps odds of 20 to 1 plausible.")
    guards.pairs_exist(len(comparisons))
    wins = [[0.0] * items for _ in range(items)]
    for winner, loser in comparisons:
        if winner == loser or not (0 <= winner < items and 0 <= loser < items):
            raise PairsError.expected(
                f"two different items between 0 and {items - 1} in each comparison",
                got=(winner, loser),
                advice="Count items from 0, the winner first.",
            )
        wins[winner][loser] += 1
    return torch.tensor(wins, dtype=torch.float64)


def _coins(heads: int, tosses: int) -> float:
    """The probability of at least so many heads."""
    ways = sum(math.comb(tosses, count) for count in range(heads, tosses + 1))
    return float(ways / 2**tosses)


def _standardized(fitted: Fit, features: dict[str, Sequence[float]]) -> Tensor:
    """The features (items, features), each with mean 0 and mean square 1; constants become 0."""
    items = len(fitted.reward)
    if not 1 <= len(features) <= items - 2:
        raise RangeError.expected(
            f"from 1 to {items - 2} features for {items} items",
            got=len(features),
            advice="With more, least squares explains any reward; drop some or compare more items.",
        )
    for name, column in features.items():
        if len(column) != items:
            raise ShapeError.expected(
                f"{items} numbers for {name}", got=len(column), advice="Give one for each item."
            )
    table = torch.tensor(list(features.values()), dtype=torch.float64).T
    guards.finite("the features", table)
    table = table - table.mean(dim=0)
    scale = table.square().mean(dim=0).sqrt()
    return torch.where(scale > 1e-12, table / scale.clamp_min(1e-12), 0.0)
