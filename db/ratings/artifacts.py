"""Files of rating in Storage: model artifacts, training data and exports. Each tenant has its own folder.

The policies of Storage decide who may do what (`supabase/migrations`). Here are the buckets and their file
types, and messages for the errors of Storage.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar, cast

from storage3.types import FileOptions

from db import rows, storage
from db.caller import Caller
from db.columns import Record
from db.errors import (
    DatabaseError,
    DuplicateError,
    GoneError,
    InvalidValueError,
    NotAllowedError,
)
from db.ratings import file_names

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")

Progress = Callable[[int], None]
"""Called with the number of bytes that have been sent so far."""

MEGABYTE: Final = 1024 * 1024
PAGE: Final = 1000
"""Files listed per request."""

_PIECE = 256 * 1024


class Bucket(StrEnum):
    """The buckets."""

    MODEL_ARTIFACTS = "model-artifacts"
    TRAINING_DATA = "training-data"
    EXPORTS = "exports"

    @property
    def rules(self) -> BucketRules:
        """Which files the bucket accepts."""
        return _RULES[self]


@dataclass(frozen=True, slots=True)
class BucketRules:
    """Which files a bucket accepts, as in the migration.

    `limit` is in bytes; `types` gives the content type for each file name extension that may be uploaded.
    """

    title: str
    public: bool
    limit: int
    types: Mapping[str, str]


_TEXT = {"csv": "text/csv", "json": "application/json", "jsonl": "application/x-ndjson", "txt": "text/plain"}
_PACKED = {"zip": "application/zip", "gz": "application/gzip"}
_BINARY = "application/octet-stream"

_RULES: Final[Mapping[Bucket, BucketRules]] = {
    Bucket.MODEL_ARTIFACTS: BucketRules(
        "Model artifacts", False, 200 * MEGABYTE,
        {"safetensors": _BINARY, "bin": _BINARY, "pt": _BINARY, "gguf": _BINARY, "onnx": _BINARY}
        | {"json": _TEXT["json"], "txt": _TEXT["txt"]} | _PACKED,
    ),
    Bucket.TRAINING_DATA: BucketRules(
        "Training data", False, 100 * MEGABYTE,
        _TEXT | {"parquet": "application/vnd.apache.parquet"} | _PACKED,
    ),
    Bucket.EXPORTS: BucketRules("Exports", True, 20 * MEGABYTE, _TEXT | _PACKED),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file.

    `path` is its key in the bucket, which begins with the tenant; `name` is what people call it, with its
    folders; `size` is in bytes.
    """

    bucket: Bucket
    path: str
    name: str
    size: int
    mime_type: str
    updated_at: datetime | None

    @property
    def file_name(self) -> str:
        """Its name without folders."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Place:
    """Where to store a file of a tenant. `name` is what people call it, with its folders."""

    bucket: Bucket
    tenant: str
    name: str

    @property
    def file_name(self) -> str:
        """Its name without folders."""
        return self.name.rpartition("/")[2]

    @property
    def path(self) -> str:
        """The key in the bucket for a new file."""
        extension = self.name.rpartition(".")[2].lower()
        return f"{self.tenant}/{file_names.key_for(f'{self.bucket}/{self.tenant}', self.name, extension)}"


def place_for(bucket: Bucket, tenant: str, folder: str, file_name: str) -> Place:
    """Return the place for a file with the folder and name that a person gave it.

    Raises `InvalidValueError` when the name is empty or too long, or the bucket does not accept its type.
    """
    place = Place(bucket, tenant, file_names.full_name(folder, file_name))
    type_of(place)
    return place


def type_of(place: Place) -> str:
    """Return the content type for the file name extension.

    Raises `InvalidValueError` when the bucket does not accept it.
    """
    rules = place.bucket.rules
    _, dot, extension = place.file_name.rpartition(".")
    found = rules.types.get(extension.lower()) if dot else None
    if found is None:
        raise InvalidValueError(f"{rules.title} takes files that end in {', '.join(sorted(rules.types))}.")
    return found


def files_of(me: Caller, bucket: Bucket, tenant: str) -> list[Artifact]:
    """Read the files of a tenant in a bucket that this person may see, by key."""
    found: list[Artifact] = []
    while True:
        after = found[-1].path if found else ""
        params = {"p_bucket": bucket, "p_tenant": tenant, "p_after": after, "p_limit": PAGE}
        page = cast("list[Record]", rows.call(me, "tenant_files", params))
        found += (_artifact(bucket, record) for record in page)
        if len(page) < PAGE:
            return found


def _artifact(bucket: Bucket, record: Record) -> Artifact:
    path, changed = str(record["path"]), record["updated_at"]
    return Artifact(
        bucket,
        path,
        # Files that other programs have stored are called by their key.
        str(record["name"] or path.partition("/")[2]),
        int(cast("int | None", record["size"]) or 0),
        str(record["mime_type"] or ""),
        datetime.fromisoformat(str(changed)) if changed else None,
    )


def upload(
    me: Caller,
    place: Place,
    file: BinaryIO,
    progress: Progress = lambda _sent: None,
    *,
    replace: bool = False,
) -> None:
    """Upload a file in pieces; `replace` overwrites the file of the same name, and gives it this spelling.

    Raises `InvalidValueError` when it is empty, too large or of the wrong type, `DuplicateError` when a file
    of this name exists and is not to be replaced.
    """
    size = _length(file)
    rules = place.bucket.rules
    if size > rules.limit:
        raise _too_large(place.bucket)
    if size == 0:
        raise InvalidValueError("This file is empty.")
    same = _same_file(me, place)
    if same is not None and not replace:
        raise _exists(same.file_name)
    path = place.path if same is None else same.path
    options: FileOptions = {
        "content-type": type_of(place), "cache-control": "no-cache", "upsert": "true" if replace else "false",
        "metadata": {"name": place.name},
    }  # fmt: skip

    def send(token: str) -> None:
        file.seek(0)
        counted: io.BufferedReader = io.BufferedReader(_Counted(file, progress), _PIECE)
        me.clients.storage(token).from_(place.bucket).upload(path, counted, options)

    try:
        _run(me, place.bucket, send)
    except DuplicateError:
        raise _exists(place.file_name) from None


def _same_file(me: Caller, place: Place) -> Artifact | None:
    """Return the file that has this name already, whatever its key."""
    files = files_of(me, place.bucket, place.tenant)
    return next((one for one in files if file_names.is_same(one.name, place.name)), None)


def _exists(file_name: str) -> DuplicateError:
    return DuplicateError(f"There is a file {file_name} already.")


def download(me: Caller, artifact: Artifact) -> bytes:
    """Read a whole file."""
    return _run(
        me,
        artifact.bucket,
        lambda token: me.clients.storage(token).from_(artifact.bucket).download(artifact.path),
    )


def signed_url(me: Caller, artifact: Artifact, seconds: int) -> str:
    """Return an address at which anybody can download the file for this many seconds."""

    def sign(token: str) -> str:
        files = me.clients.storage(token).from_(artifact.bucket)
        answer = files.create_signed_url(artifact.path, seconds, {"download": artifact.file_name})
        if answer["signedURL"] is None:
            raise GoneError
        return answer["signedURL"]

    return _run(me, artifact.bucket, sign)


def public_url(me: Caller, artifact: Artifact) -> str | None:
    """Return the permanent address of a file in a public bucket; None for a private bucket.

    Who opens it saves the file under its name.
    """
    if not artifact.bucket.rules.public:
        return None
    files = me.clients.storage(me.access_token()).from_(artifact.bucket)
    return files.get_public_url(artifact.path, {"download": artifact.file_name})


def remove(me: Caller, artifact: Artifact) -> None:
    """Delete a file; it is no error if it does not exist. Raises `NotAllowedError` when it is still there."""
    removed = _run(
        me,
        artifact.bucket,
        lambda token: me.clients.storage(token).from_(artifact.bucket).remove([artifact.path]),
    )
    if removed:
        return
    tenant = artifact.path.partition("/")[0]
    if any(one.path == artifact.path for one in files_of(me, artifact.bucket, tenant)):
        raise NotAllowedError


class _Counted(io.RawIOBase):
    """A file that calls `progress` with the number of bytes read."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        super().__init__()
        self._file = file
        self._progress = progress

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        piece = self._file.read(len(view))
        view[: len(piece)] = piece
        self._progress(self._file.tell())
        return len(piece)


def _length(file: BinaryIO) -> int:
    length = file.seek(0, io.SEEK_END)
    file.seek(0)
    return length


def _run(me: Caller, bucket: Bucket, send: Callable[[str], T]) -> T:
    return storage.run(me, _refusals(bucket), send)


def translated_errors(bucket: Bucket) -> AbstractContextManager[None]:
    """Raise the errors of Storage's client as `DatabaseError`."""
    return storage.translated_errors(_refusals(bucket))


def _refusals(bucket: Bucket) -> Mapping[str, DatabaseError]:
    wrong_type = InvalidValueError(f"{bucket.rules.title} takes no files of this type.")
    return {"413": _too_large(bucket), "415": wrong_type}


def _too_large(bucket: Bucket) -> InvalidValueError:
    most = bucket.rules.limit // MEGABYTE
    return InvalidValueError(
        f"This file is too large: {bucket.rules.title} takes up to {most} MB, "
        "or less where the project says so. Pack it, or split it."
    )
