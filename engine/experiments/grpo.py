"""GRPO on prompts of graded difficulty: whom the deviation favors, which groups stay silent.

To each prompt half of the answers are right and the rest wrong; the policy starts with a given
chance of being right, spread evenly over the right answers and over the wrong ones. A right
answer earns 1, a wrong one 0.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine import grpo, grpo_training, on_policy
from engine.errors import RangeError
from engine.experiments import settings as common
from engine.grpo_training import Grouped
from engine.on_policy import Plan
from engine.policies import Tabular
from engine.ppo import Clipping
from engine.preferences import World

MOST_PROMPTS = 12
CLIP = 0.2
# Success rates for which the pull is drawn.
RATES = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
_HALVINGS = 60


@dataclass(frozen=True)
class Settings(common.Settings):
    """What a learner can set; everything else follows from it."""

    group: int = 8
    deviation: Literal["on", "off"] = "on"
    clip: Literal["on", "off"] = "on"
    kl: float = 0.0
    rates: str = "0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98"
    answers: int = 8
    epochs: int = 2
    rate: float = 1.0
    steps: int = 150
    seed: int = 0

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "group": (2, 64),
        "kl": (0.0, 2.0),
        "answers": (2, 32),
        "epochs": (1, 8),
        "rate": (0.05, 5.0),
        "steps": (1, 500),
        "seed": common.SEED,
    }


@dataclass(frozen=True)
class Pull:
    """What a group of answers does on average to the log-odds of being right, by difficulty."""

    rate: float  # the chance of being right
    divided: float  # with division by the group's deviation
    centered: float  # without it: (1 − 1/G) times the slope
    slope: float  # of the success rate itself, p(1 − p)
    silent: float  # the chance that all answers of a group agree

    @property
    def favor(self) -> float:
        """What the division multiplies the pull by."""
        return self.divided / self.centered


@dataclass(frozen=True, eq=False)
class Step(on_policy.Step):
    """A moment of training; `reward` is the mean chance of being right."""

    solve_rates: tuple[float, ...] = ()  # one per prompt
    entropies_nats: tuple[float, ...] = ()  # of the answers to each prompt
    silent_chances: tuple[float, ...] = ()  # that a prompt's group is all right or all wrong

    @property
    def silent_share(self) -> float:
        """The expected share of groups that teach nothing."""
        return sum(self.silent_chances) / len(self.silent_chances)


@dataclass(frozen=True, eq=False)
class Experiment:
    """Prompts, and a policy that starts at the given success rates."""

    settings: Settings
    starts: tuple[float, ...]  # one success rate per prompt
    world: World

    @property
    def length(self) -> int:
        """The records of a whole run: the start and one per group."""
        return self.settings.steps + 1

    def run(self) -> Iterator[Step]:
        """Train: the start, then a record after each group and its epochs.

        Raises:
            DivergenceError: on the way, if steps overshoot further and further.
        """
        settings = self.settings
        rate = settings.rate / settings.epochs  # the epochs of a batch share it
        generator = torch.Generator().manual_seed(settings.seed)
        plan = Plan(settings.kl, rate, settings.steps, settings.group, generator)
        ascend = _ASCENTS[settings.deviation]
        grouped, policy = Grouped.single_tokens(self.world), Tabular.at_reference(self.world)
        for step in ascend(grouped, policy, plan, clipping=_clipping(settings)):
            yield self._read(step)

    @cached_property
    def pulls(self) -> list[Pull]:
        """The expected pull for every success rate from 0.01 to 0.99, by enumeration."""
        size = self.settings.group
        of_groups = (group_pulls(size, of) for of in _ADVANTAGES.values())
        divided, centered = (chances(RATES, size) @ of_group for of_group in of_groups)
        columns = (RATES, divided, centered, RATES * (1 - RATES), silent(RATES, size))
        return [Pull(*row) for row in torch.stack(columns, dim=1).tolist()]

    @cached_property
    def expected_path(self) -> list[tuple[float, ...]]:
        """Success rates per step if every step were its own mean, one epoch and no clipping.

        Right answers stay equally likely then, and so do wrong ones: a prompt is its log-odds.
        """
        starts = torch.tensor(self.starts, dtype=torch.float64)
        odds, path = starts.logit(), [self.starts]
        for _ in range(self.settings.steps):
            odds = odds + self.settings.rate * self._spread * self._push(odds.sigmoid(), starts)
            path.append(tuple(odds.sigmoid().tolist()))
        return path

    @cached_property
    def resting_rates(self) -> tuple[float, ...]:
        """Where pull and leash balance on average: each prompt's success rate in the end."""
        starts = torch.tensor(self.starts, dtype=torch.float64)
        low, high = starts, torch.ones_like(starts)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            rising = self._push(middle, starts) > 0
            low, high = torch.where(rising, middle, low), torch.where(rising, high, middle)
        return tuple(high.tolist())

    @property
    def entropy_at_best_nats(self) -> float:
        """The most entropy that a policy which is always right can have."""
        return math.log(self._right)

    @property
    def _right(self) -> int:
        return self.settings.answers // 2

    @property
    def _spread(self) -> float:
        """What a push on log-odds is multiplied by when it falls on several answers' logits."""
        return 1 / self._right + 1 / (self.settings.answers - self._right)

    def _push(self, rates: Tensor, starts: Tensor) -> Tensor:
        """The mean slope in the log-odds: the pull, less what k3 in the loss takes back."""
        pulled = chances(rates, self.settings.group) @ self._group_pulls
        return pulled - self.settings.kl * (rates - starts)

    @cached_property
    def _group_pulls(self) -> Tensor:
        return group_pulls(self.settings.group, _ADVANTAGES[self.settings.deviation])

    def _read(self, step: on_policy.Step) -> Step:
        share = step.share
        solved = (share * self.world.reward).sum(dim=-1).clamp_(0.0, 1.0)
        return Step(
            **vars(step),
            solve_rates=tuple(solved.tolist()),
            entropies_nats=tuple((share * step.policy).sum(dim=-1).neg().tolist()),
            silent_chances=tuple(silent(solved, self.settings.group).tolist()),
        )


def build(settings: Settings) -> Experiment:
    """Build what the settings describe.

    Raises:
        RangeError: the success rates are no list of numbers between 0 and 1.
    """
    starts = _rates(settings.rates)
    right = torch.zeros(settings.answers, dtype=torch.float64)
    right[: settings.answers // 2] = 1.0
    rate = torch.tensor(starts, dtype=torch.float64).unsqueeze(1)
    number = right.sum()
    share = right * rate / number + (1 - right) * (1 - rate) / (settings.answers - number)
    return Experiment(settings, starts, World(right.expand_as(share).clone(), share.log()))


def chances(rates: Tensor, size: int) -> Tensor:
    """The chance of each number of right answers in a group, (rates, size + 1)."""
    right = torch.arange(size + 1, dtype=torch.float64)
    ways = torch.lgamma(right + 1) + torch.lgamma(size - right + 1)
    rates = rates.unsqueeze(1)
    logs = torch.xlogy(right, rates) + torch.special.xlog1py(size - right, -rates)
    return torch.exp(logs + math.lgamma(size + 1) - ways)


def group_pulls(size: int, advantages_of: grpo.Advantages) -> Tensor:
    """What a group pulls, by its number of right answers, (size + 1,).

    Its advantages sum to zero, so the mean over its right answers alone says it all.
    """
    rewards, _ = grpo.groups(0.5, size)
    return (advantages_of(rewards) * rewards).mean(dim=-1)


def silent(rates: Tensor, size: int) -> Tensor:
    """The chance pᴳ + (1 − p)ᴳ that all answers of a group agree, (rates,)."""
    return rates**size + (1 - rates) ** size


_ASCENTS = {"on": grpo_training.ascend_grpo, "off": grpo_training.ascend_dr_grpo}
_ADVANTAGES: dict[str, grpo.Advantages] = {"on": grpo.advantages, "off": grpo.centered}


def _clipping(settings: Settings) -> Clipping:
    bound = CLIP if settings.clip == "on" else math.inf
    return Clipping(settings.epochs, bound, bound)


def _rates(text: str) -> tuple[float, ...]:
    try:
        rates = tuple(float(part) for part in text.split(","))
    except ValueError:
        rates = ()
    if not 1 <= len(rates) <= MOST_PROMPTS or not all(0 < rate < 1 for rate in rates):
        raise RangeError.expected(
            f"1 to {MOST_PROMPTS} success rates between 0 and 1, with commas between them",
            got=repr(text[:200]),
            advice="Write for example 0.1, 0.5, 0.9.",
        )
    return rates
