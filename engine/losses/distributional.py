"""Losses that compare two distributions over a batch, by sorting: a batch of one is plain DPO."""

from torch import Tensor
from torch.nn.functional import logsigmoid

from engine import guards
from engine.losses.inputs import margin


def aot(
    log_ratio_chosen: Tensor,  # (batch,) log π(y_w|x) − log π_ref(y_w|x), nats
    log_ratio_rejected: Tensor,  # (batch,) log π(y_l|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (batch,) nats, from the lowest quantile to the highest, not pair by pair
    """AOT, unpaired: DPO between equal quantiles of chosen and rejected (Melnyk et al. 2024).

    TRL: `aot_unpaired`, the same; TRL's `aot` is `aot_paired`.

    Raises:
        RangeError: β is not above zero, or a log-ratio is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    guards.beta(beta)
    margin(log_ratio_chosen, log_ratio_rejected)
    quantiles = log_ratio_chosen.sort().values - log_ratio_rejected.sort().values
    return -logsigmoid(beta * quantiles)


def aot_paired(
    margin_policy: Tensor,  # (batch,) log π(y_w|x) − log π(y_l|x), nats
    margin_reference: Tensor,  # (batch,) log π_ref(y_w|x) − log π_ref(y_l|x), nats
    *,
    beta: float,  # > 0, in units of reward per nat
) -> Tensor:  # (batch,) nats, from the lowest quantile to the highest, not pair by pair
    """AOT, paired: quantiles of the policy's margins against the reference's (Melnyk et al. 2024).

    TRL: `aot`, the same.

    Raises:
        RangeError: β is not above zero, or a margin is NaN.
        ShapeError: the two tensors disagree in shape, or hold whole numbers.
        PairsError: there is no pair.
    """
    return aot(margin_policy, margin_reference, beta=beta)
