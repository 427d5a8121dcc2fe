"""The peer of the speed benchmark does the same mathematics, so that the ratio means something."""

import torch

from engine import preferences
from tests.bench import dpo_peer


def test_engine_and_peer_agree_step_for_step() -> None:
    world = preferences.world(8, 5, generator=torch.Generator().manual_seed(0))
    pairs = preferences.soft_pairs(world)
    tables = (world.reward.numpy(), world.reference.numpy(), dpo_peer.win_rates(world))
    ours, our_steps = dpo_peer.engine_newton_dpo(world, pairs, beta=0.3)
    peers, peer_steps = dpo_peer.numpy_newton_dpo(*tables, beta=0.3)
    assert our_steps == peer_steps
    torch.testing.assert_close(ours, torch.from_numpy(peers), atol=1e-9, rtol=0)
