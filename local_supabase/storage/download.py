"""Downloads: streams the file of an object, whole or in part, and returns its metadata."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local_supabase.identity import Identity
from local_supabase.storage import objects, served
from local_supabase.storage.api import (
    StorageApi,
    as_caller,
    as_owner,
    identity_of,
    json_answer,
    optional_identity_of,
)
from local_supabase.storage.errors import StorageError, no_such_bucket, no_such_key
from local_supabase.storage.files import CHUNK
from local_supabase.storage.objects import Bucket, StoredObject
from local_supabase.storage.ranges import Precondition, Span, UnsatisfiableError, check_conditions, read_range
from local_supabase.storage.upload import place_of

READ = "storage.object.get_authenticated"
INFO = "storage.object.get_authenticated_info"

Find = Callable[[], Awaitable[StoredObject]]


class FileResponse(Response):
    """Streams a part of an open file, read in chunks by threads, and closes it in any case."""

    def __init__(
        self, file: BinaryIO, span: Span | None, size: int, status: int, headers: Mapping[str, str]
    ) -> None:
        super().__init__(status_code=status, headers=dict(headers))
        self.headers["content-length"] = str(span.length if span else size)
        self._file = file
        self._first = span.first if span else 0
        self._left = span.length if span else size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        try:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            if scope["method"] != "HEAD":
                await asyncio.to_thread(self._file.seek, self._first)
                await self._send_body(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._file.close()

    async def _send_body(self, send: Send) -> None:
        while self._left:
            piece = await asyncio.to_thread(self._file.read, min(CHUNK, self._left))
            if not piece:
                return
            self._left -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})


@dataclass(frozen=True, slots=True)
class Access:
    """How an object may be read: under an identity's policies, or without policies if it is None."""

    bucket: Bucket
    identity: Identity | None


async def _access(api: StorageApi, request: Request, *, public_only: bool = False) -> Access:
    """Return how a request may read its bucket. Raises `StorageError` for a private one without a token."""
    name = place_of(request)[0]
    identity = None if public_only else optional_identity_of(api, request)
    async with as_owner(api) as connection:
        bucket = await objects.find_bucket(connection, name)
    if bucket is None or not (bucket.public or identity):
        raise no_such_bucket()
    return Access(bucket, None if bucket.public else identity)


def _finder(api: StorageApi, request: Request, access: Access, operation: str) -> Find:
    name = place_of(request)[1]

    async def find() -> StoredObject:
        if access.identity is None:
            async with as_owner(api) as connection:
                found = await objects.find_object(connection, access.bucket.id, name)
        else:
            async with as_caller(api, request, access.identity, operation, read_only=True) as connection:
                found = await objects.find_object(connection, access.bucket.id, name)
        if found is None:
            raise no_such_key()
        return found

    return find


async def get_object(api: StorageApi, request: Request) -> Response:
    """Return an object of a public bucket, or one that the caller may read."""
    access = await _access(api, request)
    return await serve(api, request, _finder(api, request, access, READ))


async def get_authenticated(api: StorageApi, request: Request) -> Response:
    """Return an object; the caller must have a token."""
    identity_of(api, request)
    return await get_object(api, request)


async def get_public(api: StorageApi, request: Request) -> Response:
    """Return an object of a public bucket."""
    access = await _access(api, request, public_only=True)
    return await serve(api, request, _finder(api, request, access, READ))


async def get_info(api: StorageApi, request: Request) -> Response:
    """Return the metadata of an object."""
    return await _info(_finder(api, request, await _access(api, request), INFO))


async def get_authenticated_info(api: StorageApi, request: Request) -> Response:
    """Return the metadata of an object; the caller must have a token."""
    identity_of(api, request)
    return await get_info(api, request)


async def get_public_info(api: StorageApi, request: Request) -> Response:
    """Return the metadata of an object of a public bucket."""
    access = await _access(api, request, public_only=True)
    return await _info(_finder(api, request, access, INFO))


async def _info(find: Find) -> Response:
    found = await find()
    metadata = found.metadata or {}
    return json_answer(
        {
            "id": found.id,
            "name": found.name,
            "version": found.version,
            "bucket_id": found.bucket_id,
            "size": metadata.get("size"),
            "content_type": metadata.get("mimetype"),
            "cache_control": metadata.get("cacheControl"),
            "etag": metadata.get("eTag"),
            "metadata": found.user_metadata,
            "last_modified": objects.iso(found.updated_at),
            "created_at": objects.iso(found.created_at),
        }
    )


async def serve(api: StorageApi, request: Request, find: Find, expires: datetime | None = None) -> Response:
    """Return an object's file, or the part of it that the request's conditions and range ask for.

    Arguments:
        api: the parts of the service.
        request: the request.
        find: finds the object; called again when it is replaced meanwhile.
        expires: when a signed URL expires.
    """
    found, file = await _open(api, find)
    try:
        size = (await asyncio.to_thread(os.fstat, file.fileno())).st_size
        return _answer(request, found, file, size, expires)
    except BaseException:
        file.close()
        raise


async def _open(api: StorageApi, find: Find) -> tuple[StoredObject, BinaryIO]:
    for _ in range(3):
        found = await find()
        try:
            return found, await asyncio.to_thread(api.files.open, found.version)
        except FileNotFoundError:  # the object was replaced since it was found
            continue
        except ValueError:  # a row inserted by SQL, without a file
            break
    raise no_such_key()


def _answer(
    request: Request, found: StoredObject, file: BinaryIO, size: int, expires: datetime | None
) -> Response:
    etag = found.meta("eTag") or f'"{found.version}"'
    modified = found.updated_at or datetime.now(UTC)
    headers = _headers(request, found, etag, modified, expires)
    precondition = check_conditions(request.headers, etag, modified)
    if precondition is Precondition.NOT_MODIFIED:
        file.close()
        return Response(status_code=304, headers=headers)
    if precondition is Precondition.PRECONDITION_FAILED:
        message = "At least one of the pre-conditions you specified did not hold"
        raise StorageError(412, "PreconditionFailed", message, http_status=412)
    try:
        span = read_range(request.headers, size, etag, modified)
    except UnsatisfiableError:
        message = "The requested range is not satisfiable"
        file.close()
        refusal = StorageError(416, "InvalidRange", message, http_status=416).response()
        refusal.headers["Content-Range"] = f"bytes */{size}"
        return refusal
    if span is None:
        return FileResponse(file, None, size, 200, headers)
    return FileResponse(file, span, size, 206, headers | {"Content-Range": span.content_range})


def _headers(
    request: Request, found: StoredObject, etag: str, modified: datetime, expires: datetime | None
) -> dict[str, str]:
    mime_type = found.meta("mimetype") or ""
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Type": served.content_type(mime_type),
        "Content-Security-Policy": served.POLICY,
        "X-Content-Type-Options": "nosniff",
        "ETag": etag,
        "Last-Modified": format_datetime(modified.astimezone(UTC), usegmt=True),
    }
    if expires is None:
        headers["Cache-Control"] = served.header_text(found.meta("cacheControl") or "no-cache")
    else:
        headers["Expires"] = format_datetime(expires, usegmt=True)
        # Rights are looked at for each use, so no cache may answer instead.
        headers["Cache-Control"] = "private, no-cache"
    download = request.query_params.get("download")
    if download is not None:
        headers["Content-Disposition"] = served.attachment(served.asked_name(download))
    elif not served.is_shown(mime_type):
        headers["Content-Disposition"] = served.attachment("")
    return headers
