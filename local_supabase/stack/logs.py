"""Limits the size of log files while other processes write to them."""

from __future__ import annotations

import shutil
from pathlib import Path

_LIMIT_BYTES = 8_000_000


def bound(log: Path, limit: int = _LIMIT_BYTES) -> None:
    """Move the content of a log file that is too large to `<name>.1`, replacing that file.

    The writers keep the file open and append, so it is copied and then emptied. A line that is written
    between the two steps is lost.

    Arguments:
        log: the file.
        limit: the largest size, in bytes.
    """
    if not log.exists() or log.stat().st_size <= limit:
        return
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    with log.open("r+b") as file:
        file.truncate(0)
