"""One person's requests wait for each other, so that others find the processor and the database free."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


class LineFullError(Exception):
    """Too many requests of one person wait already."""


@dataclass(slots=True)
class _Line:
    turns: asyncio.Semaphore
    people: int = 0


class Turns:
    """A line of waiting requests for each person.

    Arguments:
        at_once: how many requests of a person are served at the same time.
        waiting: how many more may wait; None sets no limit.
    """

    def __init__(self, at_once: int = 1, waiting: int | None = None) -> None:
        self._at_once = at_once
        self._most = None if waiting is None else at_once + waiting
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def turn(self, person: str) -> AsyncIterator[None]:
        """Wait until enough of the person's earlier requests are served.

        Arguments:
            person: the id of a user, or the role of who has none.

        Raises:
            LineFullError: too many wait already.
        """
        line = self._lines.get(person)
        if line is None:
            line = self._lines[person] = _Line(asyncio.Semaphore(self._at_once))
        if self._most is not None and line.people >= self._most:
            raise LineFullError
        line.people += 1
        try:
            async with line.turns:
                yield
        finally:
            line.people -= 1
            if line.people == 0:
                del self._lines[person]
