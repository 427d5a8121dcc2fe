"""Entropy, cross-entropy and KL: hand values, identities, and the edges where 0 · log 0 waits."""

import math

import pytest
import torch
from torch import Tensor

from engine.distributions import cross_entropy, entropy, kl
from engine.errors import EngineError, RangeError, ShapeError


def logs(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64).log()


def draw(seed: int, spread: float = 5.0) -> Tensor:
    """Return 500 distributions over three outcomes, from nearly even to nearly certain."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(500, 3, generator=generator, dtype=torch.float64)
    return (spread * logits).log_softmax(dim=-1)


def test_entropy_by_hand() -> None:
    table = logs([0.5, 0.5, 0, 0], [1, 0, 0, 0], [0.5, 0.25, 0.125, 0.125])
    expected = torch.tensor([math.log(2), 0.0, 1.75 * math.log(2)], dtype=torch.float64)
    torch.testing.assert_close(entropy(table), expected)


def test_kl_by_hand_and_not_symmetric() -> None:
    half, quarter = logs([0.5, 0.5]), logs([0.25, 0.75])
    assert kl(half, quarter).item() == pytest.approx(0.5 * math.log(4 / 3), abs=1e-15)
    assert kl(quarter, half).item() == pytest.approx(0.75 * math.log(3) - math.log(2), abs=1e-15)
    assert kl(half, quarter).item() != pytest.approx(kl(quarter, half).item(), abs=1e-3)


def test_what_q_rules_out_costs_infinitely_much_and_what_p_rules_out_nothing() -> None:
    sure, half = logs([1.0, 0.0]), logs([0.5, 0.5])
    assert kl(half, sure).item() == math.inf
    assert cross_entropy(half, sure).item() == math.inf
    assert kl(sure, half).item() == pytest.approx(math.log(2), abs=1e-15)
    assert kl(sure, sure).item() == 0.0
    naive = (sure.exp() * (sure - half)).sum()
    assert math.isnan(naive.item()), "the formula as written fails here; that is what is guarded"


def test_edges_do_not_poison_gradients() -> None:
    weights = torch.tensor([[2.0, 1.0]], dtype=torch.float64, requires_grad=True)
    log_q = torch.cat([weights.log_softmax(dim=1), torch.full((1, 1), -torch.inf)], dim=1)
    (gradient,) = torch.autograd.grad(kl(logs([0.5, 0.5, 0.0]), log_q.double()).sum(), weights)
    expected = weights.detach().softmax(dim=1) - 0.5  # of cross-entropy in logits: q − p
    torch.testing.assert_close(gradient, expected)


def test_cross_entropy_is_entropy_plus_kl() -> None:
    p, q = draw(1), draw(2)
    torch.testing.assert_close(cross_entropy(p, q), entropy(p) + kl(p, q))
    assert bool((kl(p, q) > 0).all())
    assert bool((entropy(p) >= 0).all())
    assert bool((entropy(p) <= math.log(3)).all())


def test_kl_to_itself_is_zero_and_to_a_neighbor_not_negative() -> None:
    p = draw(1)
    assert kl(p, p).tolist() == [0.0] * 500
    neighbor = (p + 1e-9 * draw(2)).log_softmax(dim=-1)
    assert bool((kl(p, neighbor) >= 0).all())


def test_against_torch() -> None:
    p, q = draw(1), draw(2)
    reference = torch.nn.functional.kl_div(q, p, reduction="none", log_target=True).sum(dim=-1)
    torch.testing.assert_close(kl(p, q), reference)
    torch.testing.assert_close(entropy(p), torch.distributions.Categorical(logits=p).entropy())


@pytest.mark.parametrize(
    ("log_p", "log_q", "kind", "words"),
    [
        (torch.tensor([[0.5, 0.5]]), None, RangeError, "Pass logarithms"),
        (logs([0.5, 0.5]), logs([0.5, 0.25, 0.25]), ShapeError, "shape of log_p"),
        (logs([0.5, 0.5])[0], None, ShapeError, "row of its own"),
        (torch.tensor([[0, 0]]), None, ShapeError, "floating-point"),
        (torch.full((1, 2), math.nan), None, RangeError, "a sum of nan in row 0"),
    ],
)
def test_bad_tables_are_refused_in_words(
    log_p: Tensor, log_q: Tensor | None, kind: type[EngineError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        kl(log_p, log_p if log_q is None else log_q)
