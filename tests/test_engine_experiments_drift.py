"""Drift, watched: p-values as rounds pile up, a verdict that is earned, and scores of one's own."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from engine import drift, drift_verdict, experiments
from engine.errors import EngineError, RangeError, ShapeError
from engine.experiments.drift import Experiment, Settings, Step, build, from_files, from_scores
from engine.score_files import parse


def run(**values: object) -> tuple[Experiment, list[Step]]:
    built = build(Settings.read(values))
    return built, list(built.run())


def test_a_shift_is_found_with_the_divergence_of_the_lesson() -> None:
    built, steps = run()
    assert built.observed_nats == pytest.approx(drift.jensen_shannon(built.base, built.tuned))
    assert steps[-1].rounds == 999
    assert steps[-1].p_value == pytest.approx(0.001)
    assert steps[-1].verdict.word == "drifted"
    low, high = built.interval_nats
    assert low < built.observed_nats < high


def test_no_shift_is_no_evidence_and_the_p_value_is_not_small() -> None:
    _, steps = run(shift=0)
    assert steps[-1].verdict.word == "no evidence"
    assert steps[-1].p_value > 0.05


def test_evidence_has_to_pile_up() -> None:
    _, steps = run(rounds=200)
    assert steps[0].p_value == 1
    assert (steps[0].low, steps[0].high) == (0, 1)
    for step in steps:
        enough = 1 / (max(step.rounds, 1) + 1) <= 0.05
        assert step.verdict.word == ("drifted" if enough else "too few")
        assert step.low - 1e-12 <= step.beyond / max(step.rounds, 1) <= step.high
    assert all(b.high <= a.high for a, b in pairwise(steps))


def test_each_record_counts_all_rounds_so_far() -> None:
    built, steps = run(shift=0, rounds=150)
    assert len(steps) == built.length
    assert [step.rounds for step in steps] == list(range(0, 151, built.batch))
    for before, after in pairwise(steps):
        assert all(a <= b for a, b in zip(before.histogram, after.histogram, strict=True))
    last = steps[-1]
    assert sum(last.histogram) == last.rounds == 150
    assert last.p_value == pytest.approx((1 + last.beyond) / 151)
    cell = next(k for k, edge in enumerate(built.edges_nats) if edge > built.observed_nats) - 1
    assert sum(last.histogram[cell + 1 :]) <= last.beyond <= sum(last.histogram[cell:])


@pytest.mark.parametrize("pairing", ["paired", "unpaired"])
def test_the_rounds_are_those_of_the_engine(pairing: drift_verdict.Pairing) -> None:
    built, steps = run(pairing=pairing, shift=0.1, memos=100, rounds=400)
    generator = torch.Generator().manual_seed(99)
    again = built.comparison.null(4000, generator)
    expected = drift.p_value(built.observed_nats, again)
    error = math.sqrt(expected * (1 - expected) / 400)
    assert steps[-1].p_value == pytest.approx(expected, abs=5 * error + 0.003)


def test_a_threshold_tells_faint_from_large() -> None:
    words = [run(threshold=nats, rounds=99)[1][-1].verdict.word for nats in (0.0, 0.01, 0.5)]
    assert words == ["drifted", "drifted", "below the threshold"]


def test_three_memos_are_too_few_whatever_they_show() -> None:
    built, steps = run(memos=3, shift=3)
    assert {step.verdict.word for step in steps} == {"too few"}
    assert built.comparison.least_p_value == pytest.approx(2 / 2**3)
    assert math.inf in built.histogram_kl_nats


def test_uploaded_scores_give_what_the_built_in_ones_give() -> None:
    settings = Settings(rounds=99)
    built = build(settings)
    lists = from_scores(built.base.tolist(), built.tuned.tolist(), settings)
    assert list(lists.run()) == list(built.run())
    grades = from_scores((built.base * 9 + 1).tolist(), (built.tuned * 9 + 1).tolist(), settings)
    assert grades.scale[0] == pytest.approx(1, abs=0.5)
    assert grades.bin_edges[-1] == pytest.approx(grades.scale[1])
    assert list(grades.run())[-1].verdict.word == "drifted"


def test_separated_scores_are_log_two_apart() -> None:
    built = from_scores([0.0] * 30, [1.0] * 30, Settings(rounds=99))
    assert built.observed_nats == pytest.approx(math.log(2), abs=1e-14)
    assert built.histogram_kl_nats == (math.inf, math.inf)
    shares = [histogram.shares for histogram in built.histograms]
    assert shares == [[1, *[0] * 9], [*[0] * 9, 1]]


def test_files_are_joined_and_unequal_ones_are_unpaired() -> None:
    text = "\n".join(f"memo {k};0,{k % 10}" for k in range(40))
    mirrored = "\n".join(f"memo {k};0,{9 - k % 10}" for k in reversed(range(40)))
    built = from_files(parse(text), parse(mirrored), Settings(rounds=99))
    assert built.tuned[1].item() == pytest.approx(0.8), "joined by id, not by row"
    assert built.observed_nats == pytest.approx(0, abs=1e-12)
    unequal = from_files(parse("0.1\n0.2\n0.3"), parse("0.1\n0.9"), Settings(rounds=99))
    assert unequal.comparison.pairing == unequal.settings.pairing == "unpaired"
    assert list(unequal.run())[-1].verdict.items == (3, 2)


def test_rows_of_probabilities_are_compared_item_by_item_too() -> None:
    base = [[0.9, 0.1], [0.1, 0.9]] * 20
    built = from_scores(base, [row[::-1] for row in base], Settings(rounds=99))
    last = list(built.run())[-1]
    assert last.verdict.word == "changes cancel"
    assert built.by_item is not None
    divergence = 0.9 * math.log(9) + 0.1 * math.log(1 / 9)
    assert built.by_item.forward_nats == pytest.approx(divergence)
    unpaired = from_scores(base, base, Settings(rounds=99, pairing="unpaired"))
    assert unpaired.by_item is None
    assert build(Settings()).by_item is None


def test_the_run_repeats_to_the_last_bit_and_another_seed_is_another_world() -> None:
    first, second, other = (run(seed=seed, rounds=50)[1] for seed in (0, 0, 1))
    assert first == second
    assert first != other


def test_what_has_no_answer_is_refused() -> None:
    short: Tensor = torch.tensor([0.1], dtype=torch.float64)
    with pytest.raises(ShapeError):
        from_scores([0.1, 0.2], short, Settings())
    with pytest.raises(ShapeError, match="one kind"):
        from_scores([0.1, 0.2], [[0.5, 0.5]] * 2, Settings())
    with pytest.raises(RangeError, match="finite"):
        from_scores([0.1, math.nan], [0.2, 0.3], Settings())
    with pytest.raises(RangeError, match="at least 1"):
        from_scores([], [], Settings())
    assert experiments.build("drift", {"kind": "kl"}).settings == Settings(kind="kl")
    for bad in ({"rounds": 0}, {"kind": "tv"}, {"level": 0}, {"memos": 10**9}):
        with pytest.raises(EngineError):
            Settings.read(bad)
