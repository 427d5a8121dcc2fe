"""The family of preference losses: slopes by hand, limits, identities, and what is refused."""

import math
from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor

from engine import losses
from engine.closed_form import optimal_policy
from engine.errors import EngineError, PairsError, RangeError, ShapeError

BETA, FLIP, TAU = 0.4, 0.2, 0.5
LENGTHS = (torch.tensor([2, 5, 1, 3]), torch.tensor([4, 2, 1, 6]))

Loss = Callable[[Tensor, Tensor], Tensor]
Slope = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def vector(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


CHOSEN, REJECTED = vector(0.3, -2.0, 4.0, 0.0), vector(0.1, 1.5, -3.0, 0.0)


def odds(x: Tensor) -> Tensor:
    """σ, written out."""
    return 1 / (1 + torch.exp(-x))


def of_margin(slope: Callable[[Tensor], Tensor]) -> Slope:
    """A slope in the margin alone: what chosen gains, rejected loses."""
    return lambda chosen, rejected: (slope(chosen - rejected), -slope(chosen - rejected))


def exo_slope(h: Tensor) -> Tensor:
    """d/dh of KL(q‖p): β q (1 − q) (log-odds of q − log-odds of p)."""
    q = odds(BETA * h)
    return BETA * q * (1 - q) * (BETA * h - math.log((1 - FLIP) / FLIP))


def discopop_slope(h: Tensor) -> Tensor:
    x, tau = BETA * h, 0.7
    s = odds(x / tau)
    blend = s * (1 - s) / tau * (torch.exp(-x) - torch.log1p(torch.exp(-x)))
    return BETA * (blend - (1 - s) * odds(-x) - s * torch.exp(-x))


def kto_slope(chosen: Tensor, rejected: Tensor) -> tuple[Tensor, Tensor]:
    w, r = odds(BETA * (chosen - 0.6)), odds(BETA * (rejected - 0.6))
    return -2.0 * BETA * w * (1 - w), 3.0 * BETA * r * (1 - r)


def apo_down_slope(chosen: Tensor, rejected: Tensor) -> tuple[Tensor, Tensor]:
    w, d = odds(BETA * chosen), odds(BETA * (chosen - rejected))
    return BETA * (w * (1 - w) - d * (1 - d)), BETA * d * (1 - d)


CASES: dict[str, tuple[Loss, Slope]] = {
    "dpo": (
        lambda w, r: losses.dpo(w, r, beta=BETA),
        of_margin(lambda h: -BETA * odds(-BETA * h)),
    ),
    "cdpo": (
        lambda w, r: losses.cdpo(w, r, beta=BETA, flip=FLIP),
        of_margin(lambda h: BETA * (odds(BETA * h) - (1 - FLIP))),
    ),
    "robust": (
        lambda w, r: losses.robust(w, r, beta=BETA, flip=FLIP),
        of_margin(lambda h: -BETA * (odds(-BETA * h) + FLIP / (1 - 2 * FLIP))),
    ),
    "exo": (lambda w, r: losses.exo(w, r, beta=BETA, flip=FLIP), of_margin(exo_slope)),
    "ipo": (
        lambda w, r: losses.ipo(w, r, tau=TAU),
        of_margin(lambda h: 2 * (h - 1 / (2 * TAU))),
    ),
    "ipo_per_token": (
        lambda w, r: losses.ipo_per_token(w, r, tau=TAU, lengths=LENGTHS),
        lambda w, r: (
            2 * (w / LENGTHS[0] - r / LENGTHS[1] - 1 / (2 * TAU)) / LENGTHS[0],
            -2 * (w / LENGTHS[0] - r / LENGTHS[1] - 1 / (2 * TAU)) / LENGTHS[1],
        ),
    ),
    "hinge": (
        lambda w, r: losses.hinge(w, r, beta=BETA),
        of_margin(lambda h: -BETA * (BETA * h < 1).double()),
    ),
    "discopop": (
        lambda w, r: losses.discopop(w, r, beta=BETA, temperature=0.7),
        of_margin(discopop_slope),
    ),
    "r_dpo": (
        lambda w, r: losses.r_dpo(w, r, beta=BETA, alpha=0.3, lengths=LENGTHS),
        of_margin(lambda h: -BETA * odds(-BETA * h - 0.3 * (LENGTHS[0] - LENGTHS[1]).double())),
    ),
    "kto": (
        lambda w, r: losses.kto(w, r, beta=BETA, baseline=0.6, weights=(2.0, 3.0)),
        kto_slope,
    ),
    "bco": (
        lambda w, r: losses.bco(w, r, beta=BETA, shift=0.2),
        lambda w, r: (-BETA * odds(0.2 - BETA * w), BETA * odds(BETA * r - 0.2)),
    ),
    "nca": (
        lambda w, r: losses.nca(w, r, beta=BETA),
        lambda w, r: (BETA * (1.5 * odds(BETA * w) - 1), BETA * odds(BETA * r) / 2),
    ),
    "sppo": (
        lambda w, r: losses.sppo(w, r, beta=BETA),
        lambda w, r: (2 * (w - 0.5 / BETA), 2 * (r + 0.5 / BETA)),
    ),
    "apo_zero": (
        lambda w, r: losses.apo_zero(w, r, beta=BETA),
        lambda w, r: (
            -BETA * odds(BETA * w) * odds(-BETA * w),
            BETA * odds(BETA * r) * odds(-BETA * r),
        ),
    ),
    "apo_down": (lambda w, r: losses.apo_down(w, r, beta=BETA), apo_down_slope),
}


@pytest.mark.parametrize("name", CASES)
def test_the_slope_is_the_one_derived_by_hand(name: str) -> None:
    loss, slope = CASES[name]
    chosen, rejected = CHOSEN.clone().requires_grad_(), REJECTED.clone().requires_grad_()
    found = torch.autograd.grad(loss(chosen, rejected).sum(), (chosen, rejected))
    torch.testing.assert_close(found, slope(CHOSEN, REJECTED), atol=1e-12, rtol=1e-10)
    turned = [-part for part in found]
    assert not torch.allclose(turned[0], slope(CHOSEN, REJECTED)[0]), "the sign matters"


@pytest.mark.parametrize("name", CASES)
def test_far_margins_stay_finite_and_so_do_their_slopes(name: str) -> None:
    ends = [(vector(*[side] * 4), vector(*[-side] * 4)) for side in (2e3, -2e3)]
    for chosen, rejected in ends:
        both = chosen.requires_grad_(), rejected.requires_grad_()
        loss = CASES[name][0](*both)
        slopes = torch.autograd.grad(loss.sum(), both)
        assert all(bool(torch.isfinite(part).all()) for part in (loss, *slopes))


# --- One method seen as another, or as its limit


def test_without_flipped_labels_cdpo_and_robust_are_dpo() -> None:
    plain = losses.dpo(CHOSEN, REJECTED, beta=BETA)
    for loss in (losses.cdpo, losses.robust):
        torch.testing.assert_close(loss(CHOSEN, REJECTED, beta=BETA, flip=0.0), plain)
        assert not torch.allclose(loss(CHOSEN, REJECTED, beta=BETA, flip=0.1), plain)


def test_robust_is_unbiased_over_all_ways_to_flip_the_labels() -> None:
    pairs = list(zip(CHOSEN, REJECTED, strict=True))

    def expected(loss: Callable[..., Tensor]) -> float:
        total = 0.0
        for flips in product([False, True], repeat=len(pairs)):
            chance = math.prod(FLIP if flip else 1 - FLIP for flip in flips)
            seen = [(r, w) if flip else (w, r) for (w, r), flip in zip(pairs, flips, strict=True)]
            chosen, rejected = (torch.stack(side) for side in zip(*seen, strict=True))
            total += chance * loss(chosen, rejected, beta=BETA, flip=FLIP).sum().item()
        return total

    clean = losses.dpo(CHOSEN, REJECTED, beta=BETA).sum().item()
    assert expected(losses.robust) == pytest.approx(clean, rel=1e-12)
    assert expected(losses.cdpo) != pytest.approx(clean, rel=1e-2), "smoothing is not a correction"


def test_exo_and_cdpo_are_the_two_directions_of_one_kl() -> None:
    said = odds(BETA * (CHOSEN - REJECTED))
    q, p = torch.stack([said, 1 - said]), vector(1 - FLIP, FLIP).unsqueeze(1)
    reverse = (q * (q / p).log()).sum(dim=0)
    forward = (p * (p / q).log()).sum(dim=0)
    entropy = -(p * p.log()).sum()
    torch.testing.assert_close(losses.exo(CHOSEN, REJECTED, beta=BETA, flip=FLIP), reverse)
    smooth = losses.cdpo(CHOSEN, REJECTED, beta=BETA, flip=FLIP)
    torch.testing.assert_close(smooth, forward + entropy)
    assert not torch.allclose(reverse, forward, atol=1e-2)
    settled = vector(math.log((1 - FLIP) / FLIP) / BETA), vector(0.0)
    assert losses.exo(*settled, beta=BETA, flip=FLIP).item() == pytest.approx(0, abs=1e-15)


def test_discopop_is_logistic_below_zero_and_exponential_above() -> None:
    h = vector(-3.0, -1.0, 1.0, 3.0)
    sharp = losses.discopop(h, torch.zeros_like(h), beta=1.0, temperature=1e-3)
    logistic, exponential = torch.log1p(torch.exp(-h)), torch.exp(-h)
    torch.testing.assert_close(sharp, torch.where(h < 0, logistic, exponential))
    assert not torch.allclose(sharp, torch.where(h > 0, logistic, exponential), atol=1e-2)
    even = losses.discopop(h, torch.zeros_like(h), beta=1.0, temperature=1e9)
    torch.testing.assert_close(even, (logistic + exponential) / 2)


def test_hinge_on_log_ratios_is_slic_on_log_probabilities_times_beta() -> None:
    chosen, rejected = vector(-3.0, -9.0), vector(-5.0, -4.0)
    slic = losses.slic(chosen, rejected, delta=1 / BETA)
    torch.testing.assert_close(BETA * slic, losses.hinge(chosen, rejected, beta=BETA))
    leaning = losses.hinge(chosen - vector(-2.0, -2.0), rejected, beta=BETA)
    assert not torch.allclose(BETA * slic, leaning), "a reference that prefers one of them tells"


def test_kto_without_a_baseline_is_apo_zero() -> None:
    zero = losses.apo_zero(CHOSEN, REJECTED, beta=BETA)
    torch.testing.assert_close(losses.kto(CHOSEN, REJECTED, beta=BETA, baseline=0.0), zero)
    assert not torch.allclose(losses.kto(CHOSEN, REJECTED, beta=BETA, baseline=1.0), zero)


@pytest.mark.parametrize("shift", [-1.0, 0.0, 0.7])
def test_bco_bounds_dpo_from_above_whatever_the_shift(shift: float) -> None:
    above = losses.bco(CHOSEN, REJECTED, beta=BETA, shift=shift)
    assert bool((above > losses.dpo(CHOSEN, REJECTED, beta=BETA)).all())
    half = losses.bco(CHOSEN, REJECTED, beta=BETA, shift=shift) / 2
    assert not bool((half > losses.dpo(CHOSEN, REJECTED, beta=BETA)).all())


def test_nca_stops_the_winner_at_odds_of_two_where_dpo_never_stops() -> None:
    top = vector(math.log(2) / BETA).requires_grad_()  # σ(r_w) = 2/3
    low = vector(-1e3)
    (slope,) = torch.autograd.grad(losses.nca(top, low, beta=BETA).sum(), top)
    assert slope.item() == pytest.approx(0, abs=1e-15)
    bent = losses.nca(vector(2.0), low, beta=BETA), losses.nca(top.detach(), low, beta=BETA)
    assert bent[0].item() > bent[1].item()


def test_sppos_rewards_settle_at_plus_and_minus_one_half() -> None:
    target = vector(0.5 / BETA), vector(-0.5 / BETA)
    assert losses.sppo(*target, beta=BETA).item() == 0.0
    assert BETA * target[0].item() == 0.5
    assert losses.sppo(vector(0.5), vector(-0.5), beta=BETA).item() > 1, "nats are not rewards"


def test_apo_down_lowers_even_the_winner() -> None:
    chosen, rejected = vector(0.0).requires_grad_(), vector(-30.0)
    (down,) = torch.autograd.grad(losses.apo_down(chosen, rejected, beta=BETA).sum(), chosen)
    (zero,) = torch.autograd.grad(losses.apo_zero(chosen, rejected, beta=BETA).sum(), chosen)
    assert down.item() > 0 > zero.item()


def test_aot_compares_quantiles_and_not_pairs() -> None:
    sorted_pairs = losses.dpo(CHOSEN.sort().values, REJECTED.sort().values, beta=BETA)
    torch.testing.assert_close(losses.aot(CHOSEN, REJECTED, beta=BETA), sorted_pairs)
    shuffled = losses.aot(CHOSEN, REJECTED.flip(0), beta=BETA)
    torch.testing.assert_close(shuffled, sorted_pairs)
    assert not torch.allclose(losses.dpo(CHOSEN, REJECTED.flip(0), beta=BETA).sum(), shuffled.sum())
    best = min(
        losses.dpo(CHOSEN, REJECTED[list(order)], beta=BETA).sum().item()
        for order in product(range(4), repeat=4)
        if len(set(order)) == 4
    )
    assert shuffled.sum().item() == pytest.approx(best), "the cheapest transport, by enumeration"


def test_the_slope_of_aot_reaches_the_responses_that_were_sorted() -> None:
    chosen = CHOSEN.clone().requires_grad_()
    (slope,) = torch.autograd.grad(losses.aot(chosen, REJECTED, beta=BETA).sum(), chosen)
    order = CHOSEN.argsort()
    quantiles = CHOSEN[order] - REJECTED.sort().values
    torch.testing.assert_close(slope[order], -BETA * odds(-BETA * quantiles))


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_r_dpo_is_at_rest_where_the_optimum_with_a_price_on_tokens_is(alpha: float) -> None:
    reward, length = vector(1.0, -0.5).unsqueeze(0), torch.tensor([[7, 3]])
    reference = vector(0.3, 0.7).log().unsqueeze(0)
    optimum = optimal_policy(reward - alpha * length.double(), reference, beta=BETA)
    ratio = (optimum - reference).requires_grad_()
    preferred = odds(reward[0, 0] - reward[0, 1])

    def slope(price: float) -> float:
        first, second = ratio[:, 0], ratio[:, 1]
        lengths = length[:, 0], length[:, 1]
        there = losses.r_dpo(first, second, beta=BETA, alpha=price, lengths=lengths)
        back = losses.r_dpo(second, first, beta=BETA, alpha=price, lengths=lengths[::-1])
        mean = preferred * there + (1 - preferred) * back
        return float(torch.autograd.grad(mean.sum(), ratio)[0][0, 0])

    assert slope(alpha) == pytest.approx(0, abs=1e-12)
    assert abs(slope(alpha + 0.2)) > 1e-2


def test_a_longer_winner_is_pressed_less() -> None:
    long, short = (torch.tensor([9]), torch.tensor([2])), (torch.tensor([2]), torch.tensor([9]))
    nothing = vector(0.0)
    pressed = [
        losses.r_dpo(nothing, nothing, beta=BETA, alpha=0.1, lengths=each).item()
        for each in (long, short)
    ]
    assert pressed[0] < math.log(2) < pressed[1]


# --- Without a reference


LOG_CHOSEN, LOG_REJECTED = vector(-2.0, -9.0, -0.4, -6.0), vector(-6.0, -3.0, -1.5, -12.0)


def test_simpo_by_hand() -> None:
    one = losses.simpo(
        vector(-2.0), vector(-6.0), beta=2.0, gamma=0.5, lengths=(LENGTHS[0][:1], LENGTHS[1][:1])
    )
    # means −1 and −1.5: 2 · 0.5 − 0.5 = 0.5
    assert one.item() == pytest.approx(math.log1p(math.exp(-0.5)), rel=1e-12)
    summed = losses.simpo(
        vector(-2.0), vector(-6.0), beta=2.0, gamma=0.5, lengths=(torch.tensor([1]),) * 2
    )
    assert summed.item() != pytest.approx(one.item(), rel=0.1)


def test_orpo_by_hand_and_its_slope() -> None:
    chosen = LOG_CHOSEN.clone().requires_grad_()
    value = losses.orpo(chosen, LOG_REJECTED, weight=0.7, lengths=LENGTHS)
    p, q = torch.exp(LOG_CHOSEN / LENGTHS[0]), torch.exp(LOG_REJECTED / LENGTHS[1])
    ratio = (p / (1 - p)) / (q / (1 - q))
    torch.testing.assert_close(value, -p.log() + 0.7 * torch.log1p(1 / ratio))
    (slope,) = torch.autograd.grad(value.sum(), chosen)
    by_hand = -(1 + 0.7 / (1 + ratio) / (1 - p)) / LENGTHS[0]
    torch.testing.assert_close(slope, by_hand)
    assert not torch.allclose(value, -p.log() + 0.7 * torch.log1p(q / p), atol=1e-2), "not odds"


def test_without_a_weight_orpo_is_sft() -> None:
    alone = losses.sft(LOG_CHOSEN, lengths=LENGTHS[0])
    torch.testing.assert_close(
        losses.orpo(LOG_CHOSEN, LOG_REJECTED, weight=0.0, lengths=LENGTHS), alone
    )
    torch.testing.assert_close(alone, vector(1.0, 1.8, 0.4, 2.0))


def test_orpos_odds_hold_near_probability_one() -> None:
    sure = vector(-1e-12).requires_grad_()
    one = (torch.tensor([1]), torch.tensor([1]))
    value = losses.orpo(sure, vector(-1e-12), weight=1.0, lengths=one)
    assert value.item() == pytest.approx(math.log(2), abs=1e-9)
    naive = math.log(1 - math.exp(-1e-12))
    assert abs(naive - math.log(1e-12)) > 1e-6, "1 − p by subtraction has lost its digits"
    (slope,) = torch.autograd.grad(value.sum(), sure)
    assert math.isfinite(slope.item())


# --- What is refused


@pytest.mark.parametrize("flip", [-0.1, 0.5, 0.9, math.nan])
@pytest.mark.parametrize("loss", [losses.cdpo, losses.robust, losses.exo])
def test_half_of_the_labels_flipped_says_nothing(loss: Callable[..., Tensor], flip: float) -> None:
    with pytest.raises(RangeError, match="rate of flipped labels"):
        loss(CHOSEN, REJECTED, beta=BETA, flip=flip)


def test_exo_needs_a_label_that_leaves_something() -> None:
    with pytest.raises(RangeError, match="rate of flipped labels"):
        losses.exo(CHOSEN, REJECTED, beta=BETA, flip=0.0)


@pytest.mark.parametrize(
    ("wrong", "kind", "words"),
    [
        (lambda: losses.slic(vector(0.5), vector(-1.0), delta=1.0), RangeError, "at most 0"),
        (lambda: losses.slic(vector(-0.5), vector(-1.0), delta=0.0), RangeError, "δ"),
        (lambda: losses.sft(vector(-1.0), lengths=torch.tensor([0])), RangeError, "1 token"),
        (lambda: losses.sft(vector(-1.0), lengths=torch.tensor([1, 2])), ShapeError, "shape"),
        (lambda: losses.kto(CHOSEN, REJECTED, beta=BETA, baseline=-1.0), RangeError, "baseline"),
        (
            lambda: losses.kto(CHOSEN, REJECTED, beta=BETA, baseline=0.0, weights=(0.0, 1.0)),
            RangeError,
            "weight",
        ),
        (lambda: losses.kto_baseline(vector()), PairsError, "at least one"),
        (lambda: losses.bco(CHOSEN, REJECTED, beta=BETA, shift=math.inf), RangeError, "δ"),
        (lambda: losses.discopop(CHOSEN, REJECTED, beta=1.0, temperature=0.0), RangeError, "τ"),
        (
            lambda: losses.r_dpo(CHOSEN, REJECTED, beta=1.0, alpha=-1.0, lengths=LENGTHS),
            RangeError,
            "α",
        ),
        (
            lambda: losses.simpo(LOG_CHOSEN, LOG_REJECTED, beta=1.0, gamma=-1.0, lengths=LENGTHS),
            RangeError,
            "γ",
        ),
        (lambda: losses.orpo(LOG_CHOSEN, CHOSEN, weight=1.0, lengths=LENGTHS), RangeError, "log"),
        (lambda: losses.aot(CHOSEN, REJECTED[:2], beta=BETA), ShapeError, "shape"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    wrong: Callable[[], object], kind: type[EngineError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        wrong()


@pytest.mark.parametrize(
    "loss",
    [losses.hinge, losses.sppo, losses.nca, losses.bco, losses.apo_zero, losses.apo_down],
)
def test_a_beta_of_zero_is_refused_everywhere(loss: Callable[..., Tensor]) -> None:
    with pytest.raises(RangeError, match="β"):
        loss(CHOSEN, REJECTED, beta=0.0)
