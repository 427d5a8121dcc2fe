"""Policies that can be trained in front of the learner, both log-linear in their parameters.

A policy is a frozen description: its start, and how parameters become log-probabilities. Since
log-ratios are linear in the parameters up to a constant per prompt, the DPO loss is convex and
its gradient and Hessian have closed forms (`engine.train`).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from engine import guards
from engine.errors import ShapeError
from engine.preferences import World


@dataclass(frozen=True, eq=False)
class Curvature:
    """Second derivatives of a loss in the logits: prompt by prompt, a weighted graph Laplacian."""

    weight: Tensor  # (prompts, responses, responses): of the edge between i and j, 0 for i = j
    degree: Tensor  # (prompts, responses): the sum of a response's edges
    gauge: Tensor  # (prompts or 1, responses, responses): fills the kernel, the shifts that change
    # no margin

    def laplacian(self) -> Tensor:
        """The degrees on the diagonal minus the weights, (prompts, responses, responses)."""
        return torch.diag_embed(self.degree).sub_(self.weight)


class Policy(Protocol):
    """What training needs to know of a policy."""

    @property
    def start(self) -> Tensor:
        """The parameters before training, any shape."""
        ...

    def logits(self, parameters: Tensor) -> Tensor:
        """Unnormalized log-probabilities, (prompts, responses)."""
        ...

    def pull_back(self, slope: Tensor) -> Tensor:
        """Turn a gradient in the logits, (prompts, responses), into one in the parameters."""
        ...

    def newton_direction(self, gradient: Tensor, curvature: Curvature) -> Tensor:
        """The shortest step, shaped as the parameters, to the minimum of the local parabola."""
        ...


@dataclass(frozen=True, eq=False)
class Tabular:
    """One free logit for each prompt and response: no response shares anything with another.

    Raises:
        ShapeError: the start is not a table (prompts, responses).
        RangeError: a logit is not finite.
    """

    start: Tensor  # (prompts, responses), logits, float64

    def __post_init__(self) -> None:
        guards.table(start=self.start)
        guards.finite("start", self.start)

    @classmethod
    def at_reference(cls, world: World) -> "Tabular":
        """The policy that starts as the reference."""
        return cls(world.reference.clone())

    def logits(self, parameters: Tensor) -> Tensor:
        """The parameters themselves."""
        return parameters

    def pull_back(self, slope: Tensor) -> Tensor:
        """The slope itself."""
        return slope

    def newton_direction(self, gradient: Tensor, curvature: Curvature) -> Tensor:
        """One small linear system per prompt.

        The gauge fills the Laplacian's kernel, so the step leaves the mean logit of every island
        of comparisons where it was.
        """
        scale = curvature.degree.amax(dim=1).clamp_min_(torch.finfo(gradient.dtype).tiny)
        system = (curvature.gauge * scale[:, None, None]).sub_(curvature.weight)
        system.diagonal(dim1=1, dim2=2).add_(curvature.degree)
        # The lift keeps it positive definite. Transposing a symmetric system spares a copy.
        root: Tensor = torch.linalg.cholesky(system.mT)
        return torch.cholesky_solve(gradient.neg().unsqueeze(2), root).squeeze(2)


@dataclass(frozen=True, eq=False)
class SharedFeatures:
    """Log-linear: logits = log π_ref + features · parameters, one weight vector for all responses.

    Responses with similar features move together, as they do in a network. The start is zero,
    which is the reference.

    Raises:
        ShapeError: features are not (prompts, responses, size), or disagree with the reference.
        RangeError: a feature is not finite, a reference row does not sum to one.
    """

    features: Tensor  # (prompts, responses, size), float64
    reference: Tensor  # (prompts, responses), log-probabilities, float64

    def __post_init__(self) -> None:
        guards.table(reference=self.reference)
        guards.log_probabilities("reference", self.reference)
        shape = tuple(self.features.shape)
        if len(shape) != 3 or shape[:2] != tuple(self.reference.shape) or not shape[2]:
            raise ShapeError.expected(
                f"features of shape {(*self.reference.shape, 'size')}",
                got=shape,
                advice="Give every response of the reference one feature vector.",
            )
        guards.floating(features=self.features)
        guards.finite("features", self.features)

    @classmethod
    def random(cls, world: World, size: int, *, generator: torch.Generator) -> "SharedFeatures":
        """Standard normal features of the given size over the world's reference.

        Raises:
            RangeError: the size is below one.
        """
        guards.count("size", size, least=1)
        shape = (world.prompts, world.responses, size)
        features = torch.randn(shape, generator=generator, dtype=torch.float64)
        return cls(features, world.reference)

    @cached_property
    def start(self) -> Tensor:
        """Zeros (size,): the reference."""
        return self.features.new_zeros(self.features.shape[2])

    def logits(self, parameters: Tensor) -> Tensor:
        """The sum log π_ref + features · parameters, (prompts, responses)."""
        return self.reference + self.features @ parameters

    def pull_back(self, slope: Tensor) -> Tensor:
        """Features weighted by the slope, summed over all responses: (size,)."""
        return self._flat.T @ slope.reshape(-1)

    def newton_direction(self, gradient: Tensor, curvature: Curvature) -> Tensor:
        """One system for the shared weights; directions that change no margin stay untouched."""
        bent = (curvature.laplacian() @ self.features).flatten(0, 1)
        hessian = self._flat.T @ bent
        inverse: Tensor = torch.linalg.pinv(hessian, hermitian=True)
        return inverse @ gradient.neg()

    @cached_property
    def _flat(self) -> Tensor:
        return self.features.flatten(0, 1)


def displacement() -> SharedFeatures:
    """Features under which raising the margin lowers the chosen response.

    Chosen (1, 0) and rejected (1.2, −0.1) point almost the same way; the third response (−1, 0)
    points away from both. Pushing along chosen − rejected = (−0.2, 0.1) moves probability to the
    third (the effect of Razin et al. 2024, arXiv:2410.08847). Belongs to
    `preferences.displacement`.
    """
    features = torch.tensor([[[1.0, 0.0], [1.2, -0.1], [-1.0, 0.0]]], dtype=torch.float64)
    return SharedFeatures(features, torch.full((1, 3), 1 / 3, dtype=torch.float64).log())
