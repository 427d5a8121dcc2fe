"""Answers that have nothing but a length: a geometric policy, and a teacher who likes them long.

After each token the reference stops with one chance, so lengths are geometric. The policy tilts
them, π(n) ∝ π_ref(n) e^{θ n}, and stays geometric; its margin on a pair is θ times the difference
in length. All of DPO's effect on lengths is then in one number, and in closed form. Lengths end
at a longest one, which matters only where the tilt nearly makes the lengths endless.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from engine import guards
from engine.errors import RangeError
from engine.policies import SharedFeatures
from engine.preferences import Pairs

LONGEST = 400


@dataclass(frozen=True)
class Teacher:
    """Prefers the longer of two answers with one chance, whatever stands in them.

    Raises:
        RangeError: the chance or a length is out of its range.
    """

    mean_length: float = 20.0  # of the reference's answers, tokens
    apart: int = 10  # tokens between the two answers of each pair
    longer: float = 0.6  # the chance that the longer is chosen

    def __post_init__(self) -> None:
        guards.count("tokens apart", self.apart, least=1)
        if not 0 < self.longer < 1 or not 1 < self.mean_length < LONGEST / 4:
            raise RangeError.expected(
                f"a chance inside 0 to 1 and a mean length from 1 to {LONGEST // 4}",
                got=f"{self.longer} and {self.mean_length}",
                advice="Try 0.6 and 20.",
            )


def lengths() -> Tensor:
    """The lengths on offer, 1 to the longest, (responses,), tokens."""
    return torch.arange(1, LONGEST + 1, dtype=torch.float64)


def reference(teacher: Teacher) -> Tensor:
    """The geometric distribution of lengths, (1, responses), log-probabilities."""
    going_on = math.log1p(-1 / teacher.mean_length)
    return torch.log_softmax(lengths() * going_on, dim=-1).unsqueeze(0)


def policy(teacher: Teacher) -> SharedFeatures:
    """One parameter: the tilt θ times the mean length, so that it is of order one."""
    features = (lengths() / teacher.mean_length).view(1, -1, 1)
    return SharedFeatures(features, reference(teacher))


def pairs(teacher: Teacher) -> Pairs:
    """An answer and one that is longer, in both directions, weighted by how often each is said."""
    short = torch.arange(0, 4 * teacher.apart, teacher.apart)
    long = short + teacher.apart
    weight = torch.tensor([teacher.longer, 1 - teacher.longer], dtype=torch.float64)
    return Pairs(
        torch.zeros(2 * len(short), dtype=torch.int64),
        torch.cat([long, short]),
        torch.cat([short, long]),
        weight.repeat_interleave(len(short)),
    )


def tilt_after_dpo(teacher: Teacher, *, beta: float, penalty: float = 0.0) -> float:
    """The tilt θ where R-DPO has its minimum: (logit(p)/d − α)/β, per token.

    Without a penalty it is above zero whenever the longer answer is chosen more often than not.

    Raises:
        RangeError: β is not above zero.
    """
    guards.beta(beta)
    odds = math.log(teacher.longer / (1 - teacher.longer))
    return (odds / teacher.apart - penalty) / beta


def restoring_penalty(teacher: Teacher) -> float:
    """The penalty logit(p)/d at which lengths stay as they are, whatever β is; reward per token."""
    return tilt_after_dpo(teacher, beta=1.0)


def mean_length(teacher: Teacher, tilt: float) -> float:
    """The mean length of the tilted reference, tokens."""
    table = torch.log_softmax(reference(teacher) + tilt * lengths(), dim=-1)
    return float((table.exp() * lengths()).sum())
