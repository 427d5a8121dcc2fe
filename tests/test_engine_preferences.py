"""Worlds, teachers and comparison graphs, held against counting and brute force."""

import math
from itertools import combinations, product

import pytest
import torch
from torch import Tensor

from engine import preferences
from engine.errors import EngineError, PairsError, RangeError, ShapeError
from engine.preferences import Pairs, World


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small() -> World:
    return preferences.world(3, 4, generator=seeded())


def pairs_of(*triples: tuple[int, int, int]) -> Pairs:
    prompt, chosen, rejected = torch.tensor(triples).T.contiguous()
    return Pairs(prompt, chosen, rejected, torch.ones(len(triples), dtype=torch.float64))


def test_a_world_is_a_function_of_its_generator() -> None:
    one, same, other = (preferences.world(3, 4, generator=seeded(s)) for s in (1, 1, 2))
    assert torch.equal(one.reward, same.reward)
    assert torch.equal(one.reference, same.reference)
    assert not torch.equal(one.reward, other.reward)
    assert (one.prompts, one.responses) == (3, 4)
    torch.testing.assert_close(one.reference.exp().sum(dim=1), torch.ones(3, dtype=torch.float64))


def test_bradley_terry_by_hand() -> None:
    probability = preferences.bradley_terry(torch.tensor([math.log(3.0)]), torch.tensor([0.0]))
    assert probability.item() == pytest.approx(0.75)


def test_soft_pairs_say_every_couple_twice_with_its_probability() -> None:
    world = small()
    pairs = preferences.soft_pairs(world)
    said = {
        (x, i, j): weight
        for x, i, j, weight in zip(
            *(field.tolist() for field in (pairs.prompt, pairs.chosen, pairs.rejected)),
            pairs.weight.tolist(),
            strict=True,
        )
    }
    assert len(said) == len(pairs) == 3 * 4 * 3
    for (x, i, j), weight in said.items():
        own, other = math.exp(world.reward[x, i]), math.exp(world.reward[x, j])
        assert weight == pytest.approx(own / (own + other), rel=1e-12)
        assert weight + said[x, j, i] == pytest.approx(1.0)


def test_graphs() -> None:
    assert preferences.complete(3).tolist() == [[0, 1], [0, 2], [1, 2]]
    assert preferences.chain(4).tolist() == [[0, 1], [1, 2], [2, 3]]
    assert preferences.islands(5).tolist() == [[0, 1], [2, 3], [2, 4], [3, 4]]
    world = small()
    assert len(preferences.soft_pairs(world, preferences.chain(4))) == 3 * 3 * 2


def test_deterministic_pairs_never_choose_the_worse() -> None:
    world = small()
    pairs = preferences.deterministic_pairs(world)
    better = world.reward[pairs.prompt, pairs.chosen] > world.reward[pairs.prompt, pairs.rejected]
    assert bool(better.all())
    assert len(pairs) == 3 * 6
    assert bool((pairs.weight == 1).all())


def test_deterministic_pairs_split_a_tie() -> None:
    reward = torch.tensor([[1.0, 1.0, 0.0]], dtype=torch.float64)
    world = World(reward, torch.zeros_like(reward).log_softmax(dim=1))
    won = preferences.wins(preferences.deterministic_pairs(world), world)
    assert won.tolist() == [[[0, 0.5, 1], [0.5, 0, 1], [0, 0, 0]]]


def test_sampled_pairs_follow_the_teacher() -> None:
    world = preferences.world(2, 3, generator=seeded())
    pairs = preferences.sampled_pairs(world, 60_000, generator=seeded(1))
    won = preferences.wins(pairs, world)
    assert won.sum().item() == len(pairs) == 60_000
    met = won + won.mT
    for x, (i, j) in product(range(2), combinations(range(3), 2)):
        assert met[x, i, j].item() == pytest.approx(10_000, rel=0.05), "couples are drawn evenly"
        teacher = torch.sigmoid(world.reward[x, i] - world.reward[x, j]).item()
        assert (won[x, i, j] / met[x, i, j]).item() == pytest.approx(teacher, abs=0.02)


def test_sampled_pairs_are_a_function_of_their_generator() -> None:
    world = small()
    one, same, other = (
        preferences.sampled_pairs(world, 50, generator=seeded(s)).chosen for s in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_sampled_pairs_stay_on_the_graph() -> None:
    world = small()
    graph = preferences.chain(4)
    pairs = preferences.sampled_pairs(world, 200, generator=seeded(), graph=graph)
    assert bool(((pairs.chosen - pairs.rejected).abs() == 1).all())


def test_wins_add_up_what_was_said_twice() -> None:
    world = small()
    won = preferences.wins(pairs_of((2, 3, 1), (2, 3, 1), (2, 1, 3), (0, 0, 1)), world)
    assert won[2, 3, 1].item() == 2
    assert won[2, 1, 3].item() == 1
    assert won.sum().item() == 4


def reached_by_walking(links: list[list[bool]]) -> list[list[bool]]:
    """Return the same relation by Warshall's algorithm."""
    size = len(links)
    joined = [[links[i][j] or i == j for j in range(size)] for i in range(size)]
    for k, i, j in product(range(size), repeat=3):
        joined[i][j] = joined[i][j] or (joined[i][k] and joined[k][j])
    return joined


@pytest.mark.parametrize("size", [2, 3, 6, 9])
def test_reachable_against_brute_force(size: int) -> None:
    links = torch.rand(20, size, size, generator=seeded(size)) < 1.2 / size
    expected = [reached_by_walking(graph) for graph in links.tolist()]
    assert preferences.reachable(links).tolist() == expected


def test_the_longest_chain_is_connected() -> None:
    for responses in (2, 3, 9, 17):
        world = preferences.world(1, responses, generator=seeded())
        assert preferences.connected(
            preferences.soft_pairs(world, preferences.chain(responses)), world
        )


def test_islands_and_missing_prompts_are_not_connected() -> None:
    world = small()
    assert preferences.connected(preferences.soft_pairs(world), world)
    islands = preferences.soft_pairs(world, preferences.islands(4))
    assert not preferences.connected(islands, world)
    assert not preferences.connected(pairs_of((0, 0, 1), (0, 1, 2), (0, 2, 3)), world)


@pytest.mark.parametrize(
    "triples",
    [
        [(0, 0, 1), (0, 1, 0)],  # each beat the other once
        [(0, 0, 1), (0, 1, 2), (0, 2, 0)],  # a cycle
        [(0, 0, 1), (0, 1, 0), (1, 2, 3), (1, 3, 2)],  # two islands, each settled
    ],
)
def test_a_finite_optimum_exists_where_everyone_loses_sometimes(
    triples: list[tuple[int, int, int]],
) -> None:
    assert preferences.bounded(pairs_of(*triples), small())


@pytest.mark.parametrize(
    "triples",
    [
        [(0, 0, 1)],  # 0 never lost
        [(0, 0, 1), (0, 1, 0), (0, 0, 2)],  # 2 never won
        [(0, 0, 1), (0, 1, 0), (0, 2, 3), (0, 3, 2), (0, 0, 2)],  # 2 and 3 never beat 0 or 1
    ],
)
def test_a_finite_optimum_is_missing_where_some_never_lose(
    triples: list[tuple[int, int, int]],
) -> None:
    assert not preferences.bounded(pairs_of(*triples), small())


def test_soft_labels_always_have_a_finite_optimum_and_deterministic_ones_never() -> None:
    world = small()
    assert preferences.bounded(preferences.soft_pairs(world), world)
    assert not preferences.bounded(preferences.deterministic_pairs(world), world)


def test_displacement_compares_two_of_three() -> None:
    world, pairs = preferences.displacement()
    assert world.reward[0].argmin().item() == 2, "the response nobody compares is the worst"
    assert (pairs.chosen.tolist(), pairs.rejected.tolist()) == ([0], [1])
    assert not preferences.connected(pairs, world)


TABLE = torch.zeros(2, 3, dtype=torch.float64)
FAIR = TABLE.log_softmax(dim=1)
INDEX = torch.tensor([0, 1])
WEIGHT = torch.ones(2, dtype=torch.float64)


@pytest.mark.parametrize(
    ("reward", "reference", "kind", "words"),
    [
        (TABLE[:, :1], FAIR[:, :1] * 0, ShapeError, "at least 2 responses to each prompt, got 1"),
        (TABLE * math.nan, FAIR, RangeError, "reward to be finite everywhere, got nan"),
        (TABLE.float(), FAIR, ShapeError, "double precision"),
        (TABLE, FAIR[:1], ShapeError, r"shape of reward, \(2, 3\), got \(1, 3\)"),
        (TABLE, FAIR.exp(), RangeError, "Pass logarithms"),
        (TABLE, torch.eye(3).double()[:2].log(), RangeError, "probability 0"),
    ],
)
def test_worlds_without_an_answer_are_refused(
    reward: Tensor, reference: Tensor, kind: type[EngineError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        World(reward, reference)


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ((INDEX[:0], INDEX[:0], INDEX[:0], WEIGHT[:0]), PairsError, "at least one .* got none"),
        ((INDEX, INDEX, INDEX, WEIGHT), PairsError, "compared with itself"),
        ((INDEX, INDEX, 1 - INDEX, WEIGHT[:1]), ShapeError, "weight to have the shape of prompt"),
        ((INDEX, INDEX.double(), 1 - INDEX, WEIGHT), ShapeError, "whole numbers"),
        ((INDEX, INDEX, 1 - INDEX, WEIGHT.float()), ShapeError, "double precision"),
        ((INDEX, INDEX, 1 - INDEX, 0 * WEIGHT), RangeError, "above 0, got weights from 0.0"),
        ((INDEX, INDEX, 1 - INDEX, WEIGHT * math.nan), RangeError, "weights from nan"),
    ],
)
def test_bad_pairs_are_refused(
    fields: tuple[Tensor, Tensor, Tensor, Tensor], kind: type[EngineError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        Pairs(*fields)


@pytest.mark.parametrize(
    ("triple", "words"),
    [
        ((3, 0, 1), "index in prompt to lie between 0 and 2, got 3"),
        ((0, 4, 1), "index in chosen to lie between 0 and 3, got 4"),
        ((0, 0, -1), "index in rejected to lie between 0 and 3, got -1"),
    ],
)
def test_pairs_of_another_world_are_refused(triple: tuple[int, int, int], words: str) -> None:
    with pytest.raises(PairsError, match=words):
        preferences.wins(pairs_of(triple), small())


def test_impossible_requests_are_refused() -> None:
    world = small()
    with pytest.raises(ShapeError, match="with one there is nothing to prefer"):
        preferences.world(2, 1, generator=seeded())
    with pytest.raises(RangeError, match="prompts to be at least 1, got 0"):
        preferences.world(0, 3, generator=seeded())
    with pytest.raises(PairsError, match="at least one preference pair"):
        preferences.sampled_pairs(world, 0, generator=seeded())
    with pytest.raises(RangeError, match="at least 4, got 3"):
        preferences.islands(3)
    with pytest.raises(PairsError, match="the graph to lie between 0 and 3, got 4"):
        preferences.soft_pairs(world, preferences.complete(5))
    with pytest.raises(ShapeError, match=r"\(edges, 2\)"):
        preferences.soft_pairs(world, torch.tensor([0, 1]))
    with pytest.raises(PairsError, match="got none"):
        preferences.soft_pairs(world, torch.zeros(0, 2, dtype=torch.int64))
