"""The losses of TRL, computed by TRL's own trainers; for a process of its own, as TRL is heavy.

`python -m tests.trl_losses` reads a list of requests as JSON and writes one list of losses for
each. The trainers' loss methods are called as they are; the model they ask is replaced by given
log-probabilities, everything else that they would gather or log by nothing.
"""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NotRequired, TypedDict

import torch
from torch import Tensor

from tests.server import ROOT

KL_TOKEN = 7  # what the sequences are made of that estimate KTO's baseline
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "OMP_NUM_THREADS": "1"}


class Request(TypedDict):
    """One loss over some pairs. Log-probabilities are of whole responses, nats."""

    trainer: str  # "dpo", "kto", "cpo" or "orpo"
    loss: str  # TRL's name
    chosen: Sequence[float]  # log π(y_w|x)
    rejected: Sequence[float]  # log π(y_l|x)
    reference: tuple[Sequence[float], Sequence[float]]  # log π_ref of both; unused without one
    lengths: tuple[Sequence[int], Sequence[int]]  # tokens
    together: bool  # all pairs in one batch, which gives one number; otherwise each alone
    setting: dict[str, float]  # beta and what else the trainer is configured by
    baseline: NotRequired[Sequence[float]]  # KTO: log-ratios of mismatched responses


def ask(requests: Sequence[Request]) -> list[list[float]]:
    """Return what TRL makes of each request, computed in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.trl_losses"],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **OFFLINE},
        timeout=240,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"TRL did not answer:\n{done.stderr[-2000:]}")
    answers: list[list[float]] = json.loads(done.stdout.splitlines()[-1])
    return answers


def answer(request: Request) -> list[float]:
    """Return one loss per batch."""
    compute = {"dpo": _dpo, "kto": _kto, "cpo": _cpo, "orpo": _orpo}[request["trainer"]]
    if request["together"]:
        return [compute(request)]
    return [compute(_one(request, at)) for at in range(len(request["chosen"]))]


def _one(request: Request, at: int) -> Request:
    def pick(both: tuple[Sequence[Any], Sequence[Any]]) -> tuple[Sequence[Any], Sequence[Any]]:
        return [both[0][at]], [both[1][at]]

    return {
        **request,
        "chosen": [request["chosen"][at]],
        "rejected": [request["rejected"][at]],
        "reference": pick(request["reference"]),
        "lengths": pick(request["lengths"]),
    }


def _dpo(request: Request) -> float:
    from trl import DPOTrainer

    log_probs, mask = _tokens(request)
    trainer = _trainer(request, loss_types=[request["loss"]], loss_weights=[1.0])
    reference = [torch.tensor(each, dtype=torch.float64) for each in request["reference"]]
    batch = {
        "input_ids": torch.zeros_like(mask),
        "attention_mask": torch.ones_like(mask),
        "completion_mask": mask,
        "ref_chosen_logps": reference[0],
        "ref_rejected_logps": reference[1],
    }
    loss = DPOTrainer._compute_loss(
        trainer, lambda **_: _outputs(log_probs), batch, return_outputs=False
    )
    return float(loss)


def _kto(request: Request) -> float:
    from trl import KTOTrainer

    log_probs, mask = _tokens(request)
    trainer = _trainer(request, loss_type=request["loss"], calculate_KL=True)
    trainer._compute_kl_logps = lambda model, batch: KTOTrainer._compute_kl_logps(
        trainer, model, batch
    )
    baseline = torch.tensor(request["baseline"], dtype=torch.float64).unsqueeze(1)
    pairs = len(request["chosen"])
    reference = torch.tensor([*request["reference"][0], *request["reference"][1]]).double()
    kl_ids = torch.full((len(baseline), 2), KL_TOKEN)
    batch = {
        "input_ids": torch.zeros_like(mask),
        "attention_mask": torch.ones_like(mask),
        "completion_mask": mask,
        "KL_input_ids": kl_ids,
        "KL_attention_mask": torch.ones_like(kl_ids),
        "KL_completion_mask": torch.ones_like(kl_ids),
        "label": torch.tensor([True] * pairs + [False] * pairs),
        "ref_logps": reference,
        "ref_KL_logps": torch.zeros(len(baseline), dtype=torch.float64),
    }

    def model(*, input_ids: Tensor, **_: object) -> SimpleNamespace:
        return _outputs(baseline if bool((input_ids == KL_TOKEN).all()) else log_probs)

    return float(KTOTrainer._compute_loss(trainer, model, batch, return_outputs=False))


def _cpo(request: Request) -> float:
    from trl.experimental.cpo import CPOTrainer

    trainer = _trainer(request, loss_type=request["loss"])
    losses, *_ = CPOTrainer.cpo_loss(trainer, *_sums(request))
    return float(losses.mean())


def _orpo(request: Request) -> float:
    """The part of the loss with the odds ratio, which TRL subtracts from a cross-entropy."""
    from trl.experimental.orpo import ORPOTrainer

    losses, *_ = ORPOTrainer.odds_ratio_loss(_trainer(request), *_sums(request))
    return -float(losses.mean())


def _sums(request: Request) -> list[Tensor]:
    """The log-probabilities as they are given: these trainers average before."""
    return [torch.tensor(request[side], dtype=torch.float64) for side in ("chosen", "rejected")]


def _tokens(request: Request) -> tuple[Tensor, Tensor]:
    """The log-probability of each token (chosen above rejected), and the mask of the responses.

    Sequences begin with one token of a prompt; a response's log-probability is spread evenly.
    """
    totals = [*request["chosen"], *request["rejected"]]
    lengths = [*request["lengths"][0], *request["lengths"][1]]
    mask = torch.zeros(len(totals), 1 + max(lengths), dtype=torch.int64)
    log_probs = torch.zeros(len(totals), max(lengths), dtype=torch.float64)
    for row, (total, length) in enumerate(zip(totals, lengths, strict=True)):
        mask[row, 1 : 1 + length] = 1
        log_probs[row, :length] = total / length
    return log_probs, mask


def _outputs(log_probs: Tensor) -> SimpleNamespace:
    nothing = torch.zeros_like(log_probs)
    return SimpleNamespace(
        log_probs=log_probs, entropy=nothing, mean_logits=nothing, is_top1=nothing.bool()
    )


def _trainer(request: Request, **more: object) -> SimpleNamespace:
    """What the loss methods look up on their trainer."""
    same = SimpleNamespace(device="cpu", gather=lambda x: x, gather_for_metrics=lambda x: x)
    defaults = {"label_smoothing": 0.0, "alpha": 0.0, "discopop_tau": 0.05}
    setting = {**defaults, **request["setting"]}
    return SimpleNamespace(
        **setting,
        **more,
        args=SimpleNamespace(discopop_tau=setting["discopop_tau"]),
        model=SimpleNamespace(training=False),
        accelerator=same,
        aux_loss_enabled=False,
        ld_alpha=None,
        precompute_ref_logps=True,
        f_divergence_type="reverse_kl",
        use_weighting=False,
        _metrics=defaultdict(lambda: defaultdict(list)),
        _total_train_tokens=0,
    )


if __name__ == "__main__":
    print(json.dumps([answer(request) for request in json.load(sys.stdin)]))
