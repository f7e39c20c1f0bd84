"""Backups of a whole stack as one file: the database, the files of Storage, the mails and the secrets."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from local_supabase.errors import DataFolderError, LocalSupabaseError, PostgresError
from local_supabase.keys import Login, load_keys
from local_supabase.stack.cluster import environment, find_binaries
from local_supabase.stack.datadir import DataDir, Phase, RunState
from local_supabase.stack.locks import held

_LOCK_SECONDS = 10.0
# Files and folders of the data folder that belong to one run, or to one machine.
_LEFT_OUT = frozenset(
    {"run.json", "ports.json", "supervisor.lock", "start.lock", "leases", "log", "postgres", "storage"}
)
_TEMPORARY = ".dump-"

_NEEDED = frozenset({"format", "secrets.json", "postgres"})


def dump(data_dir: DataDir, target: Path) -> None:
    """Write everything of a stack to a file that only its owner can read. The stack may run meanwhile.

    Arguments:
        data_dir: the data folder.
        target: the file, a compressed tar archive.

    Raises:
        DataFolderError: there is nothing to write, or the file exists.
        LocalSupabaseError: the stack is just starting or stopping.
        PostgresError: the database could not be copied.
    """
    if not data_dir.cluster.exists():
        raise DataFolderError(f"There is no data in {data_dir.root}.")
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise DataFolderError(f"{target} exists; choose another name.") from error
    try:
        with (
            os.fdopen(descriptor, "wb") as file,
            tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive,
        ):
            _add_all(archive, data_dir)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _add_all(archive: tarfile.TarFile, data_dir: DataDir) -> None:
    state = data_dir.running_state()
    if state is not None and state.phase is Phase.READY:
        _add_running(archive, data_dir, state)
        return
    with held(data_dir.lock, within=_LOCK_SECONDS) as lock:
        if lock is None:
            raise LocalSupabaseError(f"The stack of {data_dir.root} is starting or stopping; try again.")
        _add(archive, data_dir, data_dir.cluster, data_dir.storage)


def _add_running(archive: tarfile.TarFile, data_dir: DataDir, state: RunState) -> None:
    with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=data_dir.root) as name:
        # Files never change. Linked before the database is copied, and again after it, none of its objects
        # lacks its file. The next start deletes files without an object.
        storage = Path(name, "storage")
        shutil.copytree(data_dir.storage, storage, copy_function=os.link)
        cluster = _copy_of(data_dir, state, Path(name, "postgres"))
        _link_new(data_dir.storage, storage)
        _add(archive, data_dir, cluster, storage)


def _add(archive: tarfile.TarFile, data_dir: DataDir, cluster: Path, storage: Path) -> None:
    archive.add(cluster, "postgres")
    archive.add(storage, "storage")
    for path in sorted(data_dir.root.iterdir()):
        if path.name not in _LEFT_OUT and not path.name.startswith(_TEMPORARY):
            archive.add(path, path.name)


def _copy_of(data_dir: DataDir, state: RunState, target: Path) -> Path:
    """Copy the database of a running stack."""
    parts = urlsplit(state.database_url)
    program = find_binaries().folder / "pg_basebackup"
    command = [str(program), f"--pgdata={target}", f"--host={parts.hostname}", f"--port={parts.port}"]
    command += [f"--username={Login.SUPABASE_ADMIN}", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
    password = load_keys(data_dir).passwords[Login.SUPABASE_ADMIN]
    copied = subprocess.run(
        command,
        env={**environment(), "PGPASSWORD": password},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if copied.returncode != 0:
        raise PostgresError(f"The database could not be copied: {copied.stderr.strip()}")
    return target


def _link_new(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        link = target / path.relative_to(source)
        if path.is_dir():
            link.mkdir(exist_ok=True)
        elif not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, link)


def restore(data_dir: DataDir, source: Path) -> None:
    """Make a data folder of what `dump` wrote.

    Arguments:
        data_dir: the data folder, which must not exist, or be empty.
        source: the file.

    Raises:
        DataFolderError: the folder has data, or the file is none of `dump`, or damaged.
    """
    if data_dir.root.exists() and any(data_dir.root.iterdir()):
        raise DataFolderError(
            f"{data_dir.root} has data. Choose another folder with --data-dir, or delete it with: "
            "python -m local_supabase reset"
        )
    data_dir.root.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{data_dir.root.name}-", dir=data_dir.root.parent))
    try:
        with tarfile.open(source) as archive:
            if not {name.split("/")[0] for name in archive.getnames()} >= _NEEDED:
                raise DataFolderError(f"{source} is no dump of a stack.")
            archive.extractall(unfinished, filter=_private)  # noqa: S202  # the filter refuses what leads out
        shutil.rmtree(data_dir.root, ignore_errors=True)
        unfinished.rename(data_dir.root)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataFolderError(f"{source} cannot be read as a dump of a stack: {error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    data_dir.prepare()


def _private(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo:
    """Refuse what leads out of the folder, and let only the owner read the rest, as Postgres demands."""
    return tarfile.data_filter(member, folder).replace(mode=0o700 if member.isdir() else 0o600, deep=False)
