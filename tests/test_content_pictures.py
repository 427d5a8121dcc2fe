"""The pictures that decks carry show what the engine draws."""

import io
from pathlib import Path

import pytest
from matplotlib import image

from content.load import load_course
from tests.pictures import differ, drawn, pictures

PICTURES = [pytest.param(path, name, id=path.stem) for path, name in pictures(load_course())]


@pytest.mark.parametrize(("path", "function"), PICTURES)
def test_a_picture_is_up_to_date(path: Path, function: str) -> None:
    assert not differ(path.read_bytes(), drawn(function)), "run python -m tests.pictures"


def test_a_picture_that_shows_something_else_is_told_apart() -> None:
    (path, _), *_ = pictures(load_course())
    picture = image.imread(io.BytesIO(path.read_bytes()), format="png")
    file = io.BytesIO()
    image.imsave(file, picture[::-1], format="png")
    assert differ(path.read_bytes(), file.getvalue())
