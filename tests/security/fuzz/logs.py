"""What the services of a stack write into their logs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo

_FAULT = "Traceback (most recent call last)"


@contextmanager
def without_tracebacks(stack: StackInfo) -> Iterator[None]:
    """Fail if a service logs a traceback while the block runs."""
    logs = sorted(DataDir(stack.data_dir).logs.glob("*.log"))
    sizes = {log: log.stat().st_size for log in logs}
    yield
    for log, size in sizes.items():
        with log.open("rb") as opened:
            opened.seek(size)
            written = opened.read().decode(errors="replace")
        assert _FAULT not in written, f"{log.name}: {written[written.index(_FAULT) :][:3000]}"
