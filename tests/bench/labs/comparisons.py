"""Somebody's comparisons in bare NumPy: a fit with its errors, leave-one-out, cycles, and DPO."""

import math
from dataclasses import replace

import numpy as np
import yaml

from content.load import HERE
from engine.experiments import annotator
from tests.bench.labs.arrays import Array, Race, Whole, log_softmax

COMPARED = 22  # of 28 couples; if all were, those with as many wins would be equals
SPREAD = 3.0  # of the prior
DECAY = (0.9, 0.99)  # of Adam's two means


def race() -> Race:
    """The course's own texts, most couples compared, one comparison in five upside down."""
    texts = yaml.safe_load((HERE / "texts.yaml").read_text(encoding="utf-8"))
    asked = annotator.schedule()[:COMPARED]
    said = (sorted(each, reverse=sum(each) % 5 == 0) for each in asked)
    settings = annotator.Settings(choices=" ".join(f"{one}{other}" for one, other in said))
    built = annotator.build(settings, annotator.count(texts["answers"], texts["lists"]))
    return Race(lambda: _ours(replace(built)), lambda: _peer(built))


def _ours(built: annotator.Experiment) -> Array:
    """Every record, then what is told and drawn beside them; nothing is kept between runs."""
    rows = [(step.index, step.loss, *step.rewards, *step.probabilities) for step in built.run()]
    fit, seen, triads, reading = built.fit, built.foresight, built.triads, built.reading
    assert reading is not None
    features = [(each.alone, each.weight) for each in reading.features]
    told = (seen.right, seen.by_guessing, triads.cyclic, triads.complete, reading.explained)
    parts = (rows, fit.reward.tolist(), fit.error.tolist(), fit.ranking, features, told)
    return np.concatenate([np.array(each, dtype=np.float64).ravel() for each in parts])


def _peer(built: annotator.Experiment) -> Array:
    wins = np.zeros((annotator.ITEMS, annotator.ITEMS))
    winner, loser = np.array(built.comparisons).T
    np.add.at(wins, (winner, loser), 1.0)
    reward = _fitted(wins[None])[0]
    # Along the common level the curvature is the prior's alone: that share is taken off.
    inverse = np.linalg.inv(_hessian(wins[None], reward[None])[0])
    error = np.sqrt(np.diag(inverse) - SPREAD**2 / len(wins))
    features, explained = _explained(reward, np.array(list(built.features.values())).T)
    told = (*_foretold(wins, winner, loser), *_cycles(wins), explained)
    rows = _trained(reward, built.settings)
    parts = (rows, reward, error, np.argsort(-np.round(reward, 9), kind="stable"), features, told)
    return np.concatenate([np.array(each, dtype=np.float64).ravel() for each in parts])


def _fitted(wins: Array) -> Array:
    """Bradley-Terry rewards under a prior, of many tables at once, by Newton's method."""
    reward = np.zeros(wins.shape[:2])
    for _ in range(100):
        pull = wins * _lost(reward)
        slope = pull.sum(axis=1) - pull.sum(axis=2) + reward / SPREAD**2
        if np.abs(slope).max() < 1e-11 * wins[0].sum():
            break
        reward = reward - np.linalg.solve(_hessian(wins, reward), slope[:, :, None])[:, :, 0]
    centered: Array = reward - reward.mean(axis=1, keepdims=True)
    return centered


def _hessian(wins: Array, reward: Array) -> Array:
    lost = _lost(reward)
    weight = (wins + wins.transpose(0, 2, 1)) * lost * (1 - lost)
    found: Array = np.eye(wins.shape[1]) * (weight.sum(axis=2) + 1 / SPREAD**2)[:, None] - weight
    return found


def _lost(reward: Array) -> Array:
    """The probability that i loses against j."""
    found: Array = 1 / (1 + np.exp(reward[:, :, None] - reward[:, None]))
    return found


def _foretold(wins: Array, winner: Whole, loser: Whole) -> tuple[float, float]:
    """How many the others foretell, and the probability that coins foretell as many."""
    count = len(winner)
    others, each = np.repeat(wins[None], count, axis=0), np.arange(count)
    others[each, winner, loser] -= 1
    reward = _fitted(others)
    lead = reward[each, winner] - reward[each, loser]
    right = float(np.where(np.abs(lead) < 1e-9, 0.5, lead > 0).sum())
    ways = sum(math.comb(count, heads) for heads in range(math.ceil(right), count + 1))
    return right, ways / 2**count


def _cycles(wins: Array) -> tuple[float, float]:
    beats = (wins > wins.T).astype(np.float64)
    met = beats + beats.T
    return np.trace(beats @ beats @ beats) / 3, np.trace(met @ met @ met) / 6


def _explained(reward: Array, table: Array) -> tuple[Array, float]:
    """Share explained and weight of each feature, the best first, and what all explain."""
    table = table - table.mean(axis=0)
    table = table / np.sqrt((table**2).mean(axis=0))
    weight = np.linalg.lstsq(table, reward, rcond=None)[0]
    total = reward.dot(reward)
    alone = (reward @ table) ** 2 / (len(reward) * total)
    order = np.argsort(-alone, kind="stable")
    left = reward - table @ weight
    return np.stack([alone, weight], axis=1)[order], 1 - left.dot(left).item() / total.item()


def _trained(truth: Array, settings: annotator.Settings) -> list[tuple[float, ...]]:
    """DPO on what the fit says of every couple, by Adam, all records read."""
    items, beta = len(truth), settings.beta
    wins = 1 / (1 + np.exp(truth - truth[:, None]))
    np.fill_diagonal(wins, 0.0)
    wins /= wins.sum()
    logits = start = np.full(items, -math.log(items))
    mean = square = np.zeros(items)
    rows = []
    for index in range(settings.steps + 1):
        scores = beta * (logits - start)
        short = scores - scores[:, None]  # −β h
        table = log_softmax(logits[None])[0]
        loss = np.vdot(wins, np.maximum(short, 0.0) + np.log1p(np.exp(-np.abs(short))))
        learnt = beta * (table - start)
        if not np.isfinite(loss):
            raise RuntimeError("expected finite numbers at every step")
        rows.append((index, loss, *(learnt - learnt.mean()).tolist(), *np.exp(table).tolist()))
        pull = wins / (1 + np.exp(-short))
        slope = beta * (pull.sum(axis=0) - pull.sum(axis=1))
        mean = DECAY[0] * mean + (1 - DECAY[0]) * slope
        square = DECAY[1] * square + (1 - DECAY[1]) * slope**2
        spread = np.sqrt(square / (1 - DECAY[1] ** (index + 1))) + 1e-12
        rate = 0.2 / beta * (1 + math.cos(math.pi * index / settings.steps)) / 2
        logits = logits - rate / (1 - DECAY[0] ** (index + 1)) * mean / spread
    return rows
