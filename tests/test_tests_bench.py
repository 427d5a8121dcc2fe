"""The benchmarks' table says what is over its limit, and the command's exit code follows it."""

import pytest

from tests.bench import labs
from tests.bench.__main__ import BENCHMARKS, Benchmark, Result, main, measure, table
from tests.bench.labs.arrays import check

TWICE = Benchmark("twice", "two / one", 1.5, lambda _: (2.0, 1.0))
HALF = Benchmark("half", "one / two", 1.5, lambda _: (1.0, 2.0))


def test_a_ratio_is_ours_over_the_peers() -> None:
    assert [(each.ratio, each.holds) for each in measure([TWICE, HALF])] == [
        (2.0, False),
        (0.5, True),
    ]


def test_a_ratio_at_its_limit_holds() -> None:
    assert Result(TWICE, 1.5, 1.0).holds


def test_the_table_names_what_is_over() -> None:
    _, over, fine = table(measure([TWICE, HALF])).splitlines()
    assert over.startswith("twice")
    assert over.endswith("OVER")
    assert "2000.0 ms" in over
    assert fine.endswith("ok")


@pytest.mark.parametrize(("benchmark", "code"), [(TWICE, 1), (HALF, 0)])
def test_the_exit_code_follows_the_limits(
    monkeypatch: pytest.MonkeyPatch, benchmark: Benchmark, code: int
) -> None:
    monkeypatch.setattr("tests.bench.__main__.BENCHMARKS", (benchmark,))
    assert main([]) == code


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sped"]) == 2
    assert "expected some of" in capsys.readouterr().err


def test_each_benchmark_has_a_name_of_its_own() -> None:
    assert len({each.name for each in BENCHMARKS}) == len(BENCHMARKS)


def test_a_run_that_takes_too_long_is_over_whatever_its_peer_takes() -> None:
    slow = Benchmark("slow", "one / one", 1.5, lambda _: (2.5, 2.5), most_s=2.0)
    assert not Result(slow, 2.5, 2.5).holds
    assert Result(slow, 1.5, 1.5).holds


@pytest.mark.parametrize("name", labs.LABS)
def test_a_lab_and_its_peer_come_to_the_same_numbers(name: str) -> None:
    check(labs.LABS[name]())


def test_a_peer_that_stops_short_or_draws_its_own_is_refused() -> None:
    race = labs.LABS["reinforce"]()
    for wrong in (race.peer, lambda: race.ours()[:-1]):
        with pytest.raises(AssertionError):
            check(race._replace(fed=wrong))
