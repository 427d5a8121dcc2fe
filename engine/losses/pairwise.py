"""Losses that see a pair through its margin alone: log-ratio chosen − log-ratio rejected."""

import math

from torch import Tensor
from torch.nn.functional import logsigmoid

from engine import guards
from engine.losses.inputs import Lengths, check_at_least_zero, check_flip, check_lengths, margin


def dpo(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (batch,) nats
    """DPO loss per pair, −log σ(β (log-ratio chosen − rejected)) (Rafailov et al. 2023, eq. 7).

    TRL: `sigmoid`, the same.

    Raises:
        RangeError: β is not above zero, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    guards.beta(beta)
    return -logsigmoid(beta * margin(log_ratio_chosen, log_ratio_rejected))


def cdpo(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
    flip: float,  # ε in [0, 1/2), the share of labels believed to be flipped
) -> Tensor:  # (batch,) nats
    """Conservative DPO: the cross-entropy to a soft label 1 − ε (Mitchell 2023, eq. 3).

    (1 − ε) dpo(h) + ε dpo(−h): the margin settles where σ(βh) = 1 − ε. TRL's DPOTrainer has no
    such loss, its `sigmoid` ignores `label_smoothing`; its CPOTrainer's `sigmoid` has this form,
    with log-probabilities in place of log-ratios.

    Raises:
        RangeError: β or ε is out of its range, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    check_flip(flip)
    said, unsaid = _both_ways(log_ratio_chosen, log_ratio_rejected, beta)
    return (1 - flip) * said + flip * unsaid


def robust(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
    flip: float,  # ε in [0, 1/2), the known rate at which labels were flipped
) -> Tensor:  # (batch,) nats; below zero where the margin is large
    """Robust DPO: its mean over labels flipped at rate ε is the clean loss (Chowdhury et al. 2024).

    ((1 − ε) dpo(h) − ε dpo(−h)) / (1 − 2ε), their section 3.1. TRL: `robust`, the same.

    Raises:
        RangeError: β or ε is out of its range, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    check_flip(flip)
    said, unsaid = _both_ways(log_ratio_chosen, log_ratio_rejected, beta)
    return ((1 - flip) * said - flip * unsaid) / (1 - 2 * flip)


def exo(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
    flip: float,  # ε in (0, 1/2), what the label leaves to the rejected response
) -> Tensor:  # (batch,) nats, never below 0
    """EXO for pairs: KL(q‖p), q = (σ(βh), σ(−βh)), p = (1 − ε, ε) (Ji et al. 2024, eq. 16).

    The reverse of cdpo's direction, which is KL(p‖q) + H(p). TRL: `exo_pair`, the same.

    Raises:
        RangeError: β or ε is out of its range (at ε = 0 the loss is infinite), a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    check_flip(flip, least=math.ulp(0.0))
    said, unsaid = _both_ways(log_ratio_chosen, log_ratio_rejected, beta)
    chosen = (-said).exp() * (-said - math.log1p(-flip))
    return chosen + (-unsaid).exp() * (-unsaid - math.log(flip))


def ipo(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    tau: float,  # > 0, in units of preference per nat
) -> Tensor:  # (batch,) nats squared
    """IPO loss per pair: the squared distance of the margin from 1/(2τ) (Azar et al. 2023, eq. 17).

    TRL's `ipo` first divides each log-ratio by its length: see `ipo_per_token`. The two agree for
    responses of one token.

    Raises:
        RangeError: τ is not above zero, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    guards.positive("τ", tau, advice="Choose τ above 0; the margin settles at 1/(2τ) nats.")
    return (margin(log_ratio_chosen, log_ratio_rejected) - 1 / (2 * tau)).square()


def ipo_per_token(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    tau: float,  # > 0, in units of preference per nat and token
    lengths: Lengths,  # (batch,) each, tokens
) -> Tensor:  # (batch,) squared nats per token
    """IPO on log-ratios averaged over tokens, which the paper does not print. TRL: `ipo`.

    Raises:
        RangeError: τ is not above zero, a length is below one, or a log-ratio is NaN.
        ShapeError: the tensors disagree in shape, or log-ratios are whole numbers.
        PairsError: there is no pair.
    """
    margin(log_ratio_chosen, log_ratio_rejected)
    check_lengths(lengths, log_ratio_chosen)
    return ipo(log_ratio_chosen / lengths[0], log_ratio_rejected / lengths[1], tau=tau)


def hinge(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (batch,) units of reward
    """Hinge loss max(0, 1 − βh) on log-ratios (Liu et al. 2023, RSO, "hinge-norm").

    TRL: `hinge`, the same, which it ascribes to SLiC. SLiC itself has no reference: see `slic`.

    Raises:
        RangeError: β is not above zero, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    guards.beta(beta)
    return (1 - beta * margin(log_ratio_chosen, log_ratio_rejected)).relu()


def discopop(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
    temperature: float = 0.05,  # τ > 0, in units of reward: how sharply one gives way to the other
) -> Tensor:  # (batch,)
    """DiscoPOP: DPO's loss blended into e^(−βh) as βh passes 0 (Lu et al. 2024, eq. 5).

    (1 − s) dpo(h) + s e^(−βh) with s = σ(βh/τ). TRL: `discopop`, the same, until at margins
    far below zero its 0 · ∞ gives NaN; here the product is formed in logarithms and tends to 0
    for τ < 1.

    Raises:
        RangeError: β or τ is not above zero, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    guards.positive("τ", temperature, advice="Choose τ above 0; its authors took 0.05.")
    said, _ = _both_ways(log_ratio_chosen, log_ratio_rejected, beta)
    reward = beta * margin(log_ratio_chosen, log_ratio_rejected)
    place = reward / temperature
    return (-place).sigmoid() * said + (logsigmoid(place) - reward).exp()


def r_dpo(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
    alpha: float,  # >= 0, in units of reward per token: what a token costs
    lengths: Lengths,  # (batch,) each, tokens
) -> Tensor:  # (batch,) nats
    """Length-regularized DPO, −log σ(βh + α|y_w| − α|y_l|) (Park et al. 2024).

    It follows from the optimum of r − α|y| − β KL, where r = β log(π/π_ref) + α|y| + β log Z:
    of a longer winner's lead, length itself is to explain a part. TRL has no such loss.

    Raises:
        RangeError: β is not above zero, α below zero, a length below one, a log-ratio NaN.
        ShapeError: the tensors disagree in shape, or log-ratios are whole numbers.
        PairsError: there is no pair.
    """
    guards.beta(beta)
    check_at_least_zero("α", alpha)
    difference = margin(log_ratio_chosen, log_ratio_rejected)
    check_lengths(lengths, log_ratio_chosen)
    tokens = (lengths[0] - lengths[1]).to(difference.dtype)  # or α would be cut to single precision
    return -logsigmoid(beta * difference + alpha * tokens)


def _both_ways(chosen: Tensor, rejected: Tensor, beta: float) -> tuple[Tensor, Tensor]:
    """The DPO loss for the label as it stands, and for the label flipped."""
    guards.beta(beta)
    reward = beta * margin(chosen, rejected)
    return -logsigmoid(reward), -logsigmoid(-reward)
