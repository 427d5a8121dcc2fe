"""The probability of a text, token by token: a product that ends at zero, a sum that goes on."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from engine import likelihood
from engine.experiments import settings as common

CORPUS = "the cat sleeps . the cat sleeps . the cat eats . the dog eats ."  # of the storyteller
PRECISIONS = {"float64": torch.float64, "float32": torch.float32, "float16": torch.float16}


@dataclass(frozen=True)
class Settings(common.Settings):
    """What a learner can set; everything else follows from it."""

    text: Literal["equal", "varied", "story"] = "equal"
    precision: Literal["float64", "float32", "float16"] = "float32"
    probability: float = 0.9  # of each token; where they vary, e to minus their mean surprisal
    tokens: int = 1_200
    seed: int = 0

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "probability": (0.001, 0.99),
        "tokens": (10, 2_000),
        "seed": common.SEED,
    }


@dataclass(frozen=True)
class Step:
    """A text up to one of its tokens."""

    index: int  # tokens so far, 1 after the first
    token: str  # the one that was read last
    probability: float  # of that token, given those before it
    surprisal_nats: float  # −log of it
    product: float  # of all so far, rounded to the format after each factor
    sum_nats: float  # of all surprisals so far, in float64
    lost: bool  # whether the product is 0, although no factor was
    perplexity: float  # e to the mean surprisal


@dataclass(frozen=True, eq=False)
class Experiment:
    """The settings made into a text whose tokens have known probabilities."""

    settings: Settings
    words: tuple[str, ...]
    probabilities: Tensor  # (tokens,), float64
    expected_nats: list[float]  # of the sum after each token, over all texts of this kind

    @property
    def length(self) -> int:
        """The records of a whole run: one per token."""
        return self.settings.tokens

    def run(self) -> Iterator[Step]:
        """Read the text: one record per token."""
        probabilities = self.probabilities.tolist()
        surprisals = [0.0 - math.log(each) for each in probabilities]  # 0, not −0, where certain
        # NumPy rounds to the format after each factor; torch's own product keeps more digits.
        products = np.multiply.accumulate(self._stored.numpy()).tolist()
        for index, total in enumerate(accumulate(surprisals)):
            yield Step(
                index=index + 1,
                token=self.words[index],
                probability=probabilities[index],
                surprisal_nats=surprisals[index],
                product=products[index],
                sum_nats=total,
                lost=products[index] == 0,
                perplexity=math.exp(total / (index + 1)),
            )

    @cached_property
    def zero_at(self) -> int | None:
        """The token after which the true product rounds to 0, None if it never gets so far.

        That is where the sum of logarithms passes the one of half the format's least number.
        """
        limit = math.log2(self.least) - 1  # exact, as is 0.5's
        sums = accumulate(self._stored.double().log2().tolist())
        found = (index for index, total in enumerate(sums, start=1) if total <= limit)
        return next(found, None)

    @property
    def least(self) -> float:
        """The smallest number above zero that the format holds."""
        return likelihood.least_positive(self._stored.dtype)

    @cached_property
    def stuck_at(self) -> float | None:
        """Where the product of equal tokens ends, step by step; None if they are not equal.

        Above one half this is not 0: rounding up wins, and the product stays there for ever.
        """
        if self.settings.text != "equal":
            return None
        return likelihood.product_ends_at(
            self.settings.probability, precision=PRECISIONS[self.settings.precision]
        )

    @property
    def _stored(self) -> Tensor:
        """The factors as the format holds them."""
        return self.probabilities.to(PRECISIONS[self.settings.precision])


def build(settings: Settings) -> Experiment:
    """Build what the settings describe."""
    if settings.text == "story":
        return _story(settings)
    probabilities = torch.full((settings.tokens,), settings.probability, dtype=torch.float64)
    if settings.text == "varied":
        generator = torch.Generator().manual_seed(settings.seed)
        even = torch.rand(settings.tokens, generator=generator, dtype=torch.float64)
        # Their surprisals are distributed exponentially, with the mean that was set.
        probabilities = probabilities ** -torch.log1p(-even)
    numbers = range(1, settings.tokens + 1)
    words = tuple(f"token {number}" for number in numbers)
    mean = -math.log(settings.probability)
    return Experiment(settings, words, probabilities, [mean * number for number in numbers])


def _story(settings: Settings) -> Experiment:
    """Let a bigram model that has counted the corpus write on and on."""
    words = likelihood.vocabulary(CORPUS)
    counts = likelihood.count(likelihood.numbered(CORPUS, words), size=len(words))
    model = likelihood.most_likely(counts).exp()
    generator = torch.Generator().manual_seed(settings.seed)
    places = [0]
    for _ in range(settings.tokens):
        places.append(int(torch.multinomial(model[places[-1]], 1, generator=generator)))
    probabilities = model[places[:-1], places[1:]]
    said = tuple(words[place] for place in places[1:])
    return Experiment(settings, said, probabilities, _expected(model, settings.tokens))


def _expected(model: Tensor, tokens: int) -> list[float]:
    """The expected sum after each token: the entropy of each row, weighed by how often it comes."""
    entropies = -torch.xlogy(model, model).sum(dim=-1)
    at = torch.zeros_like(entropies)
    at[0] = 1.0  # a full stop stands before the text
    sums, total = [], 0.0
    for _ in range(tokens):
        total += float(at @ entropies)
        at = at @ model
        sums.append(total)
    return sums
