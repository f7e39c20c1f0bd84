"""The database server, run by our own supervisor (never by the wheel's own `get_server`)."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2

from local_supabase.cluster import Cluster, environment, find_binaries
from local_supabase.datadir import DataDir
from local_supabase.errors import PostgresError
from local_supabase.keys import Keys, Login
from local_supabase.privileges import postgres_account
from local_supabase.settings import DATABASE, HOST

_START_SECONDS = 120
_STOP_SECONDS = 15
_LINGERING_SECONDS = 20
_LINGERING = "pre-existing shared memory block"
_EXCERPT = 4000


class Server:
    """One Postgres on one data folder. Only the supervisor, from its main thread, may start it."""

    def __init__(self, data_dir: DataDir, keys: Keys) -> None:
        binaries = find_binaries()
        self._postgres = binaries.postgres
        self._cluster = Cluster(data_dir, binaries, postgres_account())
        self._keys = keys
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.log = data_dir.logs / "postgres.log"

    @property
    def pid(self) -> int:
        """The process id of the postmaster, 0 when there is none."""
        return self._process.pid if self._process else 0

    def exit_code(self) -> int | None:
        """Return how the server ended, None while it runs."""
        return self._process.poll() if self._process else None

    def create(self) -> None:
        """Make the cluster if there is none; errors as `Cluster.create`."""
        self._cluster.create(self._keys)

    def start(self, port: int) -> None:
        """Start the server on the loopback port and wait until it answers.

        A server that an earlier supervisor left behind on this cluster is ended first.

        Raises:
            DiskFull, PostgresError: it did not start; the text has the end of its log.
        """
        self._port = port
        self._end_orphan()
        self._cluster.configure(port)
        deadline = time.monotonic() + _LINGERING_SECONDS
        while (output := self._try_start()) is not None:
            # The processes of a killed server need a moment to notice its death.
            if _LINGERING not in output or time.monotonic() > deadline:
                raise self._cluster.failure("Postgres did not start", output)
            time.sleep(0.2)

    def restart(self) -> None:
        """Start the server again after it ended; errors as `start`."""
        self.start(self._port)

    def _try_start(self) -> str | None:
        """Return None when the server runs, else what it wrote."""
        began = self.log.stat().st_size if self.log.exists() else 0
        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [self._postgres, "-D", self._cluster.path],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment(),
                    cwd="/",
                    preexec_fn=self._cluster.child_setup(signal.SIGINT),
                )
        except (OSError, subprocess.SubprocessError) as error:
            raise PostgresError(f"Postgres could not be run: {error}. {self._cluster.hint()}") from error
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.exit_code() is None:
            if self._answers():
                return None
            time.sleep(0.02)
        return _read_from(self.log, began) or f"It was not ready in {_START_SECONDS} s."

    def _answers(self) -> bool:
        try:
            # Somebody else may have the port, and never answer.
            self.connect(within=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def connect(
        self, login: Login = Login.SUPABASE_ADMIN, *, within: int = 10
    ) -> psycopg2.extensions.connection:
        """Open a connection of a login role, in autocommit mode; `within` is in seconds."""
        connection = psycopg2.connect(
            host=HOST,
            port=self._port,
            user=login.value,
            password=self._keys.passwords[login],
            dbname=DATABASE,
            connect_timeout=within,
            application_name="local_supabase",
        )
        connection.autocommit = True
        return connection

    @contextmanager
    def session(self, login: Login = Login.SUPABASE_ADMIN) -> Iterator[psycopg2.extensions.connection]:
        """Hold a connection for the block."""
        connection = self.connect(login)
        try:
            yield connection
        finally:
            connection.close()

    def stop(self) -> None:
        """Shut down cleanly; by force when that takes too long (the write-ahead log makes that safe)."""
        if self._process is None:
            return
        for sign, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            self._process.send_signal(sign)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
                break
        self._process = None

    def _end_orphan(self) -> None:
        """End a server that runs on this cluster without us.

        The supervisor's lock proves that nobody else owns it. It may be one that is shutting down after its
        supervisor was killed: it is given time to finish.
        """
        pid = self._cluster.postmaster_pid()
        if pid is None or not _is_alive(pid):
            return
        if not _serves(pid, self._cluster.path):
            # The number now belongs to somebody else, which Postgres would take for itself.
            (self._cluster.path / "postmaster.pid").unlink(missing_ok=True)
            return
        for sign, seconds in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
            if _ends_within(pid, seconds):
                return
        raise PostgresError(
            f"Another Postgres (process {pid}) runs on {self._cluster.path} and does not stop."
        )


def _read_from(log: Path, offset: int) -> str:
    with log.open("rb") as file:
        file.seek(offset)
        return file.read()[-_EXCERPT:].decode(errors="replace")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _serves(pid: int, cluster: Path) -> bool:
    arguments = _command_of(pid)
    return bool(arguments) and arguments[0].endswith("postgres") and str(cluster) in arguments


def _command_of(pid: int) -> list[str]:
    # Slim containers have no ps, other systems no /proc.
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return []
    answer = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    # Good enough where it is used: a path with spaces is not recognized, and Postgres says what is wrong.
    return answer.stdout.split()


def _ends_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not _is_alive(pid):
            return True
        time.sleep(0.05)
    return False
