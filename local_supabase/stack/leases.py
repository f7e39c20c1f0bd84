"""Leases, by which the supervisor knows whether a process still uses the stack.

A lease is a locked file. The kernel frees the lock when its process ends, so a killed process holds no lease.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from local_supabase.stack.locks import FileLock

_UNFINISHED = ".new"


def take(folder: Path) -> FileLock:
    """Take a lease. It ends with its `release` or with this process."""
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    unfinished = folder / f"{name}{_UNFINISHED}"
    lock = FileLock.try_acquire(unfinished)
    assert lock is not None, "no other process knows the name"
    # The supervisor ignores this suffix, so it never sees the file before it is locked.
    unfinished.rename(folder / name)
    return lock


def any_alive(folder: Path) -> bool:
    """Whether a process holds a lease. It removes the files of leases that have ended."""
    alive = False
    for path in folder.iterdir():
        if path.name.endswith(_UNFINISHED):
            continue
        lock = FileLock.try_acquire(path)
        if lock is None:
            alive = True
            continue
        path.unlink(missing_ok=True)
        lock.release()
    return alive
