"""Choosing and holding loopback ports."""

from __future__ import annotations

import socket

from local_supabase.errors import PortBusy
from local_supabase.settings import HOST

_BACKLOG = 2048


def listen(wanted: int) -> socket.socket:
    """Listen on a loopback port; 0 takes any free one. OSError when it is taken."""
    # With the protocol named, asyncio turns off Nagle's algorithm on what is accepted (it looks at it).
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, wanted))
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def listen_on(explicit: int | None, preferred: int) -> socket.socket:
    """Listen on the port that was asked for, or near enough on the preferred one.

    Raises:
        PortBusy: the port was asked for by number and is taken.
    """
    try:
        return listen(preferred if explicit is None else explicit)
    except OSError as error:
        if explicit:
            raise PortBusy(
                f"Port {explicit} cannot be used: {error.strerror}. Stop what uses it, or choose another "
                "(0 takes any free one)."
            ) from error
        return listen(0)


def free_port(explicit: int | None, preferred: int) -> int:
    """Find a port for a server that binds it by itself; same rules as `listen_on`."""
    with listen_on(explicit, preferred) as listener:
        port: int = listener.getsockname()[1]
        return port
