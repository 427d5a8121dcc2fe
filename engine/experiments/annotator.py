"""One's own comparisons of eight texts, made into a reward and into a policy trained by DPO."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal

import torch

from engine import annotation, on_policy, preferences, train
from engine.annotation import Comparison, Fit, Foresight, Reading, Triads
from engine.errors import RangeError
from engine.experiments import settings as common
from engine.policies import Tabular
from engine.preferences import Pairs, World

ITEMS = 8
LEAST = 12  # comparisons: three of each text
_NUMBER, _WORD = re.compile(r"\d+"), re.compile(r"[a-z']+")


@dataclass(frozen=True)
class Settings(common.Settings):
    """What a learner can set. `choices` is winner and loser of each comparison: "07 31 ..."."""

    choices: str = ""
    labels: Literal["fitted", "said"] = "fitted"
    beta: float = 1.0
    steps: int = 150

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "beta": (0.1, 5.0),
        "steps": (1, 300),
    }


@dataclass(frozen=True)
class Step:
    """A moment of training on the comparisons."""

    index: int
    loss: float  # nats per comparison
    rewards: tuple[float, ...]  # (items,) β log(π/π_ref), sums to zero
    probabilities: tuple[float, ...]  # (items,)


@dataclass(frozen=True, eq=False)
class Experiment:
    """The comparisons, what they amount to, and the world that DPO is given."""

    settings: Settings
    comparisons: list[Comparison]
    features: Mapping[str, Sequence[float]] = field(default_factory=dict)  # (items,) each

    @property
    def length(self) -> int:
        """The records of a whole run: the start and one per step."""
        return self.settings.steps + 1

    @cached_property
    def fit(self) -> Fit:
        """The Bradley-Terry rewards of the texts with their standard errors."""
        return annotation.fit(self.comparisons, items=ITEMS)

    @cached_property
    def foresight(self) -> Foresight:
        """How often the other comparisons foretell the one left out."""
        return annotation.foresight(self.comparisons, self.fit)

    @cached_property
    def triads(self) -> Triads:
        """How many cycles of three there are."""
        return annotation.triads(self.comparisons, items=ITEMS)

    @cached_property
    def reading(self) -> Reading | None:
        """The fitted reward explained by what can be counted; None without features."""
        if not self.features:
            return None
        return annotation.read(self.fit, {name: list(at) for name, at in self.features.items()})

    @property
    def connected(self) -> bool:
        """Whether the comparisons say, directly or by way of others, how all texts compare."""
        return preferences.connected(annotation.pairs(self.comparisons), self._world)

    def run(self) -> Iterator[Step]:
        """Train a table by DPO from equal probabilities: `settings.steps` + 1 records.

        Raises:
            DivergenceError: on the way, if undisputed comparisons drive the policy too far.
        """
        beta, world = self.settings.beta, self._world
        trained = train.dpo(
            world,
            self._labels,
            policy=Tabular.at_reference(world),
            beta=beta,
            optimizer="adam",
            steps=self.settings.steps,
        )
        for block in on_policy.blocks(trained):
            policies = torch.cat([step.policy for step in block])
            rewards = annotation.implicit_reward(policies, world, beta=beta).tolist()
            shares = policies.exp().tolist()
            for step, loss, *row in zip(block, train.losses(block), rewards, shares, strict=True):
                yield Step(step.index, loss, *map(tuple, row))

    @cached_property
    def _world(self) -> World:
        return annotation.world(self.fit)

    @property
    def _labels(self) -> Pairs:
        if self.settings.labels == "said":
            return annotation.pairs(self.comparisons)
        return preferences.soft_pairs(self._world)


def build(settings: Settings, features: Mapping[str, Sequence[float]] | None = None) -> Experiment:
    """Build what the settings describe.

    Raises:
        RangeError: the choices cannot be read, or are too few.
    """
    comparisons = read(settings.choices)
    if len(comparisons) < LEAST:
        raise RangeError.expected(
            f"at least {LEAST} comparisons, three of each text",
            got=len(comparisons),
            advice="Compare some more, then run.",
        )
    return Experiment(settings, comparisons, features or {})


def schedule() -> list[tuple[int, int]]:
    """Every couple once, in seven rounds in which each text is met once; the left one first.

    The text that was on the left less often so far is put there.
    """
    couples: list[tuple[int, int]] = []
    lefts = [0] * ITEMS
    others = ITEMS - 1
    for turn in range(others):
        met = [(others, turn)]
        met += [((turn + at) % others, (turn - at) % others) for at in range(1, ITEMS // 2)]
        for couple in met:
            left, right = sorted(couple, key=lefts.__getitem__)
            lefts[left] += 1
            couples.append((left, right))
    return couples


def read(choices: str) -> list[Comparison]:
    """The comparisons in a text, in the order of `schedule`.

    Raises:
        RangeError: a comparison is not the one that was due.
    """
    found: list[Comparison] = []
    due = schedule()
    for at, word in enumerate(choices.split()):
        pair = (int(word[0]), int(word[1])) if re.fullmatch(r"[0-7]{2}", word) else (0, 0)
        if at >= len(due) or set(pair) != set(due[at]):
            raise RangeError.expected(
                "comparisons in the order in which they are asked, such as 70",
                got=word[:20],
                advice="Start over.",
            )
        found.append(pair)
    return found


def count(texts: Sequence[str], listed: Mapping[str, Sequence[str]]) -> dict[str, list[float]]:
    """Words and numerals of each text, and how many of its words are on each list."""
    words = [_WORD.findall(text.lower()) for text in texts]
    return {
        "length": [float(len(text.split())) for text in texts],
        "numerals": [float(len(_NUMBER.findall(text))) for text in texts],
        **{
            name: [float(sum(word in on for word in each)) for each in words]
            for name, on in listed.items()
        },
    }
