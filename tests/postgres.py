"""A PostgreSQL of our own for the tests: private, temporary, reached by a socket only."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

MISSING = "PostgreSQL is not installed (Debian: apt-get install postgresql)"
_START_SECONDS = 60
_STOP_SECONDS = 20
_ACCOUNT = "postgres"  # PostgreSQL refuses to run as root


@dataclass(frozen=True)
class Cluster:
    """A running server; it takes connections without a password, on its socket."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        name = f"surprisal_{next(self._numbers)}"
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://{_ACCOUNT}@/{name}?host={self.folder}"

    @property
    def conninfo(self) -> str:
        """Where psycopg connects to, for the server's own database."""
        return f"host={self.folder} user={_ACCOUNT} dbname=postgres"


def programs() -> Path | None:
    """Return the folder of PostgreSQL's server programs, None if it is not installed."""
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    found = sorted(versions, key=lambda program: float(program.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def running_cluster(binaries: Path) -> Iterator[Cluster]:
    """Start a server in a temporary folder, end it by its pid, and remove the folder."""
    folder = Path(tempfile.mkdtemp(prefix="surprisal-pg-"))  # short: a socket's path is limited
    try:
        if os.getuid() == 0:
            shutil.chown(folder, _ACCOUNT, _ACCOUNT)
        _make(binaries, folder)
        server = _start(binaries, folder)
        try:
            _await(server, Cluster(folder))
            yield Cluster(folder)
        finally:
            _stop(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make(binaries: Path, folder: Path) -> None:
    options = [f"--username={_ACCOUNT}", "--auth=trust", "--encoding=UTF8", "--no-sync"]
    command = [str(binaries / "initdb"), "-D", str(folder / "data"), *options]
    result = subprocess.run(
        command,
        user=_account(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_START_SECONDS,
        check=False,
    )
    if result.returncode:
        raise RuntimeError(f"initdb failed:\n{result.stdout}\n{result.stderr}")


def _start(binaries: Path, folder: Path) -> subprocess.Popen[bytes]:
    command = [str(binaries / "postgres"), "-D", str(folder / "data"), "-k", str(folder)]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [*command, "-c", "listen_addresses=", "-c", "fsync=off"],  # it is thrown away after
            user=_account(),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _await(server: subprocess.Popen[bytes], cluster: Cluster) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(cluster.conninfo).close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > end:
                log = (cluster.folder / "log").read_text()
                raise RuntimeError(f"PostgreSQL did not start:\n{log}") from error
            time.sleep(0.05)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGQUIT)  # at once: nothing in it is kept
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _account() -> str | None:
    """Return the account to run as: PostgreSQL's own if we are root, else our own."""
    return _ACCOUNT if os.getuid() == 0 else None
