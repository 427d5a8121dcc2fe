"""Whatever stands in the files, the loader answers with a course or with a list of faults."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from content.load import ContentError, Fault, load_course
from tests.small_course import FILES, write_course

YAML_FILES = [name for name in FILES if name.endswith(".yaml")]
WORDS = st.text(alphabet="ab {}`$\\<>#-|*_:()[]=!&%@,.19é\n\t'\"", max_size=40) | st.text(
    max_size=20
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("course")


def faults_of(folder: Path) -> tuple[Fault, ...]:
    """The faults of a course; any other exception than the one promised fails the test."""
    try:
        load_course(folder)
    except ContentError as error:
        return error.faults
    return ()


def check(folder: Path) -> None:
    """Load, and hold every fault against the length of its file."""
    for fault in faults_of(folder):
        path = folder / fault.path
        raw = path.read_bytes() if path.is_file() else b""
        lines = len(re.findall(b"\r\n?|\n", raw)) + 1
        assert 1 <= fault.line <= lines, str(fault)
        assert "\n" not in str(fault)


def places(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """The place of every value in plain data."""
    yield at
    steps = list(data) if isinstance(data, dict) else []
    if isinstance(data, list):
        steps = list(range(len(data)))
    for step in steps:
        yield from places(data[step], (*at, step))


def replaced(data: Any, at: tuple[Any, ...], value: object) -> Any:  # noqa: ANN401
    """A copy of plain data with another value in one place."""
    if not at:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[at[0]] = replaced(copy[at[0]], at[1:], value)
    return copy


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_value_in_any_field(folder: Path, data: st.DataObject) -> None:
    write_course(folder)
    name = data.draw(st.sampled_from(YAML_FILES))
    content = yaml.safe_load(FILES[name])
    at = data.draw(st.sampled_from(list(places(content))))
    value = data.draw(VALUES)
    (folder / name).write_text(yaml.safe_dump(replaced(content, at, value)), encoding="utf-8")
    check(folder)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.sampled_from(list(FILES)), st.floats(0, 1), WORDS, st.integers(0, 20))
def test_any_words_in_any_place(
    folder: Path, name: str, where: float, words: str, dropped: int
) -> None:
    write_course(folder)
    at = int(where * len(FILES[name]))
    text = FILES[name][:at] + words + FILES[name][at + dropped :]
    (folder / name).write_text(text, encoding="utf-8", errors="replace")
    check(folder)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(list(FILES)), st.binary(max_size=60))
def test_any_bytes_as_a_file(folder: Path, name: str, raw: bytes) -> None:
    write_course(folder)
    (folder / name).write_bytes(raw)
    check(folder)
