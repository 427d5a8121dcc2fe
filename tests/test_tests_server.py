"""The servers of the tests end by themselves, and say why they did not start."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.client import Client, ClientError
from tests.bench.measure import interleaved
from tests.server import Server, ServerError

pytestmark = pytest.mark.slow


@pytest.fixture
def one_line(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "one.py").write_text(
        "import streamlit as st\nst.title('Hello')\nst.fragment(lambda: st.button('go'))()\n"
        "if 'fail' in st.query_params: raise ValueError('on purpose')\n"
    )
    server = Server(tmp_path, tmp_path / "log", script="one.py")
    yield server
    server.stop()


def test_a_server_ends_at_the_end_of_its_lifetime(one_line: Server) -> None:
    one_line.lifetime_s = 3
    one_line.start()
    assert one_line.process is not None
    assert one_line.process.wait(10) != 0


def test_a_server_comes_back_on_its_port_after_a_kill(one_line: Server) -> None:
    one_line.start()
    first, url = one_line.pid, one_line.url
    one_line.kill()
    one_line.start()
    assert one_line.pid != first
    assert one_line.url == url
    assert one_line.get("/_stcore/health").status == 200


def test_a_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(ServerError, match=r"(?s)ended; its log.*missing\.py"):
        Server(tmp_path, tmp_path / "log", script="missing.py").start()
    assert time.monotonic() - started < 30


def test_the_client_of_the_benchmarks_reruns_pages_and_fragments(one_line: Server) -> None:
    one_line.start()
    with Client(one_line.url) as client:
        assert 0 < client.rerun() < 10
        assert len(client.fragments) == 1
        assert 0 < client.rerun(fragment=client.fragments[0]) < 10


def test_the_client_of_the_benchmarks_refuses_a_page_that_fails(one_line: Server) -> None:
    (one_line.folder / "one.py").write_text("raise ValueError('on purpose')\n")
    one_line.start()
    with pytest.raises(ClientError, match="on purpose"), Client(one_line.url):
        pass


def test_measurements_are_medians_taken_in_turn() -> None:
    calls: list[str] = []
    mine, theirs = iter([9.0, 1.0, 2.0, 90.0]), iter([9.0, 5.0, 6.0, 7.0])

    def ours() -> float:
        calls.append("ours")
        return next(mine)

    def peer() -> float:
        calls.append("peer")
        return next(theirs)

    assert interleaved(ours, peer, rounds=3) == (2.0, 6.0)
    assert calls == ["ours", "peer"] * 4
    with pytest.raises(ValueError, match="at least one round"):
        interleaved(ours, peer, rounds=0)
