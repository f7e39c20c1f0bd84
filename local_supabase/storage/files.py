"""The files themselves: written under a temporary name, complete and on disk before they get their own.

A file's name is the version of its object, a UUID made here. All of this blocks and is meant for threads.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """A complete file: its version, its size in bytes and its ETag, quoted."""

    version: str
    size: int
    etag: str


class Draft:
    """A file being written."""

    def __init__(self, store: "FileStore") -> None:
        self._store = store
        self.version = str(uuid4())
        self._path = store.temporary / self.version
        self._file: BinaryIO = self._path.open("xb")
        # A checksum for clients, as S3 gives it; nothing rests on its strength.
        self._digest = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        self._file.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    def finish(self) -> Stored:
        """Make the file safe from a crash and give it its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        target = self._store.path(self.version)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        os.replace(self._path, target)
        _sync_folder(target.parent)
        return Stored(self.version, self.size, f'"{self._digest.hexdigest()}"')

    def discard(self) -> None:
        """Leave nothing behind, whether finished or not."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        self._store.delete(self.version)


class FileStore:
    """A folder of files, spread over 256 folders by the first two digits of their names."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.temporary = root / "uploads"

    def prepare(self) -> None:
        """Make the folders and forget uploads that a crash cut off."""
        self.temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self.temporary.iterdir():
            path.unlink(missing_ok=True)

    def path(self, version: str) -> Path:
        """Give where a version lies; anything but a UUID is a ValueError."""
        name = str(UUID(version))
        return self._root / name[:2] / name

    def new_draft(self) -> Draft:
        """Begin a file."""
        return Draft(self)

    def copy(self, version: str) -> str:
        """Give the same bytes another version, without copying them: files never change.

        Raises:
            FileNotFoundError: there is no such version.
        """
        new_version = str(uuid4())
        target = self.path(new_version)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        os.link(self.path(version), target)
        _sync_folder(target.parent)
        return new_version

    def open(self, version: str) -> BinaryIO:
        """Open a version for reading; it stays readable even if it is deleted meanwhile.

        Raises:
            FileNotFoundError: there is no such version.
        """
        return self.path(version).open("rb")

    def delete(self, version: str) -> None:
        """Delete a version, if it is there."""
        self.path(version).unlink(missing_ok=True)

    def versions(self, *, older_than: float) -> Iterator[str]:
        """Give every version whose file is older than this, in seconds."""
        limit = time.time() - older_than
        for folder in self._root.iterdir():
            if len(folder.name) == 2 and folder.is_dir():
                yield from (path.name for path in folder.iterdir() if path.stat().st_ctime < limit)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
