"""From two scorers' answers to one verdict: size, interval, p-value and a plain word.

An answer is a score from 0 to 1, counted in a bin as in `engine.drift`, or a row of probabilities,
one for each outcome. Either way each item adds one row to a pooled table, so that all rounds of a
permutation test, and all redrawn samples, are one product of matrices. Divergences are in nats.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, TypedDict, Unpack

import torch
from torch import Tensor

from engine import calibration, distributions, drift, guards
from engine.errors import RangeError, ShapeError

Kind = Literal["js", "kl"]  # Jensen-Shannon, or KL(tuned‖base) with half a count in each bin
Pairing = Literal["paired", "unpaired"]
Word = Literal["drifted", "below the threshold", "changes cancel", "no evidence", "too few"]

_SMOOTHING = 0.5  # added to every count where a divergence could be infinite
_CHUNK = 2_000_000  # numbers held at once while rounds are counted


class Options(TypedDict, total=False):
    """How to compare, apart from what is compared with what."""

    kind: Kind  # "js" when left out
    pairing: Pairing  # by the numbers of items when left out: paired where they agree
    rounds: int  # 999 when left out
    threshold: float  # nats, the least divergence that matters; 0.01 when left out
    level: float  # the p-value that counts as evidence, 0.05 when left out


class ByItem(NamedTuple):
    """Two models' probabilities compared item by item, then averaged; +inf is an answer."""

    forward_nats: float  # mean KL(base‖tuned)
    reverse_nats: float  # mean KL(tuned‖base)
    js_nats: float  # mean Jensen-Shannon divergence
    low_nats: float  # ends of its 95% bootstrap interval
    high_nats: float
    infinite: int  # items on which one model rules out what the other allows


@dataclass(frozen=True)
class Verdict:
    """What two sets of answers say about drift."""

    word: Word
    divergence_nats: float  # between the pooled answers
    low_nats: float  # ends of its 95% bootstrap interval
    high_nats: float
    p_value: float
    least_p_value: float  # what no result could have gone below
    threshold_nats: float
    level: float
    pairing: Pairing
    items: tuple[int, int]  # base, tuned
    by_item: ByItem | None  # of probabilities on the same items


class Alarms(NamedTuple):
    """How often drift is found in a world where the truth is known."""

    found: int
    repeats: int
    rate: float
    low: float  # Wilson's 95% interval of the rate
    high: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two tables of answers, with their divergence and what chance alone makes of it."""

    base: Tensor  # (items, outcomes), what each item adds to the pooled counts
    tuned: Tensor  # (items, outcomes)
    kind: Kind
    pairing: Pairing

    @cached_property
    def observed_nats(self) -> float:
        """The divergence of the pooled answers."""
        totals = (self.base.sum(dim=0, keepdim=True), self.tuned.sum(dim=0, keepdim=True))
        return _DIVERGENCES[self.kind](*totals).item()

    @cached_property
    def least_p_value(self) -> float:
        """The smallest p-value that any result could have with endlessly many rounds.

        Two arrangements look alike under a symmetric divergence when all answers change sides.
        """
        here, there = len(self.base), len(self.tuned)
        paired = self.pairing == "paired"
        logs = here * math.log(2) if paired else _log_choices(here + there, here)
        mirrored = self.kind == "js" and here == there
        return math.exp(-logs) * (2 if mirrored else 1)

    def null(self, rounds: int, generator: torch.Generator) -> Tensor:  # (rounds,) nats
        """Divergences when it does not matter which scorer gave which answer.

        Paired, each item swaps its two answers by the toss of a coin; unpaired, all answers are
        dealt out anew.
        """
        shuffle = self._swap if self.pairing == "paired" else self._deal
        return self._in_chunks(shuffle, rounds, generator)

    def redrawn(self, rounds: int, generator: torch.Generator) -> Tensor:  # (rounds,) nats
        """Divergences of samples drawn with replacement, paired items with both their answers."""
        return self._in_chunks(self._redraw, rounds, generator)

    def interval(self, rounds: int, generator: torch.Generator) -> tuple[float, float]:
        """The 95% bootstrap interval of the divergence, in nats, of the basic kind.

        As in `drift.bootstrap_interval`: the spread is laid off to the other side of the estimate,
        since redrawing adds its own bias, and cut at zero.
        """
        return basic_interval(self.observed_nats, self.redrawn(rounds, generator))

    def _in_chunks(
        self,
        draw: Callable[[int, torch.Generator], tuple[Tensor, Tensor]],
        rounds: int,
        generator: torch.Generator,
    ) -> Tensor:
        size = max(1, _CHUNK // (len(self.base) + len(self.tuned)))
        divergence = _DIVERGENCES[self.kind]
        sizes = [min(size, rounds - done) for done in range(0, rounds, size)]
        found = [divergence(*draw(each, generator)) for each in sizes]
        return torch.cat(found) if found else torch.empty(0, dtype=torch.float64)

    def _swap(self, rounds: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        coins = torch.rand(rounds, len(self.base), generator=generator, dtype=torch.float64) < 0.5
        moved = coins.double() @ self._apart
        base, tuned = self._totals
        return base + moved, tuned - moved

    @cached_property
    def _apart(self) -> Tensor:
        """What each item moves when its answers are swapped, (items, outcomes)."""
        return self.tuned - self.base

    @cached_property
    def _totals(self) -> tuple[Tensor, Tensor]:
        """The pooled counts, (outcomes,) each."""
        return self.base.sum(dim=0), self.tuned.sum(dim=0)

    def _deal(self, rounds: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        pooled = torch.cat([self.base, self.tuned])
        order = torch.rand(rounds, len(pooled), generator=generator, dtype=torch.float64).argsort(1)
        dealt = torch.zeros(rounds, len(pooled), dtype=torch.float64)
        dealt.scatter_(1, order[:, : len(self.base)], 1.0)
        left = dealt @ pooled
        return left, pooled.sum(dim=0) - left

    def _redraw(self, rounds: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        left = _times_drawn(rounds, len(self.base), generator)
        same = self.pairing == "paired"
        right = left if same else _times_drawn(rounds, len(self.tuned), generator)
        return left @ self.base, right @ self.tuned


def compare(
    base: Tensor,  # (items,) scores from 0 to 1, or (items, outcomes) probabilities
    tuned: Tensor,  # the same
    *,
    generator: torch.Generator,
    **options: Unpack[Options],
) -> Verdict:
    """Whether the tuned scorer's answers differ from the base's, by how much, and what to call it.

    The p-value says whether, the threshold whether it matters. Item by item, two models differ or
    they do not; "changes cancel" is said where they do by more than the threshold, and the pooled
    answers do not show it.

    Raises:
        RangeError: a score lies outside 0 to 1, a row does not sum to one, or an option is out of
            its range.
        ShapeError: the two are not of one kind, or are paired and differ in number.
    """
    plan = _plan(**options)
    prepared = prepare(base, tuned, kind=plan.kind, pairing=plan.pairing)
    null = prepared.null(plan.rounds, generator)
    ends = prepared.interval(plan.rounds, generator)
    both = base.ndim == 2 and prepared.pairing == "paired"
    by_item = item_by_item(base, tuned, rounds=plan.rounds, generator=generator) if both else None
    p_value = drift.p_value(prepared.observed_nats, null)
    return judge(prepared, p_value, ends, plan=plan, by_item=by_item)


class Plan(NamedTuple):
    """All options, decided."""

    kind: Kind = "js"
    pairing: Pairing | None = None
    rounds: int = 999
    threshold: float = 0.01
    level: float = 0.05


def judge(
    prepared: Comparison,
    p_value: float,
    ends: tuple[float, float],  # nats
    *,
    plan: Plan,
    by_item: ByItem | None = None,
) -> Verdict:
    """The verdict on numbers that have been worked out, also part of the way through a test."""
    least = max(prepared.least_p_value, 1 / (plan.rounds + 1))
    found = Verdict(
        word="no evidence",
        divergence_nats=prepared.observed_nats,
        low_nats=ends[0],
        high_nats=ends[1],
        p_value=p_value,
        least_p_value=least,
        threshold_nats=plan.threshold,
        level=plan.level,
        pairing=prepared.pairing,
        items=(len(prepared.base), len(prepared.tuned)),
        by_item=by_item,
    )
    return Verdict(**{**vars(found), "word": _word(found)})


def prepare(
    base: Tensor,  # (items,) scores from 0 to 1, or (items, outcomes) probabilities
    tuned: Tensor,  # the same
    *,
    kind: Kind = "js",
    pairing: Pairing | None = None,  # by the numbers of items when left out
    bins: int = drift.BINS,  # of scores
) -> Comparison:
    """Two sets of answers as pooled counts, checked.

    Raises:
        RangeError: a score lies outside 0 to 1, or a row does not sum to one.
        ShapeError: the two are not of one kind, or are paired and differ in number.
    """
    if base.ndim != tuned.ndim or base.shape[1:] != tuned.shape[1:]:
        raise ShapeError.expected(
            f"answers of one kind, {tuple(base.shape[1:]) or 'single scores'} on both sides",
            got=tuple(tuned.shape),
            advice="Compare scores with scores, or probabilities of the same outcomes.",
        )
    same = len(base) == len(tuned)
    chosen: Pairing = pairing or ("paired" if same else "unpaired")
    if chosen == "paired":
        guards.same_shape(base=base, tuned=tuned)
    left, right = (_rows(answers, bins) for answers in (base, tuned))
    return Comparison(left, right, kind, chosen)


def item_by_item(
    base: Tensor,  # (items, outcomes), probabilities
    tuned: Tensor,  # (items, outcomes)
    *,
    rounds: int,
    generator: torch.Generator,
) -> ByItem:
    """Mean divergences between two models' outputs, item by item, in both directions.

    Swapping the two rows of an item leaves its Jensen-Shannon divergence as it is, so nothing is
    permuted here: an interval over items is all that there is.

    Raises:
        RangeError: a row does not sum to one.
        ShapeError: the models did not answer the same items.
    """
    guards.table(base=base, tuned=tuned)
    forward = distributions.kl(base.log(), tuned.log())
    reverse = distributions.kl(tuned.log(), base.log())
    js = _jensen_shannon(base, tuned)
    means = _times_drawn(rounds, len(base), generator) @ js / len(base)
    ends = torch.quantile(means, torch.tensor([0.025, 0.975], dtype=means.dtype)).tolist()
    infinite = int((forward.isinf() | reverse.isinf()).sum())
    averages = (forward.mean().item(), reverse.mean().item(), js.mean().item())
    return ByItem(*averages, ends[0], ends[1], infinite)


def to_unit(
    base: Tensor,  # (items,), scores on any scale
    tuned: Tensor,  # (items,)
) -> tuple[Tensor, Tensor, tuple[float, float]]:  # both from 0 to 1, and the scale's two ends
    """Scores on a scale of their own, brought to 0 to 1; those that lie there already stay.

    The ends are the least and the greatest of both sets together. A permutation does not move
    them, so the test stays right.

    Raises:
        RangeError: a score is not finite, or all scores are one number outside 0 to 1.
    """
    for name, scores in (("base", base), ("tuned", tuned)):
        guards.count(f"{name} scores", scores.numel(), least=1)
        guards.finite(name, scores)
    low = min(base.amin().item(), tuned.amin().item())
    high = max(base.amax().item(), tuned.amax().item())
    if low >= 0 and high <= 1:
        return base, tuned, (0.0, 1.0)
    if low == high:
        raise RangeError.expected(
            "scores that differ somewhere", got=f"{low:g} throughout", advice="Check the column."
        )
    left, right = (((each - low) / (high - low)).clamp(0, 1) for each in (base, tuned))
    return left, right, (low, high)


def basic_interval(estimate: float, redrawn: Tensor) -> tuple[float, float]:
    """The basic bootstrap interval at 95%, cut at zero (Efron 1979; see `engine.drift`)."""
    ends = torch.quantile(redrawn, torch.tensor([0.975, 0.025], dtype=redrawn.dtype))
    low, high = (2 * estimate - ends).clamp_min(0).tolist()
    return low, high


def alarms(
    shift: float,  # what fine-tuning adds to every logit; 0 for no drift
    *,
    memos: int,
    repeats: int,  # at least 1
    generator: torch.Generator,
    **options: Unpack[Options],
) -> Alarms:
    """How often a permutation test of simulated scorers rejects: false alarms, or power.

    Raises:
        RangeError: there are no memos or repeats, or an option is out of its range.
    """
    guards.count("repeats", repeats, least=1)
    plan = _plan(**options)
    found = 0
    for _ in range(repeats):
        scores = drift.memo_scores(memos, shift=shift, generator=generator)
        prepared = prepare(*scores, kind=plan.kind, pairing=plan.pairing)
        null = prepared.null(plan.rounds, generator)
        found += drift.p_value(prepared.observed_nats, null) <= plan.level
    counts = torch.tensor([[found], [repeats]], dtype=torch.float64)
    low, high = calibration.wilson(counts[0], counts[1])
    return Alarms(found, repeats, found / repeats, low.item(), high.item())


def _plan(**options: Unpack[Options]) -> Plan:
    plan = Plan(**options)
    guards.count("rounds", plan.rounds, least=1)
    if plan.kind not in _DIVERGENCES:
        raise RangeError.expected(
            f"a divergence among {', '.join(_DIVERGENCES)}", got=plan.kind, advice="Name one."
        )
    if not (0 < plan.level < 1 and 0 <= plan.threshold < math.inf):
        raise RangeError.expected(
            "a level between 0 and 1 and a threshold of at least 0 nats",
            got=f"{plan.level} and {plan.threshold}",
            advice="A level of 0.05 is usual.",
        )
    return plan


def _word(found: Verdict) -> Word:
    if found.least_p_value > found.level:
        return "too few"
    if found.p_value <= found.level:
        large = found.divergence_nats >= found.threshold_nats
        return "drifted" if large else "below the threshold"
    if found.by_item is not None and found.by_item.low_nats > max(found.threshold_nats, 1e-12):
        return "changes cancel"
    return "no evidence"


def _rows(answers: Tensor, bins: int) -> Tensor:
    """What each item adds to the pooled counts: a 1 in its bin, or its probabilities."""
    if answers.ndim == 1:
        places = drift.bin_of(answers, bins)
        return torch.nn.functional.one_hot(places, bins).double()
    guards.table(answers=answers)
    guards.log_probabilities("answers", answers.log())
    return answers.double()


def _times_drawn(rounds: int, items: int, generator: torch.Generator) -> Tensor:
    """How often each item is drawn when as many as there are are drawn again, (rounds, items)."""
    drawn = torch.randint(items, (rounds, items), generator=generator)
    ones = torch.ones(drawn.shape, dtype=torch.float64)
    return torch.zeros(drawn.shape, dtype=torch.float64).scatter_add_(1, drawn, ones)


def _jensen_shannon(base: Tensor, tuned: Tensor) -> Tensor:
    """Of counts or probabilities (rounds, outcomes), in nats, (rounds,)."""
    p, q = _normalized(base), _normalized(tuned)
    # Where neither has anything, 0 log(0/tiny) is 0. Run by run and batch by batch, so unguarded.
    middle = ((p + q) / 2).clamp_min(torch.finfo(p.dtype).tiny)
    each: Tensor = torch.special.xlogy(p, p / middle) + torch.special.xlogy(q, q / middle)
    return (each.sum(dim=1) / 2).clamp_min(0.0)


def _smoothed_kl(base: Tensor, tuned: Tensor) -> Tensor:
    """KL(tuned‖base) of counts (rounds, outcomes), half a count added to each, in nats."""
    p, q = (_normalized(counts + _SMOOTHING).log() for counts in (tuned, base))
    return distributions.kl(p, q)


def _normalized(counts: Tensor) -> Tensor:
    counts = counts.clamp_min(0)  # a difference of sums may miss zero by rounding
    return counts / counts.sum(dim=1, keepdim=True)


def _log_choices(total: int, chosen: int) -> float:
    """The logarithm of the number of ways to choose."""
    return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)


_DIVERGENCES: Mapping[Kind, Callable[[Tensor, Tensor], Tensor]] = {
    "js": _jensen_shannon,
    "kl": _smoothed_kl,
}
