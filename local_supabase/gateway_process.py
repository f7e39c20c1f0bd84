"""The gateway as a child process of the supervisor."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from local_supabase.errors import StartFailed
from local_supabase.privileges import child_setup
from local_supabase.settings import HOST, Settings

_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_LOG_EXCERPT = 3000


class GatewayProcess:
    """Starts, checks and stops the gateway. Only the supervisor, from its main thread, may use it."""

    def __init__(self, log: Path, listener: socket.socket) -> None:
        self.log = log
        self._settings: Settings | None = None
        # Kept here and handed down: while a dead gateway is replaced, connections wait instead of failing.
        self._listener = listener
        self._process: subprocess.Popen[bytes] | None = None
        # The gateway ends when this pipe does, for systems that cannot tie it to our life by themselves.
        self._lifeline_end, self._lifeline = os.pipe()

    @property
    def pid(self) -> int:
        """The process id, 0 when there is none."""
        return self._process.pid if self._process else 0

    def has_ended(self) -> bool:
        """Whether it was started and does not run any more."""
        return self._process is not None and self._process.poll() is not None

    @property
    def port(self) -> int:
        """The port that it serves."""
        port: int = self._listener.getsockname()[1]
        return port

    def start(self, settings: Settings) -> None:
        """Start the process; `wait_ready` tells when it serves."""
        self._settings = settings
        descriptors = (self._listener.fileno(), self._lifeline_end)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                _command(settings, *descriptors),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=python_environment(),
                pass_fds=descriptors,
                preexec_fn=child_setup(None, death_signal=signal.SIGKILL),
            )

    def restart(self) -> None:
        """Start the process again after it ended."""
        assert self._settings is not None, "started before"
        self.start(self._settings)

    def wait_ready(self) -> None:
        """Wait until it serves.

        Raises:
            StartFailed: it ended or took too long; the text has the end of its log.
        """
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and not self.has_ended():
            if self.is_healthy():
                return
            time.sleep(0.02)
        raise StartFailed(f"The gateway did not start. The end of {self.log}:\n{self._log_end()}")

    def is_healthy(self, timeout: float = 1.0) -> bool:
        """Whether it answers, and its database with it."""
        try:
            # The socket listens before the gateway serves, so the connection waits for it.
            answer = httpx.get(f"http://{HOST}:{self.port}/health", timeout=timeout, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK

    def stop(self) -> None:
        """End the process, politely at first."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def close(self) -> None:
        """Stop, and free the port."""
        self.stop()
        self._listener.close()
        for descriptor in (self._lifeline, self._lifeline_end):
            os.close(descriptor)

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-_LOG_EXCERPT:] if self.log.exists() else ""


def _command(settings: Settings, listener: int, lifeline: int) -> list[str]:
    # No secrets here: anybody may read a command line. The gateway finds them in the data folder.
    return [
        sys.executable,
        "-m",
        "local_supabase.gateway",
        f"--data-dir={settings.data_dir.root}",
        f"--project={settings.project}",
        f"--listener={listener}",
        f"--lifeline={lifeline}",
        f"--port={settings.port}",
        f"--db-port={settings.database_port}",
    ]


def python_environment() -> dict[str, str]:
    """Return our environment with this package importable, wherever the child is started."""
    package = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}
