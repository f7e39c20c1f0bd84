"""File locks that the kernel frees when their holder dies, however it dies."""

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
    """An exclusive `flock` on a file, held until `release` or the death of the process."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self.path = path

    @classmethod
    def try_acquire(cls, path: Path) -> Self | None:
        """Take the lock if it is free; the file is made when missing and never removed."""
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
        """Take the lock, waiting up to `within` seconds; None when it stayed taken."""
        deadline = time.monotonic() + within
        while True:
            lock = cls.try_acquire(path)
            if lock is not None or time.monotonic() >= deadline:
                return lock
            time.sleep(_POLL_SECONDS)

    def write(self, text: str) -> None:
        """Replace the lock file's content, for example by the holder's process id."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def release(self) -> None:
        """Free the lock; doing it twice is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock.

    The probe takes a shared lock for an instant, so two probes never mistake each other for a holder.
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
    """Hold the lock for the block; None when it could not be had in time."""
    lock = FileLock.acquire(path, within=within)
    try:
        yield lock
    finally:
        if lock is not None:
            lock.release()
