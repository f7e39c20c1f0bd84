"""The files: each is written under a temporary name, and renamed once it is complete and on disk.

A file's name is the version of its object, a UUID made here. All functions block, so they are called in
threads.
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
    """A complete file: its version, its size in bytes and its quoted ETag."""

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
        # A checksum for clients, as S3 has it; it is not used for security.
        self._digest = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        self._file.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    def finish(self) -> Stored:
        """Sync the file to disk and rename it to its version."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        target = self._store.path(self.version)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        os.replace(self._path, target)
        _sync_folder(target.parent)
        return Stored(self.version, self.size, f'"{self._digest.hexdigest()}"')

    def discard(self) -> None:
        """Delete the file, finished or not."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        self._store.delete(self.version)


class FileStore:
    """A folder of files, spread over 256 folders by the first two digits of their names."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.temporary = root / "uploads"

    def prepare(self) -> None:
        """Create the folders and delete uploads that a crash cut off."""
        self.temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self.temporary.iterdir():
            path.unlink(missing_ok=True)

    def path(self, version: str) -> Path:
        """Return the path of a version. Raises `ValueError` for anything but a UUID."""
        name = str(UUID(version))
        return self._root / name[:2] / name

    def new_draft(self) -> Draft:
        """Create an empty file to write to."""
        return Draft(self)

    def copy(self, version: str) -> str:
        """Return a new version with the same bytes; it is a hard link, because files never change.

        Raises:
            FileNotFoundError: the version does not exist.
        """
        new_version = str(uuid4())
        target = self.path(new_version)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        os.link(self.path(version), target)
        _sync_folder(target.parent)
        return new_version

    def open(self, version: str) -> BinaryIO:
        """Open a version for reading; it stays readable if it is deleted meanwhile.

        Raises:
            FileNotFoundError: the version does not exist.
        """
        return self.path(version).open("rb")

    def size(self, version: str) -> int:
        """Return the bytes of a version.

        Raises:
            FileNotFoundError: the version does not exist.
        """
        return self.path(version).stat().st_size

    def delete(self, version: str) -> None:
        """Delete a version, if it exists."""
        self.path(version).unlink(missing_ok=True)

    def versions(self, *, older_than: float) -> Iterator[str]:
        """Yield every version whose file is older than this many seconds."""
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
