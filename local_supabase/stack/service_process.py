"""Runs the servers of the stack, the gateway and Realtime, as child processes of the supervisor."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from local_supabase.errors import StartFailedError
from local_supabase.settings import Settings
from local_supabase.stack.privileges import child_setup, python_environment

_STOP_SECONDS = 5.0
_LOG_EXCERPT = 3000


class Lifeline:
    """A pipe that ends with the supervisor. Outside Linux nothing else ties the servers' lives to its."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()

    def close(self) -> None:
        """Let the servers end."""
        for descriptor in (self._writer, self.reader):
            os.close(descriptor)


class ServiceProcess:
    """Starts and stops one server. Only the supervisor's main thread may use it.

    Arguments:
        module: the module that the process runs.
        log: where its output goes.
        lifeline: what it ends with.
        sockets: the sockets that it inherits, by the name of its option. The supervisor keeps them open, so
            connections wait during a restart instead of failing.
    """

    def __init__(
        self, module: str, log: Path, lifeline: Lifeline, sockets: Mapping[str, socket.socket]
    ) -> None:
        self.log = log
        self._module = module
        self._lifeline = lifeline
        self._sockets = sockets
        self._settings: Settings | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; 0 without a process."""
        return self._process.pid if self._process else 0

    def has_ended(self) -> bool:
        """Whether it was started and has ended."""
        return self._process is not None and self._process.poll() is not None

    def start(self, settings: Settings) -> None:
        """Start the process, without waiting until it serves."""
        self._settings = settings
        descriptors = {name: end.fileno() for name, end in self._sockets.items()}
        descriptors["lifeline"] = self._lifeline.reader
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module, *_options(settings, descriptors)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=python_environment(),
                pass_fds=list(descriptors.values()),
                preexec_fn=child_setup(None, death_signal=signal.SIGKILL),
            )

    def restart(self) -> None:
        """Start the process again after it ended."""
        assert self._settings is not None, "started before"
        self.start(self._settings)

    def kill(self) -> None:
        """End a process that does not answer, and perhaps cannot react to a signal, at once."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Terminate the process; kill it if it has not ended after 5 seconds."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def start_failure(self) -> StartFailedError:
        """Return the error of a process that does not serve, with the end of its log."""
        text = self.log.read_text(errors="replace")[-_LOG_EXCERPT:] if self.log.exists() else ""
        return StartFailedError(f"{self._module} did not start. The end of {self.log}:\n{text}")


def _options(settings: Settings, descriptors: Mapping[str, int]) -> list[str]:
    # Every user of the machine can read a command line, so the servers read secrets from the data folder.
    return [
        f"--data-dir={settings.data_dir.root}",
        f"--project={settings.project}",
        f"--port={settings.port}",
        f"--db-port={settings.database_port}",
        f"--mailbox-port={settings.mailbox_port}",
        *(["--testing"] if settings.testing else []),
        *(f"--{name}={descriptor}" for name, descriptor in descriptors.items()),
    ]
