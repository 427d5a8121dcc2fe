"""Preference losses of a margin in bare NumPy, each with its slope worked out by hand.

A margin h moves both log-ratios apart from the reference, by h/2 each.
"""

import math
from collections.abc import Callable

import numpy as np

from engine.margins import Setting
from tests.bench.labs.arrays import Array

Both = tuple[Array, Array]  # a loss at margins and its slope there
Loss = Callable[[Array, Setting], Both]


def _softplus(x: Array) -> Array:
    found: Array = np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))
    return found


def _sigmoid(x: Array) -> Array:
    found: Array = 1 / (1 + np.exp(-x))
    return found


def _logistic(share: float, against: float, factor: float = 1.0) -> Loss:
    """Minus log σ of the margin, times a share, and of the opposite one, times another."""

    def loss(h: Array, at: Setting) -> Both:
        beta = factor * at.beta
        right = _sigmoid(beta * h)
        value = share * _softplus(-beta * h) + against * _softplus(beta * h)
        return value, beta * (against * right - share * (1 - right))

    return loss


def _cdpo(h: Array, at: Setting) -> Both:
    return _logistic(1 - at.flip, at.flip)(h, at)


def _robust(h: Array, at: Setting) -> Both:
    clean = 1 - 2 * at.flip
    return _logistic((1 - at.flip) / clean, -at.flip / clean)(h, at)


def _exo(h: Array, at: Setting) -> Both:
    q, odds = _sigmoid(at.beta * h), math.log((1 - at.flip) / at.flip)
    log_q, log_other = -_softplus(-at.beta * h), -_softplus(at.beta * h)
    value = q * (log_q - math.log(1 - at.flip)) + (1 - q) * (log_other - math.log(at.flip))
    return value, at.beta * q * (1 - q) * (at.beta * h - odds)


def _ipo(h: Array, at: Setting) -> Both:
    gap = h - 1 / (2 * at.beta)
    return gap**2, 2 * gap


def _hinge(h: Array, at: Setting) -> Both:
    short = 1 - at.beta * h
    return np.maximum(short, 0.0), np.where(short > 0, -at.beta, 0.0)


def _slic(h: Array, at: Setting) -> Both:
    short = 1 / at.beta - h
    return np.maximum(short, 0.0), np.where(short > 0, -1.0, 0.0)


def _discopop(h: Array, at: Setting) -> Both:
    lead, steep = at.beta * h, 1 / 0.05
    blend, said, power = _sigmoid(steep * lead), _softplus(-lead), np.exp(-lead)
    bend = steep * blend * (1 - blend)
    slope = bend * (power - said) - (1 - blend) * _sigmoid(-lead) - blend * power
    return (1 - blend) * said + blend * power, at.beta * slope


def _kto(h: Array, at: Setting) -> Both:
    wrong = _sigmoid(-at.beta * h / 2)
    return 2 * wrong, -at.beta * wrong * (1 - wrong)


def _sppo(h: Array, at: Setting) -> Both:
    gap = h / 2 - 1 / (2 * at.beta)
    return 2 * gap**2, 2 * gap


def _apo_down(h: Array, at: Setting) -> Both:
    right, wrong = _sigmoid(at.beta * h / 2), _sigmoid(-at.beta * h)
    slope = at.beta * (right * (1 - right) / 2 - wrong * (1 - wrong))
    return right + wrong, slope


def _sft(h: Array, at: Setting) -> Both:
    return -(h / 2 + at.log_reference) / at.length, np.full_like(h, -1 / (2 * at.length))


def _simpo(h: Array, at: Setting) -> Both:
    beta = at.beta / at.length
    short = at.gamma - beta * h
    return _softplus(short), -beta * _sigmoid(short)


def _orpo(h: Array, at: Setting) -> Both:
    chosen, rejected = ((side * h / 2 + at.log_reference) / at.length for side in (1, -1))
    others = [1 - np.exp(each) for each in (chosen, rejected)]
    odds = chosen - np.log(others[0]) - rejected + np.log(others[1])
    pull = _sigmoid(-odds) * (1 / others[0] + 1 / others[1])
    value = -chosen + at.weight * _softplus(-odds)
    return value, -(1 + at.weight * pull) / (2 * at.length)


_dpo = _logistic(1.0, 0.0)
LOSSES: dict[str, Loss] = {
    "dpo": _dpo,
    "r_dpo": _dpo,  # responses are of one length
    "aot": _dpo,  # pairs are single
    "cdpo": _cdpo,
    "robust": _robust,
    "exo": _exo,
    "ipo": _ipo,
    "hinge": _hinge,
    "discopop": _discopop,
    "kto": _kto,  # the baseline is 0
    "apo_zero": _kto,
    "bco": _logistic(2.0, 0.0, 0.5),
    "nca": _logistic(1.5, 0.5, 0.5),
    "sppo": _sppo,
    "apo_down": _apo_down,
    "sft": _sft,
    "slic": _slic,
    "simpo": _simpo,
    "orpo": _orpo,
}
