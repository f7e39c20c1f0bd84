"""Runs the Postgres server as a child process of the supervisor, without the wheel's `get_server`."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2

from local_supabase.errors import PostgresError
from local_supabase.extensions.password_hashing import PasswordHashing
from local_supabase.keys import Keys, Login
from local_supabase.settings import DATABASE, HOST
from local_supabase.stack.cluster import Cluster, environment, find_binaries
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.privileges import postgres_account

_START_SECONDS = 120
_STOP_SECONDS = 15
_LINGERING_SECONDS = 20
_LINGERING = "pre-existing shared memory block"
_EXCERPT = 4000
_CLOSED = "is not currently accepting connections"
# No setting that the project gave the database or a role holds the start up.
_OPTIONS = (
    "-c default_transaction_read_only=off -c statement_timeout=0 -c lock_timeout=0 -c transaction_timeout=0 "
    "-c idle_in_transaction_session_timeout=0"
)
# Nothing that a project made is called by the superuser instead of what is meant.
_SUPERUSER_OPTIONS = f"{_OPTIONS} -c search_path=pg_catalog -c role=none"


class Server:
    """The Postgres server of one data folder. Only the supervisor's main thread may start it.

    Arguments:
        data_dir: the data folder.
        keys: the stack's secrets.
        testing: whether the data may be lost when the machine stops.

    Raises:
        PostgresError: there is no Postgres 18, or no account that it can run as.
    """

    def __init__(self, data_dir: DataDir, keys: Keys, *, testing: bool = False) -> None:
        binaries = find_binaries()
        self._postgres = binaries.postgres
        self._cluster = Cluster(data_dir, binaries, postgres_account(), testing=testing)
        self._password_hashing = PasswordHashing(self._cluster.path)
        self._keys = keys
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.log = data_dir.logs / "postgres.log"

    @property
    def pid(self) -> int:
        """The postmaster's process id; 0 without a process."""
        return self._process.pid if self._process else 0

    def has_ended(self) -> bool:
        """Whether it was started and has ended."""
        return self._process is not None and self._process.poll() is not None

    def create(self) -> None:
        """Create the cluster if there is none.

        Raises:
            DataFolderError, DiskFullError, PostgresError: as `Cluster.create`.
        """
        self._cluster.create(self._keys)

    def start(self, port: int) -> None:
        """Start the server on a loopback port and wait until it answers.

        First it stops a server that an earlier supervisor left behind on this cluster.

        Arguments:
            port: the port.

        Raises:
            PortBusyError, DiskFullError, PostgresError: the server did not start. The text says why.
        """
        self._port = port
        self._end_orphan()
        self._cluster.configure(port)
        self._password_hashing.start(self._cluster.owner)
        deadline = time.monotonic() + _LINGERING_SECONDS
        while (output := self._try_start()) is not None:
            # After a postmaster was killed, its other processes need a moment to end.
            if _LINGERING not in output or time.monotonic() > deadline:
                raise self._cluster.failure("Postgres did not start", output)
            time.sleep(0.2)

    def restart(self) -> None:
        """Start the server again, on the same port, after it ended.

        Raises:
            PortBusyError, DiskFullError, PostgresError: as `start`.
        """
        self.start(self._port)

    def _try_start(self) -> str | None:
        """Start the server once. Return None if it answers, else what it logged."""
        offset = self.log.stat().st_size if self.log.exists() else 0
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
        while time.monotonic() < deadline and not self.has_ended():
            if self._answers():
                return None
            time.sleep(0.02)
        return _read_from(self.log, offset) or f"It was not ready in {_START_SECONDS} s."

    def _answers(self) -> bool:
        try:
            # Another program may have the port and never answer.
            self.connect(within=2).close()
        except psycopg2.OperationalError as error:
            if _CLOSED in str(error):
                self._reopen()
            return False
        return True

    def _reopen(self) -> None:
        """Let the database take connections again: its owner may have closed it to everybody."""
        connection = self.connect(within=2, database="template1")
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"alter database {DATABASE} with allow_connections true")
        finally:
            connection.close()

    def connect(
        self, login: Login = Login.SUPABASE_ADMIN, *, within: int = 10, database: str = DATABASE
    ) -> psycopg2.extensions.connection:
        """Open a connection in autocommit mode.

        Arguments:
            login: the login role.
            within: for how many seconds to wait for the connection.
            database: the database.

        Raises:
            psycopg2.OperationalError: the server does not answer or refuses the login.
        """
        connection = psycopg2.connect(
            host=HOST,
            port=self._port,
            user=login.value,
            password=self._keys.passwords[login],
            dbname=database,
            connect_timeout=within,
            application_name="local_supabase",
            options=_SUPERUSER_OPTIONS if login is Login.SUPABASE_ADMIN else _OPTIONS,
        )
        connection.autocommit = True
        return connection

    @contextmanager
    def session(self, login: Login = Login.SUPABASE_ADMIN) -> Iterator[psycopg2.extensions.connection]:
        """Open a connection for the block; see `connect`."""
        connection = self.connect(login)
        try:
            yield connection
        finally:
            connection.close()

    def stop(self) -> None:
        """Shut the server down, by force if it takes too long. The write-ahead log makes that safe."""
        if self._process is not None:
            for sign, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
                self._process.send_signal(sign)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(seconds)
                    break
        self._process = None
        self._password_hashing.stop()

    def kill(self) -> None:
        """End the server and its processes at once, even if they are suspended."""
        if self._process is None:
            return
        # Those that are suspended would keep the shared memory, and so the next server from starting.
        children = _children_of(self._process.pid)
        self._process.kill()
        self._process.wait()
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _end_orphan(self) -> None:
        """Stop a server that an earlier supervisor left behind on this cluster.

        The supervisor's lock proves that no living supervisor owns it. It may already be shutting down,
        because its supervisor was killed, so it gets time to finish.
        """
        pid = self._cluster.postmaster_pid()
        if pid is None or not _is_alive(pid):
            return
        if not _serves(pid, self._cluster.path):
            # The process id now belongs to another program, which Postgres would take for its postmaster.
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
    # Slim containers lack ps, systems other than Linux lack /proc.
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return []
    result = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    # This splits paths that contain spaces. Then the orphan is not recognized, and Postgres reports it.
    return result.stdout.split()


def _children_of(parent: int) -> list[int]:
    if Path("/proc/self").exists():
        return [pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if _parent(pid) == parent]
    result = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, errors="replace", check=False
    )
    pairs = (line.split() for line in result.stdout.splitlines())
    return [int(pid) for pid, ppid in pairs if int(ppid) == parent]


def _parent(pid: int) -> int:
    try:
        # The name, in parentheses, may contain blanks.
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _ends_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not _is_alive(pid):
            return True
        time.sleep(0.05)
    return False
