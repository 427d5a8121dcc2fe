"""The two servers that are compared: the course, and a one-line Streamlit page."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.server import ROOT, Server, sqlite_url

_WARM_UP_SECONDS = 25  # the course imports what is heavy in a thread beside its first visitors
ONE_LINE = 'import streamlit; streamlit.title("Surprisal")\n'


class Servers(NamedTuple):
    """Both running, on the loopback address."""

    course: Server
    one_line: Server


@contextmanager
def both() -> Iterator[Servers]:
    """Start both, the one-line page on Streamlit's default settings, and end them after use."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "one.py").write_text(ONE_LINE)
        record = {"SURPRISAL_DATABASE_URL": sqlite_url(folder / "record.db")}
        course = Server(ROOT, log=folder / "course.log", environment=record)
        one_line = Server(folder, folder / "one.log", script="one.py")
        try:
            course.start()
            one_line.start()
            time.sleep(_WARM_UP_SECONDS)
            yield Servers(course, one_line)
        finally:
            course.stop()
            one_line.stop()
