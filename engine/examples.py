"""The small runs that lessons return to: claims recompute them and figures draw them."""

from collections.abc import Iterator, Sequence
from functools import partial

import torch

from engine import optimizers, policies, preferences, train


def one_pair(
    features: Sequence[Sequence[float]], *, beta: float, rate: float, steps: int
) -> Iterator[train.Step]:
    """Plain gradient descent on a single pair, from a uniform reference over a few responses.

    The first response is chosen, the second rejected; no other is ever compared. With one
    feature per response the policy is a table (the setting of Razin et al. 2024).

    Args:
        features: one vector per response, all of one length.
        beta: above zero, in units of reward per nat.
        rate: what the gradient is multiplied by.
        steps: updates after the first record.

    Raises:
        RangeError: β is not above zero, or `steps` is negative.
        ShapeError: there are fewer than two responses, or their vectors differ in length.
    """
    table = torch.tensor([features], dtype=torch.float64)
    reference = torch.full(table.shape[:2], 1 / table.shape[1], dtype=torch.float64).log()
    world = preferences.World(torch.zeros_like(reference), reference)
    policy = policies.SharedFeatures(table, reference)
    descent = partial(optimizers.gradient_descent, learning_rate=rate)
    pair = preferences.one_pair()
    return train.dpo(world, pair, policy=policy, beta=beta, optimizer=descent, steps=steps)
