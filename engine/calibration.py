"""Whether stated probabilities come true: proper scores, reliability, ECE, temperature scaling.

Forecasts over several outcomes are tables of log-probabilities (forecasts, outcomes). Reliability
and ECE look at one probability per forecast, that of the answer given, and at whether it came true.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import torch
from torch import Tensor

from engine import guards, optimizers
from engine.errors import RangeError

Z_95 = 1.959963984540054  # the standard normal's 97.5% quantile

_NEWTON_STEPS = 60
_LBFGS_STEPS = 60
# A slope this small, beside the mean size of a logit, is rounding.
_FLAT = 1e-13


def log_loss(
    log_q: Tensor,  # (forecasts, outcomes), log-probabilities
    happened: Tensor,  # (forecasts,), which outcome came, counted from 0
) -> Tensor:  # (forecasts,) nats, 0 at best; +inf where the outcome had been ruled out
    """The logarithmic score as a loss, −log q of what happened (Gneiting and Raftery 2007).

    Raises:
        RangeError: a row does not sum to one, or an outcome is not in the table.
        ShapeError: the table is not one of floating-point numbers, or lengths disagree.
    """
    _check_forecasts(log_q, happened)
    return -log_q.gather(1, happened.unsqueeze(1)).squeeze(1)


def brier_loss(
    log_q: Tensor,  # (forecasts, outcomes), log-probabilities
    happened: Tensor,  # (forecasts,), which outcome came, counted from 0
) -> Tensor:  # (forecasts,), from 0 to 2
    """Squared distance of the forecast from what happened, summed over all outcomes (Brier 1950).

    With two outcomes it is twice the squared error of one of them, the form many texts use.

    Raises:
        RangeError: a row does not sum to one, or an outcome is not in the table.
        ShapeError: the table is not one of floating-point numbers, or lengths disagree.
    """
    _check_forecasts(log_q, happened)
    truth = torch.nn.functional.one_hot(happened, log_q.shape[1])
    return (log_q.exp() - truth).square().sum(dim=1)


def spherical_loss(
    log_q: Tensor,  # (forecasts, outcomes), log-probabilities
    happened: Tensor,  # (forecasts,), which outcome came, counted from 0
) -> Tensor:  # (forecasts,), from 0 to 1
    """One minus the spherical score q_i/‖q‖ of what happened (Gneiting and Raftery 2007).

    The square of q sums to at least 1/N, so the norm is never zero.

    Raises:
        RangeError: a row does not sum to one, or an outcome is not in the table.
        ShapeError: the table is not one of floating-point numbers, or lengths disagree.
    """
    _check_forecasts(log_q, happened)
    q = log_q.exp()
    return 1 - q.gather(1, happened.unsqueeze(1)).squeeze(1) / q.square().sum(dim=1).sqrt()


def absolute_loss(
    log_q: Tensor,  # (forecasts, outcomes), log-probabilities
    happened: Tensor,  # (forecasts,), which outcome came, counted from 0
) -> Tensor:  # (forecasts,), from 0 to 2
    """Absolute distance of the forecast from what happened, summed over outcomes: NOT proper.

    It is twice one minus the probability of what happened, the linear rule turned into a loss, and
    is least at certainty in the likeliest outcome. Kept to be shown beside the proper ones.

    Raises:
        RangeError: a row does not sum to one, or an outcome is not in the table.
        ShapeError: the table is not one of floating-point numbers, or lengths disagree.
    """
    _check_forecasts(log_q, happened)
    truth = torch.nn.functional.one_hot(happened, log_q.shape[1])
    return (log_q.exp() - truth).abs().sum(dim=1)


def equal_width(
    forecast: Tensor,  # (n,), probabilities
    bins: int,
) -> Tensor:  # (n,), the bin of each, from 0 to bins − 1
    """Bins that cut the range from 0 to 1 into equal parts; a forecast on an edge is in the upper.

    Raises:
        RangeError: a forecast lies outside 0 to 1, or there is no bin.
    """
    _check_probabilities(forecast)
    guards.count("bins", bins, least=1)
    # Ten times 0.7 is 7.000000000000001 and a hundred times 0.29 is 28.999999999999996.
    return (forecast * bins + 1e-9).floor().long().clamp(0, bins - 1)


def equal_mass(
    forecast: Tensor,  # (n,), probabilities
    bins: int,
) -> Tensor:  # (n,), the bin of each, from 0 to bins − 1
    """Bins that hold equally many forecasts; equal forecasts stay in one bin.

    Where many are equal, bins come out unequal: a tie cut in two by the order of the data would
    make the error depend on that order.

    Raises:
        RangeError: a forecast lies outside 0 to 1, or there is no bin.
    """
    _check_probabilities(forecast)
    guards.count("bins", bins, least=1)
    lower = torch.searchsorted(forecast.sort().values, forecast)  # how many are strictly below
    return lower * bins // forecast.numel()


@dataclass(frozen=True)
class Reliability:
    """One row per bin that is not empty: what was stated there and how often it came true."""

    count: Tensor  # (bins,)
    stated: Tensor  # (bins,), mean forecast
    came_true: Tensor  # (bins,), relative frequency

    @property
    def low(self) -> Tensor:
        """The lower ends of Wilson's 95% intervals of the frequencies, (bins,)."""
        return self._interval[0]

    @property
    def high(self) -> Tensor:
        """Their upper ends, (bins,)."""
        return self._interval[1]

    @cached_property
    def _interval(self) -> tuple[Tensor, Tensor]:
        return wilson(self.came_true * self.count, self.count)

    @property
    def ece(self) -> float:
        """Expected calibration error: the mean gap, weighted by count (Guo et al. 2017)."""
        gap = (self.came_true - self.stated).abs()
        return (gap * self.count).sum().item() / self.count.sum().item()

    @property
    def squared(self) -> float:
        """The mean squared gap, weighted by count; noise alone makes it larger than the truth."""
        return self._mean_square(torch.zeros_like(self.count))

    @property
    def squared_debiased(self) -> float:
        """The same less the noise of each bin's frequency, f(1 − f)/(n − 1) (Kumar et al. 2019).

        Right on average where all forecasts of a bin are alike, and so at times below zero.

        Raises:
            RangeError: a bin holds one forecast, whose noise nobody can see.
        """
        if bool((self.count < 2).any()):
            raise RangeError.expected(
                "at least two forecasts in each bin", got="one", advice="Use fewer bins."
            )
        return self._mean_square(self.came_true * (1 - self.came_true) / (self.count - 1))

    def _mean_square(self, noise: Tensor) -> float:
        gap = (self.came_true - self.stated).square() - noise
        return (gap * self.count).sum().item() / self.count.sum().item()


def reliability(
    forecast: Tensor,  # (n,), probabilities
    came_true: Tensor,  # (n,), 1 or 0
    bin_of: Tensor,  # (n,), from `equal_width` or `equal_mass`
) -> Reliability:
    """What a reliability diagram shows (Guo et al. 2017), with Wilson's intervals.

    Raises:
        ShapeError: the three differ in length.
        RangeError: a forecast lies outside 0 to 1.
    """
    guards.same_shape(forecast=forecast, came_true=came_true, bin_of=bin_of)
    _check_probabilities(forecast)
    count = torch.bincount(bin_of).to(forecast.dtype)
    hits = torch.bincount(bin_of, weights=came_true.to(forecast.dtype))
    stated = torch.bincount(bin_of, weights=forecast)
    full = count > 0
    count, hits, stated = count[full], hits[full], stated[full]
    return Reliability(count, stated / count, hits / count)


def wilson(
    hits: Tensor,  # (bins,), from 0 to trials
    trials: Tensor,  # (bins,), at least 1
    *,
    z: float = Z_95,
) -> tuple[Tensor, Tensor]:  # lower and upper end, (bins,) each
    """Wilson's interval for a probability (Brown, Cai and DasGupta 2001).

    All rates p with |hits/n − p| at most z standard errors, the error taken at p itself.
    """
    rate, square = hits / trials, z**2 / trials
    center = rate + square / 2
    half = (rate * (1 - rate) * square + (square / 2).square()).sqrt()
    low, high = (center - half) / (1 + square), (center + half) / (1 + square)
    return low.clamp_min(0), high.clamp_max(1)


def fit_temperature(
    logits: Tensor,  # (questions, options)
    truth: Tensor,  # (questions, options), log-probabilities; 0 and −inf where one label is known
) -> float:  # the temperature T, above zero
    """The T at which softmax(logits / T) gives the labels the highest likelihood (Guo et al. 2017).

    Newton's method in 1/T, in which the loss is convex.

    Raises:
        RangeError: no finite T above zero is best: the logits rank the labels no better than
            chance, or every label is already the first choice.
        ShapeError: the tables are not of one shape.
    """
    labels = _labels(logits, truth)
    start = torch.ones(1, dtype=logits.dtype)
    surface = partial(_Likelihood, logits=logits, labels=labels)
    flat = _FLAT * logits.abs().mean().item()
    for point in optimizers.newton(surface, start, _NEWTON_STEPS):
        inverse = point.parameters.item()
        if abs(point.gradient.item()) <= flat:
            break
    return 1 / inverse


class TemperatureStep(NamedTuple):
    """One moment of a fit of the temperature."""

    temperature: float  # above zero
    loss_nats: float  # mean −log q of the labels
    slope_nats: float  # of the loss, per unit of log T


def descend_temperature(
    logits: Tensor,  # (questions, options)
    truth: Tensor,  # (questions, options), log-probabilities; 0 and −inf where one label is known
    *,
    start: float = 1.0,  # the first T, above zero
    steps: int = 30,
) -> Iterator[TemperatureStep]:
    """The same fit by L-BFGS, step by step: `steps` + 1 moments, the first at the start.

    In log T, so that T stays above zero. The loss falls to one minimum there and rises again.

    Raises:
        RangeError: no finite T above zero is best, or the start is not above zero.
        ShapeError: the tables are not of one shape.
    """
    guards.count("steps", steps, least=0)
    guards.positive("the first temperature", start, advice="1 leaves the logits as they are.")
    surface = partial(_TemperatureLoss, logits=logits, labels=_labels(logits, truth))
    place = torch.tensor([math.log(start)], dtype=logits.dtype)
    return _temperature_steps(optimizers.lbfgs(surface, place, steps))


def fit_temperature_by_lbfgs(
    logits: Tensor,  # (questions, options)
    truth: Tensor,  # (questions, options), log-probabilities; 0 and −inf where one label is known
) -> float:  # the temperature T, above zero
    """The best temperature by L-BFGS on the likelihood of the labels (Guo et al. 2017).

    Raises:
        RangeError: no finite T above zero is best.
        ShapeError: the tables are not of one shape.
    """
    flat = _FLAT * logits.abs().mean().item()
    for step in descend_temperature(logits, truth, steps=_LBFGS_STEPS):
        if abs(step.slope_nats) * step.temperature <= flat:
            break
    return step.temperature


@dataclass(frozen=True)
class Answers:
    """Questions whose true probabilities are known, and a model that overstates them."""

    logits: Tensor  # (questions, options), the model's
    truth: Tensor  # (questions, options), log-probabilities of the right answer
    right: Tensor  # (questions,), the right answer, drawn from the truth

    @property
    def labels(self) -> Tensor:
        """The right answers as log-probabilities, 0 for the right one and −inf for the others."""
        return torch.nn.functional.one_hot(self.right, self.logits.shape[1]).double().log()

    def graded(self, temperature: float) -> tuple[Tensor, Tensor]:
        """The model's confidence in its first choice, and 1 where that is right, (questions,)."""
        return self.grade(self.forecast(temperature))

    def forecast(self, temperature: float) -> Tensor:
        """The model's log-probabilities at a temperature, (questions, options)."""
        return torch.log_softmax(self.logits / temperature, dim=1)

    def grade(self, log_q: Tensor) -> tuple[Tensor, Tensor]:
        """The same as `graded`, of log-probabilities (questions, options)."""
        log_confidence, choice = log_q.max(dim=1)
        return log_confidence.exp(), (choice == self.right).double()


def overconfident_answers(
    questions: int,
    options: int,
    *,
    factor: float,  # what the true logits are multiplied by
    generator: torch.Generator,
) -> Answers:
    """A world in which the best temperature is the factor.

    True logits are normal with a standard deviation of 1.5.

    Raises:
        RangeError: there is no question, or only one option.
    """
    guards.count("questions", questions, least=1)
    guards.count("options", options, least=2)
    draws = torch.rand(questions, options + 1, dtype=torch.float64, generator=generator)
    logits = 1.5 * torch.special.ndtri(draws[:, :options].clamp(1e-12, 1 - 1e-12))
    truth = logits.log_softmax(dim=1)
    right = (draws[:, options:] > truth.exp().cumsum(dim=1)).sum(dim=1).clamp_max(options - 1)
    return Answers(factor * logits, truth, right)


@dataclass(frozen=True)
class _Likelihood:
    """The mean negative log-likelihood of labels as a function of 1/T."""

    parameters: Tensor  # (1,), one over the temperature
    logits: Tensor  # (questions, options)
    labels: Tensor  # (questions, options), probabilities

    @property
    def loss(self) -> float:
        """In nats per question."""
        return -torch.vdot(self.labels.flatten(), self._log_q.flatten()).item() / len(self.labels)

    @cached_property
    def gradient(self) -> Tensor:
        """Expected logit under the model minus that of the labels, in units of logit."""
        surplus = torch.vdot((self._log_q.exp() - self.labels).flatten(), self.logits.flatten())
        return (surplus / len(self.labels)).reshape(1)

    def newton_direction(self) -> Tensor:
        """The second derivative is the variance of the logit under the model."""
        model = self._log_q.exp()
        mean = (model * self.logits).sum(dim=1, keepdim=True)
        variance = (model * (self.logits - mean).square()).sum(dim=1).mean()
        return -self.gradient / variance.clamp_min(torch.finfo(variance.dtype).tiny)

    @cached_property
    def _log_q(self) -> Tensor:
        return torch.log_softmax(self.parameters * self.logits, dim=1)


@dataclass(frozen=True)
class _TemperatureLoss:
    """The same loss as a function of log T."""

    parameters: Tensor  # (1,), the logarithm of the temperature
    logits: Tensor  # (questions, options)
    labels: Tensor  # (questions, options), probabilities

    @cached_property
    def loss(self) -> float:
        """In nats per question."""
        return self._inverse.loss

    @cached_property
    def gradient(self) -> Tensor:
        """In nats per unit of log T: d(1/T) = −(1/T) d(log T)."""
        return -self._inverse.parameters * self._inverse.gradient

    def newton_direction(self) -> Tensor:
        """The step in 1/T, expressed to first order in log T."""
        return -self._inverse.newton_direction() / self._inverse.parameters

    @cached_property
    def _inverse(self) -> _Likelihood:
        return _Likelihood((-self.parameters).exp(), self.logits, self.labels)


def _temperature_steps(points: Iterator[optimizers.Point]) -> Iterator[TemperatureStep]:
    for point in points:
        temperature = math.exp(point.parameters.item())
        yield TemperatureStep(temperature, point.loss, point.gradient.item())


def _labels(logits: Tensor, truth: Tensor) -> Tensor:
    """The labels as probabilities, once they are known to have a best temperature."""
    guards.table(logits=logits, truth=truth)
    guards.finite("logits", logits)
    guards.log_probabilities("truth", truth)
    labels = truth.exp()
    _check_ranking(logits, labels)
    return labels


def _check_ranking(logits: Tensor, labels: Tensor) -> None:
    """A best T exists if the labels beat chance and not all of them are first choices."""
    chosen = (labels * logits).sum(dim=1).mean().item()
    chance, most = logits.mean().item(), logits.amax(dim=1).mean().item()
    if not chance < chosen < most - 1e-12 * abs(most):
        raise RangeError.expected(
            "logits that rank the labels better than chance and not perfectly",
            got=f"a mean label logit of {chosen:.6g}, between {chance:.6g} and {most:.6g}",
            advice="Fit the temperature on more labels that the model was not trained on.",
        )


def _check_forecasts(log_q: Tensor, happened: Tensor) -> None:
    guards.table(log_q=log_q)
    guards.log_probabilities("log_q", log_q)
    guards.same_shape(forecasts=log_q[:, 0], happened=happened)
    least, most = torch.aminmax(happened)
    if least.item() < 0 or most.item() >= log_q.shape[1]:
        raise RangeError.expected(
            f"outcomes from 0 to {log_q.shape[1] - 1}",
            got=f"{least.item()} to {most.item()}",
            advice="Count outcomes from 0.",
        )


def _check_probabilities(forecast: Tensor) -> None:
    guards.floating(forecast=forecast)
    if forecast.numel() == 0 or not _within_one(forecast):
        raise RangeError.expected(
            "probabilities from 0 to 1, at least one",
            got=forecast.tolist() if forecast.numel() < 5 else "some outside",
            advice="Pass probabilities, not percents and not logarithms.",
        )


def _within_one(forecast: Tensor) -> bool:
    least, most = torch.aminmax(forecast)
    return least.item() >= 0 and most.item() <= 1  # false for NaN, too
