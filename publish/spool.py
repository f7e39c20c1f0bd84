"""What outlives the publishing process: a file with what the database has not got yet of its runs.

SQLite keeps it, since a process may be killed in the middle of a write. `synchronous=NORMAL` means that what
was kept survives the death of the process; when the whole machine dies, the last moments may be lost.
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

from publish.errors import SpoolUnusable
from publish.unsent import Unsent, Values

_log: Final = logging.getLogger(__name__)

_FORMAT: Final = 1


class Spool:
    """The file. One process at a time has it. Thread-safe.

    Raises `SpoolUnusable` when it cannot be had: another process has it, or it is something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            # Before SQLite does: results are nobody else's business.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._file = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._file.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise SpoolUnusable(path, str(error)) from error

    def _prepare(self) -> None:
        # Exclusive from the first read on, and let go by the system however this process ends.
        self._file.execute("pragma locking_mode = exclusive")
        self._file.execute("pragma journal_mode = wal")
        self._file.execute("pragma synchronous = normal")
        (version,) = self._file.execute("pragma user_version").fetchone()
        if version not in (0, _FORMAT):
            raise sqlite3.DatabaseError(f"it has the form {version}, not {_FORMAT}")
        self._file.execute("create table if not exists run (id text primary key, kept text not null) strict")
        self._file.execute(f"pragma user_version = {_FORMAT}")

    def load(self) -> list[Unsent]:
        """Return what is kept. What cannot be read is left where it is, and told in the log."""
        with self._lock:
            rows = self._file.execute("select id, kept from run order by rowid").fetchall()
        found = []
        for run_id, kept in rows:
            try:
                found.append(Unsent.from_kept(cast("Values", json.loads(kept))))
            except (ValueError, KeyError, TypeError):
                _log.exception("What %s keeps of run %s cannot be read", self._path, run_id)
        return found

    def keep(self, run_id: str, look: Callable[[], Values | None]) -> None:
        """Keep what `look` returns of a run, or nothing of it. It is safe when this returns.

        A disk that is full stops no agent: it is told in the log, and what is in memory is sent as ever.
        """
        with self._lock:
            # Looked at under the lock, so that an older look never replaces a newer one.
            kept = look()
            try:
                self._write(run_id, kept)
            except sqlite3.Error:
                _log.exception("%s cannot keep run %s", self._path, run_id)

    def _write(self, run_id: str, kept: Values | None) -> None:
        if kept is None:
            self._file.execute("delete from run where id = ?", (run_id,))
            return
        self._file.execute(
            "insert into run values (?, ?) on conflict (id) do update set kept = excluded.kept",
            (run_id, json.dumps(kept)),
        )

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._file.close()
