"""Losses that judge each response against a fixed point, not only against the other one."""

import math

from torch import Tensor
from torch.nn.functional import logsigmoid

from engine import guards
from engine.errors import RangeError
from engine.losses.inputs import check_at_least_zero, rewards


def kto(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
    baseline: float,  # z >= 0, nats: an estimate of KL(π‖π_ref), held fixed
    weights: tuple[float, float] = (1.0, 1.0),  # > 0: of the desirable, of the undesirable
) -> Tensor:  # (batch,) the loss of one desirable and one undesirable response, summed
    """KTO on a pair, Σ λ (1 − σ(±β(log-ratio − z))) (Ethayarajh et al. 2024, section 4.1).

    It is eq. 7 of the paper's first versions, eq. 8 of later ones. KTO needs no pairs; here each
    brings one response of either kind. TRL's KTOTrainer, `kto`, is the same, averaged over
    responses: half of this mean. Its z is `kto_baseline` of the batch.

    Raises:
        RangeError: β or a weight is not above zero, z is below zero, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    check_at_least_zero("the baseline", baseline)
    for weight in weights:
        guards.positive("a weight", weight, advice="1 leaves desirable and undesirable even.")
    chosen, rejected = rewards(log_ratio_chosen, log_ratio_rejected, beta=beta)
    point = beta * baseline
    desirable, undesirable = weights
    return desirable * (point - chosen).sigmoid() + undesirable * (rejected - point).sigmoid()


def kto_baseline(
    log_ratio: Tensor,  # (batch,) nats, of responses matched with the prompts of others
) -> float:  # nats
    """KTO's z: the mean log-ratio of mismatched responses, cut off at 0, without a gradient.

    Raises:
        RangeError: a log-ratio is NaN.
        PairsError: there is none.
    """
    guards.pairs_exist(log_ratio.numel())
    guards.not_nan("the log-ratios", log_ratio)
    return max(log_ratio.detach().mean().item(), 0.0)


def bco(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
    shift: float = 0.0,  # δ, in units of reward: where good ends and bad begins, held fixed
) -> Tensor:  # (batch,) nats
    """BCO on a pair: each response classified by its reward − δ (Jung et al. 2024).

    −log σ(r_w − δ) − log σ(δ − r_l), above the DPO loss for every δ. The paper's δ is the mean
    reward; TRL's `bco_pair` is this with δ = 0.

    Raises:
        RangeError: β is not above zero, δ is not finite, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    if not math.isfinite(shift):
        raise RangeError.expected("δ to be finite", got=shift, advice="Take the mean reward, or 0.")
    chosen, rejected = rewards(log_ratio_chosen, log_ratio_rejected, beta=beta)
    return -logsigmoid(chosen - shift) - logsigmoid(shift - rejected)


def nca(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (batch,) nats
    """NCA on a pair: the winner is data, both are noise of weight a half (Chen et al. 2024).

    −log σ(r_w) − ½ log σ(−r_w) − ½ log σ(−r_l). TRL: `nca_pair`, the same.

    Raises:
        RangeError: β is not above zero, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    chosen, rejected = rewards(log_ratio_chosen, log_ratio_rejected, beta=beta)
    noise = logsigmoid(-chosen) + logsigmoid(-rejected)
    return -logsigmoid(chosen) - noise / 2


def sppo(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat; the paper's 1/η
) -> Tensor:  # (batch,) nats squared
    """SPPO with hard labels: log-ratios regressed on ±1/(2β) (Wu et al. 2024, eq. 4.12, P = 1).

    (log-ratio chosen − 1/(2β))² + (log-ratio rejected + 1/(2β))². TRL: `sppo_hard`, the same.

    Raises:
        RangeError: β is not above zero, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    rewards(log_ratio_chosen, log_ratio_rejected, beta=beta)
    target = 1 / (2 * beta)
    return (log_ratio_chosen - target).square() + (log_ratio_rejected + target).square()


def apo_zero(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (batch,) between 0 and 2
    """APO-zero, σ(−r_w) + σ(r_l): winners above zero, losers below (D'Oosterlinck et al., eq. 7).

    For winners better than the policy. TRL: `apo_zero`, the same. It is kto with z = 0.

    Raises:
        RangeError: β is not above zero, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    chosen, rejected = rewards(log_ratio_chosen, log_ratio_rejected, beta=beta)
    return (-chosen).sigmoid() + rejected.sigmoid()


def apo_down(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (batch,) between 0 and 2
    """APO-down, σ(r_w) + σ(r_l − r_w): both fall, losers further (D'Oosterlinck et al., eq. 8).

    For winners worse than the policy. TRL: `apo_down`, the same.

    Raises:
        RangeError: β is not above zero, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    chosen, rejected = rewards(log_ratio_chosen, log_ratio_rejected, beta=beta)
    return chosen.sigmoid() + (rejected - chosen).sigmoid()
