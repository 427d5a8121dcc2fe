"""A Streamlit server as a subprocess: on the loopback address, bounded in time, ended by its id."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
_READY = "/_stcore/health"  # Streamlit's own: ours would open the record before the first visitor

# The alarm outlives exec: a server whose parent died still ends by itself, and its id is ours.
_BOUNDED = (
    "import os, signal, sys; signal.alarm(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
)


class ServerError(RuntimeError):
    """A server did not start, or said what it should not say."""


@dataclass(frozen=True)
class Reply:
    """An HTTP answer: status, headers (names in lower case) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Server:
    """`streamlit run SCRIPT` in `folder`, what it prints kept in `log`."""

    folder: Path
    log: Path
    script: str = "app.py"
    environment: Mapping[str, str] = field(default_factory=dict)
    lifetime_s: int = 1500
    port: int = field(default_factory=lambda: free_port())
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the address without a final slash."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Return the process id.

        Raises:
            ServerError: when the server was not started.
        """
        if self.process is None:
            raise ServerError("expected a started server, got none: call start() first")
        return self.process.pid

    def start(self, *, timeout_s: float = 60) -> None:
        """Start the process and wait until it answers.

        Raises:
            ServerError: when it ended or did not answer in time; the message carries its log.
        """
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                env={**_clean_environment(), **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait(time.monotonic() + timeout_s)

    def stop(self) -> None:
        """Ask the process to end; after ten seconds, end it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self) -> None:
        """End the process at once, as a power cut would."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def restart(self) -> None:
        """Stop and start on the same port with the same record."""
        self.stop()
        self.start()

    def get(self, path: str, **headers: str) -> Reply:
        """Fetch `path` with request headers such as `accept="text/html"`; follow no redirect."""
        with closing(HTTPConnection(HOST, self.port, timeout=20)) as connection:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, names, response.read())

    def said(self) -> str:
        """Return everything that the process has printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _command(self) -> list[str]:
        return [
            *(sys.executable, "-c", _BOUNDED, str(self.lifetime_s)),
            *(sys.executable, "-m", "streamlit", "run", self.script),
            *("--server.address", HOST, "--server.port", str(self.port)),
            *("--server.headless", "true", "--browser.gatherUsageStats", "false"),
            *("--logger.enableRich", "false"),  # tracebacks as Python writes them
        ]

    def _wait(self, deadline: float) -> None:
        while not self._answers():
            ended = self.process is not None and self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                self.kill()
                what = "ended" if ended else "did not answer in time"
                raise ServerError(f"{self.url} {what}; its log:\n{self.said()}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return self.get(_READY).status == 200
        except (OSError, HTTPException):
            return False


def free_port() -> int:
    """Return a port on the loopback address that is free now."""
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def sqlite_url(file: Path) -> str:
    """Return the address of a record in `file`."""
    return f"sqlite:///{file.resolve().as_posix()}"


def copy_course(folder: Path) -> Path:
    """Copy the shipped course to `folder`, to be changed there, and return `folder`."""
    shutil.copytree(ROOT / "content", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def _clean_environment() -> dict[str, str]:
    ours = ("SURPRISAL_", "STREAMLIT_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
