"""A text token by token in bare NumPy: a product that is rounded at each factor, and its sum."""

from dataclasses import replace

import numpy as np

from engine.experiments import surprise
from tests.bench.labs.arrays import Array, Race


def race() -> Race:
    """The lab's own text: equal tokens in single precision. Nothing is kept between runs."""
    built = surprise.build(surprise.Settings())
    return Race(lambda: _ours(replace(built)), lambda: _peer(built))


def _ours(built: surprise.Experiment) -> Array:
    """Every record, and where the true product would end; products in multiples of the least."""
    least, end = built.least, built.zero_at or 0
    rows = [
        (
            *(step.index, step.probability, step.surprisal_nats, step.product / least),
            *(step.sum_nats, step.lost, step.perplexity, end),
        )
        for step in built.run()
    ]
    return np.array(rows)


def _peer(built: surprise.Experiment) -> Array:
    probability = built.probabilities.numpy()
    factors = probability.astype(np.float32)
    number = np.arange(1, len(factors) + 1)
    product = np.multiply.accumulate(factors)
    least = np.finfo(np.float32).smallest_subnormal.astype(np.float64)
    surprisal = -np.log(probability)
    total = surprisal.cumsum()
    beyond = np.log2(factors.astype(np.float64)).cumsum() <= np.log2(least) - 1
    end = np.full(len(factors), beyond.argmax() + 1 if beyond.any() else 0)
    sums = (total, product == 0, np.exp(total / number), end)
    columns = (number, probability, surprisal, product / least, *sums)
    return np.array(list(zip(*(each.tolist() for each in columns), strict=True)))
