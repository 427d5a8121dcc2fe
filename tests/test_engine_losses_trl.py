"""Every loss against TRL 1.16.0, whose trainers are called; where they differ, how."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from engine import losses
from tests.trl_losses import Request, ask

pytestmark = pytest.mark.slow

BETA, FLIP = 0.3, 0.1
# Log-ratios of eight pairs, from no margin to margins at which a naive formula overflows.
CHOSEN = [0.0, 1.5, -2.0, 40.0, -60.0, 300.0, -5.0, 0.1]
REJECTED = [0.0, -0.5, 3.0, -40.0, 60.0, -200.0, -5.0, 7.0]
REFERENCE = -400.0  # nats, of each response
LENGTHS = ([1, 2, 3, 4, 5, 6, 2, 8], [1, 3, 3, 2, 7, 1, 9, 4])
# Log-probabilities per token, for the trainers that average before.
MEAN_CHOSEN = [-1e-3, -0.2, -1.0, -3.0, -8.0, -0.5]
MEAN_REJECTED = [-0.5, -0.3, -4.0, -3.0, -1e-3, -30.0]
MISMATCHED = [0.9, -0.2, 0.5]  # log-ratios, nats

Answers = dict[str, Tensor]


def vector(numbers: list[float]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def request(trainer: str, loss: str, *, together: bool = False, **setting: float) -> Request:
    return {
        "trainer": trainer,
        "loss": loss,
        "chosen": [REFERENCE + ratio for ratio in CHOSEN],
        "rejected": [REFERENCE + ratio for ratio in REJECTED],
        "reference": ([REFERENCE] * 8, [REFERENCE] * 8),
        "lengths": LENGTHS,
        "together": together,
        "setting": {"beta": BETA, **setting},
    }


def averaged(trainer: str, loss: str, **setting: float) -> Request:
    """The same on log-probabilities per token."""
    own = {"beta": BETA, **setting}
    plain = request(trainer, loss)
    return {**plain, "chosen": MEAN_CHOSEN, "rejected": MEAN_REJECTED, "setting": own}


def requests() -> dict[str, Request]:
    names = ["sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard"]
    names += ["apo_zero", "apo_down", "discopop"]
    alone = {name: request("dpo", name, label_smoothing=FLIP) for name in names}
    batches = {name: request("dpo", name, together=True) for name in ("aot", "aot_unpaired", "sft")}
    spread = {"desirable_weight": 1.0, "undesirable_weight": 1.5}
    kto: Request = {**request("kto", "kto", together=True, **spread), "baseline": MISMATCHED}
    below: Request = {**kto, "baseline": [-number for number in MISMATCHED]}
    return {
        **alone,
        **batches,
        "kto": kto,
        "kto, baseline below zero": below,
        "cpo": averaged("cpo", "sigmoid", label_smoothing=FLIP),
        "cpo hinge": averaged("cpo", "hinge"),
        "simpo": averaged("cpo", "simpo", simpo_gamma=0.4),
        "orpo": averaged("orpo", ""),
    }


@pytest.fixture(scope="module")
def trl() -> Answers:
    asked = requests()
    return {
        name: vector(values) for name, values in zip(asked, ask([*asked.values()]), strict=True)
    }


def ours(name: str) -> Tensor:
    """The loss of that name on the eight pairs."""
    more = {"flip": FLIP} if name in {"exo", "robust", "cdpo"} else {}
    loss: Callable[..., Tensor] = getattr(losses, name)
    return loss(vector(CHOSEN), vector(REJECTED), beta=BETA, **more)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("dpo", "sigmoid"),
        ("hinge", "hinge"),
        ("exo", "exo_pair"),
        ("nca", "nca_pair"),
        ("robust", "robust"),
        ("bco", "bco_pair"),
        ("sppo", "sppo_hard"),
        ("apo_zero", "apo_zero"),
        ("apo_down", "apo_down"),
    ],
)
def test_the_same_value_for_every_pair(trl: Answers, name: str, theirs: str) -> None:
    torch.testing.assert_close(ours(name), trl[theirs], atol=1e-6, rtol=1e-7)
    assert not torch.allclose(ours("dpo" if name != "dpo" else "hinge"), trl[theirs], atol=1e-3)


def test_discopop_is_the_same_until_trl_multiplies_zero_by_infinity(trl: Answers) -> None:
    theirs = trl["discopop"]
    torch.testing.assert_close(ours("discopop"), theirs, atol=1e-6, rtol=1e-7)
    reward = torch.tensor(-1e4, dtype=torch.float64)
    as_written = torch.sigmoid(reward / 0.05) * torch.exp(-reward)
    assert math.isnan(as_written.item()), "what TRL computes, at a margin this far below zero"
    far = losses.discopop(reward.reshape(1), torch.zeros_like(reward).reshape(1), beta=1.0)
    assert far.item() == pytest.approx(1e4, rel=1e-12)


def test_sorted_losses_agree_over_a_batch(trl: Answers) -> None:
    chosen, rejected = vector(CHOSEN), vector(REJECTED)
    unpaired = losses.aot(chosen, rejected, beta=BETA).mean()
    paired = losses.aot_paired(chosen - rejected, torch.zeros(8).double(), beta=BETA).mean()
    assert unpaired.item() == pytest.approx(trl["aot_unpaired"].item(), abs=1e-6)
    assert paired.item() == pytest.approx(trl["aot"].item(), abs=1e-6)
    assert unpaired.item() != pytest.approx(trl["aot"].item(), abs=0.1), "two losses of one name"


def test_trls_ipo_is_the_one_per_token(trl: Answers) -> None:
    chosen, rejected = vector(CHOSEN), vector(REJECTED)
    lengths = (torch.tensor(LENGTHS[0]), torch.tensor(LENGTHS[1]))
    per_token = losses.ipo_per_token(chosen, rejected, tau=BETA, lengths=lengths)
    torch.testing.assert_close(per_token, trl["ipo"], atol=1e-6, rtol=1e-7)
    summed = losses.ipo(chosen, rejected, tau=BETA)
    assert summed[0].item() == pytest.approx(trl["ipo"][0].item()), "one token each"
    assert not torch.allclose(summed[1:], trl["ipo"][1:], atol=0.1)


def test_trl_smooths_labels_in_cpo_and_not_in_dpo(trl: Answers) -> None:
    chosen, rejected = vector(MEAN_CHOSEN), vector(MEAN_REJECTED)
    smooth = losses.cdpo(chosen, rejected, beta=BETA, flip=FLIP)
    torch.testing.assert_close(smooth, trl["cpo"], atol=1e-6, rtol=1e-7)
    assert not torch.allclose(ours("cdpo"), trl["sigmoid"], atol=1e-3), "label_smoothing is ignored"


def test_kto_is_averaged_over_responses_and_its_baseline_cut_off_at_zero(trl: Answers) -> None:
    def mean(baseline: float) -> float:
        both = vector(CHOSEN), vector(REJECTED)
        value = losses.kto(*both, beta=BETA, baseline=baseline, weights=(1.0, 1.5))
        return value.mean().item()

    baseline = losses.kto_baseline(vector(MISMATCHED))
    assert mean(baseline) / 2 == pytest.approx(trl["kto"].item(), abs=1e-6)
    assert mean(0.0) / 2 != pytest.approx(trl["kto"].item(), abs=1e-3)
    below = trl["kto, baseline below zero"].item()
    assert losses.kto_baseline(-vector(MISMATCHED)) == 0.0
    assert mean(0.0) / 2 == pytest.approx(below, abs=1e-6)


def test_trls_sft_pools_the_tokens_of_a_batch(trl: Answers) -> None:
    lengths = torch.tensor(LENGTHS[0])
    each = losses.sft(REFERENCE + vector(CHOSEN), lengths=lengths)
    pooled = (each * lengths).sum() / lengths.sum()
    assert pooled.item() == pytest.approx(trl["sft"].item(), rel=1e-9)
    assert each.mean().item() != pytest.approx(trl["sft"].item(), rel=1e-2)


def test_slic_is_cpos_hinge_in_nats(trl: Answers) -> None:
    slic = losses.slic(vector(MEAN_CHOSEN), vector(MEAN_REJECTED), delta=1 / BETA)
    torch.testing.assert_close(BETA * slic, trl["cpo hinge"], atol=1e-6, rtol=1e-7)
    assert not torch.allclose(slic, trl["cpo hinge"], atol=1e-2)


def test_simpo_and_orpo_in_their_own_trainers(trl: Answers) -> None:
    chosen, rejected = vector(MEAN_CHOSEN), vector(MEAN_REJECTED)
    lengths = torch.tensor([3, 1, 4, 1, 5, 9]), torch.tensor([2, 7, 1, 8, 2, 8])
    sums = chosen * lengths[0], rejected * lengths[1]
    simpo = losses.simpo(*sums, beta=BETA, gamma=0.4, lengths=lengths)
    torch.testing.assert_close(simpo, trl["simpo"], atol=1e-6, rtol=1e-7)
    not_averaged = losses.simpo(*sums, beta=BETA, gamma=0.4, lengths=(lengths[0] * 0 + 1,) * 2)
    assert not torch.allclose(not_averaged, trl["simpo"], atol=1e-2)
    orpo = losses.orpo(*sums, weight=BETA, lengths=lengths)
    odds = orpo - losses.sft(sums[0], lengths=lengths[0])
    # Single precision there: 1 − e^-0.001 keeps four digits less than it has here.
    torch.testing.assert_close(odds, trl["orpo"], atol=1e-6, rtol=1e-5)
