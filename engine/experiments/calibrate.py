"""A model that is too sure in front of the learner, and the one number that mends it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine import calibration
from engine.calibration import Answers, Reliability
from engine.errors import DivergenceError
from engine.experiments import settings as common

_CURVE = 121  # temperatures at which the loss is drawn


@dataclass(frozen=True)
class Settings(common.Settings):
    """What a learner can set; everything else follows from it."""

    labels: Literal["drawn", "exact"] = "drawn"
    binning: Literal["mass", "width"] = "mass"
    overconfidence: float = 3.0
    questions: int = 2_000
    options: int = 4
    bins: int = 10
    start: float = 1.0
    steps: int = 20
    seed: int = 0

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "overconfidence": (0.2, 10.0),
        "questions": (50, 20_000),
        "options": (2, 10),
        "bins": (1, 30),
        "start": (0.1, 20.0),
        "steps": (1, 60),
        "seed": common.SEED,
    }


@dataclass(frozen=True)
class Bin:
    """One dot of a reliability diagram."""

    count: int
    stated: float  # mean confidence
    right: float  # share of first choices that are right
    low: float  # Wilson's 95% interval of that share
    high: float


@dataclass(frozen=True)
class Report:
    """How well the model's probabilities come true at one temperature, on one set of questions."""

    temperature: float
    bins: tuple[Bin, ...]  # those with a question in them
    ece: float
    squared_error: float | None  # the mean squared gap without its noise; None with a lone question
    log_loss_nats: float
    brier: float  # summed over options
    accuracy: float
    confidence: float  # mean


@dataclass(frozen=True)
class Step:
    """One moment of the fit; the second half of the questions is never fitted to."""

    index: int  # 0 at the start, then one more per update
    temperature: float
    loss_nats: float  # mean −log q on the half that is fitted
    slope_nats: float  # of that loss, per unit of log T
    test_loss_nats: float  # mean −log q on the other half
    ece: float  # on the other half
    accuracy: float  # on the other half; the same at every temperature


@dataclass(frozen=True, eq=False)
class Experiment:
    """Two halves of questions: one to fit the temperature on, one to see what it did."""

    settings: Settings
    fitted: Answers
    fresh: Answers
    best_temperature: float  # of least loss on the first half, by Newton's method in 1/T

    @property
    def length(self) -> int:
        """The records of a whole run: the start and one per step."""
        return self.settings.steps + 1

    def run(self) -> Iterator[Step]:
        """Fit log T by L-BFGS on the first half, and look at the second after each step.

        Raises:
            DivergenceError: on the way, if the temperature leaves the finite numbers.
        """
        steps = calibration.descend_temperature(
            self.fitted.logits,
            _labels(self.settings, self.fitted),
            start=self.settings.start,
            steps=self.settings.steps,
        )
        return map(self._step, range(self.length), steps)

    @property
    def true_temperature(self) -> float:
        """What the true logits were multiplied by: the best temperature with endless questions."""
        return self.settings.overconfidence

    def report(self, temperature: float) -> Report:
        """What the second half of the questions says about one temperature."""
        log_q = self.fresh.forecast(temperature)
        confidence, right = self.fresh.grade(log_q)
        found = self._reliability(confidence, right)
        lonely = bool((found.count < 2).any())
        return Report(
            temperature=temperature,
            bins=_bins(found),
            ece=found.ece,
            squared_error=None if lonely else found.squared_debiased,
            log_loss_nats=calibration.log_loss(log_q, self.fresh.right).mean().item(),
            brier=calibration.brier_loss(log_q, self.fresh.right).mean().item(),
            accuracy=right.mean().item(),
            confidence=confidence.mean().item(),
        )

    @cached_property
    def before(self) -> Report:
        """The second half at temperature 1, as the model came."""
        return self.report(1.0)

    @cached_property
    def truth(self) -> Report:
        """The second half at the true temperature: what is left is noise."""
        return self.report(self.true_temperature)

    @cached_property
    def curve(self) -> list[tuple[float, float]]:
        """(temperature, loss in nats on the first half), evenly spaced in the logarithm of T."""
        labels = _labels(self.settings, self.fitted).exp()
        values = torch.logspace(-1, 1.5, _CURVE, dtype=torch.float64).tolist()
        tables = (torch.log_softmax(self.fitted.logits / each, dim=1) for each in values)
        return [
            (temperature, -(labels * log_q).sum(dim=1).mean().item())
            for temperature, log_q in zip(values, tables, strict=True)
        ]

    def _reliability(self, confidence: Tensor, right: Tensor) -> Reliability:
        mass = self.settings.binning == "mass"
        binning = calibration.equal_mass if mass else calibration.equal_width
        return calibration.reliability(confidence, right, binning(confidence, self.settings.bins))

    def _step(self, index: int, step: calibration.TemperatureStep) -> Step:
        # Past these, logits over T leave what a float can hold; NaN fails the test as well.
        if not 1e-6 < step.temperature < 1e6:
            raise DivergenceError(
                f"Expected a temperature between 1e-6 and 1e6, got {step.temperature:g} at step "
                f"{index}. Step {index - 1} was the last good one; start nearer to 1."
            )
        log_q = self.fresh.forecast(step.temperature)
        confidence, right = self.fresh.grade(log_q)
        return Step(
            index=index,
            temperature=step.temperature,
            loss_nats=step.loss_nats,
            slope_nats=step.slope_nats,
            test_loss_nats=torch.nn.functional.nll_loss(log_q, self.fresh.right).item(),
            ece=self._reliability(confidence, right).ece,
            accuracy=right.mean().item(),
        )


def build(settings: Settings) -> Experiment:
    """Build what the settings describe: a half of the questions to fit on, a half to test on.

    Raises:
        RangeError: the labels drawn have no best temperature, as happens with few questions.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    fitted, fresh = (
        calibration.overconfident_answers(
            settings.questions // 2,
            settings.options,
            factor=settings.overconfidence,
            generator=generator,
        )
        for _ in range(2)
    )
    best = calibration.fit_temperature(fitted.logits, _labels(settings, fitted))
    return Experiment(settings, fitted, fresh, best)


def _labels(settings: Settings, answers: Answers) -> Tensor:
    """What the temperature is fitted to, log-probabilities (questions, options)."""
    return answers.truth if settings.labels == "exact" else answers.labels


def _bins(found: Reliability) -> tuple[Bin, ...]:
    columns = (found.count, found.stated, found.came_true, found.low, found.high)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return tuple(Bin(int(count), *rest) for count, *rest in rows)
