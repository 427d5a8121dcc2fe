"""Losses without a reference model: they take log-probabilities, and lengths where they average."""

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from engine import guards
from engine.losses.inputs import Lengths, check_at_least_zero, check_lengths, check_log_probs


def sft(
    log_prob_chosen: Tensor,  # (batch,) log π(y_w|x), nats, summed over tokens
    *,
    lengths: Tensor,  # (batch,) tokens of the chosen response
) -> Tensor:  # (batch,) nats per token
    """Supervised fine-tuning on the winner, −log π(y_w|x)/|y_w|: cross-entropy per token.

    TRL's `sft` pools all tokens of a batch, which is the mean of this weighted by length.

    Raises:
        RangeError: a log-probability is above zero or NaN, or a length is below one.
        ShapeError: the tensors disagree in shape, or log-probabilities are whole numbers.
        PairsError: there is no response.
    """
    check_log_probs(log_prob_chosen=log_prob_chosen)
    check_lengths((lengths, lengths), log_prob_chosen)
    return -log_prob_chosen / lengths


def slic(
    log_prob_chosen: Tensor,  # (batch,) log π(y_w|x), nats
    log_prob_rejected: Tensor,  # (batch,) log π(y_l|x), nats
    *,
    delta: float,  # > 0, nats: the lead beyond which nothing is asked for
) -> Tensor:  # (batch,) nats
    """SLiC's rank calibration, max(0, δ − log π(y_w) + log π(y_l)) (Zhao et al. 2023, section 2).

    The paper adds a multiple of `sft` on a target response. TRL's DPOTrainer has `hinge` only,
    on log-ratios; its CPOTrainer's `hinge` is β times this with δ = 1/β.

    Raises:
        RangeError: δ is not above zero, or a log-probability is above zero or NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    guards.positive("δ", delta, advice="Choose δ above 0; the lead settles at δ nats.")
    check_log_probs(log_prob_chosen=log_prob_chosen, log_prob_rejected=log_prob_rejected)
    return (delta - log_prob_chosen + log_prob_rejected).relu()


def simpo(
    log_prob_chosen: Tensor,  # (batch,) log π(y_w|x), nats, summed over tokens
    log_prob_rejected: Tensor,  # (batch,) log π(y_l|x), nats, summed over tokens
    *,
    beta: float,  # > 0, in units of reward per nat and token
    gamma: float,  # γ >= 0, in units of reward: the lead that is asked for
    lengths: Lengths,  # (batch,) each, tokens
) -> Tensor:  # (batch,) nats
    """SimPO, −log σ(β log π(y_w)/|y_w| − β log π(y_l)/|y_l| − γ) (Meng et al. 2024, eq. 6).

    TRL: CPOTrainer with `loss_type="simpo"` and `cpo_alpha=0`, the same; with its default
    `cpo_alpha` of 1 it adds a cross-entropy on the winner.

    Raises:
        RangeError: β, γ, a length or a log-probability is out of its range.
        ShapeError: the tensors disagree in shape, or log-probabilities are whole numbers.
        PairsError: there is no pair.
    """
    guards.beta(beta)
    check_at_least_zero("γ", gamma)
    chosen, rejected = _per_token(log_prob_chosen, log_prob_rejected, lengths)
    return -logsigmoid(beta * (chosen - rejected) - gamma)


def orpo(
    log_prob_chosen: Tensor,  # (batch,) log π(y_w|x), nats, summed over tokens
    log_prob_rejected: Tensor,  # (batch,) log π(y_l|x), nats, summed over tokens
    *,
    weight: float,  # λ >= 0, of the odds ratio beside the cross-entropy; TRL's beta
    lengths: Lengths,  # (batch,) each, tokens
) -> Tensor:  # (batch,) nats
    """ORPO: `sft` − λ log σ(log odds chosen − log odds rejected) (Hong et al. 2024, eq. 4, 6, 7).

    Odds are p/(1 − p), p the geometric mean of token probabilities. TRL's ORPOTrainer computes
    the same odds in single precision; its cross-entropy runs over prompt and response, pooled.

    Raises:
        RangeError: λ, a length or a log-probability is out of its range.
        ShapeError: the tensors disagree in shape, or log-probabilities are whole numbers.
        PairsError: there is no pair.
    """
    check_at_least_zero("λ", weight)
    chosen, rejected = _per_token(log_prob_chosen, log_prob_rejected, lengths)
    log_odds_ratio = chosen - _log_complement(chosen) - rejected + _log_complement(rejected)
    return -chosen - weight * logsigmoid(log_odds_ratio)


def _per_token(chosen: Tensor, rejected: Tensor, lengths: Lengths) -> tuple[Tensor, Tensor]:
    """The mean log-probability of a token, (batch,) each, nats per token."""
    check_log_probs(log_prob_chosen=chosen, log_prob_rejected=rejected)
    check_lengths(lengths, chosen)
    return chosen / lengths[0], rejected / lengths[1]


def _log_complement(log_prob: Tensor) -> Tensor:
    """The logarithm of 1 − p, exact at both ends: p near 1 needs expm1, p near 0 log1p."""
    near_one = log_prob > -math.log(2)
    # Each branch is kept away from where the other serves, or its slope would turn NaN.
    large = torch.where(near_one, log_prob, -1.0).expm1().neg().log()
    small = torch.where(near_one, -1.0, log_prob).exp().neg().log1p()
    return torch.where(near_one, large, small)
