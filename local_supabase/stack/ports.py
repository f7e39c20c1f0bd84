"""Chooses loopback ports and listens on them."""

from __future__ import annotations

import socket

from local_supabase.errors import PortBusyError
from local_supabase.settings import HOST

_BACKLOG = 2048


def listen(wanted: int) -> socket.socket:
    """Return a socket that listens on a loopback port.

    Arguments:
        wanted: the port; 0 takes any free one.

    Raises:
        OSError: the port is in use.
    """
    # asyncio turns off Nagle's algorithm only if the socket's protocol is TCP instead of the default 0.
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
    """Return a socket that listens on the explicit port, else on the preferred one, else on any free one.

    Arguments:
        explicit: the port that the user chose; 0 takes any free one, None takes the preferred one.
        preferred: the port to take if it is free.

    Raises:
        PortBusyError: the explicit port is in use.
    """
    try:
        return listen(preferred if explicit is None else explicit)
    except OSError as error:
        if explicit:
            raise PortBusyError(
                f"Port {explicit} cannot be used: {error.strerror}. Stop what uses it, or choose another "
                "(0 takes any free one)."
            ) from error
        return listen(0)


def free_port(explicit: int | None, preferred: int) -> int:
    """Return a port for a server that binds it itself. Another process may take it first.

    Arguments:
        explicit: as for `listen_on`.
        preferred: as for `listen_on`.

    Raises:
        PortBusyError: the explicit port is in use.
    """
    with listen_on(explicit, preferred) as listener:
        port: int = listener.getsockname()[1]
        return port
