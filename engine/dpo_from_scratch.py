"""DPO from scratch: learn a policy from preferences alone, then read the reward out of it."""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

PROMPTS, RESPONSES, BETA = 2, 4, 0.5
RATE, STEPS = 4.0, 500


def dpo_loss(log_ratio: Tensor, prefers: Tensor) -> Tensor:
    """Rafailov et al. 2023, eq. 7, for all i and j, weighted by how often i is preferred to j."""
    margin = log_ratio.unsqueeze(2) - log_ratio.unsqueeze(1)  # (prompt, i, j), nats
    return -(prefers * logsigmoid(BETA * margin)).sum()


def train(log_reference: Tensor, prefers: Tensor) -> Tensor:
    """Start at the reference and follow the gradient. The reward is not an argument."""
    logits = log_reference.clone().requires_grad_()
    for _ in range(STEPS):
        log_ratio = logits.log_softmax(dim=1) - log_reference
        (gradient,) = torch.autograd.grad(dpo_loss(log_ratio, prefers), logits)
        logits.data -= RATE * gradient
    return logits.detach().log_softmax(dim=1)


def main() -> str:
    """Ask a Bradley-Terry teacher, train, and compare the implicit reward with the teacher's."""
    draw = torch.Generator().manual_seed(0)
    reward, logits = torch.randn(2, PROMPTS, RESPONSES, generator=draw, dtype=torch.float64)
    log_reference = logits.log_softmax(dim=1)
    prefers = torch.sigmoid(reward.unsqueeze(2) - reward.unsqueeze(1))  # Bradley-Terry

    implicit = BETA * (train(log_reference, prefers) - log_reference)
    constant = BETA * torch.logsumexp(log_reference + reward / BETA, dim=1, keepdim=True)
    error = float((reward - implicit - constant).abs().max())

    lines = ["prompt  response  reward r  implicit  r - implicit  β log Z"]
    for x, y in torch.cartesian_prod(torch.arange(PROMPTS), torch.arange(RESPONSES)).tolist():
        true, own, shift = reward[x, y], implicit[x, y], constant[x, 0]
        lines.append(f"{x:6}  {y:8}  {true:8.4f}  {own:8.4f}  {true - own:12.4f}  {shift:7.4f}")
    verdict = "verified" if error < 1e-9 else "refuted"
    lines += ["", f"r = implicit reward + β log Z is {verdict}: largest error {error:.1e}"]
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())  # noqa: T201
