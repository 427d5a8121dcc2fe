"""Numbers about preferences, rewards and DPO.

Policies and references come as probabilities, not as logarithms.
"""

import inspect
import math
from collections.abc import Sequence
from importlib import import_module

import torch
from torch import Tensor

from engine import closed_form, distributions, examples, losses, policies, preferences, train
from engine.errors import EngineError, RangeError

_BYTES_PER_GIGABYTE = 1e9
_PROGRAMS = ("dpo_from_scratch",)
_NEWTON_STEPS = 30
# What two ways of writing the same reward may differ by: rounding, in units of reward.
_ROUNDING = 1e-9


def weights_in_gigabytes(networks: float, parameters: float, bytes_per_parameter: float) -> float:
    """Memory for the weights of equally large networks, in GB of 10⁹ bytes.

    Optimizer states, gradients and activations are not counted.
    """
    return networks * parameters * bytes_per_parameter / _BYTES_PER_GIGABYTE


def lines_of_program(program: str) -> float:
    """Lines of a program in the engine, blank lines and comments included.

    Raises:
        EngineError: it is not one of the programs that lessons show.
    """
    if program not in _PROGRAMS:
        raise EngineError.expected(
            f"a program among {', '.join(_PROGRAMS)}",
            got=repr(program),
            advice="Name one of these, or add the new program to engine.checks.",
        )
    return float(len(inspect.getsource(import_module(f"engine.{program}")).splitlines()))


def dpo_loss(margin: float, beta: float) -> float:
    """The DPO loss of one pair at this margin, in nats (Rafailov et al. 2023, eq. 7)."""
    return losses.dpo(_row(margin), _row(0), beta=beta).item()


def dpo_loss_in_bits(margin: float, beta: float) -> float:
    """The same loss with logarithms to base two."""
    return dpo_loss(margin, beta) / math.log(2)


def gradient_weight(margin: float, beta: float) -> float:
    """σ(−βh), the share of β with which a pair pulls (Rafailov et al. 2023, section 4).

    Taken from the loss by automatic differentiation, not from the formula.
    """
    chosen = _row(margin).requires_grad_()
    (slope,) = torch.autograd.grad(losses.dpo(chosen, _row(0), beta=beta).sum(), chosen)
    return -slope.item() / beta


def pull_on_chosen_logit(reference: list[float], beta: float) -> float:
    """How strongly descent raises the chosen logit of a table that still equals its reference.

    The pair is the first response against the second. Nats of loss per unit of logit.
    """
    start = _row(*reference).log()
    logits = start.clone().requires_grad_()
    log_ratio = torch.log_softmax(logits, dim=-1) - start
    loss = losses.dpo(log_ratio[:1], log_ratio[1:2], beta=beta).sum()
    (slope,) = torch.autograd.grad(loss, logits)
    return -slope[0].item()


def preference(reward_chosen: float, reward_rejected: float) -> float:
    """The Bradley-Terry probability that the first is preferred (Rafailov et al. 2023, eq. 1)."""
    return preferences.bradley_terry(_row(reward_chosen), _row(reward_rejected)).item()


def log_partition(reference: list[float], reward: list[float], beta: float) -> float:
    """The logarithm of Z for one prompt, in nats (Rafailov et al. 2023, eq. 4)."""
    return closed_form.log_partition(_table(reward), _table(reference).log(), beta=beta).item()


def optimal_probability(
    response: int, reference: list[float], reward: list[float], beta: float
) -> float:
    """The probability that the optimum gives a response, counted from 0."""
    _check_response(response, reference)
    return _optimum(reference, reward, beta).exp()[0, response].item()


def value_of_optimum(reference: list[float], reward: list[float], beta: float) -> float:
    """The RLHF objective, evaluated at its optimum; in units of reward.

    Computed as expected reward minus β KL, so that β log Z is a result and not an input.
    """
    optimum = _optimum(reference, reward, beta)
    table, log_reference = _table(reward), _table(reference).log()
    return closed_form.objective(optimum, table, log_reference, beta=beta).item()


def divergence_of_optimum(reference: list[float], reward: list[float], beta: float) -> float:
    """KL(π*‖π_ref) for one prompt, in nats."""
    return distributions.kl(_optimum(reference, reward, beta), _table(reference).log()).item()


def residual_without_beta(reference: list[float], reward: list[float], beta: float) -> float:
    """The reward minus the mistaken form β log(π*/π_ref) + log Z, without β before log Z.

    Raises:
        RangeError: the residual is not the same for all responses, as it must be.
    """
    log_reference = _table(reference).log()
    optimum = _optimum(reference, reward, beta)
    implicit = closed_form.implicit_reward(optimum, log_reference, beta=beta)
    residual = _table(reward) - (implicit + log_partition(reference, reward, beta))
    _check_constant(residual)
    return residual[0, 0].item()


def distance_after_training(prompts: int, responses: int, beta: float, seed: int) -> float:
    """The largest KL(π*‖π) over the prompts after DPO on soft labels, in nats.

    A table in a random world, every two responses compared, trained by Newton's method.
    """
    world, trained = _trained(prompts, responses, beta, seed)
    optimum = closed_form.optimal_policy(world.reward, world.reference, beta=beta)
    return distributions.kl(optimum, trained).max().item()


def implicit_reward_error(prompts: int, responses: int, beta: float, seed: int) -> float:
    """The largest gap between implicit reward and r − β log Z after the same training.

    In units of reward.
    """
    world, trained = _trained(prompts, responses, beta, seed)
    implicit = closed_form.implicit_reward(trained, world.reference, beta=beta)
    log_z = closed_form.log_partition(world.reward, world.reference, beta=beta)
    return (implicit - (world.reward - beta * log_z.unsqueeze(1))).abs().max().item()


def probability_after_descent(
    response: int, features: list[list[float]], beta: float, rate: float, steps: int
) -> float:
    """A response's probability after plain gradient descent on one pair.

    One feature vector per response; the first is chosen, the second rejected, the reference is
    uniform. With one feature per response the policy is a table.
    """
    _check_response(response, features)
    *_, last = examples.one_pair(features, beta=beta, rate=rate, steps=steps)
    return last.policy[0, response].exp().item()


def ipo_margin(tau: float) -> float:
    """The margin at which the IPO loss of one pair is least, in nats (Azar et al. 2023, eq. 17).

    Found by one Newton step with automatic derivatives, which is exact: the loss is a parabola.
    """
    margin = _row(0).requires_grad_()
    loss = losses.ipo(margin, _row(0), tau=tau).sum()
    (slope,) = torch.autograd.grad(loss, margin, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), margin)
    return (margin - slope / curvature).item()


def _trained(
    prompts: int, responses: int, beta: float, seed: int
) -> tuple[preferences.World, Tensor]:
    """A random world, and a table trained in it until Newton's method has nothing left to do."""
    generator = torch.Generator().manual_seed(seed)
    world = preferences.world(prompts, responses, generator=generator)
    *_, last = train.dpo(
        world,
        preferences.soft_pairs(world),
        policy=policies.Tabular.at_reference(world),
        beta=beta,
        steps=_NEWTON_STEPS,
    )
    return world, last.policy


def _optimum(reference: Sequence[float], reward: Sequence[float], beta: float) -> Tensor:
    return closed_form.optimal_policy(_table(reward), _table(reference).log(), beta=beta)


def _row(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _table(values: Sequence[float]) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


def _check_response(response: int, responses: Sequence[object]) -> None:
    if not 0 <= response < len(responses):
        raise RangeError.expected(
            f"a response from 0 to {len(responses) - 1}", got=response, advice="Count from 0."
        )


def _check_constant(values: Tensor) -> None:
    spread = (values.max() - values.min()).item()
    if not spread <= _ROUNDING:
        raise RangeError.expected(
            "one residual for all responses", got=f"a spread of {spread:g}", advice="Raise β."
        )
