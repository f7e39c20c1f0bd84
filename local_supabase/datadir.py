"""The data folder: where everything of one stack lives, and what its running supervisor says about itself."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Self

from local_supabase.errors import DataFolderError, DiskFull
from local_supabase.locks import is_locked

FORMAT = 1
_ENVIRONMENT = "LOCAL_SUPABASE_DATA_DIR"


class Phase(StrEnum):
    """Where a supervisor is in its life."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RunState:
    """What the supervisor of the folder last said about itself; holds secrets, so its file is 0600."""

    phase: Phase
    message: str = ""
    pid: int = 0
    project: str = ""
    url: str = ""
    anon_key: str = ""
    service_key: str = ""
    database_url: str = ""
    gateway_pid: int = 0
    postgres_pid: int = 0
    restarts: int = 0
    started_at: str = ""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        record = json.loads(text)
        record["phase"] = Phase(record["phase"])
        return cls(**record)

    def to_json(self) -> str:
        """Write this state as JSON."""
        return json.dumps(asdict(self), indent=2)


@dataclass(frozen=True, slots=True)
class Ports:
    """The two ports a stack listens on, on the loopback interface."""

    gateway: int
    database: int


@dataclass(frozen=True, slots=True)
class DataDir:
    """The paths inside one data folder."""

    root: Path

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
        """The ports chosen last, so that the next start takes the same."""
        return self.root / "ports.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor while it lives."""
        return self.root / "supervisor.lock"

    @property
    def start_lock(self) -> Path:
        """Held while somebody decides to start, join or stop the stack."""
        return self.root / "start.lock"

    @property
    def leases(self) -> Path:
        """One locked file for each process that uses the stack."""
        return self.root / "leases"

    @property
    def logs(self) -> Path:
        """The log files, each of bounded size."""
        return self.root / "log"

    @property
    def supervisor_log(self) -> Path:
        """What a supervisor in the background has to say."""
        return self.logs / "supervisor.log"

    @property
    def storage(self) -> Path:
        """The files of the Storage service."""
        return self.root / "storage"

    @property
    def mailbox(self) -> Path:
        """The mail that the Auth service would have sent."""
        return self.root / "mailbox"

    def prepare(self) -> None:
        """Create the folder, 0700, or check that it is one of ours and writable."""
        try:
            self._refuse_foreign_folder()
            for folder in (self.root, self.leases, self.logs, self.storage, self.mailbox):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            self._check_format()
        except OSError as error:
            raise explain_os_error(error, self.root) from error

    def _refuse_foreign_folder(self) -> None:
        if not self.root.exists():
            return
        if not self.root.is_dir():
            raise DataFolderError(f"{self.root} is a file; the data folder must be a folder.")
        names = {entry.name for entry in self.root.iterdir()}
        if names and "format" not in names and not names <= {self.lock.name, self.start_lock.name}:
            raise DataFolderError(
                f"{self.root} holds files that are not from the embedded Supabase. "
                "Choose an empty or new folder with --data-dir."
            )

    def _check_format(self) -> None:
        marker = self.root / "format"
        if not marker.exists():
            # Secrets live here: kept out of the repository that the folder may lie in.
            (self.root / ".gitignore").write_text("*\n")
            write_private(marker, f"{FORMAT}\n")
            return
        text = marker.read_text().strip()
        if text != str(FORMAT):
            raise DataFolderError(
                f"The data folder {self.root} was made by another version of the embedded Supabase "
                f"(format {text}, this one uses {FORMAT}). Update, or choose another folder with --data-dir."
            )

    def write_state(self, state: RunState) -> None:
        """Replace the run state in one step."""
        write_private(self.state, state.to_json())

    def read_state(self) -> RunState | None:
        """Return the run state; None when no supervisor left one that can be read."""
        try:
            return RunState.from_json(self.state.read_text())
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def is_running(self) -> bool:
        """Whether a supervisor lives on this folder, whatever its phase."""
        return is_locked(self.lock)

    def running_state(self) -> RunState | None:
        """Return the state of the living supervisor; None when there is none."""
        return self.read_state() if self.is_running() else None

    def preferred_ports(self, configured: Ports) -> Ports:
        """Return the ports of the last start, unless the configured ones are others than they were then."""
        try:
            record = json.loads(self.ports.read_text())
            if Ports(**record["configured"]) == configured:
                return Ports(**record["chosen"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            pass
        return configured

    def remember_ports(self, chosen: Ports, configured: Ports) -> None:
        """Keep the ports for the next start."""
        write_private(self.ports, json.dumps({"chosen": asdict(chosen), "configured": asdict(configured)}))


def default_data_dir(project: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return `LOCAL_SUPABASE_DATA_DIR`, else `.local_supabase` beside the project folder."""
    named = environ.get(_ENVIRONMENT)
    return Path(named).expanduser().resolve() if named else project.resolve().parent / ".local_supabase"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one step: a reader sees the old text or the new one."""
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
    """Return the same state in another phase."""
    return replace(state, phase=phase, message=message)


def explain_os_error(error: OSError, root: Path) -> DataFolderError | DiskFull:
    """Say what an error of the system about the data folder means for the user."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull(
            f"There is no space left for the data folder {root}. Free some, or use --data-dir elsewhere."
        )
    return DataFolderError(
        f"The data folder {root} cannot be written: {error.strerror or error}. "
        "Choose another with --data-dir or LOCAL_SUPABASE_DATA_DIR."
    )
