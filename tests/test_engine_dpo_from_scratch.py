"""The teaching program: short, quick, and its verdict is computed."""

import re
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pytest
import torch

from engine import dpo_from_scratch, losses
from engine.closed_form import optimal_policy

SOURCE = Path(dpo_from_scratch.__file__)


def test_it_fits_on_a_page() -> None:
    lines = SOURCE.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 50
    assert not any(line.startswith(("from engine", "import engine")) for line in lines)


def test_it_verifies_the_implicit_reward() -> None:
    *rows, _, verdict = dpo_from_scratch.main().splitlines()
    numbers = [[float(number) for number in row.split()] for row in rows[1:]]
    assert len(numbers) == dpo_from_scratch.PROMPTS * dpo_from_scratch.RESPONSES
    for _, _, reward, implicit, difference, constant in numbers:
        assert reward - implicit == pytest.approx(difference, abs=2e-4)
        assert difference == constant
    assert re.fullmatch(r"r = implicit reward \+ β log Z is verified: largest error \S+", verdict)


def test_the_columns_line_up() -> None:
    *rows, _, _ = dpo_from_scratch.main().splitlines()
    assert len({len(row) for row in rows}) == 1


def test_an_unfinished_training_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dpo_from_scratch, "STEPS", 5)
    assert "is refuted" in dpo_from_scratch.main()


def test_its_loss_and_its_policy_are_the_engines() -> None:
    generator = torch.Generator().manual_seed(3)
    reward, logits = torch.randn(2, 2, 4, generator=generator, dtype=torch.float64)
    reference = logits.log_softmax(dim=1)
    prefers = torch.sigmoid(reward.unsqueeze(2) - reward.unsqueeze(1))
    trained = dpo_from_scratch.train(reference, prefers)
    optimum = optimal_policy(reward, reference, beta=dpo_from_scratch.BETA)
    torch.testing.assert_close(trained, optimum)
    ratio = trained - reference
    chosen, rejected = torch.broadcast_tensors(ratio.unsqueeze(2), ratio.unsqueeze(1))
    by_pair = prefers * losses.dpo(chosen, rejected, beta=dpo_from_scratch.BETA)
    torch.testing.assert_close(dpo_from_scratch.dpo_loss(ratio, prefers), by_pair.sum())


@pytest.mark.slow
def test_it_runs_on_its_own() -> None:
    begin = perf_counter()
    command = [sys.executable, "-m", "engine.dpo_from_scratch"]
    done = subprocess.run(
        command, cwd=SOURCE.parents[1], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.strip() == dpo_from_scratch.main()
    assert perf_counter() - begin < 10, "one to two seconds, nearly all of it the import of torch"
