"""Shows the ends of a stack's logs, and what is added to them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from local_supabase.stack.datadir import DataDir

PARTS = ("gateway", "realtime", "postgres", "supervisor")
_POLL_SECONDS = 0.25


@dataclass(slots=True)
class _Log:
    part: str
    path: Path
    _position: int = field(default=0, init=False)

    def last(self, lines: int) -> list[str]:
        """Return the last lines, and remember where they end."""
        found = self.added()
        return found[-lines:] if lines else []

    def added(self) -> list[str]:
        """Return the complete lines that were added since the last call."""
        try:
            if self.path.stat().st_size < self._position:
                # The log was cut, because it had become too long.
                self._position = 0
            with self.path.open("rb") as file:
                file.seek(self._position)
                text = file.read()
        except FileNotFoundError:
            return []
        complete = text[: text.rfind(b"\n") + 1]
        self._position += len(complete)
        return complete.decode(errors="replace").splitlines()


def show(
    data_dir: DataDir, parts: tuple[str, ...] = PARTS, *, lines: int = 20, follow: bool = False
) -> Iterator[str]:
    """Yield the last lines of the logs, each after the name of its part.

    Arguments:
        data_dir: the data folder.
        parts: of which parts of the stack, out of `PARTS`.
        lines: how many of each.
        follow: whether to go on with what is added, without end.
    """
    logs = [_Log(part, data_dir.logs / f"{part}.log") for part in parts]
    for log in logs:
        yield from (f"{log.part}: {line}" for line in log.last(lines))
    while follow:
        for log in logs:
            yield from (f"{log.part}: {line}" for line in log.added())
        time.sleep(_POLL_SECONDS)
