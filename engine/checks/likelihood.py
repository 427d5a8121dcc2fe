"""Numbers about softmax, the chain rule, likelihood by counting, and products that vanish.

Texts come as tokens with spaces between them; several chats are divided by a slash.
"""

import math
from itertools import pairwise, product

import torch
from torch import Tensor

from engine import guards, likelihood
from engine.errors import RangeError

_PRECISIONS = {"float64": torch.float64, "float32": torch.float32}
_NATS_PER_BIT = math.log(2)
_CHATS_END = "/"
_ROUNDING = 1e-12  # nats; a rival's lead below this is rounding
_WIDEST_GAP = 1000  # nats, the last gap that is tried


def softmax_probability(token: int, logits: list[float]) -> float:
    """The probability of a token, counted from 0, under the softmax of these logits."""
    _check_token(token, logits)
    return torch.softmax(_row(logits), dim=-1)[0, token].item()


def logit_slope(token: int, observed: int, logits: list[float]) -> float:
    """How −ln p of the observed token changes with one logit, in nats per unit of logit.

    By automatic differentiation, not from the formula.
    """
    _check_token(token, logits)
    _check_token(observed, logits)
    counts = torch.zeros(1, len(logits), dtype=torch.float64)
    counts[0, observed] = 1
    return likelihood.slope(_row(logits), counts)[0, token].item()


def gap_rounded_to_zero(precision: str) -> float:
    """The least whole number of nats below the top logit at which e^(−gap) is stored as 0.

    Computed in double precision and then rounded to the one named, subnormal numbers included.
    """
    kind = _precision(precision)
    for gap in range(1, _WIDEST_GAP):
        if torch.tensor(math.exp(-gap), dtype=torch.float64).to(kind).item() == 0:
            return float(gap)
    raise RangeError.expected(
        f"a gap below {_WIDEST_GAP}", got="none", advice="Name a narrower precision."
    )


def log_probability_at_gap(gap: float, precision: str) -> float:
    """The log-softmax of the lower of two logits, computed in this precision, in nats."""
    logits = torch.tensor([0.0, -gap], dtype=_precision(precision))
    return torch.log_softmax(logits, dim=-1)[1].item()


def chain_rule_gap(tokens: int, places: int, seed: int) -> float:
    """The largest gap between a joint probability and the product of its conditionals.

    Over all texts of so many places, for a random joint distribution.
    """
    sides = _both_sides(tokens, places, seed)
    return max(abs(whole - math.prod(parts)) for whole, parts in sides)


def log_chain_gap(tokens: int, places: int, seed: int) -> float:
    """The largest gap, in nats, between −log of a joint and the sum of the −log conditionals."""
    sides = _both_sides(tokens, places, seed)
    return max(
        abs(-math.log(whole) - math.fsum(-math.log(part) for part in parts))
        for whole, parts in sides
    )


def text_probability(corpus: str, text: str) -> float:
    """The probability of a text in the bigram model counted from a corpus, as a product."""
    numbers = likelihood.numbered(text, likelihood.vocabulary(corpus))
    table = _counted(corpus).exp()
    return math.prod(table[before, token].item() for before, token in pairwise(numbers))


def total_probability(corpus: str, length: int) -> float:
    """The probabilities of all texts of one length, added up by enumeration."""
    guards.count("length", length, least=1)
    words = likelihood.vocabulary(corpus)
    texts = (" ".join(choice) for choice in product(words, repeat=length))
    return math.fsum(text_probability(corpus, text) for text in texts)


def text_surprisal_in_bits(corpus: str, text: str) -> float:
    """−log₂ of the same probability, as a sum over the counted transitions."""
    words = likelihood.vocabulary(corpus)
    counts = likelihood.count(likelihood.numbered(text, words), size=len(words))
    return -likelihood.log_likelihood(_counted(corpus), counts).item() / _NATS_PER_BIT


def successors_likelihood(probability: float, times: int, otherwise: int) -> float:
    """How probable it is that a token comes so many times and others the remaining times.

    In one given order.
    """
    if not 0 <= probability <= 1:
        raise RangeError.expected("a probability from 0 to 1", got=probability, advice="Try 0.75.")
    return math.prod([probability] * times + [1 - probability] * otherwise)


def lead_over_best_rival(corpus: str, rivals: int, seed: int) -> float:
    """By how many nats the counts beat the best of many random bigram models; negative if not."""
    counts = _counts(corpus)
    best = likelihood.log_likelihood(likelihood.most_likely(counts), counts)
    generator = torch.Generator().manual_seed(seed)
    leads = []
    for spread in torch.linspace(0.01, 5, rivals).tolist():
        noise = torch.randn(counts.shape, generator=generator, dtype=torch.float64)
        near = torch.log_softmax((counts + 1e-3).log() + spread * noise, dim=-1)
        leads.append((likelihood.log_likelihood(near, counts) - best).item())
    return -max(leads)


def slope_at_counts(corpus: str) -> float:
    """The largest slope of the corpus' surprisal in any logit, at the counts; nats per logit."""
    counts = _counts(corpus)
    return likelihood.slope(likelihood.most_likely(counts), counts).abs().max().item()


def factors_until_zero(probability: float, precision: str) -> float:
    """How many equal probabilities can be multiplied until the product is stored as 0."""
    return float(likelihood.tokens_until_zero(probability, precision=_precision(precision)))


def surprisal_of_many(probability: float, tokens: int) -> float:
    """The surprisal of so many tokens of equal probability, in nats, added up one by one."""
    guards.positive("the probability", probability, advice="Try 0.1.")
    return math.fsum(-math.log(probability) for _ in range(tokens))


def tuned_probability(chats: str, context: str, token: str, prompt_weight: float) -> float:
    """The probability of a token after a context, counted from chats, prompt tokens weighed."""
    listed = chats.split(_CHATS_END)
    words = likelihood.vocabulary(" ".join(listed).replace(likelihood.PROMPT_ENDS, " "))
    counts = sum(
        (likelihood.count_chat(chat, words, prompt_weight=prompt_weight) for chat in listed),
        start=torch.zeros(len(words), len(words), dtype=torch.float64),
    )
    _, before, after = likelihood.numbered(f"{context} {token}", words)
    return likelihood.most_likely(counts).exp()[before, after].item()


def _both_sides(tokens: int, places: int, seed: int) -> list[tuple[float, list[float]]]:
    """For each text, its probability in a random joint distribution, and its conditionals."""
    generator = torch.Generator().manual_seed(seed)
    joint = torch.rand([tokens] * places, generator=generator, dtype=torch.float64)
    joint = joint / joint.sum()
    tables = likelihood.conditionals(joint)
    return [
        (joint[text].item(), [table[text[: table.ndim]].item() for table in tables])
        for text in product(range(tokens), repeat=places)
    ]


def _counts(corpus: str) -> Tensor:
    words = likelihood.vocabulary(corpus)
    return likelihood.count(likelihood.numbered(corpus, words), size=len(words))


def _counted(corpus: str) -> Tensor:
    return likelihood.most_likely(_counts(corpus))


def _row(logits: list[float]) -> Tensor:
    row = torch.tensor([logits], dtype=torch.float64)
    guards.finite("logits", row)
    return row


def _precision(name: str) -> torch.dtype:
    if name not in _PRECISIONS:
        raise RangeError.expected(
            f"a precision among {', '.join(_PRECISIONS)}", got=name, advice="Name one of these."
        )
    return _PRECISIONS[name]


def _check_token(token: int, among: list[float]) -> None:
    if not 0 <= token < len(among):
        raise RangeError.expected(
            f"a token from 0 to {len(among) - 1}", got=token, advice="Count from 0."
        )
