"""Leases: how the supervisor knows which processes still use the stack.

A lease is a locked file. The kernel frees the lock when its process dies, so a killed process leaves no
lease behind.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from local_supabase.locks import FileLock

_UNFINISHED = ".new"


def take(folder: Path) -> FileLock:
    """Take a lease for this process; released by `release` or by the end of the process."""
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    unfinished = folder / f"{name}{_UNFINISHED}"
    lock = FileLock.try_acquire(unfinished)
    assert lock is not None, "nobody else knows the name"
    # Locked before it gets the name that the supervisor looks for, so it is never seen unlocked.
    unfinished.rename(folder / name)
    return lock


def any_alive(folder: Path) -> bool:
    """Whether some process holds a lease; the files of those that ended are removed."""
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
