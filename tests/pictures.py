"""`python -m tests.pictures`: draw the figures of the lessons as PNG beside them, for cards.

Decks are built without the engine, so the pictures are kept; a test holds them to what is drawn.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib import image

from content.load import LoadedCourse, load_course
from engine import figures
from engine.figures import style

DOTS_PER_INCH = 110


def pictures(course: LoadedCourse) -> Iterator[tuple[Path, str]]:
    """Every figure: the file of its picture, and the function that draws it."""
    for lesson in course.lessons.values():
        for figure in lesson.head.figures:
            yield course.folder / "lessons" / lesson.id / f"{figure.id}.png", figure.function


def drawn(function: str) -> bytes:
    """The figure as PNG, on paper as in the light theme."""
    return style.png(figures.draw(function, style.LIGHT), dots_per_inch=DOTS_PER_INCH)


def differ(one: bytes, other: bytes) -> bool:
    """Whether two PNGs show different things; encoders may differ in bytes, fonts in a gray."""
    left, right = (image.imread(io.BytesIO(each), format="png") for each in (one, other))
    return left.shape != right.shape or float(np.abs(left - right).mean()) > 1e-3


def main() -> int:
    """Write every picture that is missing or out of date."""
    for path, function in pictures(load_course()):
        made = drawn(function)
        if not path.exists() or differ(path.read_bytes(), made):
            path.write_bytes(made)
            sys.stdout.write(f"drew {path.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
