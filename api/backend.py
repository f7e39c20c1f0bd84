"""What the API works with. It is given by the server's entry, which shares it with the app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, ParamSpec, TypeVar

import anyio
import anyio.to_thread

from api.errors import Away
from db.clients import Clients
from db.settings import SettingsError
from live.engine import Engine

P = ParamSpec("P")
T = TypeVar("T")

_THREADS: Final = 32
FIRST: Final = 60.0
"""Seconds that a request waits for the first start of the database."""


@dataclass(frozen=True, slots=True)
class Backend:
    """The way to the database, and the live engine over it."""

    clients: Clients
    engine: Engine


Opener = Callable[[], Backend]
"""Returns the process's one backend, starting it if nobody has. May block; raises what kept it from that."""


class Threads:
    """Blocking calls, in threads of the API's own: those of the app's files must not run out with them."""

    def __init__(self) -> None:
        self._limiter = anyio.CapacityLimiter(_THREADS)

    async def run(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Call the function in a thread and return what it returns."""
        return await anyio.to_thread.run_sync(lambda: function(*arguments, **named), limiter=self._limiter)

    async def start(self, function: Callable[[], T]) -> T:
        """Call what goes on for itself when nobody waits for it any more."""
        return await anyio.to_thread.run_sync(function, limiter=self._limiter, abandon_on_cancel=True)


async def opened(threads: Threads, opener: Opener, within: float = FIRST) -> Backend:
    """Return the backend. Raises `Away` while it cannot be had."""
    try:
        with anyio.fail_after(within):
            return await threads.start(opener)
    except TimeoutError as error:
        raise Away("Tavern is still starting. Please try again soon.") from error
    except SettingsError as error:
        raise Away("Tavern is not set up completely. Please tell who runs it.") from error
