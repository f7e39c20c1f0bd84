"""Uploads: policies are checked first, then the bytes go to a file, then a row makes the file visible.

The row is written under the caller's own role. Nobody sees the file before the row is committed, and if the
row is refused the file is deleted.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from local_supabase.database import DatabaseUnavailableError
from local_supabase.identity import Identity
from local_supabase.storage import cleanup, objects
from local_supabase.storage.api import StorageApi, as_caller, as_owner, identity_of, json_answer
from local_supabase.storage.errors import StorageError, no_content, no_such_bucket, too_large
from local_supabase.storage.files import CHUNK, Draft, Stored
from local_supabase.storage.multipart import FormReader
from local_supabase.storage.names import EMPTY_FOLDER, check_bucket_name, check_key, check_mime_type
from local_supabase.storage.objects import Bucket, Metadata, NewObject

OPERATION = "storage.object.upload"
# Clients that read only after sending everything would not see a refusal, so read on, and discard, up to
# this.
_DRAINED_BYTES = 64 * 2**20


class _ProbeOverError(Exception):
    """Rolls back the transaction in which policies were probed."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an upload goes, and under whose policies: the sender's, or of whoever signed its address."""

    bucket: Bucket
    name: str
    upsert: bool
    identity: Identity

    @property
    def owner(self) -> str | None:
        """The id of the user who will own the object."""
        return self.identity.user_id


@dataclass(frozen=True, slots=True)
class Content:
    """An upload that has arrived: the file and its metadata."""

    stored: Stored
    mime_type: str
    cache_control: str
    user_metadata: Metadata | None

    def metadata(self) -> Metadata:
        """Return the ``metadata`` of the object."""
        return {
            "eTag": self.stored.etag,
            "size": self.stored.size,
            "mimetype": self.mime_type,
            "cacheControl": self.cache_control,
            "lastModified": objects.iso(datetime.now(UTC)),
            "contentLength": self.stored.size,
            "httpStatusCode": 200,
        }


async def create_object(api: StorageApi, request: Request) -> Response:
    """Upload an object; with ``x-upsert: true`` it may replace one."""
    return await _upload(api, request, upsert=request.headers.get("x-upsert") == "true")


async def update_object(api: StorageApi, request: Request) -> Response:
    """Upload a new version of an object."""
    return await _upload(api, request, upsert=True)


async def _upload(api: StorageApi, request: Request, *, upsert: bool) -> Response:
    try:
        identity = identity_of(api, request)
        bucket_name, name = place_of(request)
        bucket = await bucket_of(api, bucket_name)
        destination = Destination(bucket, name, upsert, identity)
        await probe(api, request, destination)
    except StorageError:
        await drain(request)
        raise
    return await receive(api, request, destination)


def place_of(request: Request) -> tuple[str, str]:
    """Return the bucket and the name in a request's path. Raises `StorageError` for invalid ones."""
    return check_bucket_name(request.path_params["bucket"]), check_key(request.path_params["name"])


async def bucket_of(api: StorageApi, bucket_id: str) -> Bucket:
    """Return a bucket, whatever the caller may see. Raises `StorageError` if it does not exist."""
    async with as_owner(api) as connection:
        bucket = await objects.find_bucket(connection, bucket_id)
    if bucket is None:
        raise no_such_bucket()
    return bucket


async def probe(api: StorageApi, request: Request, destination: Destination) -> None:
    """Check before any byte is stored that policies allow the upload."""
    new = NewObject(destination.bucket.id, destination.name, destination.owner, "1")
    try:
        async with as_caller(api, request, destination.identity, OPERATION) as connection:
            await objects.write(connection, new, upsert=destination.upsert)
            raise _ProbeOverError
    except _ProbeOverError:
        return


async def receive(api: StorageApi, request: Request, destination: Destination) -> Response:
    """Store the body of a request as an object."""
    draft = await asyncio.to_thread(api.files.new_draft)
    try:
        content = await _read(api, request, destination, draft)
        await _publish(api, request, destination, content)
    except DatabaseUnavailableError:
        # The connection may have been lost after the commit, so keep the file. If no row has it, the next
        # start deletes it.
        raise
    except BaseException:
        await asyncio.shield(asyncio.to_thread(draft.discard))
        raise
    if destination.upsert:
        await cleanup.delete_removed(api)
    async with as_owner(api) as connection:
        written = await objects.find_object(connection, destination.bucket.id, destination.name)
    key = f"{destination.bucket.id}/{destination.name}"
    return json_answer({"Id": written.id if written else "", "Key": key})


async def _publish(api: StorageApi, request: Request, destination: Destination, content: Content) -> None:
    new = NewObject(
        destination.bucket.id,
        destination.name,
        destination.owner,
        content.stored.version,
        content.metadata(),
        content.user_metadata,
    )
    async with as_caller(api, request, destination.identity, OPERATION) as connection:
        await objects.write(connection, new, upsert=destination.upsert)


async def _read(api: StorageApi, request: Request, destination: Destination, draft: Draft) -> Content:
    content_type = request.headers.get("content-type", "")
    limit = size_limit(api, destination.bucket, destination.name)
    chunks = request.stream()
    try:
        if content_type.lower().startswith("multipart/form-data"):
            mime_type, cache_control, metadata = await _read_form(chunks, draft, limit, content_type)
        else:
            await _write_all(chunks, draft, limit)
            mime_type = content_type or "application/octet-stream"
            cache_control = request.headers.get("cache-control") or "no-cache"
            metadata = _decoded_metadata(request.headers.get("x-metadata"))
        check_type(destination.bucket, destination.name, mime_type)
    except StorageError:
        await _drain_rest(chunks)
        raise
    stored = await asyncio.to_thread(draft.finish)
    return Content(stored, mime_type, cache_control, metadata)


def check_type(bucket: Bucket, name: str, mime_type: str) -> None:
    """Check that a bucket accepts the type of an object. Raises `StorageError`."""
    if bucket.allowed_mime_types and not name.endswith(EMPTY_FOLDER):
        check_mime_type(mime_type, bucket.allowed_mime_types)


def size_limit(api: StorageApi, bucket: Bucket, name: str) -> int:
    """Return the most bytes of an object of this name in a bucket."""
    if name.endswith(EMPTY_FOLDER):
        return 0
    own = bucket.file_size_limit
    whole = api.settings.file_size_limit
    return whole if own is None else min(own, whole)


async def _write_all(chunks: AsyncIterator[bytes], draft: Draft, limit: int) -> None:
    """Write chunks in larger pieces, each in a thread. Raises `StorageError` for too many bytes."""
    pending, received = bytearray(), 0
    async for chunk in chunks:
        received += len(chunk)
        if received > limit:
            raise too_large()
        pending += chunk
        if len(pending) >= CHUNK:
            await asyncio.to_thread(draft.write, bytes(pending))
            pending.clear()
    await asyncio.to_thread(draft.write, bytes(pending))


async def _read_form(
    chunks: AsyncIterator[bytes], draft: Draft, limit: int, content_type: str
) -> tuple[str, str, Metadata | None]:
    reader = FormReader(content_type)

    async def file_bytes() -> AsyncIterator[bytes]:
        async for chunk in chunks:
            yield reader.feed(chunk)

    await _write_all(file_bytes(), draft, limit)
    if not reader.has_file:
        raise no_content()
    fields = reader.fields
    seconds = fields.get("cacheControl", "")
    cache_control = f"max-age={seconds}" if seconds.isascii() and seconds.isdigit() else "no-cache"
    metadata = _parsed_metadata(fields.get("metadata") or fields.get("userMetadata"))
    return fields.get("contentType") or reader.content_type, cache_control, metadata


def _decoded_metadata(header: str | None) -> Metadata | None:
    try:
        return _parsed_metadata(base64.b64decode(header or "", validate=True).decode())
    except (binascii.Error, UnicodeDecodeError):
        return None


def _parsed_metadata(text: str | None) -> Metadata | None:
    """Read a client's metadata; as on hosted, None if it is invalid."""
    try:
        value = orjson.loads(text) if text and "\\u0000" not in text else None
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, Mapping) else None


async def drain(request: Request) -> None:
    """Read the body of a refused request and drop it."""
    await _drain_rest(request.stream())


async def _drain_rest(chunks: AsyncIterator[bytes]) -> None:
    drained = 0
    try:
        async for chunk in chunks:
            drained += len(chunk)
            if drained > _DRAINED_BYTES:
                return
    except (ClientDisconnect, RuntimeError):  # the client disconnected, or the body was already read
        return
