"""File locks, which the kernel frees when their holder ends in any way."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

_POLL_SECONDS = 0.02


class FileLock:
    """An exclusive `flock` on a file, held until `release` or the end of the process."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self.path = path

    @classmethod
    def try_acquire(cls, path: Path) -> Self | None:
        """Return the lock if it is free, else None. It creates a missing file and never removes it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor, path)

    @classmethod
    def acquire(cls, path: Path, *, within: float) -> Self | None:
        """Return the lock, or None if it is not free in time.

        Arguments:
            path: the file.
            within: for how many seconds to wait.
        """
        deadline = time.monotonic() + within
        while True:
            lock = cls.try_acquire(path)
            if lock is not None or time.monotonic() >= deadline:
                return lock
            time.sleep(_POLL_SECONDS)

    def write(self, text: str) -> None:
        """Replace the content of the lock file."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def release(self) -> None:
        """Free the lock. A second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock.

    The check takes a shared lock for a moment, so that two checks do not take each other for a holder.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def held(path: Path, *, within: float) -> Iterator[FileLock | None]:
    """Hold the lock for the block. The value is None if it was not free in time.

    Arguments:
        path: the file.
        within: for how many seconds to wait.
    """
    lock = FileLock.acquire(path, within=within)
    try:
        yield lock
    finally:
        if lock is not None:
            lock.release()
