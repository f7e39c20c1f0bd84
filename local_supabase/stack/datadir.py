"""The data folder, which holds everything of one stack, and the state that its supervisor publishes there."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Self

from local_supabase.errors import DataFolderError, DiskFullError
from local_supabase.stack.locks import is_locked

FORMAT = 1
_ENVIRONMENT = "LOCAL_SUPABASE_DATA_DIR"
# The temporary file of `write_private`.
_UNFINISHED_FORMAT = ".format."


class Phase(StrEnum):
    """The phase of a supervisor's life."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RunState:
    """The state that a supervisor last published. It holds secrets, so its file is 0600.

    Arguments:
        phase: the supervisor's phase.
        message: what it is doing, or why it failed.
        pid: the supervisor's process id.
        project: the project folder.
        url: the gateway's base URL.
        mailbox_url: the address of the mailbox, which holds a secret.
        anon_key: the public API key.
        service_key: the API key that bypasses row-level security.
        database_url: the connection URL of `postgres`, the owner of the project's objects.
        gateway_pid: the gateway's process id, 0 without one.
        postgres_pid: the postmaster's process id, 0 without one.
        realtime_pid: Realtime's process id, 0 without one.
        restarts: how often one of the three was restarted.
        started_at: when the supervisor started, in ISO 8601.
        testing: whether the stack is for tests and can go back to its first state.
    """

    phase: Phase
    message: str = ""
    pid: int = 0
    project: str = ""
    url: str = ""
    mailbox_url: str = ""
    anon_key: str = ""
    service_key: str = ""
    database_url: str = ""
    gateway_pid: int = 0
    postgres_pid: int = 0
    realtime_pid: int = 0
    restarts: int = 0
    started_at: str = ""
    testing: bool = False

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the state that `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: the text is something else.
        """
        record = json.loads(text)
        record["phase"] = Phase(record["phase"])
        return cls(**record)

    def to_json(self) -> str:
        """Return this state as JSON."""
        return json.dumps(asdict(self), indent=2)


@dataclass(frozen=True, slots=True)
class Ports:
    """The loopback ports of a stack."""

    gateway: int
    database: int
    mailbox: int


@dataclass(frozen=True, slots=True)
class DataDir:
    """The paths inside one data folder."""

    root: Path

    @property
    def format(self) -> Path:
        """The version of this layout. Every data folder has it before any other file."""
        return self.root / "format"

    @property
    def cluster(self) -> Path:
        """Postgres' own data directory."""
        return self.root / "postgres"

    @property
    def secrets(self) -> Path:
        """The generated secrets (0600)."""
        return self.root / "secrets.json"

    @property
    def state(self) -> Path:
        """The run state (0600), see `RunState`."""
        return self.root / "run.json"

    @property
    def ports(self) -> Path:
        """The ports of the last start, which the next start takes again."""
        return self.root / "ports.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor while it lives."""
        return self.root / "supervisor.lock"

    @property
    def start_lock(self) -> Path:
        """Held while a process decides to start, join or stop the stack."""
        return self.root / "start.lock"

    @property
    def leases(self) -> Path:
        """The leases: one locked file for each process that uses the stack."""
        return self.root / "leases"

    @property
    def logs(self) -> Path:
        """The log files, each of limited size."""
        return self.root / "log"

    @property
    def supervisor_log(self) -> Path:
        """The log of a supervisor in the background."""
        return self.logs / "supervisor.log"

    @property
    def storage(self) -> Path:
        """The files of the Storage service."""
        return self.root / "storage"

    @property
    def socket_folder_prefix(self) -> str:
        """The start of the names of the folders with functions' sockets, among the system's temporary files.

        They are not in the data folder, whose path may be longer than a socket's may be.
        """
        digest = hashlib.sha256(str(self.root.resolve()).encode()).hexdigest()
        return f"supabase-function-{digest[:12]}-"

    def remove_socket_folders(self) -> None:
        """Remove the folders with functions' sockets, which a gateway leaves when a signal ends it."""
        for folder in Path(tempfile.gettempdir()).glob(f"{self.socket_folder_prefix}*"):
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def mailbox(self) -> Path:
        """The mails of the Auth service, which are stored instead of sent."""
        return self.root / "mailbox"

    def prepare(self) -> None:
        """Create the folder, 0700, or check that it is a data folder and writable.

        Raises:
            DataFolderError: it is not a data folder, has another format or cannot be written.
            DiskFullError: no space is left.
        """
        try:
            self._refuse_foreign_folder()
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            # The format comes first: another process that prepares the same folder refuses it if it has other
            # files without a format.
            self._check_format()
            ignore = self.root / ".gitignore"
            if not ignore.exists():
                # The folder will hold secrets and may be inside a repository.
                ignore.write_text("*\n")
            for folder in (self.leases, self.logs, self.storage, self.mailbox):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise explain_os_error(error, self.root) from error

    def _refuse_foreign_folder(self) -> None:
        if not self.root.exists():
            return
        if not self.root.is_dir():
            raise DataFolderError(f"{self.root} is a file; the data folder must be a folder.")
        names = {entry.name for entry in self.root.iterdir() if not entry.name.startswith(_UNFINISHED_FORMAT)}
        # Listing a folder is not atomic, so the listing alone may miss a format that was written meanwhile.
        if names - {self.lock.name, self.start_lock.name} and not self.format.exists():
            raise DataFolderError(
                f"{self.root} holds files that are not from the embedded Supabase. "
                "Choose an empty or new folder with --data-dir."
            )

    def _check_format(self) -> None:
        if not self.format.exists():
            write_private(self.format, f"{FORMAT}\n")
            return
        text = self.format.read_text().strip()
        if text != str(FORMAT):
            raise DataFolderError(
                f"The data folder {self.root} was made by another version of the embedded Supabase "
                f"(format {text}, this one uses {FORMAT}). Update, or choose another folder with --data-dir."
            )

    def write_state(self, state: RunState) -> None:
        """Replace the published state atomically."""
        write_private(self.state, state.to_json())

    def read_state(self) -> RunState | None:
        """Return the published state; None if there is none that can be read."""
        try:
            return RunState.from_json(self.state.read_text())
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def is_running(self) -> bool:
        """Whether a supervisor runs on this folder, in any phase."""
        return is_locked(self.lock)

    def running_state(self) -> RunState | None:
        """Return the state of the running supervisor; None if none runs."""
        return self.read_state() if self.is_running() else None

    def preferred_ports(self, configured: Ports) -> Ports:
        """Return the ports of the last start, or the configured ones if these have changed since then."""
        try:
            record = json.loads(self.ports.read_text())
            # A version whose mailbox had no port of its own wrote none.
            mailbox = {"mailbox": configured.mailbox}
            if Ports(**mailbox | record["configured"]) == configured:
                return Ports(**mailbox | record["chosen"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            pass
        return configured

    def remember_ports(self, chosen: Ports, configured: Ports) -> None:
        """Store the ports for the next start."""
        write_private(self.ports, json.dumps({"chosen": asdict(chosen), "configured": asdict(configured)}))


def default_data_dir(project: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return `LOCAL_SUPABASE_DATA_DIR`, else `.local_supabase` beside the project folder."""
    named = environ.get(_ENVIRONMENT)
    return Path(named).expanduser().resolve() if named else project.resolve().parent / ".local_supabase"


def write_private(path: Path, text: str) -> None:
    """Write a file atomically, readable only by its owner. A reader sees either the old or the new text."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def with_phase(state: RunState, phase: Phase, message: str = "") -> RunState:
    """Return the state with another phase and message."""
    return replace(state, phase=phase, message=message)


def explain_os_error(error: OSError, root: Path) -> DataFolderError | DiskFullError:
    """Return the error to show for a system error about the data folder."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFullError(
            f"There is no space left for the data folder {root}. Free some, or use --data-dir elsewhere."
        )
    return DataFolderError(
        f"The data folder {root} cannot be written: {error.strerror or error}. "
        "Choose another with --data-dir or LOCAL_SUPABASE_DATA_DIR."
    )
