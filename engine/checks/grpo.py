"""Numbers about groups of answers, GRPO and the losses of robot policies."""

import math

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from engine import closed_form, distributions, flow_matching, grpo
from engine.errors import RangeError

_RATES = (0.01, 0.05, 0.3, 0.5, 0.8, 0.99)
_HALVINGS = 60  # of an interval shorter than 1: far below the last digit of a float


def group_advantage(right: int, size: int, reward: int, correction: int) -> float:
    """The advantage of an answer of this reward in a group with `right` right answers of `size`.

    Rewards are 1 and 0. Correction 0 divides by the population deviation, 1 by the sample one.

    Raises:
        RangeError: the group has no answer of this reward.
    """
    rewards = _group(right, size)
    return grpo.advantages(rewards, correction=correction)[0, _place(rewards, reward)].item()


def mean_pull_divided(rate: float, size: int) -> float:
    """The mean pull of a group on the log-odds of success, advantages divided by the deviation."""
    return grpo.expected_pull(rate, size, grpo.advantages).item()


def mean_pull_centered(rate: float, size: int) -> float:
    """The mean pull of a group on the log-odds of success, advantages only centered."""
    return grpo.expected_pull(rate, size, grpo.centered).item()


def favor_of_division(rate: float, versus: float, size: int) -> float:
    """How much dividing by the deviation raises one prompt's weight against another's."""
    return _division(rate, size) / _division(versus, size)


def silent_share(rate: float, size: int) -> float:
    """The probability that all answers of a group get the same reward and so teach nothing."""
    rewards, chances = grpo.groups(rate, size)
    return chances[(grpo.advantages(rewards) == 0).all(dim=-1)].sum().item()


def gap_of_group_pull(largest: int) -> float:
    """The largest gap between a group's pull and the deviation of its rewards.

    Over all mixed groups up to a size and several rates; the pull by automatic differentiation of
    (1/G) Σ A ln π with a policy that has one free number, its log-odds.
    """
    gaps = [
        abs(_pull_by_differentiation(_group(right, size), rate) - math.sqrt(share * (1 - share)))
        for size in range(2, largest + 1)
        for right in range(1, size)
        for share in [right / size]
        for rate in _RATES
    ]
    return max(gaps)


def gap_of_mean_pull(largest: int) -> float:
    """The largest gap between the mean pull of centered groups and (1 − 1/G) · rate · (1 − rate).

    Over all sizes up to `largest` and several rates.
    """
    return max(
        abs(mean_pull_centered(rate, size) - (1 - 1 / size) * rate * (1 - rate))
        for size in range(1, largest + 1)
        for rate in _RATES
    )


def probability_where_push_ends(probability: float, low: float, high: float) -> float:
    """How far a token of a good answer can rise before its clipped objective has no slope left.

    1 if it never runs out: found by halving the interval, on the objective itself.

    Raises:
        RangeError: the probability is not between 0 and 1.
    """
    if not 0 < probability < 1:
        raise RangeError.expected(
            "a probability between 0 and 1", got=probability, advice="Try 0.01."
        )
    below, above = probability, 1.0
    if _slope(above, probability, low, high) > 0:
        return above
    for _ in range(_HALVINGS):
        middle = (below + above) / 2
        flat = _slope(middle, probability, low, high) == 0
        below, above = (below, middle) if flat else (middle, above)
    return above


def weight_per_token(right: int, size: int, reward: int, length: int) -> float:
    """What GRPO multiplies each token's gradient with, in an answer of this reward and length.

    Raises:
        RangeError: the group has no answer of this reward, or the length is below one token.
    """
    rewards = _group(right, size)
    lengths = torch.full_like(rewards, length)
    weights = grpo.token_weights(grpo.advantages(rewards), lengths)
    return weights[0, _place(rewards, reward)].item()


def success_at_optimum(rate: float, beta: float) -> float:
    """The success rate that is best with reward 1 for a right answer and a KL price β."""
    return _optimum(rate, beta)[0].exp().item()


def gap_of_odds_shift() -> float:
    """The largest gap between the optimum's log-odds and the reference's plus 1/β, over a grid."""
    grid = [(rate, beta) for rate in _RATES for beta in (0.2, 0.5, 1.0, 4.0)]
    return max(
        abs(_odds_of_optimum(rate, beta) - _log_odds(rate) - 1 / beta) for rate, beta in grid
    )


def divergence_of_actions(shift: float, deviation: float, dimensions: int) -> float:
    """KL between two Gaussian policies whose means differ by `shift` in every dimension, in nats.

    Independent dimensions, one deviation for both policies and all dimensions.
    """
    scale = torch.full((dimensions,), deviation, dtype=torch.float64)
    there, here = Normal(shift + 0 * scale, scale), Normal(0 * scale, scale)
    divergence: Tensor = kl_divergence(there, here)
    return divergence.sum().item()


def gap_of_gaussian_surprisal() -> float:
    """The largest gap between −ln of a Gaussian density and squared error over 2σ² plus ln(σ√2π).

    In nats, over a grid of errors and deviations.
    """
    error = torch.linspace(-3, 3, 25, dtype=torch.float64)
    scale = torch.tensor([[0.01], [0.3], [1.0], [7.0]], dtype=torch.float64)
    formula = (error / scale).square() / 2 + (scale * math.sqrt(2 * math.pi)).log()
    surprisal: Tensor = -Normal(torch.zeros_like(scale), scale).log_prob(error)
    return (surprisal - formula).abs().max().item()


def action_with_least_squared_error(actions: list[float]) -> float:
    """The one action closest to equally likely demonstrations in mean squared error.

    By one Newton step with automatic derivatives, which is exact: the error is a parabola.
    """
    guess = torch.zeros((), dtype=torch.float64, requires_grad=True)
    error = (guess - _row(actions)).square().mean()
    (slope,) = torch.autograd.grad(error, guess, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, guess)
    return (guess - slope / curvature).item()


def least_cross_entropy(actions: list[float]) -> float:
    """The least cross-entropy of a policy over bins, demonstrations equally likely; in nats."""
    even = torch.full((1, len(actions)), -math.log(len(actions)), dtype=torch.float64)
    return distributions.cross_entropy(even, even).item()


def action_by_flow(noise: float, actions: list[float], steps: int) -> float:
    """Where the best flow toward equally likely demonstrations carries this piece of noise."""
    return flow_matching.transport(_row([noise]), _row(actions), steps=steps)[-1, 0].item()


def least_flow_loss(actions: list[float]) -> float:
    """The least mean squared velocity error, demonstrations equally likely; squared action."""
    return flow_matching.least_loss(_row(actions)).item()


def _division(rate: float, size: int) -> float:
    return mean_pull_divided(rate, size) / mean_pull_centered(rate, size)


def _pull_by_differentiation(rewards: Tensor, rate: float) -> float:
    odds = torch.tensor(_log_odds(rate), dtype=torch.float64, requires_grad=True)
    sign = 2 * rewards - 1
    surrogate = (grpo.advantages(rewards) * torch.nn.functional.logsigmoid(sign * odds)).mean()
    (slope,) = torch.autograd.grad(surrogate, odds)
    return slope.item()


def _slope(probability: float, sampled: float, low: float, high: float) -> float:
    """The slope of the clipped objective of a good answer in its probability."""
    now = torch.tensor([probability], dtype=torch.float64, requires_grad=True)
    gain = grpo.clipped(now / sampled, torch.ones_like(now), low=low, high=high).sum()
    (slope,) = torch.autograd.grad(gain, now)
    return slope.item()


def _group(right: int, size: int) -> Tensor:
    """Rewards (1, size): first the right answers, then the wrong ones."""
    if not 0 <= right <= size:
        raise RangeError.expected(
            f"from 0 to {size} right answers", got=right, advice="Count the answers of the group."
        )
    return (torch.arange(size) < right).double().unsqueeze(0)


def _place(rewards: Tensor, reward: int) -> int:
    """Where an answer of this reward stands in the group."""
    found = (rewards[0] == reward).nonzero()
    if not len(found):
        raise RangeError.expected(
            "a group with an answer of this reward",
            got=f"none of reward {reward}",
            advice="Rewards are 1 for a right answer and 0 for a wrong one.",
        )
    return int(found[0].item())


def _optimum(rate: float, beta: float) -> Tensor:
    """Log-probabilities of right and wrong, best for reward 1 and 0 at a KL price β, (2,)."""
    reference = torch.tensor([[rate, 1 - rate]], dtype=torch.float64).log()
    reward = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    return closed_form.optimal_policy(reward, reference, beta=beta)[0]


def _odds_of_optimum(rate: float, beta: float) -> float:
    right, wrong = _optimum(rate, beta).tolist()
    return float(right - wrong)


def _log_odds(rate: float) -> float:
    return math.log(rate) - math.log1p(-rate)


def _row(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
