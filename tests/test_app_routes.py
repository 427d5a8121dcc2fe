"""What the server answers besides pages: its health, and the decks."""

import asyncio
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

import app
from pages import resources, settings
from tests.server import Server, sqlite_url


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Read the settings of each test anew, and leave none behind."""
    monkeypatch.setenv("SURPRISAL_DATABASE_URL", sqlite_url(tmp_path / "record.db"))
    settings.settings.cache_clear()
    resources.store.cache_clear()
    yield
    if resources.store.cache_info().currsize:
        resources.store().dispose()
    settings.settings.cache_clear()
    resources.store.cache_clear()


def deck(lesson: str, suffix: str) -> Response:
    """Return what the deck route answers, without a server."""
    path = {"lesson": lesson, "suffix": suffix}
    return asyncio.run(app.deck(Request({"type": "http", "path_params": path})))


def health() -> Response:
    return asyncio.run(app.health(Request({"type": "http"})))


def test_a_healthy_server_says_so() -> None:
    answer = health()
    assert answer.status_code == 200
    assert json.loads(bytes(answer.body)) == {
        "status": "ok",
        "version": settings.VERSION,
        "database": "reachable",
    }


@pytest.mark.parametrize("url", ["sqlite:///{}/record.db", "sqlite:///:memory:", "nonsense"])
def test_without_its_database_a_server_is_degraded(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("SURPRISAL_DATABASE_URL", url.format(blocked))
    answer = health()
    assert answer.status_code == 503
    assert json.loads(bytes(answer.body))["database"] == "unreachable"


def test_a_database_that_breaks_while_running_is_noticed(tmp_path: Path) -> None:
    assert health().status_code == 200
    (tmp_path / "record.db").unlink()
    assert health().status_code == 503


def test_an_apkg_is_a_file_for_anki() -> None:
    answer = deck("dpo", "apkg")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="surprisal-dpo.apkg"'
    with zipfile.ZipFile(io.BytesIO(bytes(answer.body))) as package:
        assert "collection.anki2" in package.namelist()


def test_a_tsv_is_text() -> None:
    answer = deck("course", "tsv")
    assert answer.headers["content-type"] == "text/tab-separated-values; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="surprisal.tsv"'
    assert bytes(answer.body).decode().startswith("#separator:")


@pytest.mark.parametrize("lesson", ["nothing", "", "..", "DPO", 'x"\r\nSet-Cookie: a=b', "é"])
def test_an_unknown_lesson_is_not_found(lesson: str) -> None:
    answer = deck(lesson, "apkg")
    assert answer.status_code == 404
    assert "no lesson" in bytes(answer.body).decode()
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("suffix", ["zip", "", "apkg.exe", "py"])
def test_an_unknown_form_is_not_found(suffix: str) -> None:
    answer = deck("dpo", suffix)
    assert answer.status_code == 404
    assert "ask for .apkg or .tsv" in bytes(answer.body).decode()


def test_faults_in_the_course_are_ours_not_the_visitors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SURPRISAL_CONTENT", str(tmp_path / "nothing"))
    monkeypatch.setattr(resources, "_good", [])  # no course was ever without faults
    settings.settings.cache_clear()
    for _again in range(2):
        assert deck("dpo", "apkg").status_code == 503


def test_while_an_edit_has_faults_the_last_good_deck_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_good", [])
    assert deck("dpo", "tsv").status_code == 200
    monkeypatch.setenv("SURPRISAL_CONTENT", str(tmp_path / "nothing"))
    settings.settings.cache_clear()
    assert deck("dpo", "tsv").status_code == 200


def test_empty_variables_are_as_if_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SURPRISAL_CONTENT", "")
    settings.settings.cache_clear()
    assert deck("dpo", "tsv").status_code == 200


def test_the_server_has_these_routes_and_no_path_leads_elsewhere(server: Server) -> None:
    assert server.get("/health").status == 200
    fetched = server.get("/decks/dpo.apkg", accept="text/html")
    assert fetched.status == 200
    assert fetched.headers["content-disposition"].startswith("attachment")
    assert "set-cookie" not in fetched.headers
    assert "set-cookie" in server.get("/dpo", accept="text/html").headers
    for path in ("/decks/../app.py", "/decks/%2e%2e%2fapp.py", "/decks/..%2f..%2fetc.tsv"):
        assert b"import" not in server.get(path).body


def test_an_edited_course_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "course.yaml"
    file.write_text("a", encoding="utf-8")
    before = resources._changes(tmp_path, 1)
    file.write_text("b", encoding="utf-8")
    assert resources._changes(tmp_path, 2) != before


def test_an_editors_temporary_file_may_go_while_we_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone.yaml"
    monkeypatch.setattr(Path, "glob", lambda _folder, _pattern: [gone])
    assert resources._changes(tmp_path, 3) == {(gone, 0)}
