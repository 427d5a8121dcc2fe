"""Whether a scorer still scores as its base did: divergence of score distributions, and its noise.

Both scorers grade the same items from 0 to 1, so every score has a partner. Scores are counted
in bins of equal width that are fixed before anyone looks; divergences are between the two
histograms and so depend on the number of bins.
"""

import torch
from torch import Tensor

from engine import distributions, guards
from engine.errors import RangeError

BINS = 10
_SMOOTHING = 0.5  # added to every count where a divergence could be infinite


def memo_scores(
    memos: int,
    *,
    shift: float,  # what fine-tuning adds to every logit
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:  # (memos,) each, from 0 to 1: base and fine-tuned
    """A world with a known drift: both scorers see a memo's quality through noise of their own.

    The logit of a score is the quality, standard normal, plus noise of half its spread.

    Raises:
        RangeError: there are no memos.
    """
    guards.count("memos", memos, least=1)
    draws = torch.rand(3, memos, dtype=torch.float64, generator=generator)
    quality, noise, other = torch.special.ndtri(draws.clamp(1e-12, 1 - 1e-12))
    return torch.sigmoid(quality + noise / 2), torch.sigmoid(quality + other / 2 + shift)


def jensen_shannon(
    base: Tensor,  # (items,), scores from 0 to 1
    tuned: Tensor,  # (items,)
    *,
    bins: int = BINS,
) -> float:  # nats, from 0 to log 2
    """Jensen-Shannon divergence of two histograms of scores (Lin 1991), half weight on each.

    Raises:
        RangeError: a score lies outside 0 to 1.
    """
    return _divergence(_histogram(base, bins), _histogram(tuned, bins)).item()


def smoothed_kl(
    tuned: Tensor,  # (items,), scores from 0 to 1, over which the log-ratio is averaged
    base: Tensor,  # (items,)
    *,
    bins: int = BINS,
) -> float:  # nats, finite
    """KL(tuned‖base) of two histograms, half a count added to each bin so that none is empty.

    Raises:
        RangeError: a score lies outside 0 to 1.
    """
    tables = [_histogram(scores, bins) + _SMOOTHING for scores in (tuned, base)]
    log_p, log_q = (_normalized(table).log() for table in tables)
    return distributions.kl(log_p, log_q).item()


def histogram_kl(
    tuned: Tensor,  # (items,), scores from 0 to 1, over which the log-ratio is averaged
    base: Tensor,  # (items,)
    *,
    bins: int = BINS,
) -> float:  # nats; +inf where the tuned scorer fills a bin that the base left empty
    """KL(tuned‖base) of two histograms as they are.

    Raises:
        RangeError: a score lies outside 0 to 1.
    """
    p, q = (_normalized(_histogram(scores, bins)).log() for scores in (tuned, base))
    return distributions.kl(p, q).item()


def swapped(
    base: Tensor,  # (items,), scores from 0 to 1
    tuned: Tensor,  # (items,)
    *,
    rounds: int,
    generator: torch.Generator,
    bins: int = BINS,
) -> Tensor:  # (rounds,) nats
    """Divergences when it does not matter which scorer gave which score.

    In each round every item tosses a coin and swaps its two scores or leaves them: a permutation
    test for pairs.

    Raises:
        ShapeError: the scorers did not score the same items.
    """
    guards.same_shape(base=base, tuned=tuned)
    here, there = bin_of(base, bins), bin_of(tuned, bins)
    coins = torch.rand(rounds, here.numel(), generator=generator, dtype=torch.float64) < 0.5
    left, right = torch.where(coins, there, here), torch.where(coins, here, there)
    return _divergence(_count(left, bins), _count(right, bins))


def p_value(observed: float, null: Tensor) -> float:
    """The share of rounds at least as extreme, the data counted as one (Phipson and Smyth 2010).

    Never zero: with 999 rounds the least is 0.001.
    """
    beyond = int((null >= observed - 1e-12).sum().item())
    return (1 + beyond) / (1 + null.numel())


def bootstrap_interval(
    base: Tensor,  # (items,), scores from 0 to 1
    tuned: Tensor,  # (items,)
    *,
    rounds: int,
    generator: torch.Generator,
    bins: int = BINS,
) -> tuple[float, float]:  # nats, the ends of a 95% interval
    """How far the divergence would vary over samples like this one (Efron 1979).

    Items are drawn again with both their scores. A histogram's divergence comes out too large, and
    that of a redrawn sample once more too large, so the spread is laid off to the other side of
    the estimate (the basic interval), and cut at zero.

    Raises:
        ShapeError: the scorers did not score the same items.
    """
    guards.same_shape(base=base, tuned=tuned)
    here, there = bin_of(base, bins), bin_of(tuned, bins)
    items = here.numel()
    drawn = torch.randint(items, (rounds, items), generator=generator)
    again = _divergence(_count(here[drawn], bins), _count(there[drawn], bins))
    ends = torch.quantile(again, torch.tensor([0.975, 0.025], dtype=again.dtype))
    low, high = (2 * jensen_shannon(base, tuned, bins=bins) - ends).clamp_min(0).tolist()
    return low, high


def bin_of(
    scores: Tensor,  # (items,), from 0 to 1
    bins: int,
) -> Tensor:  # (items,), from 0 to bins − 1
    """The bin of equal width that each score lies in; 1 lies in the last.

    Raises:
        RangeError: a score lies outside 0 to 1, there is none, or there is no bin.
    """
    guards.floating(scores=scores)
    guards.count("bins", bins, least=1)
    if scores.numel() == 0 or not bool(((scores >= 0) & (scores <= 1)).all()):
        raise RangeError.expected(
            "scores from 0 to 1, at least one",
            got="some outside" if scores.numel() else "none",
            advice="Rescale the scores before they are compared.",
        )
    return (scores * bins).long().clamp_max(bins - 1)


def _divergence(left: Tensor, right: Tensor) -> Tensor:
    """Jensen-Shannon divergence of counts (rounds, bins), in nats, (rounds,)."""
    p, q = _normalized(left), _normalized(right)
    middle = ((p + q) / 2).log()
    return (distributions.kl(p.log(), middle) + distributions.kl(q.log(), middle)) / 2


def _normalized(counts: Tensor) -> Tensor:
    return counts / counts.sum(dim=1, keepdim=True)


def _histogram(scores: Tensor, bins: int) -> Tensor:
    return _count(bin_of(scores, bins).unsqueeze(0), bins)


def _count(bin_of: Tensor, bins: int) -> Tensor:
    """How many fall in each bin, (rounds, bins) from (rounds, items)."""
    counts = torch.zeros(bin_of.shape[0], bins, dtype=torch.float64)
    return counts.scatter_add_(1, bin_of, torch.ones(bin_of.shape, dtype=torch.float64))
