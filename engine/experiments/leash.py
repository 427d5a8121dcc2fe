"""The leash: one objective, several ways up, and what a proxy's optimum is worth in gold.

Every world is a table of responses with a proxy reward, which is trained on, and a gold reward,
which is meant. In the Gaussian world responses are numbers y on a fine grid, and the policy has
one parameter, the mean; it stays a normal distribution of variance 1 all the way.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine import (
    best_of_n,
    closed_form,
    distributions,
    exact_ascent,
    on_policy,
    overoptimization,
    ppo,
    preferences,
    reinforce,
)
from engine.errors import DivergenceError
from engine.exact_ascent import Direction
from engine.experiments import settings as common
from engine.on_policy import Plan
from engine.policies import Policy, SharedFeatures, Tabular
from engine.ppo import Clipping
from engine.preferences import World

# The optimum is drawn for these β: from a tight leash to none to speak of.
BETAS = torch.logspace(1, -1.25, 121, dtype=torch.float64).tolist()
DRAWS = sorted({n for k in range(11) for n in (2**k, 3 * 2**k // 2) if 1 <= n <= 1024})
REPLIES = ("plain", "careful", "flattery")
RANDOM_SIZE = (8, 8)  # prompts, responses
PROXY_ERROR = 1.0  # standard deviation of proxy minus gold in the random world

# Numbers on offer in the Gaussian world: far enough for a mean of 20, and so fine that sums over
# equal steps are integrals to all digits.
GRID = torch.linspace(-8.0, 28.0, 181, dtype=torch.float64)
# For the largest of many draws, whose distribution is narrow.
FINE_GRID = torch.linspace(-10.0, 10.0, 2001, dtype=torch.float64).unsqueeze(0)
FARTHEST_MEAN = 22.0  # beyond it the grid would cut the policy off
LOWEST_MEAN = -4.0


@dataclass(frozen=True)
class Settings(common.Settings):
    """What a learner can set; everything else follows from it."""

    world: Literal["replies", "gaussian", "random"] = "replies"
    algorithm: Literal["gradient", "natural", "reinforce", "ppo"] = "gradient"
    beta: float = 0.25
    rate: float = 1.0
    steps: int = 200
    draws: int = 64
    epochs: int = 4
    clip: float = 0.2
    curvature: float = 0.25
    seed: int = 0

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "beta": (0.05, 5.0),
        "rate": (0.01, 5.0),
        "steps": (1, 1_000),
        "draws": (1, 512),
        "epochs": (1, 8),
        "clip": (0.05, 1.0),
        "curvature": (0.05, 1.0),
        "seed": common.SEED,
    }


@dataclass(frozen=True)
class Spot:
    """A policy's place between divergence and reward, means over prompts."""

    kl_nats: float  # KL(π‖π_ref)
    proxy: float
    gold: float
    at: float  # the β of an optimum, the n of best-of-n


@dataclass(frozen=True, eq=False)
class Step(on_policy.Step):
    """A moment of training; `reward` is the proxy's."""

    @property
    def gold(self) -> float:
        """The mean gold reward Σ π gold, in units of reward."""
        return self.further[0]

    @property
    def spot(self) -> Spot:
        """Its place in the plane that the closed forms are drawn in; `at` is the step."""
        return Spot(self.kl_to_reference_nats, self.reward, self.gold, self.index)


@dataclass(frozen=True, eq=False)
class Experiment:
    """A world with two rewards and a policy at the reference."""

    settings: Settings
    world: World  # its reward is the proxy's
    gold: Tensor  # (prompts, responses)
    policy: Policy

    @property
    def length(self) -> int:
        """The records of a whole run: the start and one per step."""
        return self.settings.steps + 1

    @property
    def labels(self) -> tuple[str, ...]:
        """The responses by name, where they have one."""
        return REPLIES if self.settings.world == "replies" else ()

    def run(self) -> Iterator[Step]:
        """Climb from the reference: the start, then a record per step.

        Raises:
            DivergenceError: on the way, if steps overshoot further and further.
        """
        last: Step | None = None
        for step in _ALGORITHMS[self.settings.algorithm](self):
            now = Step(**vars(step))
            if self.settings.world == "gaussian":
                check_mean(now.reward, now.index, last)  # the proxy is the number itself
            yield now
            last = now

    def gold_of(self, policy: Tensor) -> float:
        """The mean gold reward of a table of log-probabilities."""
        return torch.dot(policy.exp().flatten(), self.gold.flatten()).item() / len(policy)

    @cached_property
    def best(self) -> float:
        """The objective's maximum, the mean of β log Z over prompts, in units of reward."""
        found = closed_form.optimal_value(self.world.reward, self.world.reference, beta=self._beta)
        return float(found.mean())

    @cached_property
    def optimum(self) -> Spot:
        """Where the closed-form optimum lies at the β that is set."""
        return self.optimum_at(self._beta)

    def optimum_at(self, beta: float) -> Spot:
        """Where the closed-form optimum of any β lies."""
        policy = closed_form.optimal_policy(self.world.reward, self.world.reference, beta=beta)
        return self._spot(policy, beta)

    @cached_property
    def curve(self) -> list[Spot]:
        """The closed-form optimum as β falls: the way along which the proxy is optimized."""
        return [self.optimum_at(beta) for beta in BETAS]

    @cached_property
    def peak(self) -> Spot:
        """The optimum with the most gold, among all β."""
        if self.settings.world == "gaussian":
            spent = overoptimization.divergence_at_peak(curvature=self.settings.curvature)
            return self.optimum_at((2 * spent) ** -0.5)
        return self._refined(max(range(len(BETAS)), key=lambda i: self.curve[i].gold))

    @cached_property
    def best_of_n(self) -> list[Spot]:
        """What is kept of n draws from the reference, for n from 1 to 1024."""
        if self.settings.world == "gaussian":
            return [_kept_number(n, self.settings.curvature) for n in DRAWS]
        reward, reference = self.world.reward, self.world.reference
        kept = {n: best_of_n.policy(reward, reference, draws=n) for n in DRAWS}
        return [self._spot(policy, n) for n, policy in kept.items()]

    def probabilities(self, step: Step, *, prompt: int = 0) -> dict[str, list[float]]:
        """Reference, policy and closed-form optimum of one prompt, (responses,) each."""
        optimum = on_policy.best(self.world, self._beta)
        tables = {"reference": self.world.reference, "policy": step.policy, "optimum": optimum}
        return {name: table[prompt].exp().tolist() for name, table in tables.items()}

    @property
    def _beta(self) -> float:
        return self.settings.beta

    def _spot(self, policy: Tensor, at: float) -> Spot:
        divergence = float(distributions.kl(policy, self.world.reference).mean())
        proxy = float((policy.exp() * self.world.reward).sum(dim=-1).mean())
        return Spot(divergence, proxy, self.gold_of(policy), at)

    def _refined(self, near: int) -> Spot:
        """Golden-section search between the neighbors of one β of the curve, in log β."""
        high, low = BETAS[max(near - 1, 0)], BETAS[min(near + 1, len(BETAS) - 1)]
        for _ in range(40):
            left, right = low * (high / low) ** 0.382, low * (high / low) ** 0.618
            better_left = self.optimum_at(left).gold > self.optimum_at(right).gold
            low, high = (low, right) if better_left else (left, high)
        return self.optimum_at((low * high) ** 0.5)


def build(settings: Settings) -> Experiment:
    """Build what the settings describe."""
    return _WORLDS[settings.world](settings)


def _replies(settings: Settings) -> Experiment:
    reference = torch.tensor([[0.6, 0.39, 0.01]], dtype=torch.float64).log()
    proxy, gold = torch.tensor([[[1, 2, 3]], [[1, 2, 0]]], dtype=torch.float64)
    world = World(proxy, reference)
    return Experiment(settings, world, gold, Tabular.at_reference(world))


def _gaussian(settings: Settings) -> Experiment:
    numbers = GRID.unsqueeze(0)
    world = World(numbers, torch.log_softmax(-(numbers**2) / 2, dim=-1))
    gold = numbers - settings.curvature * numbers**2
    return Experiment(settings, world, gold, SharedFeatures(numbers.unsqueeze(2), world.reference))


def _random(settings: Settings) -> Experiment:
    generator = torch.Generator().manual_seed(settings.seed)
    world = preferences.world(*RANDOM_SIZE, generator=generator)
    error = torch.randn(RANDOM_SIZE, generator=generator, dtype=torch.float64)
    proxy = replace(world, reward=world.reward + PROXY_ERROR * error)
    return Experiment(settings, proxy, world.reward, Tabular.at_reference(world))


def _kept_number(draws: int, curvature: float) -> Spot:
    """The largest of n normal numbers: no two ever tie, so the divergence is the bound itself."""
    reference = torch.log_softmax(-(FINE_GRID**2) / 2, dim=-1)
    share = best_of_n.policy(FINE_GRID, reference, draws=draws).exp()
    proxy, square = (float((share * FINE_GRID**power).sum()) for power in (1, 2))
    return Spot(best_of_n.bound(draws), proxy, proxy - curvature * square, draws)


_WORLDS = {"replies": _replies, "gaussian": _gaussian, "random": _random}


def _plan(experiment: Experiment) -> Plan:
    settings = experiment.settings
    generator = torch.Generator().manual_seed(settings.seed)
    further = (experiment.gold,)
    return Plan(settings.beta, settings.rate, settings.steps, settings.draws, generator, further)


def _exact(direction: Direction, experiment: Experiment) -> Iterator[on_policy.Step]:
    plan = _plan(experiment)
    return exact_ascent.ascend(experiment.world, experiment.policy, plan, direction=direction)


def _reinforce(experiment: Experiment) -> Iterator[on_policy.Step]:
    return reinforce.ascend(experiment.world, experiment.policy, _plan(experiment))


def _ppo(experiment: Experiment) -> Iterator[on_policy.Step]:
    settings, plan = experiment.settings, _plan(experiment)
    clipping = Clipping(settings.epochs, settings.clip, settings.clip)
    # The rate is that of a whole batch: its epochs share it.
    plan = replace(plan, rate=settings.rate / settings.epochs)
    return ppo.ascend(experiment.world, experiment.policy, plan, clipping=clipping)


_ALGORITHMS: dict[str, Callable[[Experiment], Iterator[on_policy.Step]]] = {
    "gradient": partial(_exact, exact_ascent.gradient),
    "natural": partial(_exact, exact_ascent.natural_gradient),
    "reinforce": _reinforce,
    "ppo": _ppo,
}


def check_mean(mean: float, index: int, last: object = None) -> None:
    """Refuse a Gaussian policy that has left the numbers on offer.

    Raises:
        DivergenceError: its mean lies too far out; `last` is the last good record.
    """
    if not LOWEST_MEAN < mean < FARTHEST_MEAN:
        raise DivergenceError(
            f"Expected the mean to stay between {LOWEST_MEAN:g} and {FARTHEST_MEAN:g}, got "
            f"{mean:.3g} at step {index}. Step {index - 1} was the last good one. "
            "Take smaller steps, or a larger β.",
            last=last,
        )
