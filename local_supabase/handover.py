"""Hands open connections over from one process to another, with what has been read from them.

A connection's descriptor travels over a pair of datagram sockets that the supervisor keeps open. So a
connection that is handed over while the other process starts waits in that socket. Afterwards no byte passes
through two processes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections import deque
from collections.abc import Callable

from local_supabase.background import spawn

# A datagram is sent whole or not at all. The head of a request and the address are limited to less.
MAX_HEAD_BYTES = 128 * 1024
_SOCKET_BUFFER_BYTES = 4 * MAX_HEAD_BYTES
# Connections that wait because the other process does not take them. The oldest are dropped first.
_WAITING = 1024
_AT_ONCE = 64
_log = logging.getLogger("local_supabase.handover")
_CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


def channel() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a channel: one for the process that hands over, one for the process that takes."""
    giving, taking = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for end in (giving, taking):
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BUFFER_BYTES)
    return giving, taking


def give(end: socket.socket, descriptor: int, head: bytes) -> None:
    """Hand one connection over. The caller still closes its own descriptor.

    Arguments:
        end: the giving end of a channel.
        descriptor: the connection's.
        head: what has been read from the connection.

    Raises:
        BlockingIOError: the channel is full.
        OSError: the head is too long, or the channel is closed.
    """
    # An empty datagram would carry no descriptor.
    socket.send_fds(end, [b"\0", head], [descriptor])


def take(end: socket.socket) -> tuple[socket.socket | None, bytes]:
    """Take one connection, with what was read from it; None for one that is lost.

    Raises:
        BlockingIOError: none waits.
        OSError: the channel is closed.
    """
    data, descriptors, _, _ = socket.recv_fds(end, MAX_HEAD_BYTES + 1, 1, _CLOSE_ON_EXEC)
    if not descriptors:
        # This process has no free descriptor, or the datagram is somebody's mistake.
        return None, b""
    return socket.socket(fileno=descriptors[0]), data[1:]


class Giver:
    """Hands connections over without blocking the event loop.

    Arguments:
        end: the giving end of a channel.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._waiting: deque[tuple[int, bytes]] = deque()

    def give(self, descriptor: int, head: bytes) -> None:
        """Hand one connection over as soon as possible. The caller still closes its own descriptor."""
        self._waiting.append((os.dup(descriptor), head))
        if len(self._waiting) > _WAITING:
            os.close(self._waiting.popleft()[0])
        self._give_waiting()

    def close(self) -> None:
        """Drop the connections that still wait."""
        asyncio.get_running_loop().remove_writer(self._end)
        while self._waiting:
            os.close(self._waiting.popleft()[0])

    def _give_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            descriptor, head = self._waiting[0]
            try:
                give(self._end, descriptor, head)
            except BlockingIOError:
                loop.add_writer(self._end, self._give_waiting)
                return
            except OSError:
                # Without the channel, closing the connection is all that can be done.
                pass
            self._waiting.popleft()
            os.close(descriptor)
        loop.remove_writer(self._end)


class Taker:
    """Takes connections in the event loop, and serves each with a protocol of its own.

    Arguments:
        end: the taking end of a channel.
        make_protocol: makes a connection's protocol; its argument is what was read from the connection.
    """

    def __init__(self, end: socket.socket, make_protocol: Callable[[bytes], asyncio.Protocol]) -> None:
        self._end = end
        self._make_protocol = make_protocol

    def start(self) -> None:
        """Take connections from now on."""
        asyncio.get_running_loop().add_reader(self._end, self._take_waiting)

    def stop(self) -> None:
        """Take no more. What waits stays in the channel for the next process."""
        asyncio.get_running_loop().remove_reader(self._end)

    def _take_waiting(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, head = take(self._end)
            except OSError:
                return
            if connection is not None:
                spawn(self._serve(connection, head), "taking a connection", _log)

    async def _serve(self, connection: socket.socket, head: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(lambda: self._make_protocol(head), connection)
        except OSError:
            # The client has gone.
            connection.close()
