"""The optimum, its normalizer and its value: hand values, identities, limits, refusals."""

import math

import pytest
import torch
from torch import Tensor

from engine.closed_form import (
    implicit_reward,
    log_partition,
    objective,
    optimal_policy,
    optimal_value,
)
from engine.distributions import kl
from engine.errors import EngineError, RangeError, ShapeError

BETAS = [0.05, 0.5, 1.0, 3.0, 20.0]


def table(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def draw(prompts: int = 100, responses: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    """Return a reward, a reference and some other policy; each prompt is a world of its own."""
    generator = torch.Generator().manual_seed(prompts)
    cube = torch.randn(3, prompts, responses, generator=generator, dtype=torch.float64)
    return cube[0], cube[1].log_softmax(dim=-1), cube[2].log_softmax(dim=-1)


def test_by_hand() -> None:
    # Uniform reference, e^{r/β} = (3, 1): Z = (3 + 1)/2 = 2 and π* = (3/4, 1/4).
    reward, reference = table([2 * math.log(3), 0.0]), table([0.5, 0.5]).log()
    torch.testing.assert_close(
        optimal_policy(reward, reference, beta=2.0).exp(), table([0.75, 0.25])
    )
    torch.testing.assert_close(log_partition(reward, reference, beta=2.0), table([math.log(2)])[0])
    value = optimal_value(reward, reference, beta=2.0)
    torch.testing.assert_close(value, table([2 * math.log(2)])[0])


def test_against_enumeration() -> None:
    reward, reference, _ = draw(2)
    for x in range(2):
        terms = [
            math.exp(reference[x, y]) * math.exp(reward[x, y] / 0.7) for y in range(reward.shape[1])
        ]
        policy = optimal_policy(reward, reference, beta=0.7)[x].exp().tolist()
        assert policy == pytest.approx([term / sum(terms) for term in terms], rel=1e-13)
        partition = log_partition(reward, reference, beta=0.7)[x].item()
        assert partition == pytest.approx(math.log(sum(terms)), rel=1e-13)


@pytest.mark.parametrize("beta", BETAS)
def test_the_objective_is_the_value_minus_a_divergence(beta: float) -> None:
    reward, reference, policy = draw()
    optimum = optimal_policy(reward, reference, beta=beta)
    value = optimal_value(reward, reference, beta=beta)
    reached = objective(policy, reward, reference, beta=beta)
    torch.testing.assert_close(reached, value - beta * kl(policy, optimum))
    torch.testing.assert_close(objective(optimum, reward, reference, beta=beta), value)
    assert bool((reached < value).all()), "any other policy does worse"


@pytest.mark.parametrize("beta", BETAS)
def test_the_reward_comes_back_with_beta_on_log_z(beta: float) -> None:
    reward, reference, _ = draw()
    implicit = implicit_reward(optimal_policy(reward, reference, beta=beta), reference, beta=beta)
    log_z = log_partition(reward, reference, beta=beta).unsqueeze(1)
    torch.testing.assert_close(reward, implicit + beta * log_z)
    residual = reward - (implicit + log_z)  # the form without β, often seen in print
    torch.testing.assert_close(residual, ((beta - 1) * log_z).expand_as(residual))


@pytest.mark.parametrize("beta", BETAS)
def test_a_shift_of_the_reward_changes_nothing_but_the_value(beta: float) -> None:
    reward, reference, _ = draw()
    shift = reward.amax(dim=1)  # any number per prompt
    shifted = reward + shift.unsqueeze(1)
    torch.testing.assert_close(
        optimal_policy(shifted, reference, beta=beta), optimal_policy(reward, reference, beta=beta)
    )
    torch.testing.assert_close(
        optimal_value(shifted, reference, beta=beta),
        optimal_value(reward, reference, beta=beta) + shift,
    )


@pytest.mark.parametrize("beta", [1e-3, 1e-12, 1e-300, 5e-324])
def test_tiny_beta_is_the_argmax_and_nothing_overflows(beta: float) -> None:
    reward, reference = table([1.0, 2.0, 5.0], [900.0, -900.0, 0.0]), draw(2, 3)[1]
    policy = optimal_policy(reward, reference, beta=beta)
    torch.testing.assert_close(policy.exp(), table([0, 0, 1], [1, 0, 0]))
    value = optimal_value(reward, reference, beta=beta)
    assert value.tolist() == pytest.approx([5.0, 900.0], rel=1e-3)
    naive = (reference.exp() * (reward / beta).exp()).sum(dim=1)
    assert not bool(naive.isfinite().all()), "the formula as written overflows here"


def test_equal_best_rewards_keep_the_references_odds_at_tiny_beta() -> None:
    reference = table([0.2, 0.6, 0.2]).log()
    policy = optimal_policy(table([1.0, 1.0, 0.0]), reference, beta=1e-200)
    torch.testing.assert_close(policy.exp(), table([0.25, 0.75, 0.0]))


def test_log_partition_is_exact_at_tiny_beta() -> None:
    reward, reference = table([-2.0, -3.0]), table([0.25, 0.75]).log()
    expected = -2.0 / 1e-4 + math.log(0.25)
    partition = log_partition(reward, reference, beta=1e-4).item()
    assert partition == pytest.approx(expected, rel=1e-15)


def test_huge_beta_is_the_reference() -> None:
    reward, reference, _ = draw()
    torch.testing.assert_close(optimal_policy(reward, reference, beta=1e300), reference)


@pytest.mark.parametrize("beta", [1e-320, 1e-3, 1.0])
def test_what_the_reference_rules_out_stays_ruled_out(beta: float) -> None:
    reward = table([9.0, 1.0, 2.0]).requires_grad_()
    reference = table([0.0, 0.5, 0.5]).log()
    policy = optimal_policy(reward, reference, beta=beta)
    assert policy[0, 0].item() == -math.inf
    assert policy.exp().sum().item() == pytest.approx(1.0, abs=1e-15)
    assert 1.0 <= optimal_value(reward, reference, beta=beta).item() <= 2.0, "not 9"


def test_gradients_survive_a_zero_in_the_reference() -> None:
    reward = table([9.0, 1.0, 2.0]).requires_grad_()
    value = optimal_value(reward, table([0.0, 0.5, 0.5]).log(), beta=0.5)
    (gradient,) = torch.autograd.grad(value.sum(), reward)
    torch.testing.assert_close(gradient, table([0.0, 1.0, math.e**2]) / (1 + math.e**2))


@pytest.mark.parametrize("beta", BETAS)
def test_envelope(beta: float) -> None:
    reward, reference, _ = draw()
    optimum = optimal_policy(reward, reference, beta=beta)
    reward.requires_grad_()
    value = optimal_value(reward, reference, beta=beta)
    (slope,) = torch.autograd.grad(value.sum(), reward)
    torch.testing.assert_close(slope, optimum.exp())  # ∂(β log Z)/∂r = π*
    step = 1e-6 * beta
    above, below = (optimal_value(reward, reference, beta=beta + s) for s in (step, -step))
    difference = (above - below).detach() / (2 * step)  # ∂(β log Z)/∂β = −KL(π*‖π_ref)
    torch.testing.assert_close(difference, -kl(optimum, reference), atol=1e-5, rtol=1e-4)


def test_drift_is_bounded_by_the_references_surprise_not_by_beta() -> None:
    reward, reference, _ = draw()
    best = reward.argmax(dim=1, keepdim=True)
    limit = -reference.gather(1, best).squeeze(1)
    near_zero = kl(optimal_policy(reward, reference, beta=1e-9), reference)
    torch.testing.assert_close(near_zero, limit)


def test_the_objective_at_the_edge_of_the_support() -> None:
    reward, reference = table([1.0, 3.0]), table([1.0, 0.0]).log()
    assert objective(reference, reward, reference, beta=1.0).item() == 1.0
    outside = objective(table([0.5, 0.5]).log(), reward, reference, beta=1.0)
    assert outside.item() == -math.inf


def test_implicit_reward_knows_nothing_about_what_both_rule_out() -> None:
    both = table([0.5, 0.5, 0.0]).log()
    assert implicit_reward(both, both, beta=2.0).isnan().tolist() == [[False, False, True]]


def test_single_precision_stays_single() -> None:
    reward, reference, _ = (tensor.float() for tensor in draw())
    assert optimal_policy(reward, reference, beta=0.5).dtype == torch.float32


GOOD = torch.zeros(2, 3, dtype=torch.float64)
FAIR = GOOD.log_softmax(dim=-1)


@pytest.mark.parametrize("beta", [0.0, -0.1, math.nan, math.inf])
def test_beta_must_be_above_zero(beta: float) -> None:
    for call in (optimal_policy, log_partition, optimal_value):
        with pytest.raises(RangeError, match=f"above 0, got {beta}. Choose β above 0"):
            call(GOOD, FAIR, beta=beta)
    with pytest.raises(RangeError, match="β"):
        objective(FAIR, GOOD, FAIR, beta=beta)
    with pytest.raises(RangeError, match="β"):
        implicit_reward(FAIR, FAIR, beta=beta)


@pytest.mark.parametrize(
    ("reward", "reference", "kind", "words"),
    [
        (GOOD.fill_diagonal_(math.nan).clone(), FAIR, RangeError, r"nan at position \(0, 0\)"),
        (torch.full((2, 3), -math.inf), FAIR.float(), RangeError, "-inf at position"),
        (torch.zeros(2, 2), FAIR, ShapeError, r"shape of reward, \(2, 2\), got \(2, 3\)"),
        (torch.zeros(3), torch.zeros(3), ShapeError, "Put each prompt on a row"),
        (torch.zeros(2, 0), torch.zeros(2, 0), ShapeError, "both at least 1"),
        (torch.zeros(2, 3), torch.full((2, 3), 1 / 3), RangeError, "Pass logarithms"),
        (torch.zeros(1, 2), torch.full((1, 2), -math.inf), RangeError, "a sum of 0 in row 0"),
        (torch.zeros(1, 2, dtype=torch.int64), FAIR[:1, :2], ShapeError, "double"),
    ],
)
def test_bad_tables_are_refused_in_words(
    reward: Tensor, reference: Tensor, kind: type[EngineError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        optimal_policy(reward, reference, beta=1.0)
    with pytest.raises(kind, match=words):
        log_partition(reward, reference, beta=1.0)
