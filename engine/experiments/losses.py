"""Two preference losses on the same labels: where each pulls, and where training comes to rest.

Every prompt has two responses, so that a policy is one margin per prompt and its rest has a closed
form. Each loss is divided by its pull at margin 0. That moves no minimum, and all start equally
fast: up, but for DiscoPOP, which has a dent there and at first goes down.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import ClassVar, Literal

import torch

from engine import margins, optimizers, preferences
from engine.experiments import settings as common
from engine.margins import Curve, Setting
from engine.preferences import Pairs, World

Name = Literal[
    "dpo",
    "ipo",
    "cdpo",
    "robust",
    "exo",
    "hinge",
    "discopop",
    "r_dpo",
    "kto",
    "bco",
    "nca",
    "sppo",
    "apo_zero",
    "apo_down",
    "sft",
    "slic",
    "simpo",
    "orpo",
    "aot",
]

PROMPTS = 8
DRAWN_AS = {"aot": "dpo"}  # of a single pair they are the same
GRID = 161  # margins of a curve


@dataclass(frozen=True)
class Settings(common.Settings):
    """What a learner can set; everything else follows from it."""

    first: Name = "dpo"
    second: Name = "ipo"
    beta: float = 0.5  # IPO's τ, too
    labels: Literal["deterministic", "soft", "sampled"] = "deterministic"
    flip: float = 0.1  # what cdpo, robust and exo believe of the labels
    lead: float = 0.5  # SimPO's γ, units of reward
    pairs: int = 80
    rate: float = 0.05
    steps: int = 200
    seed: int = 0

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "beta": (0.05, 5.0),
        "flip": (0.01, 0.45),
        "lead": (0.0, 5.0),
        "pairs": (8, 2_000),
        "rate": (0.005, 0.5),
        "steps": (1, 400),
        "seed": common.SEED,
    }


@dataclass(frozen=True, eq=False)
class Step:
    """The same moment of both runs."""

    index: int
    first: margins.Step
    second: margins.Step


@dataclass(frozen=True)
class Spot:
    """Where a run stands on the curve of its loss."""

    margin: float  # nats
    value: float  # on the scale of `Experiment.curves`
    slope: float


@dataclass(frozen=True, eq=False)
class Experiment:
    """The settings made into a world with two responses each, and its labels."""

    settings: Settings
    world: World
    pairs: Pairs

    @property
    def length(self) -> int:
        """The records of a whole run: the start and one per step."""
        return self.settings.steps + 1

    @property
    def grid(self) -> list[float]:
        """The margins at which curves are drawn, nats: from −1/β to 3/β."""
        return (torch.linspace(-1.0, 3.0, GRID).double() / self.settings.beta).tolist()

    def run(self) -> Iterator[Step]:
        """Train both tables by plain gradient descent: `settings.steps` + 1 records.

        Raises:
            DivergenceError: on the way, if one of them runs away.
        """
        both = zip(self._train("first"), self._train("second"), strict=True)
        for first, second in both:
            yield Step(first.index, first, second)

    @cached_property
    def curves(self) -> list[Curve]:
        """Every loss over `grid`, as `scaled`."""
        return [self.scaled(name, self.grid) for name in margins.LOSSES]

    def scaled(self, name: str, at: Sequence[float]) -> Curve:
        """A loss less its value at margin 0, and its slope, both over its pull there."""
        drawn = DRAWN_AS.get(name, name)
        (curve,) = margins.curves([drawn], [0.0, *at], self._setting)
        start, pull = curve.value[0], abs(curve.slope[0])
        value = tuple((each - start) / pull for each in curve.value[1:])
        return Curve(name, value, tuple(each / pull for each in curve.slope[1:]))

    def spot(self, name: str, step: margins.Step) -> Spot:
        """Where a run is on its curve: at the mean margin of its labels."""
        here = self.scaled(name, [step.margin])
        return Spot(step.margin, here.value[0], here.slope[0])

    def rest(self, name: str) -> float | None:
        """The mean margin at which training ends, nats: ∞ if it never does, None if unknown here.

        Prompts that got no label do not count.
        """
        if name not in _RESTS:
            return None
        won = preferences.wins(self.pairs, self.world)
        for_first, for_second = won[:, 0, 1].tolist(), won[:, 1, 0].tolist()
        total = 0.0
        for yes, no in zip(for_first, for_second, strict=True):
            if yes != no:  # an even couple rests at 0
                lead = _RESTS[name](max(yes, no) / (yes + no), self._setting)
                total += abs(yes - no) * lead
        return total / float(won.sum())

    @property
    def _setting(self) -> Setting:
        chosen = self.settings
        return Setting(beta=chosen.beta, flip=chosen.flip, gamma=chosen.lead)

    def _train(self, which: Literal["first", "second"]) -> Iterator[margins.Step]:
        """Train by the loss over its pull at 0: `rate` nats in the first step if labels agree."""
        name = getattr(self.settings, which)
        (start,) = margins.curves([DRAWN_AS.get(name, name)], [0.0], self._setting)
        rate = self.settings.rate * PROMPTS / (2 * abs(start.slope[0]))
        optimizer = partial(optimizers.gradient_descent, learning_rate=rate)
        setting = (self._setting, optimizer)
        steps = self.settings.steps
        return margins.train(name, self.world, self.pairs, steps=steps, setting=setting)


def build(settings: Settings) -> Experiment:
    """Build what the settings describe.

    Raises:
        EngineError: if a loss cannot take these labels, such as aot the weighted ones.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    world = preferences.world(PROMPTS, 2, generator=generator)
    made = Experiment(settings, world, _LABELS[settings.labels](world, settings, generator))
    next(made.run())  # refused now rather than at the first record
    return made


def _logit(share: float) -> float:
    return math.inf if share >= 1 else math.log(share / (1 - share))


def _robust(share: float, at: Setting) -> float:
    return math.inf if share >= 1 - at.flip else _logit(_unflipped(share, at)) / at.beta


def _unflipped(share: float, at: Setting) -> float:
    """The share before a part of all labels was flipped."""
    return (share - at.flip) / (1 - 2 * at.flip)


def _flipped(share: float, at: Setting) -> float:
    """The share after a part of all labels was flipped."""
    return share * (1 - at.flip) + (1 - share) * at.flip


# Share of the labels for the response that has more of them -> its margin at the minimum, nats.
_RESTS: Mapping[str, Callable[[float, Setting], float]] = {
    "dpo": lambda share, at: _logit(share) / at.beta,
    "r_dpo": lambda share, at: _logit(share) / at.beta,  # responses are of one length
    "cdpo": lambda share, at: _logit(_flipped(share, at)) / at.beta,
    "robust": _robust,
    "ipo": lambda share, at: (2 * share - 1) / (2 * at.beta),
    "hinge": lambda _share, at: 1 / at.beta,
}
_LABELS: Mapping[str, Callable[[World, Settings, torch.Generator], Pairs]] = {
    "deterministic": lambda world, _settings, _generator: preferences.deterministic_pairs(world),
    "soft": lambda world, _settings, _generator: preferences.soft_pairs(world),
    "sampled": lambda world, settings, generator: preferences.sampled_pairs(
        world, settings.pairs, generator=generator
    ),
}
