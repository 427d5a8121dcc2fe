"""Likelihood in a language model of a few words: the chain rule, counts, and where products end.

A text is a string of tokens with spaces between them. A bigram model is a table of
log-probabilities (contexts, tokens): the row is the token before, the column the token that
comes. A full stop stands before every text, so that its first token has a context too.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import torch
from torch import Tensor

from engine import guards
from engine.errors import RangeError

START = "."
PROMPT_ENDS = "|"  # in a chat, what follows is the answer; the mark itself is no token


def vocabulary(
    text: str,  # tokens with spaces between them
) -> tuple[str, ...]:  # each token once, the full stop first, then in the order of the text
    """The tokens that a model of this text knows."""
    return tuple(dict.fromkeys([START, *text.split()]))


def numbered(
    text: str,  # tokens with spaces between them
    words: Sequence[str],  # the vocabulary
) -> list[int]:  # the place of each token in the vocabulary, that of the full stop before them
    """A text as numbers.

    Raises:
        RangeError: a token is not in the vocabulary.
    """
    found = [START, *text.split()]
    unknown = [token for token in found if token not in words]
    if unknown:
        raise RangeError.expected(
            f"tokens among {', '.join(words)}", got=unknown[0], advice="Use only these."
        )
    return [words.index(token) for token in found]


def count(
    numbers: Sequence[int],  # tokens as numbers, the context of the first one before it
    *,
    size: int,  # of the vocabulary
    weights: Sequence[float] | None = None,  # what each token after the first counts; 1 if None
) -> Tensor:  # (contexts, tokens), how often each token followed each context
    """Transitions of a text, counted."""
    table = torch.zeros(size, size, dtype=torch.float64)
    shares = weights if weights is not None else [1.0] * (len(numbers) - 1)
    for before, token, share in zip(numbers[:-1], numbers[1:], shares, strict=True):
        table[before, token] += share
    return table


def count_chat(
    chat: str,  # prompt | answer
    words: Sequence[str],  # the vocabulary
    *,
    prompt_weight: float,  # what a prompt token counts; 0 masks the prompt, 1 masks nothing
) -> Tensor:  # (contexts, tokens), weighted counts
    """Transitions of a chat, with the tokens of the prompt weighed.

    Raises:
        RangeError: the chat has no prompt, or a token is not in the vocabulary.
    """
    prompt, mark, answer = chat.partition(PROMPT_ENDS)
    if not mark:
        raise RangeError.expected(
            f"a chat with a `{PROMPT_ENDS}` between prompt and answer",
            got=repr(chat),
            advice="Write it as: cat ? | the cat eats .",
        )
    weights = [prompt_weight] * len(prompt.split()) + [1.0] * len(answer.split())
    return count(numbered(f"{prompt} {answer}", words), size=len(words), weights=weights)


def most_likely(
    counts: Tensor,  # (contexts, tokens), not negative
) -> Tensor:  # (contexts, tokens), log-probabilities; −inf for what was never counted
    """The bigram model under which the counted text is most probable.

    Each count over the sum of its row (Jurafsky and Martin 2025, section 3.1). A context that was
    never counted leaves its row open; here such a row is uniform.
    """
    totals = counts.sum(dim=-1, keepdim=True)
    flat = torch.full_like(counts, 1 / counts.shape[-1])
    return torch.where(totals > 0, counts / totals.clamp_min(1e-300), flat).log()


def log_likelihood(
    log_q: Tensor,  # (contexts, tokens), log-probabilities of a model
    counts: Tensor,  # (contexts, tokens), of a text
) -> Tensor:  # () nats, at most 0; −inf if the model rules out what was counted
    """The log-probability of a text under a model, Σ n(c, v) log q(v | c)."""
    guards.table(log_q=log_q, counts=counts)
    guards.log_probabilities("log_q", log_q)
    return (counts * log_q.masked_fill(counts == 0, 0.0)).sum()


def slope(
    logits: Tensor,  # (contexts, tokens)
    counts: Tensor,  # (contexts, tokens), of a text
) -> Tensor:  # (contexts, tokens), nats per unit of logit
    """The gradient of the text's surprisal in the logits, by automatic differentiation."""
    free = logits.detach().clone().requires_grad_()
    loss = -log_likelihood(torch.log_softmax(free, dim=-1), counts)
    (gradient,) = torch.autograd.grad(loss, free)
    return gradient


def tokens_until_zero(
    probability: float,  # above 0, at most 0.5
    *,
    precision: torch.dtype,  # torch.float64, torch.float32, ...
) -> int:
    """How many equal factors it takes until their product, taken step by step, is exactly 0.

    Above one half the product never gets there: half of the smallest number is rounded to zero,
    more than half is rounded up again (IEEE 754, rounding to nearest, ties to even).

    Raises:
        RangeError: the probability is not above 0 and at most 0.5.
    """
    if not 0 < probability <= 0.5:
        raise RangeError.expected(
            "a probability above 0 and at most 0.5", got=probability, advice="Try 0.1."
        )
    factor = torch.tensor(probability, dtype=precision)
    product, taken = torch.ones((), dtype=precision), 0
    while product > 0:
        product, taken = product * factor, taken + 1
    return taken


def least_positive(
    precision: torch.dtype,  # torch.float64, torch.float32, ...
) -> float:
    """The smallest number above zero that a format holds, a subnormal one (IEEE 754)."""
    format_ = torch.finfo(precision)
    return format_.tiny * format_.eps


def product_ends_at(
    probability: float,  # above 0, at most 0.999
    *,
    precision: torch.dtype,  # torch.float64, torch.float32, ...
) -> float:
    """Where the product of ever more equal factors ends, taken step by step, in closed form.

    There the numbers are whole multiples k of the smallest one, and k stays if k(1 − p) ≤ 1/2:
    less than half is rounded up again, and exactly half goes to the even neighbor (IEEE 754). Up to
    one half that is k = 0; above, the product is never zero, and never moves again.

    Raises:
        RangeError: the probability is not above 0 and at most 0.999.
    """
    if not 0 < probability <= 0.999:
        raise RangeError.expected(
            "a probability above 0 and at most 0.999", got=probability, advice="Try 0.9."
        )
    factor = Fraction(torch.tensor(probability, dtype=precision).item())
    most = 1 / (2 * (1 - factor))
    tie_to_odd = most.denominator == 1 and most.numerator % 2 == 1
    return (most.numerator // most.denominator - tie_to_odd) * least_positive(precision)


def conditionals(
    joint: Tensor,  # (tokens, ..., tokens), one axis per place; probabilities that sum to 1
) -> list[Tensor]:  # for place t a table with t axes: q(x_t | x_1 ... x_{t−1})
    """A joint distribution over texts of one length, taken apart by the chain rule."""
    places = joint.ndim
    prefixes = [joint.sum(dim=tuple(range(place, places))) for place in range(1, places)]
    prefixes.append(joint)
    later = [longer / shorter.unsqueeze(-1) for shorter, longer in pairwise(prefixes)]
    return [prefixes[0], *later]
