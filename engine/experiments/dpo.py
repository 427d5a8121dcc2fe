"""DPO in front of the learner: one pair or a whole world, a table or shared features."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine import closed_form, optimizers, policies, preferences, train
from engine.experiments import settings as common
from engine.policies import Policy, SharedFeatures, Tabular
from engine.preferences import Pairs, World
from engine.train import Step

FEATURES = 3  # of the shared policy in a random world: too few to fit every response freely


@dataclass(frozen=True)
class Settings(common.Settings):
    """What a learner can set; everything else follows from it."""

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

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "beta": (0.02, 5.0),
        "prompts": (1, 64),
        "responses": (2, 16),
        "pairs": (1, 5_000),
        "steps": (1, 2_000),
        "seed": common.SEED,
    }


@dataclass(frozen=True, eq=False)
class Experiment:
    """The settings made into a world, its pairs and a policy at the reference."""

    settings: Settings
    world: World
    pairs: Pairs
    policy: Policy

    @property
    def length(self) -> int:
        """The records of a whole run: the start and one per step."""
        return self.settings.steps + 1

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


def build(settings: Settings) -> Experiment:
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
