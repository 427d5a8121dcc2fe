"""The benchmarks' table says what is over its limit, and the command's exit code follows it."""

import pytest

from tests.bench.__main__ import BENCHMARKS, Benchmark, Result, main, measure, table

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
