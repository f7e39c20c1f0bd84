"""Keeps what a client has sent and its function has not read yet: a little in memory, the rest in a file.

Most HTTP/1.1 clients send a whole request before they read its answer. A function that answers while it reads
waits for its client to read. So without a spool both would wait for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

MEMORY_BYTES: Final = 64 * 1024
"""How much of one call is in memory."""

FILE_BYTES: Final = 256 * 1024 * 1024
"""How much of all calls together is in files."""

_CHUNK_BYTES: Final = 256 * 1024


@dataclass(slots=True, eq=False)
class Spools:
    """The spools of all calls.

    Arguments:
        folder: the folder of their files, which have no name there.
        file_bytes: how many bytes all files together may have. Beyond it, clients wait for their functions.
    """

    folder: Path
    file_bytes: int = FILE_BYTES
    _used: int = 0
    _open: set[Spool] = field(default_factory=set)

    @contextlib.contextmanager
    def spool(self) -> Iterator[Spool]:
        """Provide the spool of one call."""
        spool = Spool(self)
        self._open.add(spool)
        try:
            yield spool
        finally:
            self._open.discard(spool)
            spool.close()

    def take(self, size: int) -> bool:
        """Take room in files, if there is so much."""
        if self._used + size > self.file_bytes:
            return False
        self._used += size
        return True

    def give_back(self, size: int) -> None:
        """Give room back, which may be what other calls wait for."""
        self._used -= size
        for spool in self._open:
            spool.look_again()


class Spool:
    """A queue of bytes from one task to another one.

    Arguments:
        spools: where it takes room from.
    """

    def __init__(self, spools: Spools) -> None:
        self._spools = spools
        self._parts: deque[bytes] = deque()
        self._in_memory = 0
        self._file: _File | None = None
        self._file_fails = False
        # Where the file is read and written.
        self._head = 0
        self._tail = 0
        self._taken = 0
        self._ended = False
        self._abandoned = False
        self._filled = asyncio.Event()
        self._freed = asyncio.Event()

    async def put(self, part: bytes) -> None:
        """Add bytes. Waits while there is no room for them."""
        while not (self._abandoned or self._fits_into_memory(part)):
            if not self._file_fails and self._spools.take(len(part)):
                self._taken += len(part)
                if await self._append(part):
                    self._filled.set()
                    return
            self._freed.clear()
            await self._freed.wait()
        if not self._abandoned:
            self._parts.append(part)
            self._in_memory += len(part)
            self._filled.set()

    def end(self) -> None:
        """Say that nothing more comes."""
        self._ended = True
        self._filled.set()

    async def get(self) -> bytes:
        """Return the next bytes; none after the last ones. Waits until there are some."""
        while True:
            if self._parts:
                part = self._parts.popleft()
                self._in_memory -= len(part)
                self.look_again()
                return part
            if self._file is not None and self._head < self._tail:
                part = await asyncio.to_thread(
                    self._file.read, self._head, min(_CHUNK_BYTES, self._tail - self._head)
                )
                self._head += len(part)
                self._reuse_file()
                return part
            if self._ended:
                return b""
            self._filled.clear()
            await self._filled.wait()

    def abandon(self) -> None:
        """Drop what is there and what comes, because nobody reads it."""
        self._abandoned = True
        self._parts.clear()
        self._in_memory = 0
        self.close()
        self.look_again()

    def close(self) -> None:
        """Delete the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._head = self._tail = 0
        self._release()

    def look_again(self) -> None:
        """Let `put` try again."""
        self._freed.set()

    def _fits_into_memory(self, part: bytes) -> bool:
        """Return whether a part may be kept in memory: not while older ones are in the file."""
        is_small = not self._parts or self._in_memory + len(part) <= MEMORY_BYTES
        return is_small and self._head == self._tail

    async def _append(self, part: bytes) -> bool:
        """Write to the file; return whether it worked."""
        try:
            if self._file is None:
                self._file = await asyncio.to_thread(_File, self._spools.folder)
            await asyncio.to_thread(self._file.write, self._tail, part)
        except OSError:
            # The disk is full, for example. Then the client waits until the function has read.
            self._file_fails = True
            self._taken -= len(part)
            self._spools.give_back(len(part))
            return False
        self._tail += len(part)
        return True

    def _reuse_file(self) -> None:
        """Begin at the file's start again when all of it is read and nothing is being written."""
        if self._head == self._tail == self._taken:
            self._head = self._tail = 0
            self._release()

    def _release(self) -> None:
        taken, self._taken = self._taken, 0
        if taken:
            self._spools.give_back(taken)


class _File:
    """A file without a name. Its methods block, and may be called in threads, also after `close`."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self._lock = threading.Lock()

    def write(self, offset: int, data: bytes) -> None:
        with self._lock:
            if self._file.closed:
                return
            self._file.seek(offset)
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) :]

    def read(self, offset: int, size: int) -> bytes:
        with self._lock:
            if self._file.closed:
                return b""
            self._file.seek(offset)
            return self._file.read(size)

    def close(self) -> None:
        with self._lock:
            self._file.close()
