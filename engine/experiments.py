"""A DPO experiment described by plain numbers, as controls and addresses give them.

Settings in, a run out: the same settings give the same run to the last bit.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Literal, get_args, get_type_hints

import torch
from torch import Tensor

from engine import closed_form, optimizers, policies, preferences, train
from engine.errors import RangeError
from engine.policies import Policy, SharedFeatures, Tabular
from engine.preferences import Pairs, World
from engine.train import Step

FEATURES = 3  # of the shared policy in a random world: too few to fit every response freely
LIMITS = {
    "beta": (0.02, 5.0),
    "prompts": (1, 64),
    "responses": (2, 16),
    "pairs": (1, 5_000),
    "steps": (1, 2_000),
    "seed": (0, 2**31 - 1),
}


@dataclass(frozen=True)
class Settings:
    """What a learner can set; everything else follows from it.

    Raises:
        RangeError: a number out of its range, or a word that is not on offer.
    """

    data: Literal["pair", "world"] = "pair"
    policy: Literal["table", "shared"] = "table"
    labels: Literal["soft", "sampled", "deterministic"] = "soft"
    graph: Literal["complete", "chain", "islands"] = "complete"
    optimizer: Literal["gradient", "adam", "lbfgs", "newton"] = "gradient"
    beta: float = 0.1
    prompts: int = 8
    responses: int = 4
    pairs: int = 400
    steps: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        for name, offered in get_type_hints(type(self)).items():
            _check_word(name, getattr(self, name), get_args(offered))
        for name, (least, most) in LIMITS.items():
            _check_number(name, getattr(self, name), least, most)


@dataclass(frozen=True, eq=False)
class Experiment:
    """The settings made into a world, its pairs and a policy at the reference."""

    settings: Settings
    world: World
    pairs: Pairs
    policy: Policy

    def run(self) -> Iterator[Step]:
        """Train: `settings.steps` + 1 records, computed as they are asked for."""
        named = self.settings.optimizer
        optimizer = optimizers.gradient_descent if named == "gradient" else named
        settings = self.settings
        return train.dpo(
            self.world,
            self.pairs,
            policy=self.policy,
            beta=settings.beta,
            optimizer=optimizer,
            steps=settings.steps,
        )

    @cached_property
    def connected(self) -> bool:
        """Whether the pairs say how all responses compare."""
        return preferences.connected(self.pairs, self.world)

    @cached_property
    def bounded(self) -> bool:
        """Whether some finite policy fits the labels best; else the margin grows for ever."""
        return preferences.bounded(self.pairs, self.world)

    def probabilities(self, step: Step, *, prompt: int = 0) -> dict[str, list[float]]:
        """Reference, policy and closed-form optimum of one prompt, (responses,) each."""
        reference, reward = self.world.reference, self.world.reward
        optimum = closed_form.optimal_policy(reward, reference, beta=self.settings.beta)
        tables = {"reference": reference, "policy": step.policy, "optimum": optimum}
        return {name: table[prompt].exp().tolist() for name, table in tables.items()}

    def rewards(self, step: Step) -> list[tuple[int, float, float]]:
        """(prompt, true, implicit) reward of every response, each prompt's mean set to zero.

        Only differences within a prompt are determined by preferences.
        """
        implicit = closed_form.implicit_reward(
            step.policy, self.world.reference, beta=self.settings.beta
        )
        true, learnt = _centered(self.world.reward), _centered(implicit)
        return [
            (prompt, float(true[prompt, y]), float(learnt[prompt, y]))
            for prompt in range(self.world.prompts)
            for y in range(self.world.responses)
        ]


def experiment(settings: Settings) -> Experiment:
    """Build what the settings describe.

    Raises:
        EngineError: if the parts do not fit, such as islands of fewer than four responses.
    """
    if settings.data == "pair":
        world, pairs = preferences.displacement()
        return Experiment(settings, world, pairs, _pair_policy(settings, world))
    generator = torch.Generator().manual_seed(settings.seed)
    world = preferences.world(settings.prompts, settings.responses, generator=generator)
    pairs = _pairs(settings, world, generator)
    return Experiment(settings, world, pairs, _world_policy(settings, world, generator))


def from_numbers(values: dict[str, Any]) -> Settings:
    """Read settings from a record or an address, which may hold anything.

    Raises:
        RangeError: a value that is no setting or out of its range.
    """
    known: dict[str, type] = {each.name: type(each.default) for each in fields(Settings)}
    try:
        return Settings(**{name: known[name](value) for name, value in values.items()})
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, RangeError):
            raise
        raise RangeError(f"These are no settings of this lab: {error}.") from error


def as_numbers(settings: Settings) -> dict[str, Any]:
    """Return the settings as plain values, for a record or an address."""
    return asdict(settings)


def _pair_policy(settings: Settings, world: World) -> Policy:
    if settings.policy == "shared":
        return policies.displacement()
    return Tabular.at_reference(world)


def _world_policy(settings: Settings, world: World, generator: torch.Generator) -> Policy:
    if settings.policy == "shared":
        return SharedFeatures.random(world, FEATURES, generator=generator)
    return Tabular.at_reference(world)


def _pairs(settings: Settings, world: World, generator: torch.Generator) -> Pairs:
    graph = getattr(preferences, settings.graph)(world.responses)
    if settings.labels == "soft":
        return preferences.soft_pairs(world, graph)
    if settings.labels == "deterministic":
        return preferences.deterministic_pairs(world, graph)
    return preferences.sampled_pairs(world, settings.pairs, generator=generator, graph=graph)


def _centered(table: Tensor) -> Tensor:
    return table - table.mean(dim=-1, keepdim=True)


def _check_word(name: str, value: object, offered: tuple[object, ...]) -> None:
    if offered and value not in offered:
        words = ", ".join(map(str, offered))
        raise RangeError.expected(f"{name} to be one of {words}", got=value, advice="Choose one.")


def _check_number(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # false for NaN, too
        raise RangeError.expected(
            f"{name} between {least} and {most}", got=value, advice="Move it into that range."
        )
