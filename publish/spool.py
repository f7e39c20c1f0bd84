"""A file that keeps the unsent part of runs, so that it outlives the publishing process.

The file is an SQLite database, because a process may be killed in the middle of a write. `synchronous=NORMAL`
means that what was saved survives the death of the process; a crash of the whole machine may lose the last
moments.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

from publish.errors import SpoolUnusableError
from publish.unsent import UnsentRun, Values

_log: Final = logging.getLogger(__name__)

_FORMAT: Final = 1


class Spool:
    """The spool file at `path`, which is created if it is missing. Thread-safe.

    Raises `SpoolUnusableError` if another process has the file open or it is something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            # Created here and not by SQLite, because only the owner may read results.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._file = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._file.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise SpoolUnusableError(path, str(error)) from error

    def _prepare(self) -> None:
        # SQLite takes the exclusive lock with the first read; the system releases it when the process ends.
        self._file.execute("pragma locking_mode = exclusive")
        self._file.execute("pragma journal_mode = wal")
        self._file.execute("pragma synchronous = normal")
        (version,) = self._file.execute("pragma user_version").fetchone()
        if version not in (0, _FORMAT):
            raise sqlite3.DatabaseError(f"it has the form {version}, not {_FORMAT}")
        self._file.execute("create table if not exists run (id text primary key, kept text not null) strict")
        self._file.execute(f"pragma user_version = {_FORMAT}")

    def load(self) -> list[UnsentRun]:
        """Return the saved runs. A run that cannot be read is logged and stays in the file."""
        with self._lock:
            rows = self._file.execute("select id, kept from run order by rowid").fetchall()
        runs = []
        for run_id, saved in rows:
            try:
                runs.append(UnsentRun.from_json(cast("Values", json.loads(saved))))
            except (ValueError, KeyError, TypeError):
                _log.exception("Run %s in the spool %s cannot be read", run_id, self._path)
        return runs

    def save(self, run_id: str, read: Callable[[], Values | None]) -> None:
        """Save what `read` returns of a run; None removes the run. It is on disk when this returns.

        An error of the disk is logged and does not stop the agent: what is in memory is sent as usual.
        """
        with self._lock:
            # Read under the lock, so that an older state never replaces a newer one.
            values = read()
            try:
                self._write(run_id, values)
            except sqlite3.Error:
                _log.exception("The spool %s cannot save run %s", self._path, run_id)

    def _write(self, run_id: str, values: Values | None) -> None:
        if values is None:
            self._file.execute("delete from run where id = ?", (run_id,))
            return
        self._file.execute(
            "insert into run values (?, ?) on conflict (id) do update set kept = excluded.kept",
            (run_id, json.dumps(values)),
        )

    def close(self) -> None:
        """Close the file and release its lock."""
        with self._lock:
            self._file.close()
