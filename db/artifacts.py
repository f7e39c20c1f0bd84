"""Files of the rating work in Storage: model artifacts, training data, exports. A tenant's are in its folder.

Storage's own policies decide who may do what (`supabase/migrations`); this names buckets and types, and puts
what Storage answers into words.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar

import httpx
from storage3.exceptions import StorageApiError
from storage3.types import FileOptions, SearchV2Object, SearchV2Options
from storage3.utils import StorageException

from db.errors import (
    DatabaseError,
    Duplicate,
    Gone,
    Invalid,
    Misconfigured,
    NotAllowed,
    SignedOut,
    Unreachable,
    from_transport,
)
from db.rows import Caller

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")

Progress = Callable[[int], None]
"""Is told how many bytes have been sent."""

MEGABYTE: Final = 1024 * 1024
PAGE: Final = 1000
"""Files that are listed in one request."""

_PIECE = 256 * 1024


class Bucket(StrEnum):
    """Where a file belongs."""

    MODEL_ARTIFACTS = "model-artifacts"
    TRAINING_DATA = "training-data"
    EXPORTS = "exports"

    @property
    def rules(self) -> BucketRules:
        """What the bucket takes."""
        return _RULES[self]


@dataclass(frozen=True, slots=True)
class BucketRules:
    """What a bucket takes, as the migration says it.

    `limit` is in bytes; `types` gives the content type for each ending of a name that may be uploaded.
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
    """One file. `path` is its whole key in the bucket, tenant first; `size` is in bytes."""

    bucket: Bucket
    path: str
    size: int
    mime_type: str
    updated_at: datetime | None

    @property
    def name(self) -> str:
        """What people call it: its key without the tenant."""
        return self.path.partition("/")[2]

    @property
    def file_name(self) -> str:
        """What it is called when it is saved."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Place:
    """Where to put a file: a name that Storage takes, in the folder of a tenant."""

    bucket: Bucket
    tenant: str
    folder: str
    file_name: str

    @property
    def path(self) -> str:
        """The key in the bucket."""
        return "/".join(part for part in (self.tenant, self.folder, self.file_name) if part)


_UNTAKEN = re.compile(r"[^A-Za-z0-9_.\-]+")


def place_for(bucket: Bucket, tenant: str, folder: str, file_name: str) -> Place:
    """Make a key of what a person calls a file. Raises `Invalid` for a type that the bucket does not take."""
    folders = [_key_part(part) for part in folder.split("/")]
    place = Place(bucket, tenant, "/".join(part for part in folders if part), _key_part(file_name)[-150:])
    if len(place.path) > 300:
        raise Invalid("This name is too long: with its folder, a file has up to 300 characters.")
    type_of(place)
    return place


def _key_part(text: str) -> str:
    """Write a name with the letters that Storage takes, as near to what it was as they come."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _UNTAKEN.sub("-", plain).strip("-.")


def type_of(place: Place) -> str:
    """Return the content type by the name's ending. Raises `Invalid` when the bucket takes no such file."""
    rules = place.bucket.rules
    _, dot, ending = place.file_name.rpartition(".")
    found = rules.types.get(ending.lower()) if dot else None
    if found is None:
        raise Invalid(f"{rules.title} takes files that end in {', '.join(sorted(rules.types))}.")
    return found


def files_of(me: Caller, bucket: Bucket, tenant: str) -> list[Artifact]:
    """Return a tenant's files in a bucket, by name; none when there are none that this person may see."""
    options: SearchV2Options = {"prefix": f"{tenant}/", "limit": PAGE}
    found: list[Artifact] = []
    while True:
        page = _run(me, bucket, lambda token: me.clients.storage(token).from_(bucket).list_v2(options))
        found += (_artifact(bucket, item) for item in page.objects)
        if not page.hasNext or page.nextCursor is None:
            return found
        options["cursor"] = page.nextCursor


def _artifact(bucket: Bucket, item: SearchV2Object) -> Artifact:
    mime_type = str((item.metadata or {}).get("mimetype", ""))
    return Artifact(bucket, item.name, _size(item.metadata), mime_type, item.updated_at)


def upload(
    me: Caller,
    place: Place,
    file: BinaryIO,
    progress: Progress = lambda _sent: None,
    *,
    replace: bool = False,
) -> None:
    """Send a file, piece by piece.

    Raises `Invalid` when it is too large or of the wrong type, `Duplicate` when there is one of this name.
    """
    size = _length(file)
    rules = place.bucket.rules
    if size > rules.limit:
        raise _too_large(place.bucket)
    if size == 0:
        raise Invalid("This file is empty.")
    options: FileOptions = {
        "content-type": type_of(place), "cache-control": "no-cache", "upsert": "true" if replace else "false",
    }  # fmt: skip

    def send(token: str) -> None:
        file.seek(0)
        counted: io.BufferedReader = io.BufferedReader(_Counted(file, progress), _PIECE)
        me.clients.storage(token).from_(place.bucket).upload(place.path, counted, options)

    try:
        _run(me, place.bucket, send)
    except Duplicate:
        raise Duplicate(f"There is a file {place.file_name} already.") from None


def download(me: Caller, artifact: Artifact) -> bytes:
    """Read a whole file."""
    return _run(
        me,
        artifact.bucket,
        lambda token: me.clients.storage(token).from_(artifact.bucket).download(artifact.path),
    )


def signed_url(me: Caller, artifact: Artifact, seconds: int) -> str:
    """Return an address under which anybody may download the file for so long."""

    def sign(token: str) -> str:
        files = me.clients.storage(token).from_(artifact.bucket)
        answer = files.create_signed_url(artifact.path, seconds, {"download": artifact.file_name})
        if answer["signedURL"] is None:
            raise Gone
        return answer["signedURL"]

    return _run(me, artifact.bucket, sign)


def public_url(me: Caller, artifact: Artifact) -> str | None:
    """Return the lasting address of a file in a public bucket; None for the private ones."""
    if not artifact.bucket.rules.public:
        return None
    url = me.clients.storage(me.access_token()).from_(artifact.bucket).get_public_url(artifact.path)
    return url.removesuffix("?")


def remove(me: Caller, artifact: Artifact) -> None:
    """Delete a file; that it is gone already is as good. Raises `NotAllowed` when it stays."""
    removed = _run(
        me,
        artifact.bucket,
        lambda token: me.clients.storage(token).from_(artifact.bucket).remove([artifact.path]),
    )
    if removed:
        return
    tenant = artifact.path.partition("/")[0]
    if any(one.path == artifact.path for one in files_of(me, artifact.bucket, tenant)):
        raise NotAllowed


class _Counted(io.RawIOBase):
    """A file that tells how much of it has been read."""

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


def _size(metadata: Mapping[str, object] | None) -> int:
    size = (metadata or {}).get("size")
    return size if isinstance(size, int) else 0


def _run(me: Caller, bucket: Bucket, do: Callable[[str], T]) -> T:
    """Do one request as this person, with a new token if Storage says that the token is over."""
    token = me.access_token()
    try:
        return _answer(bucket, do, token)
    except SignedOut:
        me.renew(token)
        return _answer(bucket, do, me.access_token())


def _answer(bucket: Bucket, do: Callable[[str], T], token: str) -> T:
    try:
        return do(token)
    except StorageApiError as error:
        raise _meaning(bucket, error) from error
    except StorageException as error:
        raise DatabaseError from error
    except httpx.HTTPError as error:
        raise from_transport(error) from error


def _meaning(bucket: Bucket, error: StorageApiError) -> DatabaseError:
    """Put Storage's answer into words. Codes: supabase.com/docs/guides/storage/debugging/error-codes."""
    words = f"{error.code} {error.message}".lower()
    if "jwt" in words or "token" in words or '"exp"' in words:
        return SignedOut()
    known: Mapping[str, DatabaseError] = {
        "413": _too_large(bucket),
        "415": Invalid(f"{bucket.rules.title} takes no files of this type."),
        "409": Duplicate("There is a file of this name already."),
        "403": NotAllowed("These files are not yours to see or change."),
    }
    status = str(error.status)
    if status == "404":
        return Misconfigured() if "bucket" in words else Gone("This file is not there any more.")
    if status in known:
        return known[status]
    return Unreachable() if status.startswith("5") else DatabaseError()


def _too_large(bucket: Bucket) -> Invalid:
    most = bucket.rules.limit // MEGABYTE
    return Invalid(
        f"This file is too large: {bucket.rules.title} takes up to {most} MB, "
        "or less where the project says so. Pack it, or split it."
    )
