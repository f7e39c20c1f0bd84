"""Closes connections so that the client gets what was written before.

When a socket is closed while bytes from the client are unread, or still arrive, the kernel resets the
connection, and the client may lose an answer that it has not read yet. So the server ends its own direction
only, drops what still comes, and closes when the client does, or after a bounded time (RFC 9112 9.6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

# As much as is read of the body of a refused request.
_DROPPED_BYTES = 64_000_000


@dataclass(slots=True, eq=False)
class Lingerers:
    """The connections of one process that have sent everything and wait for their client to close.

    Arguments:
        most: how many may wait. Beyond it the one that has waited longest is ended.
        seconds: for how long each may wait.
    """

    most: int
    seconds: float
    # By the time at which they end, in that order.
    _ends: dict[LingeringTransport, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, connection: LingeringTransport) -> None:
        """Let a connection wait."""
        self._ends[connection] = asyncio.get_running_loop().time() + self.seconds
        if len(self._ends) > self.most:
            self._end(next(iter(self._ends)))

    def forget(self, connection: LingeringTransport) -> None:
        """Count a connection no more."""
        self._ends.pop(connection, None)

    def enforce(self, now: float) -> None:
        """End those that have waited too long.

        Arguments:
            now: the event loop's time.
        """
        while self._ends:
            first, end = next(iter(self._ends.items()))
            if end > now:
                return
            self._end(first)

    def close(self) -> None:
        """End all."""
        for connection in list(self._ends):
            self._end(connection)

    def _end(self, connection: LingeringTransport) -> None:
        self.forget(connection)
        connection.abort()


class LingeringTransport(asyncio.Transport):
    """A transport whose `close` lingers. For its protocol the connection is over once all is written.

    Arguments:
        transport: the transport of the socket.
        protocol: its protocol.
        lingerers: counts the connection while it lingers.
    """

    def __init__(
        self, transport: asyncio.Transport, protocol: asyncio.BaseProtocol, lingerers: Lingerers
    ) -> None:
        super().__init__()
        self._transport = transport
        self._protocol = protocol
        self._lingerers = lingerers
        self._closing = False

    def close(self) -> None:
        """Write what is still to be written, then linger."""
        if self.is_closing():
            return
        self._closing = True
        self._transport.set_protocol(_Lingering(self, self._lingerers))
        self._transport.resume_reading()
        # From now on, the transport tells when its buffer is empty.
        self._transport.set_write_buffer_limits(high=0)
        if self._transport.get_write_buffer_size() == 0:
            self.end_writing_soon()

    def close_now(self) -> None:
        """Write what is still to be written, then close, because the client waits for no answer."""
        if not self.is_closing():
            self._transport.close()

    def abort(self) -> None:
        """Close at once, and drop what is not written."""
        self._transport.abort()

    def end_writing_soon(self) -> None:
        """Send the end, after the current callback of the transport."""
        asyncio.get_running_loop().call_soon(self._end_writing)

    def _end_writing(self) -> None:
        if self._transport.is_closing():
            return
        self._lingerers.add(self)
        try:
            self._transport.write_eof()
        except OSError:
            # The client has reset the connection.
            self._transport.abort()
        self.tell_lost(None)

    def tell_lost(self, exc: Exception | None) -> None:
        """Tell the protocol, once, that the connection is over."""
        protocol, self._protocol = self._protocol, asyncio.BaseProtocol()
        protocol.connection_lost(exc)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol go on."""
        self._protocol = protocol
        if not self._closing:
            self._transport.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol."""
        return self._protocol

    def is_closing(self) -> bool:
        """Return whether nothing more can be written."""
        return self._closing or self._transport.is_closing()

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Write, unless it is closing."""
        if not self.is_closing():
            self._transport.write(data)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview[Any]]) -> None:
        """Write, unless it is closing."""
        if not self.is_closing():
            self._transport.writelines(list_of_data)

    def write_eof(self) -> None:
        """Do nothing: the end is sent by `close`."""

    def can_write_eof(self) -> bool:
        """Return that only `close` sends the end."""
        return False

    def pause_reading(self) -> None:
        """Read no more, unless it is closing."""
        if not self._closing:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._transport.resume_reading()

    def is_reading(self) -> bool:
        """Return whether the protocol gets what arrives."""
        return not self._closing and self._transport.is_reading()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes are still to be written."""
        return self._transport.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return from how many bytes on the protocol waits, and down to how many."""
        return self._transport.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set from how many bytes on the protocol waits, and down to how many."""
        if not self._closing:
            self._transport.set_write_buffer_limits(high, low)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the transport of the socket says."""
        return self._transport.get_extra_info(name, default)


class _Lingering(asyncio.BufferedProtocol):
    """Takes the protocol's place while the rest is written, and afterwards."""

    def __init__(self, connection: LingeringTransport, lingerers: Lingerers) -> None:
        self._connection = connection
        self._lingerers = lingerers
        self._dropped = 0

    def get_buffer(self, sizehint: int) -> memoryview:
        return _DROPPED

    def buffer_updated(self, nbytes: int) -> None:
        self._dropped += nbytes
        if self._dropped > _DROPPED_BYTES:
            self._connection.abort()

    def resume_writing(self) -> None:
        self._connection.end_writing_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lingerers.forget(self._connection)
        self._connection.tell_lost(exc)


# All lingering connections write over it, and nobody reads it.
_DROPPED = memoryview(bytearray(65_536))
