"""Entropy and KL divergence in bare NumPy: exact, and as the means of draws one after the other."""

import heapq
import math
from dataclasses import replace

import numpy as np

from engine.experiments import entropy, kl
from tests.bench.labs.arrays import Array, Fed, Own, Race, Source, log_softmax


def entropy_race() -> Race:
    """The lab's own weights; nothing is kept from one run to the next."""
    built = entropy.build(entropy.Settings())
    return Race(
        lambda: _entropy_ours(replace(built)),
        lambda: _entropy_peer(built, Own(0)),
        lambda: _entropy_peer(built, Fed(0)),
    )


def kl_race() -> Race:
    """The lab's own pair; nothing is kept from one run to the next."""
    built = kl.build(kl.Settings())
    return Race(
        lambda: _kl_ours(replace(built)),
        lambda: _kl_peer(built, Own(0)),
        lambda: _kl_peer(built, Fed(0)),
    )


def _entropy_ours(built: entropy.Experiment) -> Array:
    """Every record, then what the charts draw beside them."""
    rows = [
        (
            *(step.index, step.outcome, step.surprisal_nats, step.mean_nats),
            *(step.counted_nats, *step.counts),
        )
        for step in built.run()
    ]
    heat = [(each.temperature, each.entropy_nats, each.slope_nats) for each in built.tempering]
    digits = [np.nan if each is None else each for each in built.code_digits]
    exact = (built.entropy_nats, built.most_nats, built.deviation_nats, built.code_bits)
    return _flat(rows, heat, built.probabilities, built.surprisals_nats, digits, exact)


def _entropy_peer(built: entropy.Experiment, source: Source) -> Array:
    log_p, settings = built.log_p.numpy(), built.settings
    share = np.exp(log_p)[0]
    surprisals = -log_p[0]
    drawn = source.draw(share[None], settings.draws)[0]
    number = np.arange(1, len(drawn) + 1)
    counts = (drawn[:, None] == np.arange(len(share))).cumsum(axis=0)
    seen = counts / number[:, None]
    counted = -(seen * np.log(seen, where=seen > 0, out=np.zeros_like(seen))).sum(axis=1)
    paid = surprisals[drawn]
    columns = (number, drawn, paid, paid.cumsum() / number, counted, *counts.T)
    rows = list(zip(*(each.tolist() for each in columns), strict=True))
    mean = share.dot(surprisals)
    digits = _huffman(share.tolist())
    deviation = math.sqrt(share.dot((surprisals - mean) ** 2))
    exact = (mean, math.log(len(share)), deviation, share.dot(digits))
    heat = _heated(built.untempered.numpy())
    return _flat(rows, heat, share, surprisals, digits, exact)


def _heated(logits: Array) -> Array:
    """Temperature, entropy and its slope, as a variance over T³, (points, 3)."""
    (least, most), points = entropy.TEMPERATURES, entropy.POINTS
    at = least * (most / least) ** (np.arange(points) / (points - 1))
    log_p = log_softmax(logits / at[:, None])
    share = np.exp(log_p)
    mean = (share * logits).sum(axis=1, keepdims=True)
    slope = (share * (logits - mean) ** 2).sum(axis=1) / at**3
    return np.stack([at, -(share * log_p).sum(axis=1), slope], axis=1)


def _huffman(shares: list[float]) -> list[int]:
    """Digits of each code word: the two least probable groups grow by one, and are one."""
    heap = [(share, [place]) for place, share in enumerate(shares)]
    heapq.heapify(heap)
    digits = [0] * len(shares)
    while len(heap) > 1:
        (one, left), (other, right) = heapq.heappop(heap), heapq.heappop(heap)
        for place in left + right:
            digits[place] += 1
        heapq.heappush(heap, (one + other, left + right))
    return digits


def _kl_ours(built: kl.Experiment) -> Array:
    """Every record, then what the charts draw beside them."""
    rows = [
        (*(step.index, step.outcome, step.log_ratio_nats), step.k1_nats, step.k2_nats, step.k3_nats)
        for step in built.run()
    ]
    exact = [(each.mean_nats, each.deviation_nats) for each in built.estimates.values()]
    shares = [each[0].exp().tolist() for each in (built.log_q, built.log_p)]
    return _flat(rows, exact, shares, (built.reverse_nats, built.forward_nats))


def _kl_peer(built: kl.Experiment, source: Source) -> Array:
    log_q, log_p = built.log_q.numpy()[0], built.log_p.numpy()[0]
    q, p = np.exp(log_q), np.exp(log_p)
    drawn = source.draw(q[None], built.settings.samples)[0]
    number, log_ratio = np.arange(1, len(drawn) + 1), log_q - log_p
    each = np.stack([log_ratio, log_ratio**2 / 2, np.exp(-log_ratio) - 1 + log_ratio])
    means = each[:, drawn].cumsum(axis=1) / number
    columns = (number, drawn, log_ratio[drawn], *means)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    tends = each @ q
    scatters = np.sqrt((each - tends[:, None]) ** 2 @ q)
    ways = (q.dot(log_ratio), -p.dot(log_ratio))
    return _flat(rows, np.stack([tends, scatters], axis=1), q, p, ways)


def _flat(*parts: object) -> Array:
    """All numbers in a row."""
    return np.concatenate([np.asarray(each, dtype=np.float64).ravel() for each in parts])
