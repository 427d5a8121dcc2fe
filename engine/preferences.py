"""Worlds with a known reward, and the preference pairs that a Bradley-Terry teacher gives in them.

A *graph* says which responses are ever compared: a tensor (edges, 2) of response indices, the
same for every prompt. `complete`, `chain` and `islands` make the three that matter.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from engine import guards
from engine.errors import PairsError, RangeError, ShapeError


@dataclass(frozen=True, eq=False)
class World:
    """The truth that training is held against: what responses are worth, and where policies start.

    Raises:
        ShapeError: the tables are not (prompts, responses) in float64, or a prompt has no choice.
        RangeError: a reward is not finite, a reference is zero somewhere or does not sum to one.
    """

    reward: Tensor  # (prompts, responses), finite, float64
    reference: Tensor  # (prompts, responses), log-probabilities, none −inf, float64

    def __post_init__(self) -> None:
        guards.table(reward=self.reward, reference=self.reference)
        _check_double(reward=self.reward, reference=self.reference)
        _check_choice(self.responses)
        guards.finite("reward", self.reward)
        _check_support(self.reference)
        guards.log_probabilities("reference", self.reference)

    @property
    def prompts(self) -> int:
        """The number of prompts."""
        return self.reward.shape[0]

    @property
    def responses(self) -> int:
        """The number of responses to each prompt."""
        return self.reward.shape[1]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Preferences, one per entry: at `prompt`, `chosen` was preferred to `rejected`.

    A weight is how often that was said; a soft label is two entries, one for each direction.

    Raises:
        PairsError: the list is empty, or compares a response with itself.
        ShapeError: the four tensors disagree in shape or type.
        RangeError: a weight is not a finite number above zero.
    """

    prompt: Tensor  # (pairs,), whole numbers
    chosen: Tensor  # (pairs,), whole numbers
    rejected: Tensor  # (pairs,), whole numbers
    weight: Tensor  # (pairs,), float64, above zero

    def __post_init__(self) -> None:
        guards.pairs_exist(self.prompt.numel())
        guards.same_shape(
            prompt=self.prompt, chosen=self.chosen, rejected=self.rejected, weight=self.weight
        )
        _check_indices(prompt=self.prompt, chosen=self.chosen, rejected=self.rejected)
        _check_weight(self.weight)
        if bool((self.chosen == self.rejected).any()):
            raise PairsError.expected(
                "two different responses in each pair",
                got="a response compared with itself",
                advice="Drop that pair: it says nothing.",
            )

    def __len__(self) -> int:
        return self.prompt.numel()

    @cached_property
    def share(self) -> Tensor:
        """The part of the whole weight that each pair has, (pairs,)."""
        return self.weight / self.weight.sum()

    def places(self, responses: int) -> Tensor:
        """Where chosen and rejected stand in a flattened table of so many a prompt, (2, pairs)."""
        return self.prompt * responses + torch.stack([self.chosen, self.rejected])


def world(prompts: int, responses: int, *, generator: torch.Generator) -> World:
    """A random world: standard normal rewards, and a reference with standard normal logits.

    Raises:
        RangeError: there is no prompt.
        ShapeError: there are fewer than two responses, so nothing to choose from.
    """
    guards.count("prompts", prompts, least=1)
    _check_choice(responses)
    reward = torch.randn(prompts, responses, generator=generator, dtype=torch.float64)
    logits = torch.randn(prompts, responses, generator=generator, dtype=torch.float64)
    return World(reward, torch.log_softmax(logits, dim=-1))


def displacement() -> tuple[World, Pairs]:
    """One prompt, three responses, one comparison: the setting of likelihood displacement.

    The third response, the worst by far, is never compared. With `policies.displacement` it ends
    up with all the probability (Razin et al. 2024, arXiv:2410.08847).
    """
    reward = torch.tensor([[1.0, 0.0, -3.0]], dtype=torch.float64)
    reference = torch.full((1, 3), 1 / 3, dtype=torch.float64).log()
    return World(reward, reference), one_pair()


def complete(responses: int) -> Tensor:
    """The graph that compares every response with every other: (edges, 2)."""
    return torch.triu_indices(responses, responses, offset=1).T


def chain(responses: int) -> Tensor:
    """The graph that compares each response with the next one only; still connected: (edges, 2)."""
    first = torch.arange(responses - 1)
    return torch.stack([first, first + 1], dim=1)


def islands(responses: int) -> Tensor:
    """Two complete graphs with no comparison between them; needs four responses: (edges, 2).

    Raises:
        RangeError: with fewer than four responses one island would have nothing to compare.
    """
    guards.count("the number of responses on two islands", responses, least=4)
    half = responses // 2
    return torch.cat([complete(half), complete(responses - half) + half])


def bradley_terry(
    reward_chosen: Tensor,  # any shape, finite
    reward_rejected: Tensor,  # the same shape
) -> Tensor:  # the same shape, probabilities
    """The probability σ(r_w − r_l) of preferring the first (Rafailov et al. 2023, eq. 1).

    Raises:
        ShapeError: the shapes disagree, or the rewards are whole numbers.
    """
    guards.floating(reward_chosen=reward_chosen, reward_rejected=reward_rejected)
    guards.same_shape(reward_chosen=reward_chosen, reward_rejected=reward_rejected)
    return torch.sigmoid(reward_chosen - reward_rejected)


def soft_pairs(world: World, graph: Tensor | None = None) -> Pairs:
    """Each compared couple in both directions, weighted by how often the teacher says so.

    No sampling noise: the two weights of a couple are its Bradley-Terry probabilities.

    Args:
        world: where to compare.
        graph: (edges, 2), which responses are compared; every couple when left out.

    Raises:
        PairsError: the graph is empty or names a response that the world does not have.
    """
    first, second = _ends(world, graph)
    margin = _margins(world, first, second)
    weight = torch.cat([margin, -margin], dim=1).sigmoid_()
    return _everywhere(world, torch.cat([first, second]), torch.cat([second, first]), weight)


def deterministic_pairs(world: World, graph: Tensor | None = None) -> Pairs:
    """Each compared couple once, the better response always chosen: a teacher who never errs.

    Equal rewards give half a pair in each direction.

    Args:
        world: where to compare.
        graph: (edges, 2), which responses are compared; every couple when left out.

    Raises:
        PairsError: the graph is empty or names a response that the world does not have.
    """
    first, second = _ends(world, graph)
    margin = _margins(world, first, second)
    weight = torch.heaviside(torch.cat([margin, -margin], dim=1), margin.new_tensor(0.5))
    return _everywhere(world, torch.cat([first, second]), torch.cat([second, first]), weight)


def sampled_pairs(
    world: World, count: int, *, generator: torch.Generator, graph: Tensor | None = None
) -> Pairs:
    """Pairs as a data set has them: a random couple, and one draw of the teacher's preference.

    Args:
        world: where to compare.
        count: how many pairs to draw, with replacement.
        generator: the only source of randomness.
        graph: (edges, 2), which responses are compared; every couple when left out.

    Raises:
        PairsError: no pairs are asked for, or the graph does not fit the world.
    """
    guards.pairs_exist(max(count, 0))
    first, second = _ends(world, graph)
    prompt = torch.randint(world.prompts, (count,), generator=generator)
    edge = torch.randint(len(first), (count,), generator=generator)
    first, second = first[edge], second[edge]
    agrees = bradley_terry(world.reward[prompt, first], world.reward[prompt, second])
    draw = torch.rand(count, generator=generator, dtype=torch.float64)
    chosen = torch.where(draw < agrees, first, second)
    return Pairs(prompt, chosen, first + second - chosen, torch.ones_like(draw))


def one_pair(*, prompt: int = 0, chosen: int = 0, rejected: int = 1) -> Pairs:
    """A single preference, said once."""
    weight = torch.ones(1, dtype=torch.float64)
    return Pairs(torch.tensor([prompt]), torch.tensor([chosen]), torch.tensor([rejected]), weight)


def wins(pairs: Pairs, world: World) -> Tensor:
    """All that a Bradley-Terry likelihood keeps of the pairs: how often i was preferred to j.

    Returns:
        (prompts, responses, responses): at [x, i, j] the total weight of i chosen over j.

    Raises:
        PairsError: a pair names a prompt or a response that the world does not have.
    """
    _check_range("prompt", pairs.prompt, world.prompts)
    _check_range("chosen", pairs.chosen, world.responses)
    _check_range("rejected", pairs.rejected, world.responses)
    size = world.responses
    place = torch.add(pairs.rejected, pairs.chosen, alpha=size).add_(pairs.prompt, alpha=size**2)
    total = torch.zeros(world.prompts * size * size, dtype=torch.float64)
    return total.scatter_add_(0, place, pairs.weight).view(world.prompts, size, size)


def reachable(links: Tensor) -> Tensor:
    """Which responses a walk along the links can join, each response with itself included.

    Args:
        links: (prompts, responses, responses), nonzero where a step leads from i to j.

    Returns:
        (prompts, responses, responses), true where j can be reached from i.
    """
    size = links.shape[-1]
    linked = links.to(torch.bool, copy=True)
    linked.diagonal(dim1=1, dim2=2).fill_(1)
    if bool(linked.all()):
        return linked
    walks, length = linked.double(), 1
    while length < size - 1:  # squaring doubles the length of the walks that are allowed
        walks = (walks @ walks).clamp_max(1.0)
        length *= 2
    return walks.bool()


def connected(pairs: Pairs, world: World) -> bool:
    """Whether comparisons join all responses of every prompt.

    If not, the preferences leave the policy undetermined: probability can move between the
    islands at no cost, and DPO ends wherever its start lets it.

    Raises:
        PairsError: a pair names a prompt or a response that the world does not have.
    """
    won = wins(pairs, world)
    return bool(reachable(won + won.mT).all())


def bounded(pairs: Pairs, world: World) -> bool:
    """Whether the DPO loss has a minimizer at finite margins (Ford 1957).

    It has one if, on every island, each response beats each other one, directly or through
    others. Deterministic preferences never allow it: their margins grow without bound.

    Raises:
        PairsError: a pair names a prompt or a response that the world does not have.
    """
    beats = reachable(wins(pairs, world))
    return bool((beats == beats.mT).all())


def _ends(world: World, graph: Tensor | None) -> tuple[Tensor, Tensor]:
    """The two ends of each edge, each (edges,); of every couple when there is no graph."""
    if graph is None:
        first, second = torch.triu_indices(world.responses, world.responses, offset=1)
        return first, second
    _check_graph(graph, world.responses)
    return graph[:, 0], graph[:, 1]


def _margins(world: World, first: Tensor, second: Tensor) -> Tensor:
    """True reward of the first minus that of the second, (prompts, edges)."""
    reward = world.reward.T.contiguous()  # whole rows are gathered faster than single numbers
    return (reward[first] - reward[second]).T.contiguous()


def _everywhere(world: World, chosen: Tensor, rejected: Tensor, weight: Tensor) -> Pairs:
    """The same comparisons at every prompt; weight: (prompts, comparisons), zeros left out."""
    ends = (torch.arange(world.prompts).unsqueeze(1), chosen, rejected)
    tables = (*(end.expand(weight.shape) for end in ends), weight)
    if weight.amin().item() > 0:
        return Pairs(*(table.reshape(-1) for table in tables))
    return Pairs(*(table[weight > 0] for table in tables))


def _check_double(**tensors: Tensor) -> None:
    for name, tensor in tensors.items():
        if tensor.dtype != torch.float64:
            raise ShapeError.expected(
                f"{name} in double precision (torch.float64)",
                got=tensor.dtype,
                advice="Convert it with .double(); single precision cannot show a KL below 1e-7.",
            )


def _check_choice(responses: int) -> None:
    if responses < 2:
        raise ShapeError.expected(
            "at least 2 responses to each prompt",
            got=responses,
            advice="Add a response: with one there is nothing to prefer.",
        )


def _check_support(reference: Tensor) -> None:
    if bool(torch.isneginf(reference).any()):
        raise RangeError.expected(
            "a reference above zero for every response",
            got="a response with probability 0",
            advice="Give it some probability or leave it out: its log-ratio is not defined.",
        )


def _check_graph(graph: Tensor, responses: int) -> None:
    if graph.ndim != 2 or graph.shape[1] != 2 or graph.dtype != torch.int64:
        raise ShapeError.expected(
            "a graph of shape (edges, 2) that holds whole numbers (torch.int64)",
            got=f"shape {tuple(graph.shape)} of {graph.dtype}",
            advice="Use complete(n), chain(n) or islands(n), or stack your own index couples.",
        )
    guards.pairs_exist(len(graph))
    _check_range("the graph", graph, responses)


def _check_indices(**tensors: Tensor) -> None:
    for name, tensor in tensors.items():
        if tensor.dtype != torch.int64 or tensor.ndim != 1:
            raise ShapeError.expected(
                f"{name} to be a list of whole numbers (torch.int64), one per pair",
                got=f"shape {tuple(tensor.shape)} of {tensor.dtype}",
                advice="Build it with torch.tensor([0, 1, 2]).",
            )


def _check_weight(weight: Tensor) -> None:
    if weight.dtype != torch.float64:
        raise ShapeError.expected(
            "weight in double precision (torch.float64)",
            got=weight.dtype,
            advice="Convert it with .double().",
        )
    least, most = torch.aminmax(weight)
    if not (least.item() > 0 and most.item() < torch.inf):
        raise RangeError.expected(
            "each weight to be a finite number above 0",
            got=f"weights from {least.item()} to {most.item()}",
            advice="Leave out pairs that nobody preferred, and count the others.",
        )


def _check_range(name: str, index: Tensor, size: int) -> None:
    least, most = (int(bound.item()) for bound in torch.aminmax(index))
    if least < 0 or most >= size:
        raise PairsError.expected(
            f"every index in {name} to lie between 0 and {size - 1}",
            got=least if least < 0 else most,
            advice="Count from 0, and check that the pairs belong to this world.",
        )
