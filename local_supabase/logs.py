"""Keeping log files of bounded size while other processes write to them."""

from __future__ import annotations

import shutil
from pathlib import Path

_LIMIT_BYTES = 8_000_000


def bound(log: Path, limit: int = _LIMIT_BYTES) -> None:
    """Move a log that grew beyond `limit` bytes aside, as `<name>.1`, keeping one such file.

    The writers append, so the file is copied and emptied in place; a line written in between may be lost.
    """
    if not log.exists() or log.stat().st_size <= limit:
        return
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    with log.open("r+b") as file:
        file.truncate(0)
