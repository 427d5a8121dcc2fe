"""Checks at the engine's doors: each returns nothing, or raises an error a learner can act on.

They run once per call and never inside a training loop.
"""

import math

import torch
from torch import Tensor

from engine.errors import PairsError, RangeError, ShapeError

# Log-probabilities typed by hand or computed in single precision still count as normalized;
# probabilities passed without their logarithm miss by more than this.
NORMALIZATION_TOLERANCE_NATS = 1e-4


def positive(name: str, value: float, *, advice: str) -> None:
    """Refuse a number that is not finite and above zero."""
    if not (math.isfinite(value) and value > 0):
        raise RangeError.expected(f"{name} to be a finite number above 0", got=value, advice=advice)


def beta(value: float) -> None:
    """Refuse a β for which the optimum does not exist."""
    positive(
        "β",
        value,
        advice="Choose β above 0, for example 0.1; near 0 the reward decides almost alone.",
    )


def count(name: str, value: int, *, least: int) -> None:
    """Refuse a whole number below its least meaningful value."""
    if value < least:
        raise RangeError.expected(
            f"{name} to be at least {least}", got=value, advice=f"Raise it to {least} or more."
        )


def floating(**tensors: Tensor) -> None:
    """Refuse tensors of whole numbers: their logarithms and gradients would be cut off."""
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            raise ShapeError.expected(
                f"{name} to hold floating-point numbers",
                got=tensor.dtype,
                advice="Convert it with .double().",
            )


def same_shape(**tensors: Tensor) -> None:
    """Refuse tensors that disagree in shape, before broadcasting hides the mistake."""
    (first, tensor), *others = tensors.items()
    for name, other in others:
        if other.shape != tensor.shape:
            raise ShapeError.expected(
                f"{name} to have the shape of {first}, {tuple(tensor.shape)}",
                got=tuple(other.shape),
                advice=f"Give {name} one entry for each entry of {first}.",
            )


def table(**tensors: Tensor) -> None:
    """Refuse anything but floating-point tables (prompts, responses) of one common shape."""
    for name, tensor in tensors.items():
        if tensor.ndim != 2 or tensor.numel() == 0:
            raise ShapeError.expected(
                f"{name} of shape (prompts, responses), both at least 1",
                got=tuple(tensor.shape),
                advice="Put each prompt on a row of its own, also when there is only one.",
            )
    floating(**tensors)
    same_shape(**tensors)


def finite(name: str, tensor: Tensor) -> None:
    """Refuse NaN and infinities, and name the first place where one stands."""
    least, most = torch.aminmax(tensor)
    if math.isfinite(least.item()) and math.isfinite(most.item()):
        return
    where = tuple((~torch.isfinite(tensor)).nonzero()[0].tolist())
    raise RangeError.expected(
        f"{name} to be finite everywhere",
        got=f"{tensor[where].item()} at position {where}",
        advice="Replace that entry by a finite number.",
    )


def not_nan(name: str, tensor: Tensor) -> None:
    """Refuse NaN, and let infinities pass."""
    if bool(torch.isnan(tensor).any()):
        raise RangeError.expected(
            f"{name} to be numbers",
            got="NaN",
            advice="Look for log 0 − log 0: a response which both policies rule out.",
        )


def log_probabilities(name: str, tensor: Tensor) -> None:
    """Refuse rows whose exponentials do not sum to one."""
    total = torch.logsumexp(tensor, dim=-1)
    if total.abs().amax().item() <= NORMALIZATION_TOLERANCE_NATS:
        return
    row = int((~(total.abs() <= NORMALIZATION_TOLERANCE_NATS)).nonzero()[0].item())
    raise RangeError.expected(
        f"{name} to hold log-probabilities whose exponentials sum to 1 in each row",
        got=f"a sum of {total[row].exp().item():.6g} in row {row}",
        advice="Pass logarithms, for example torch.log(p) or torch.log_softmax(logits, dim=-1).",
    )


def pairs_exist(number: int) -> None:
    """Refuse an empty list of pairs: its mean loss is 0/0."""
    if number == 0:
        raise PairsError.expected(
            "at least one preference pair", got="none", advice="Add a pair, or draw more of them."
        )
