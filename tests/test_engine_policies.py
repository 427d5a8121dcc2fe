"""Policies: what parameters mean, and derivatives against autograd."""

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from engine import losses, policies, preferences, train
from engine.errors import EngineError, RangeError, ShapeError
from engine.optimizers import P, Point, Surface
from engine.policies import Policy, SharedFeatures, Tabular
from engine.preferences import Pairs, World

BETA = 0.7


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def worlds() -> tuple[World, Pairs]:
    world = preferences.world(3, 4, generator=seeded())
    return world, preferences.sampled_pairs(world, 40, generator=seeded(1))


def both(world: World) -> list[Policy]:
    return [
        Tabular.at_reference(world),
        SharedFeatures.random(world, 5, generator=seeded(2)),
    ]


def mean_loss(world: World, pairs: Pairs, policy: Policy, parameters: Tensor) -> Tensor:
    """Return the loss written the long way: one pair at a time, through the log-softmax."""
    log_ratio = policy.logits(parameters).log_softmax(dim=1) - world.reference
    chosen, rejected = (log_ratio[pairs.prompt, y] for y in (pairs.chosen, pairs.rejected))
    return (pairs.weight * losses.dpo(chosen, rejected, beta=BETA)).sum() / pairs.weight.sum()


def point_at(world: World, pairs: Pairs, policy: Policy, parameters: Tensor) -> Point:
    """Return what an optimizer sees at these parameters."""
    seen: list[Point] = []

    def look(surface: Surface[P], start: Tensor, steps: int) -> Iterator[P]:
        point = surface(parameters)
        seen.append(point)
        yield point

    list(train.dpo(world, pairs, policy=policy, beta=BETA, steps=0, optimizer=look))
    return seen[0]


@pytest.mark.parametrize("kind", [0, 1])
def test_loss_gradient_and_newton_direction_against_autograd(kind: int) -> None:
    world, pairs = worlds()
    policy = both(world)[kind]
    noise = torch.randn(policy.start.shape, generator=seeded(3), dtype=torch.float64)
    parameters = policy.start.clone() + noise
    point = point_at(world, pairs, policy, parameters)

    def loss(values: Tensor) -> Tensor:
        return mean_loss(world, pairs, policy, values)

    (gradient,) = torch.autograd.functional.jacobian(loss, (parameters,))
    (hessian,), *_ = torch.autograd.functional.hessian(loss, (parameters,))
    size = parameters.numel()
    direction = -torch.linalg.pinv(hessian.reshape(size, size), rtol=1e-10) @ gradient.flatten()
    assert point.loss == pytest.approx(loss(parameters).item(), rel=1e-13)
    torch.testing.assert_close(point.gradient, gradient)
    torch.testing.assert_close(
        point.newton_direction(), direction.view_as(parameters), atol=1e-8, rtol=1e-7
    )


def test_a_table_has_one_logit_per_response_and_starts_at_the_reference() -> None:
    world, _ = worlds()
    policy = Tabular.at_reference(world)
    torch.testing.assert_close(policy.logits(policy.start).log_softmax(dim=1), world.reference)


def test_shared_features_start_at_the_reference_and_move_together() -> None:
    world, _ = worlds()
    policy = SharedFeatures.random(world, 5, generator=seeded())
    assert torch.equal(policy.logits(policy.start), world.reference)
    weights = torch.arange(5, dtype=torch.float64)
    by_hand = sum(weights[k] * policy.features[2, 1, k] for k in range(5))
    shift = (policy.logits(weights) - world.reference)[2, 1]
    torch.testing.assert_close(shift, torch.as_tensor(by_hand))


def test_the_first_displacement_step_lowers_the_chosen_response() -> None:
    world, pairs = preferences.displacement()
    policy = policies.displacement()
    (gradient,) = torch.autograd.functional.jacobian(
        lambda w: mean_loss(world, pairs, policy, w), (policy.start,)
    )
    # −∇L is along φ_w − φ_l = (−0.2, 0.1)
    torch.testing.assert_close(-gradient / gradient[0].abs(), torch.tensor([-1.0, 0.5]).double())
    before, after = (policy.logits(w).softmax(dim=1)[0] for w in (policy.start, -gradient))
    assert before.tolist() == pytest.approx([1 / 3] * 3)
    assert after[0] < before[0]
    assert after[1] < after[0], "the margin grew all the same"
    assert after[2] > before[2]


TABLE = torch.zeros(2, 3, dtype=torch.float64)
FAIR = TABLE.log_softmax(dim=1)


@pytest.mark.parametrize(
    ("features", "reference", "kind", "words"),
    [
        (torch.zeros(2, 3), FAIR, ShapeError, r"features of shape \(2, 3, 'size'\)"),
        (torch.zeros(2, 4, 1), FAIR, ShapeError, r"got \(2, 4, 1\)"),
        (torch.zeros(2, 3, 0), FAIR, ShapeError, "one feature vector"),
        (torch.full((2, 3, 1), math.inf), FAIR, RangeError, "features to be finite"),
        (torch.zeros(2, 3, 1, dtype=torch.int64), FAIR, ShapeError, "floating-point"),
        (torch.zeros(2, 3, 1), TABLE, RangeError, "Pass logarithms"),
    ],
)
def test_bad_features_are_refused(
    features: Tensor, reference: Tensor, kind: type[EngineError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        SharedFeatures(features, reference)


def test_bad_tables_and_sizes_are_refused() -> None:
    world, _ = worlds()
    with pytest.raises(RangeError, match="start to be finite"):
        Tabular(TABLE * math.nan)
    with pytest.raises(ShapeError, match=r"\(prompts, responses\)"):
        Tabular(TABLE[0])
    with pytest.raises(RangeError, match="size to be at least 1, got 0"):
        SharedFeatures.random(world, 0, generator=seeded())
