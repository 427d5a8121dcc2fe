"""The lab of two humps in bare NumPy: both divergences and a slope at every step."""

import math

import numpy as np

from engine import gaussians
from engine.experiments import modes
from tests.bench.labs.arrays import Array, Race

REACH, POINTS = 12.0, 2401  # of the integral, in standard deviations and in places


def race() -> Race:
    """The lab's own target and start."""
    built = modes.build(modes.Settings())
    return Race(lambda: _ours(built), lambda: _peer(built))


def _ours(built: modes.Experiment) -> Array:
    rows = [
        (*each.means, *each.deviations, *each.divergences_nats, *each.others_nats)
        for each in built.run()
    ]
    return np.array(rows)


def _peer(built: modes.Experiment) -> Array:
    """Reverse divergence is descended, as the settings begin; both are read."""
    settings = built.settings
    z = np.linspace(-REACH, REACH, POINTS)
    weight = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    entropy = _entropy(built.target)
    logs = math.log(settings.start_deviation)
    places, rows = np.array([[mean, logs] for mean in built.start_means]), []
    for _ in range(built.length):
        reverse, slope = _reverse(built.target, places, z, weight)
        forward = _forward(built.target, places, entropy)
        if not (np.isfinite(places).all() and np.isfinite(slope).all()):
            raise RuntimeError("expected finite numbers at every step")
        means, deviations = places[:, 0].tolist(), np.exp(places[:, 1]).tolist()
        rows.append([*means, *deviations, *reverse.tolist(), *forward.tolist()])
        places = places - settings.learning_rate * slope
    return np.array(rows)


def _reverse(
    target: gaussians.TwoHumps, places: Array, z: Array, weight: Array
) -> tuple[Array, Array]:
    """KL(q‖p) by integration, and its slope in mean and log deviation."""
    offset, variance = target.offset, target.deviation**2
    moved = np.exp(places[:, 1:]) * z
    x = places[:, :1] + moved
    score = (offset * np.tanh(offset * x / variance) - x) / variance
    expected = _log_density(target, x) @ weight
    slope = np.stack([-(score @ weight), -1 - (score * moved) @ weight], axis=1)
    return -(math.log(2 * math.pi) + 1) / 2 - places[:, 1] - expected, slope


def _forward(target: gaussians.TwoHumps, places: Array, entropy: float) -> Array:
    """KL(p‖q) in closed form."""
    mean, logs = places.T
    second = target.offset**2 + target.deviation**2 + mean**2
    crossed: Array = math.log(2 * math.pi) / 2 + logs + second / (2 * np.exp(2 * logs))
    return crossed - entropy


def _entropy(target: gaussians.TwoHumps) -> float:
    edge = target.offset + REACH * target.deviation
    x = np.linspace(-edge, edge, 2 * POINTS - 1)
    log_p = _log_density(target, x)
    return -float(np.trapezoid(np.exp(log_p) * log_p, x))


def _log_density(target: gaussians.TwoHumps, x: Array) -> Array:
    lead = 2 * target.offset * x / target.deviation**2
    softplus = np.maximum(lead, 0.0) + np.log1p(np.exp(-np.abs(lead)))
    lower = -(((x + target.offset) / target.deviation) ** 2) / 2
    found: Array = lower + softplus - math.log(2 * target.deviation) - math.log(2 * math.pi) / 2
    return found
