"""Flow matching toward finitely many actions, where its best velocity is known exactly.

Noise ε is standard normal, an action a is one of a few numbers, all equally likely, and the path
between them is straight: x = (1 − t) ε + t a, from noise at t = 0 to the action at t = 1. What a
network is asked for is the velocity a − ε (Lipman et al. 2022, with σ_min = 0).
"""

import math

import numpy as np
import torch
from torch import Tensor

from engine import guards
from engine.errors import RangeError

# Nodes of the quadratures: enough for ten digits with actions a few units apart.
_TIMES = 400
_NOISES = 100


def velocity(
    place: Tensor,  # (points,), where the paths are
    time: float,  # from 0 up to, not including, 1
    actions: Tensor,  # (actions,), all equally likely
) -> Tensor:  # (points,), units of action per unit of time
    """The velocity with the least squared error: the mean of a − ε over all paths through x.

    Raises:
        RangeError: the time is not in [0, 1).
        ShapeError: a tensor is not of floating-point numbers.
    """
    _check_time(time)
    guards.floating(place=place, actions=actions)
    return (_likely_action(place, time, actions) - place) / (1 - time)


def transport(
    noise: Tensor,  # (points,), where the paths begin
    actions: Tensor,  # (actions,), all equally likely
    *,
    steps: int,
) -> Tensor:  # (steps + 1, points): the first row is the noise, the last where the paths land
    """Follow the best velocity from noise to action in equal Euler steps.

    Raises:
        RangeError: there is no step to take.
        ShapeError: a tensor is not of floating-point numbers.
    """
    guards.count("steps", steps, least=1)
    path = [noise]
    for step in range(steps):
        path.append(path[-1] + velocity(path[-1], step / steps, actions) / steps)
    return torch.stack(path)


def least_loss(
    actions: Tensor,  # (actions,), all equally likely
) -> Tensor:  # scalar, squared units of action: the mean squared error of the best velocity
    """The flow-matching loss that no network can go below, time drawn evenly from 0 to 1.

    Where paths toward different actions cross, the velocity to be guessed is uncertain, and its
    variance remains as error. By Gaussian quadrature over time and noise.

    Raises:
        ShapeError: the actions are not floating-point numbers.
    """
    guards.floating(actions=actions)
    nodes, shares = (torch.from_numpy(each) for each in np.polynomial.legendre.leggauss(_TIMES))
    noise, chances = (
        torch.from_numpy(each) for each in np.polynomial.hermite_e.hermegauss(_NOISES)
    )
    chances = chances / math.sqrt(2 * math.pi)
    errors = [_errors((float(node) + 1) / 2, noise, actions) @ chances for node in nodes]
    return (torch.stack(errors) * shares / 2).sum()


def _errors(time: float, noise: Tensor, actions: Tensor) -> Tensor:
    """The squared error of the best velocity at one time, averaged over actions, (noises,)."""
    place = (1 - time) * noise + time * actions.unsqueeze(1)
    guess = velocity(place.flatten(), time, actions).reshape(place.shape)
    return (guess - (actions.unsqueeze(1) - noise)).square().mean(dim=0)


def _likely_action(place: Tensor, time: float, actions: Tensor) -> Tensor:
    """The mean action given where a path is: E[a | x] at this time, (points,)."""
    miss = (place.unsqueeze(1) - time * actions) / (1 - time)
    return torch.softmax(-miss.square() / 2, dim=1) @ actions


def _check_time(time: float) -> None:
    if not 0 <= time < 1:
        raise RangeError.expected(
            "a time from 0 up to, not including, 1", got=time, advice="Paths end at time 1."
        )
