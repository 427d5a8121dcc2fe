"""One pure function per preference loss, differentiable, one value per pair.

A log-ratio is log π(y|x) − log π_ref(y|x) of a whole response: nats, summed over its tokens.
"""

from torch import Tensor
from torch.nn.functional import logsigmoid

from engine import guards


def dpo(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (batch,) nats
    """DPO loss per pair, −log σ(β (log-ratio chosen − rejected)) (Rafailov et al. 2023, eq. 7).

    Raises:
        RangeError: β is not above zero, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    guards.beta(beta)
    return -logsigmoid(beta * _margin(log_ratio_chosen, log_ratio_rejected))


def ipo(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    tau: float,  # > 0, in units of preference per nat
) -> Tensor:  # (batch,) nats squared
    """IPO loss per pair: the squared distance of the margin from 1/(2τ) (Azar et al. 2023, eq. 17).

    Raises:
        RangeError: τ is not above zero, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    guards.positive("τ", tau, advice="Choose τ above 0; the margin settles at 1/(2τ) nats.")
    return (_margin(log_ratio_chosen, log_ratio_rejected) - 1 / (2 * tau)).square()


def _margin(log_ratio_chosen: Tensor, log_ratio_rejected: Tensor) -> Tensor:
    guards.floating(log_ratio_chosen=log_ratio_chosen, log_ratio_rejected=log_ratio_rejected)
    guards.same_shape(log_ratio_chosen=log_ratio_chosen, log_ratio_rejected=log_ratio_rejected)
    guards.pairs_exist(log_ratio_chosen.numel())
    margin = log_ratio_chosen - log_ratio_rejected
    guards.not_nan("the log-ratios", margin)
    return margin
