"""Somebody's own comparisons: closed forms, brute force, recovery, and what a policy learns."""

import math
from itertools import combinations, permutations

import numpy as np
import pytest
import torch

from engine import annotation, preferences
from engine.annotation import Comparison, Foresight
from engine.errors import EngineError, PairsError, RangeError, ShapeError

MIXED: list[Comparison] = [
    *[(0, 1), (1, 2), (0, 2), (2, 0), (3, 1), (0, 3), (3, 2), (1, 3)],
    *[(4, 0), (0, 4), (2, 4), (0, 1)],
]
HUGE = 1e4  # a prior so wide that it says nothing


def log_posterior(reward: list[float], comparisons: list[Comparison], spread: float) -> float:
    """Written out, one comparison after the other."""
    said = sum(-math.log1p(math.exp(reward[b] - reward[a])) for a, b in comparisons)
    return said - sum(r * r for r in reward) / (2 * spread**2)


# --- The fit


@pytest.mark.parametrize(("won", "lost"), [(3, 1), (5, 5), (1, 6)])
def test_two_items_have_a_closed_form(won: int, lost: int) -> None:
    comparisons = [(0, 1)] * won + [(1, 0)] * lost
    found = annotation.fit(comparisons, items=2, spread=HUGE)
    lead = (found.reward[0] - found.reward[1]).item()
    assert lead == pytest.approx(math.log(won / lost), abs=1e-5)
    share = won / (won + lost)
    error = 1 / math.sqrt((won + lost) * share * (1 - share))  # of the lead; each has half
    assert found.error.tolist() == pytest.approx([error / 2] * 2, rel=1e-5)
    near = annotation.fit(comparisons, items=2, spread=0.5)
    assert abs(near.reward[0].item()) <= abs(found.reward[0].item())


def test_no_other_rewards_are_more_plausible() -> None:
    found = annotation.fit(MIXED, items=5, spread=2.0)
    best = log_posterior(found.reward.tolist(), MIXED, 2.0)
    rng = np.random.default_rng(0)
    for size in (1e-3, 1e-1, 1.0):
        for _ in range(200):
            other = (found.reward.numpy() + size * rng.standard_normal(5)).tolist()
            assert log_posterior(other, MIXED, 2.0) < best
    assert found.reward.sum().item() == pytest.approx(0, abs=1e-12)


def test_brute_force_finds_the_same_rewards() -> None:
    """Halving steps along each axis, with no derivative."""
    reward, step = [0.0] * 5, 1.0
    while step > 1e-9:
        better = False
        for at in range(5):
            for move in (step, -step):
                trial = [r + move * (k == at) for k, r in enumerate(reward)]
                if log_posterior(trial, MIXED, 2.0) > log_posterior(reward, MIXED, 2.0):
                    reward, better = trial, True
        step = step if better else step / 2
    found = annotation.fit(MIXED, items=5, spread=2.0)
    assert found.reward.tolist() == pytest.approx(reward, abs=1e-6)
    turned = annotation.fit([(b, a) for a, b in MIXED], items=5, spread=2.0)
    assert turned.reward.tolist() == pytest.approx([-r for r in reward], abs=1e-6)


def test_errors_are_the_curvature_by_automatic_differentiation() -> None:
    found = annotation.fit(MIXED, items=5, spread=2.0)

    def loss(reward: torch.Tensor) -> torch.Tensor:
        a, b = torch.tensor(MIXED).T
        said = torch.nn.functional.logsigmoid(reward[a] - reward[b]).sum()
        return reward.square().sum() / 8 - said

    inverse = torch.linalg.inv(torch.autograd.functional.hessian(loss, found.reward))
    center = torch.eye(5, dtype=torch.float64) - 1 / 5
    centered = (center @ inverse @ center).diagonal().sqrt()
    torch.testing.assert_close(found.error, centered)
    assert not torch.allclose(found.error, inverse.diagonal().sqrt(), rtol=1e-2)


def test_many_comparisons_recover_the_truth_within_their_errors() -> None:
    truth = torch.tensor([1.2, 0.4, 0.0, -0.6, -1.0], dtype=torch.float64)
    rng = np.random.default_rng(3)
    comparisons: list[Comparison] = []
    for first, second in combinations(range(5), 2):
        share = 1 / (1 + math.exp(-(truth[first] - truth[second]).item()))
        heads = int(rng.binomial(400, share))
        comparisons += [(first, second)] * heads + [(second, first)] * (400 - heads)
    found = annotation.fit(comparisons, items=5)
    scores = (found.reward - truth) / found.error
    assert scores.abs().max().item() < 3
    assert 0 < found.error.max().item() < 0.1
    assert found.ranking == [0, 1, 2, 3, 4]


def test_who_never_contradicts_himself_still_gets_finite_rewards() -> None:
    perfect = list(combinations(range(6), 2)) * 5
    found = annotation.fit(perfect, items=6, spread=50.0)
    assert found.ranking == [0, 1, 2, 3, 4, 5]
    assert bool(torch.isfinite(found.reward).all())
    wider = annotation.fit(perfect, items=6, spread=500.0)
    assert (wider.reward[0] - found.reward[0]).item() > 1, "without the prior there is no end"


# --- Foresight and triads


def foresight(comparisons: list[Comparison], items: int, spread: float = 3.0) -> Foresight:
    return annotation.foresight(
        comparisons, annotation.fit(comparisons, items=items, spread=spread)
    )


def test_each_comparison_is_foretold_by_an_exact_refit_of_the_others() -> None:
    right = 0.0
    for at, (winner, loser) in enumerate(MIXED):
        others = MIXED[:at] + MIXED[at + 1 :]
        reward = annotation.fit(others, items=5, spread=2.0).reward
        right += (reward[winner] > reward[loser]).item()
    found = foresight(MIXED, 5, spread=2.0)
    assert (found.right, found.of) == (right, len(MIXED))
    whole = annotation.fit(MIXED, items=5, spread=2.0).reward
    fitted = sum((whole[a] > whole[b]).item() for a, b in MIXED)
    assert found.right < fitted, "a fit that has seen the answer looks better than it is"


def test_foresight_of_the_steady_and_of_coins() -> None:
    steady = foresight(list(combinations(range(5), 2)) * 2, 5)
    assert steady.accuracy == 1.0
    assert steady.by_guessing == pytest.approx(0.5**20)
    coins = np.random.default_rng(1)
    tossed: list[Comparison] = [
        (a, b) if coins.random() < 0.5 else (b, a) for a, b in list(combinations(range(5), 2)) * 4
    ]
    assert foresight(tossed, 5).by_guessing > 0.05


def test_one_comparison_alone_foretells_nothing() -> None:
    alone = foresight([(0, 1)], 2)
    assert alone.accuracy == annotation.CHANCE


def test_cycles_of_three_are_counted() -> None:
    assert annotation.triads([(0, 1), (1, 2), (2, 0)], items=3) == annotation.Triads(1, 1)
    assert annotation.triads([(0, 1), (1, 2), (0, 2)], items=3) == annotation.Triads(0, 1)
    assert annotation.triads([(0, 1), (1, 2)], items=3) == annotation.Triads(0, 0)
    tied = [(0, 1), (1, 0), (1, 2), (2, 0)]
    assert annotation.triads(tied, items=3).complete == 0, "a couple without a majority"


def test_cycles_agree_with_enumeration_and_chance_makes_a_quarter() -> None:
    coins = np.random.default_rng(0)
    shares = []
    for _ in range(60):
        beats = {(a, b) if coins.random() < 0.5 else (b, a) for a, b in combinations(range(7), 2)}
        cycles = {
            frozenset(t)
            for t in permutations(range(7), 3)
            if {(t[0], t[1]), (t[1], t[2]), (t[2], t[0])} <= beats
        }
        found = annotation.triads(list(beats), items=7)
        assert (found.cyclic, found.complete) == (len(cycles), 35)
        shares.append(found.cyclic / found.complete)
    assert np.mean(shares) == pytest.approx(annotation.CYCLIC_BY_CHANCE, abs=0.03)


# --- A policy trained on it


@pytest.mark.parametrize("reference", [None, [0.1, 0.2, 0.3, 0.15, 0.25]])
def test_dpo_on_the_fits_labels_hands_the_fitted_reward_back(reference: list[float] | None) -> None:
    found = annotation.fit(MIXED, items=5)
    truth = annotation.world(found, reference)
    *_, last = annotation.learn(truth, preferences.soft_pairs(truth), beta=0.5, steps=10)
    implicit = annotation.implicit_reward(last.policy, truth, beta=0.5)[0]
    torch.testing.assert_close(implicit, found.reward, atol=1e-8, rtol=0)
    assert last.kl_to_optimum < 1e-12
    assert not torch.allclose(implicit / 0.5, found.reward, atol=1e-2), "β belongs to the reward"


def test_dpo_on_what_was_said_is_the_fit_without_a_prior() -> None:
    found = annotation.fit(MIXED, items=5, spread=HUGE)
    truth = annotation.world(found)
    *_, last = annotation.learn(truth, annotation.pairs(MIXED), beta=0.5, steps=25)
    implicit = annotation.implicit_reward(last.policy, truth, beta=0.5)[0]
    torch.testing.assert_close(implicit, found.reward, atol=1e-4, rtol=0)
    strict = annotation.fit(MIXED, items=5, spread=0.3)
    assert not torch.allclose(implicit, strict.reward, atol=1e-1), "a prior pulls towards zero"


# --- Visible features


WORDS, DIGITS = [3.0, 8.0, 5.0, 12.0, 7.0, 10.0], [1.0, 0.0, 2.0, 0.0, 1.0, 3.0]


def scored(reward: list[float]) -> annotation.Fit:
    table = torch.tensor(reward, dtype=torch.float64)
    return annotation.Fit(table - table.mean(), torch.ones_like(table), 3.0)


def test_a_reward_made_of_one_feature_is_read_back() -> None:
    found = annotation.read(
        scored([0.3 * w for w in WORDS]), {"digits": DIGITS, "words": WORDS, "same": [1.0] * 6}
    )
    most = found.features[0]
    assert most.name == "words"
    assert most.alone == pytest.approx(1)
    assert found.explained == pytest.approx(1)
    assert most.weight == pytest.approx(0.3 * float(np.std(WORDS)))
    by_name = {feature.name: feature for feature in found.features}
    assert by_name["digits"].weight == pytest.approx(0, abs=1e-12)
    assert (by_name["same"].alone, by_name["same"].weight) == (0.0, 0.0)


def test_shares_are_those_of_plain_least_squares() -> None:
    reward = [1.0, -0.5, 0.7, -1.2, 0.4, 0.1]
    found = annotation.read(scored(reward), {"words": WORDS, "digits": DIGITS})
    columns = np.column_stack([np.ones(6), WORDS, DIGITS])
    solution, left, *_ = np.linalg.lstsq(columns, np.array(reward), rcond=None)
    assert found.explained == pytest.approx(1 - left[0] / (6 * np.var(reward)))
    for feature in found.features:
        column = WORDS if feature.name == "words" else DIGITS
        assert feature.alone == pytest.approx(np.corrcoef(reward, column)[0, 1] ** 2)
        slope = solution[1 if feature.name == "words" else 2]
        assert feature.weight == pytest.approx(slope * np.std(column))
    assert found.features[0].alone >= found.features[1].alone


def test_rewards_all_alike_leave_nothing_to_explain() -> None:
    assert annotation.read(scored([0.0] * 6), {"words": WORDS}).explained == 0.0


@pytest.mark.parametrize(
    ("comparisons", "items", "spread", "kind", "words"),
    [
        ([], 3, 1.0, PairsError, "at least one"),
        ([(0, 0)], 3, 1.0, PairsError, "two different items"),
        ([(0, 3)], 3, 1.0, PairsError, "between 0 and 2"),
        ([(0, 1)], 1, 1.0, RangeError, "items"),
        ([(0, 1)], 2, 0.0, RangeError, "spread"),
    ],
)
def test_comparisons_that_make_no_sense_are_refused(
    comparisons: list[Comparison], items: int, spread: float, kind: type[EngineError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        annotation.fit(comparisons, items=items, spread=spread)


def test_foresight_is_of_the_items_of_the_fit() -> None:
    with pytest.raises(PairsError, match="between 0 and 2"):
        annotation.foresight([(0, 3)], scored([0.0, 1.0, 2.0]))


def test_features_that_make_no_sense_are_refused() -> None:
    found = scored([0.0, 1.0, 2.0, 3.0])
    with pytest.raises(ShapeError, match="4 numbers for words"):
        annotation.read(found, {"words": [1.0]})
    with pytest.raises(RangeError, match="from 1 to 2 features"):
        annotation.read(found, {name: [1.0, 2.0, 3.0, 5.0] for name in "abc"})
    with pytest.raises(RangeError, match="finite"):
        annotation.read(found, {"words": [1.0, 2.0, math.nan, 4.0]})
    with pytest.raises(ShapeError):
        annotation.world(found, [0.5, 0.5])
