"""Numbers about scores, calibration and drift.

Forecasts and beliefs come as probabilities, not as logarithms.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from engine import calibration, closed_form, distributions, drift
from engine.errors import EngineError

_BINNINGS = {"equal width": calibration.equal_width, "equal mass": calibration.equal_mass}


def linear_score_in_expectation(belief: float, stated: float) -> float:
    """What a yes-or-no forecast can expect if it earns the probability given to what happened.

    Args:
        belief: the probability of yes, as the forecaster believes.
        stated: the probability of yes, as the forecaster says.
    """
    return belief * stated + (1 - belief) * (1 - stated)


def brier_in_expectation(belief: float, stated: float) -> float:
    """The Brier loss that a yes-or-no forecast can expect, summed over both outcomes."""
    losses = calibration.brier_loss(_both(stated).log().expand(2, 2), torch.arange(2))
    return (losses * _both(belief)).sum().item()


def gap_between_log_regret_and_kl(outcomes: int, draws: int, seed: int) -> float:
    """How far E[−log q] − E[−log p] is from KL(p‖q), at worst over random p and q; in nats."""
    p, q = _random_distributions(2 * draws, outcomes, seed).chunk(2)
    every = torch.arange(outcomes).repeat_interleave(draws)
    stated, honest = (
        calibration.log_loss(log.repeat(outcomes, 1), every).view(outcomes, draws).T
        for log in (q, p)
    )
    regret = (p.exp() * stated).sum(dim=1) - (p.exp() * honest).sum(dim=1)
    return (regret - distributions.kl(p, q)).abs().max().item()


def ece_of_groups(
    stated: list[float], hits: list[float], size: int, binning: str, bins: int
) -> float:
    """The expected calibration error of groups of equal forecasts.

    Args:
        stated: the forecast of each group.
        hits: how many in each group came true.
        size: how many each group has.
        binning: "equal width" or "equal mass".
        bins: how many bins.

    Raises:
        EngineError: it is no such binning.
    """
    if binning not in _BINNINGS:
        raise EngineError.expected(
            f"a binning among {', '.join(_BINNINGS)}", got=repr(binning), advice="Name one of them."
        )
    forecast, came_true = _groups(stated, hits, size)
    return calibration.reliability(forecast, came_true, _BINNINGS[binning](forecast, bins)).ece


def brier_of_groups(stated: list[float], hits: list[float], size: int) -> float:
    """The mean Brier loss of the same groups, summed over both outcomes."""
    forecast, came_true = _groups(stated, hits, size)
    log_q = torch.stack([1 - forecast, forecast], dim=1).log()
    return calibration.brier_loss(log_q, came_true.long()).mean().item()


def ece_expected_of_honesty(stated: list[float], each: int) -> float:
    """The error that binning finds on average where every forecast is exactly right.

    One bin for each forecast, `each` outcomes in it; exact, over the binomial distribution.
    """
    return sum(_mean_gap(rate, each) for rate in stated) / len(stated)


def wilson_end(hits: int, trials: int, end: str) -> float:
    """The "lower" or "upper" end of Wilson's 95% interval."""
    low, high = calibration.wilson(_row(hits), _row(trials))
    return (low if end == "lower" else high).item()


def best_temperature(factor: float, questions: int, labels: str, seed: int) -> float:
    """The temperature fitted to four-option questions whose true logits the model multiplies.

    Args:
        factor: what the model multiplies true logits by.
        questions: how many.
        labels: "exact" weighs every answer by its true probability; "drawn" has one right answer.
        seed: of the random generator.
    """
    world = _world(factor, questions, seed)
    return calibration.fit_temperature(
        world.logits, world.truth if labels == "exact" else world.labels
    )


def answers_changed_by_temperature(factor: float, questions: int, seed: int) -> float:
    """How many first choices differ before and after the fitted temperature."""
    world = _world(factor, questions, seed)
    found = calibration.fit_temperature(world.logits, world.labels)
    return float(((world.logits / found).argmax(1) != world.logits.argmax(1)).sum().item())


def ece_on_fresh_questions(factor: float, questions: int, seed: int, fitted: str) -> float:
    """The error in ten bins of equal width, on questions that the temperature was not fitted to.

    Args:
        factor: what the model multiplies true logits by.
        questions: how many to fit on, and how many to test on.
        seed: of the random generator.
        fitted: "after" with the fitted temperature, "before" with none.
    """
    generator = torch.Generator().manual_seed(seed)
    held_out, fresh = (
        calibration.overconfident_answers(questions, 4, factor=factor, generator=generator)
        for _ in range(2)
    )
    best = calibration.fit_temperature(held_out.logits, held_out.labels)
    confidence, right = fresh.graded(best if fitted == "after" else 1.0)
    bin_of = calibration.equal_width(confidence, 10)
    return calibration.reliability(confidence, right, bin_of).ece


def tilted_belief(belief: float, beta: float) -> float:
    """What a policy tuned for being right gives the likelier of two answers.

    The reward is 1 for the right answer and 0 for the other; its expectation is the belief. The
    policy is the optimum of expected reward minus β KL from a reference that states the belief.
    """
    reference, reward = _both(belief).unsqueeze(0), _both(belief).unsqueeze(0)
    return closed_form.optimal_policy(reward, reference.log(), beta=beta).exp()[0, 1].item()


def gap_in_tilted_odds(draws: int, seed: int) -> float:
    """How far the log-odds of that policy are from the belief's plus (2p − 1)/β, at worst."""
    generator = torch.Generator().manual_seed(seed)
    beliefs = 0.05 + 0.9 * torch.rand(draws, dtype=torch.float64, generator=generator)
    table = torch.stack([1 - beliefs, beliefs], dim=1)
    worst = 0.0
    for beta in (0.2, 0.5, 1.0, 5.0):
        tuned = closed_form.optimal_policy(table, table.log(), beta=beta)
        found = tuned[:, 1] - tuned[:, 0]
        gap = found - (torch.logit(beliefs) + (2 * beliefs - 1) / beta)
        worst = max(worst, gap.abs().max().item())
    return worst


def score_divergence(memos: int, shift: float, seed: int) -> float:
    """Jensen-Shannon divergence of base and fine-tuned scores in ten bins, in nats."""
    base, tuned, _ = _scores(memos, shift, seed)
    return drift.jensen_shannon(base, tuned)


def drift_p_value(memos: int, shift: float, rounds: int, seed: int) -> float:
    """The p-value of that divergence when the two scores of each memo are swapped at random."""
    base, tuned, generator = _scores(memos, shift, seed)
    null = drift.swapped(base, tuned, rounds=rounds, generator=generator)
    return drift.p_value(drift.jensen_shannon(base, tuned), null)


def drift_interval_end(memos: int, shift: float, rounds: int, seed: int, end: str) -> float:
    """The "lower" or "upper" end of the divergence's 95% bootstrap interval, in nats."""
    base, tuned, generator = _scores(memos, shift, seed)
    ends = drift.bootstrap_interval(base, tuned, rounds=rounds, generator=generator)
    return ends[0] if end == "lower" else ends[1]


def divergence_of_disjoint_scores(memos: int) -> float:
    """Jensen-Shannon divergence when no score of one scorer is near one of the other, in nats."""
    low = torch.full((memos,), 0.1, dtype=torch.float64)
    return drift.jensen_shannon(low, 1 - low)


def divergence_of_swapped_grades(share: float, compared: str) -> float:
    """KL(tuned‖base) when fine-tuning swaps the grades of two memos, in nats.

    The base passes the first with probability `share` and the second with 1 − `share`.

    Args:
        share: the probability of passing, strictly between 0 and 1.
        compared: "pooled" averages the grades over both memos first, "memo by memo" does not.
    """
    base = torch.stack([_both(share), _both(1 - share)])
    tuned = base.flip(0)
    if compared == "pooled":
        base, tuned = base.mean(dim=0, keepdim=True), tuned.mean(dim=0, keepdim=True)
    return distributions.kl(tuned.log(), base.log()).mean().item()


def chance_of_a_false_alarm(level: float, looks: int) -> float:
    """The probability that at least one of several independent tests of no drift rejects."""
    return 1 - (1 - level) ** looks


def _both(yes: float) -> Tensor:
    """A yes-or-no forecast as probabilities of no and yes."""
    return torch.tensor([1 - yes, yes], dtype=torch.float64)


def _row(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _groups(stated: Sequence[float], hits: Sequence[float], size: int) -> tuple[Tensor, Tensor]:
    forecast = torch.tensor(stated, dtype=torch.float64).repeat_interleave(size)
    ranks = torch.arange(size).repeat(len(stated))
    return forecast, (ranks < torch.tensor(hits).repeat_interleave(size)).double()


def _mean_gap(rate: float, trials: int) -> float:
    """E|X/n − p| for a binomial X."""
    return math.fsum(
        math.comb(trials, hits)
        * rate**hits
        * (1 - rate) ** (trials - hits)
        * abs(hits / trials - rate)
        for hits in range(trials + 1)
    )


def _random_distributions(number: int, outcomes: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(number, outcomes, dtype=torch.float64, generator=generator)
    return (2 * logits).log_softmax(dim=1)


def _world(factor: float, questions: int, seed: int) -> calibration.Answers:
    generator = torch.Generator().manual_seed(seed)
    return calibration.overconfident_answers(questions, 4, factor=factor, generator=generator)


def _scores(memos: int, shift: float, seed: int) -> tuple[Tensor, Tensor, torch.Generator]:
    generator = torch.Generator().manual_seed(seed)
    return *drift.memo_scores(memos, shift=shift, generator=generator), generator
