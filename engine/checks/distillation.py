"""Numbers about distillation: soft targets, their gradients, and a small scorer of memos.

Teachers and students come as logits where they are softened, as probabilities elsewhere.
"""

from functools import cache

import torch
from torch import Tensor

from engine import distillation, distributions, guards, train
from engine.errors import EngineError, RangeError

_FRESH_MEMOS, _FRESH_SEED = 2000, 999
_DESCENT_STEPS = 4000
_TARGETS = ("soft", "sampled", "likeliest")


def soft_target(outcome: int, logits: list[float], temperature: float) -> float:
    """The probability of an outcome, counted from 0, after dividing all logits by T."""
    _check_outcome(outcome, logits)
    return distillation.soften(_row(logits), temperature=temperature)[0, outcome].exp().item()


def soft_target_ratio(likelier: int, rarer: int, logits: list[float], temperature: float) -> float:
    """How many times as probable one outcome is as another after softening."""
    return soft_target(likelier, logits, temperature) / soft_target(rarer, logits, temperature)


def loss_difference(student: list[float], teacher: list[float], temperature: float) -> float:
    """Soft cross-entropy minus forward KL for one case, in nats."""
    both = _row(student), _row(teacher)
    soft = distillation.soft_cross_entropy(*both, temperature=temperature)
    return (soft - distillation.divergence(*both, temperature=temperature)).item()


def loss_identity_gap(outcomes: int, cases: int, seed: int) -> float:
    """The largest |KL(p‖q) − H(p, q) + H(p)| over random logits and temperatures, in nats."""
    worst = 0.0
    for student, teacher, temperature in _random_cases(outcomes, cases, seed):
        softened = distillation.soften(teacher, temperature=temperature)
        soft = distillation.soft_cross_entropy(student, teacher, temperature=temperature)
        divergence = distillation.divergence(student, teacher, temperature=temperature)
        gap = divergence - soft + distributions.entropy(softened)
        worst = max(worst, gap.abs().max().item())
    return worst


def soft_loss_gradient_gap(outcomes: int, cases: int, seed: int) -> float:
    """The largest gap between the gradients of the two losses, by automatic differentiation.

    Over random logits and temperatures, in nats per unit of logit. Each is held against (q − p)/T
    as well.
    """
    worst = 0.0
    for student, teacher, temperature in _random_cases(outcomes, cases, seed):
        logits = student.requires_grad_()
        losses = (distillation.soft_cross_entropy, distillation.divergence)
        stated = distillation.gradient(student, teacher, temperature=temperature)
        for loss in losses:
            total = loss(logits, teacher, temperature=temperature).sum()
            (slope,) = torch.autograd.grad(total, logits)
            worst = max(worst, (slope - stated).abs().max().item())
    return worst


def soft_gradient_length(student: list[float], teacher: list[float], temperature: float) -> float:
    """Euclidean length of the gradient in the student's logits, in nats per unit of logit."""
    both = _row(student), _row(teacher)
    return float(distillation.gradient(*both, temperature=temperature).norm())


def scaled_gradient_length(student: list[float], teacher: list[float], temperature: float) -> float:
    """The same length, times T²."""
    both = _row(student), _row(teacher)
    return float(distillation.scaled_gradient(*both, temperature=temperature).norm())


def gradient_length_ratio(
    student: list[float], teacher: list[float], cooler: float, hotter: float
) -> float:
    """How many times as long the gradient is at one temperature as at another."""
    lengths = [soft_gradient_length(student, teacher, each) for each in (cooler, hotter)]
    return lengths[0] / lengths[1]


def limit_length(student: list[float], teacher: list[float]) -> float:
    """Euclidean length of (z − v)/N, where T² times the gradient goes."""
    return float(distillation.limit(_row(student), _row(teacher)).norm())


def divergence_after_either(teacher: list[float], rate: float) -> float:
    """The larger KL(p‖q) of two table students after descent on forward and on reverse KL.

    Both start at equal logits and take the same number of plain gradient steps. In nats.
    """
    log_p = _row(teacher).log()
    ends = [_descend(log_p, rate, backwards=backwards) for backwards in (False, True)]
    return max(distributions.kl(log_p, end).item() for end in ends)


def truncated_target(outcome: int, probabilities: list[float], keep: int) -> float:
    """The probability of an outcome after a top-k list has been scaled up to one."""
    _check_outcome(outcome, probabilities)
    cut = distillation.truncate(_row(probabilities).log(), keep=keep)
    return cut[0, outcome].exp().item()


def divergence_of_truncation(probabilities: list[float], keep: int) -> float:
    """KL of the truncated target from the teacher, in nats."""
    log_p = _row(probabilities).log()
    return distributions.kl(distillation.truncate(log_p, keep=keep), log_p).item()


def truncation_identity_gap(outcomes: int, cases: int, seed: int) -> float:
    """The largest gap between that divergence and minus the logarithm of the listed mass.

    Over random teachers and every length of the list but the full one, in nats.
    """
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(cases, outcomes, generator=generator, dtype=torch.float64)
    log_p = torch.log_softmax(logits, dim=-1)
    worst = 0.0
    for keep in range(1, outcomes):
        listed = log_p.exp().topk(keep, dim=-1).values.sum(dim=-1)
        cut = distillation.truncate(log_p, keep=keep)
        gap = distributions.kl(cut, log_p) + listed.log()
        worst = max(worst, gap.abs().max().item())
    return worst


def smoothed_label(right: int, outcome: int, outcomes: int, share: float) -> float:
    """What label smoothing asks of an outcome, (1 − ε)·[right] + ε/N (Szegedy et al. 2015)."""
    _check_outcome(right, range(outcomes))
    _check_outcome(outcome, range(outcomes))
    return (1 - share) * (outcome == right) + share / outcomes


def scorer_divergence(targets: str, memos: int, runs: int) -> float:
    """Mean KL(teacher‖student) on fresh memos, over runs with memos of their own, in nats.

    Raises:
        EngineError: the targets are not soft, sampled or likeliest.
    """
    return sum(_scorer(targets, memos, run)[0] for run in range(runs)) / runs


def scorer_agreement(targets: str, memos: int, runs: int) -> float:
    """The share of fresh memos to which student and teacher give the same first choice.

    Raises:
        EngineError: the targets are not soft, sampled or likeliest.
    """
    return sum(_scorer(targets, memos, run)[1] for run in range(runs)) / runs


@cache
def _scorer(targets: str, number: int, seed: int) -> tuple[float, float]:
    """Divergence and agreement of one linear student, on memos that it was not fitted to.

    One thread, as in training: on a busy machine more are many times slower at these sizes.
    """
    train.single_threaded()
    generator = torch.Generator().manual_seed(seed)
    memos = distillation.memos(number, generator=generator)
    log_p = torch.log_softmax(memos.teacher, dim=-1)
    weights = distillation.fit(memos.features, _labels(targets, log_p, generator))
    fresh = _fresh_memos()
    truth = torch.log_softmax(fresh.teacher, dim=-1)
    said = torch.log_softmax(fresh.features @ weights, dim=-1)
    same = (truth.argmax(dim=-1) == said.argmax(dim=-1)).double().mean()
    return distributions.kl(truth, said).mean().item(), same.item()


@cache
def _fresh_memos() -> distillation.Memos:
    generator = torch.Generator().manual_seed(_FRESH_SEED)
    return distillation.memos(_FRESH_MEMOS, generator=generator)


def _labels(targets: str, log_p: Tensor, generator: torch.Generator) -> Tensor:
    if targets == "soft":
        return log_p.exp()
    if targets == "sampled":
        return distillation.sampled_labels(log_p, generator=generator)
    if targets == "likeliest":
        return distillation.top_labels(log_p)
    raise EngineError.expected(
        f"targets among {', '.join(_TARGETS)}", got=repr(targets), advice="Name one of these."
    )


def _descend(log_p: Tensor, rate: float, *, backwards: bool) -> Tensor:
    """Log-probabilities of a table after plain descent on KL(p‖q), or on KL(q‖p) if backwards."""
    guards.positive("rate", rate, advice="0.5 is a start.")
    logits = torch.zeros_like(log_p)
    for _ in range(_DESCENT_STEPS):
        log_q = torch.log_softmax(logits, dim=-1)
        surplus = log_q - log_p
        pull = log_q.exp() * (surplus - (log_q.exp() * surplus).sum(dim=-1, keepdim=True))
        logits = logits - rate * (pull if backwards else log_q.exp() - log_p.exp())
    return torch.log_softmax(logits, dim=-1)


def _random_cases(outcomes: int, cases: int, seed: int) -> list[tuple[Tensor, Tensor, float]]:
    """Logits of students and teachers, in four batches of one temperature each."""
    generator = torch.Generator().manual_seed(seed)
    drawn = 3 * torch.randn(4, 2, cases, outcomes, generator=generator, dtype=torch.float64)
    temperatures = (0.5, 1.0, 4.0, 20.0)
    return [(pair[0], pair[1], each) for pair, each in zip(drawn, temperatures, strict=True)]


def _row(values: list[float]) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


def _check_outcome(outcome: int, outcomes: list[float] | range) -> None:
    if not 0 <= outcome < len(outcomes):
        raise RangeError.expected(
            f"an outcome from 0 to {len(outcomes) - 1}", got=outcome, advice="Count from 0."
        )
