"""The database and engine that the API works with, provided by the server's entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, ParamSpec, TypeVar

import anyio
import anyio.to_thread

from api.errors import ServiceUnavailableError
from db.clients import Clients
from db.settings import SettingsError
from livetables.engine import Engine

P = ParamSpec("P")
T = TypeVar("T")

_THREADS: Final = 32
START_TIMEOUT: Final = 60.0
"""Seconds that a request waits for the first start of the database."""


@dataclass(frozen=True, slots=True)
class Backend:
    """The clients of the database, and the live engine over it."""

    clients: Clients
    engine: Engine


BackendFactory = Callable[[], Backend]
"""Returns the backend of the process, starting it if necessary. May block; raises why it cannot."""


class Threads:
    """Threads for blocking calls, apart from the threads that serve the app's files."""

    def __init__(self) -> None:
        self._limiter = anyio.CapacityLimiter(_THREADS)

    async def run(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Call the function in a thread and return its result."""
        return await anyio.to_thread.run_sync(lambda: function(*arguments, **named), limiter=self._limiter)

    async def run_abandonable(self, function: Callable[[], T]) -> T:
        """Call the function in a thread that continues if the request stops waiting for it."""
        return await anyio.to_thread.run_sync(function, limiter=self._limiter, abandon_on_cancel=True)


async def open_backend(threads: Threads, factory: BackendFactory, within: float = START_TIMEOUT) -> Backend:
    """Return the backend within this many seconds. Raises `ServiceUnavailableError` if that fails."""
    try:
        with anyio.fail_after(within):
            return await threads.run_abandonable(factory)
    except TimeoutError as error:
        raise ServiceUnavailableError("Tavern is still starting. Please try again soon.") from error
    except SettingsError as error:
        raise ServiceUnavailableError("Tavern is not set up completely. Please tell who runs it.") from error
